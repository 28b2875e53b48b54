"""Where customers are still to be found: behind `yocho erase --verify`.

Reads what workers wrote, to its present end, and says what names a customer and until when. Topics keyed by customer
are read on the customer's partition alone; dead letters on all, as a bad record may lie anywhere and name anybody. Of
the changelog two things are told: its live view, the latest record of each key, which is what every later worker and
compaction make of it; and the older records that compaction has not reached yet, the tombstone among them. The model
holds numbers and nobody's id. Inputs are their producers' and are not read.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from models.erased import PART, fingerprint
from streams import provision
from streams.cluster import Cluster
from streams.engine.changelog import META_KEY
from streams.lone_reader import batches_to_end, lone_reader
from streams.partitioner import partition_of
from streams.settings import Settings
from streams.topics import ALERTS, CHANGELOG, COMMANDS, DEAD_LETTERS, LABELS, OUTCOMES, Topic

KEYED = (ALERTS, OUTCOMES, LABELS, COMMANDS)
"""Topics that tell of a customer under their key."""
READ = (CHANGELOG, *KEYED, DEAD_LETTERS)


_COMPACTED = ("segment.ms", "max.compaction.lag.ms", "delete.retention.ms")
"""A segment is written to, then waits for compaction, then its tombstones stay: at the longest one after the other."""
_JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
_WORD = re.compile(rb"""[^\s"',:;{}\[\]()\\]+""")


class NoTraceError(RuntimeError):
    """It cannot be said what is left: a topic is missing or has another partition count."""


@dataclass
class Trace:
    """Records that name a customer in one topic.

    Parameters
    ----------
    topic
        Name in Kafka.
    records
        How many, tombstones included: their key is the customer.
    last_ms
        When the last of them was appended, epoch milliseconds.
    kept_ms
        How long after that the broker may keep it; None where it does not tell.
    """

    topic: str
    records: int = 0
    last_ms: int = 0
    kept_ms: int | None = None

    @property
    def until_s(self) -> int | None:
        """When the last of them may go, epoch seconds."""
        return None if self.kept_ms is None or not self.records else (self.last_ms + self.kept_ms) // 1000


@dataclass
class Traces:
    """What is left of a customer.

    Parameters
    ----------
    customer_id, partition
        Who, and where.
    is_live
        Whether the latest record about them in the changelog is a state.
    erased_at_s
        Up to which second the workers pass over what they did; 0 = the workers know of no erasure.
    traces
        By topic, the changelog first.
    """

    customer_id: str
    partition: int
    is_live: bool = False
    erased_at_s: int = 0
    traces: dict[str, Trace] = field(default_factory=dict)


def traces_of(settings: Settings, customer_ids: Collection[str]) -> list[Traces]:
    """Look for customers in everything that workers write.

    Parameters
    ----------
    settings
        Brokers, topics and group of the workers.
    customer_ids
        Whom to look for, each once.

    Returns
    -------
    list of Traces
        In the order of the ids.

    Raises
    ------
    ForbiddenError
        We have no right to look into a topic.
    NoTraceError
        A topic is missing or has another partition count.
    """
    found = {id_: Traces(id_, partition_of(id_.encode(), settings.partitions)) for id_ in customer_ids}
    kept_ms = _kept(settings)
    for traces in found.values():
        traces.traces = {topic.key: Trace(topic.topic(settings), kept_ms=kept_ms[topic.key]) for topic in READ}
    asyncio.run(_search(settings, found.values()))
    return list(found.values())


async def _search(settings: Settings, found: Collection[Traces]) -> None:
    by_partition: dict[int, dict[bytes, Traces]] = defaultdict(dict)
    for traces in found:
        by_partition[traces.partition][traces.customer_id.encode()] = traces
    consumer = lone_reader(settings)
    await consumer.start()
    try:
        for number, wanted in sorted(by_partition.items()):
            await _read_changelog(consumer, TopicPartition(CHANGELOG.topic(settings), number), wanted)
            for topic in KEYED:
                await _read_keyed(consumer, topic, TopicPartition(topic.topic(settings), number), wanted)
        everybody = {key: traces for wanted in by_partition.values() for key, traces in wanted.items()}
        for number in range(settings.partitions):
            await _read_dead_letters(consumer, TopicPartition(DEAD_LETTERS.topic(settings), number), everybody)
    finally:
        await consumer.stop()


def named_in(data: bytes) -> set[bytes]:
    r"""Everything in bytes that may be an id: the texts of JSON, escaped or not, and what stands between blanks.

    Examples
    --------
    >>> sorted(named_in(rb'{"customer_id": "c 1"} bought "\u9867"')) == sorted(
    ...     [b"customer_id", b"c 1", b"c", b"1", b"bought", "\u9867".encode(), b"u9867"]
    ... )
    True
    """
    texts = _JSON_TEXT.findall(data)
    return {*_WORD.findall(data), *(text[1:-1] if b"\\" not in text else _unescaped(text) for text in texts)}


def _unescaped(text: bytes) -> bytes:
    try:
        read: str = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return read.encode()


def _kept(settings: Settings) -> dict[str, int | None]:
    """How long each topic keeps a record, once it is sure that all are there to be read."""
    cluster = Cluster.reach(settings)
    names = {topic.key: topic.topic(settings) for topic in READ}
    cluster.require_known(names.values())
    topics = provision.describe(cluster, settings, with_config=True)
    for name in names.values():
        if name not in topics:
            raise NoTraceError(f"topic {name} is missing: no worker of group {settings.group} has run here")
        if topics[name].partitions != settings.partitions:
            raise NoTraceError(f"{name} has {topics[name].partitions} partitions, YOCHO_PARTITIONS says otherwise")
    if cluster.is_embedded:
        return dict.fromkeys(names)
    return {topic.key: _kept_ms(topic, topics[names[topic.key]].config) for topic in READ}


def _kept_ms(topic: Topic, config: Mapping[str, str]) -> int | None:
    """How long a topic keeps a record that nothing replaces, or that a tombstone replaced: as the broker says."""
    options = _COMPACTED if topic.kept == "compact" else ("retention.ms",)
    if any(option not in config for option in options):
        return None
    kept_ms = sum(int(config[option]) for option in options)
    return kept_ms if kept_ms >= 0 else None


async def _read_changelog(consumer: AIOKafkaConsumer, tp: TopicPartition, wanted: Mapping[bytes, Traces]) -> None:
    erased: Mapping[str, int] = {}
    consumer.assign([tp])
    async for records in batches_to_end(consumer, tp):
        for record in records:
            if record.key == META_KEY and record.value is not None:
                erased = msgspec.json.decode(record.value, type=_Meta).memory.get(PART, {})
            elif record.key in wanted:
                traces = wanted[record.key]
                traces.is_live = record.value is not None
                _count(traces.traces[CHANGELOG.key], record)
    for key, traces in wanted.items():
        traces.erased_at_s = erased.get(fingerprint(key), 0)


class _Meta(msgspec.Struct):
    """Of a partition's own record what is asked for here."""

    memory: dict[str, Any] = {}


async def _read_keyed(
    consumer: AIOKafkaConsumer, topic: Topic, tp: TopicPartition, wanted: Mapping[bytes, Traces]
) -> None:
    consumer.assign([tp])
    async for records in batches_to_end(consumer, tp):
        for record in records:
            if record.key in wanted:
                _count(wanted[record.key].traces[topic.key], record)


async def _read_dead_letters(consumer: AIOKafkaConsumer, tp: TopicPartition, wanted: Mapping[bytes, Traces]) -> None:
    consumer.assign([tp])
    async for records in batches_to_end(consumer, tp):
        for record in records:
            named = {record.key}.union(*map(named_in, _texts(record)))
            for key in named & wanted.keys():
                _count(wanted[key].traces[DEAD_LETTERS.key], record)


def _texts(record: Any) -> Sequence[bytes]:
    return [record.value or b"", *(value for _, value in record.headers)]


def _count(trace: Trace, record: Any) -> None:
    trace.records += 1
    trace.last_ms = max(trace.last_ms, record.timestamp)
