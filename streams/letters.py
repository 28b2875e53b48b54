"""Reads the ``dead-letters`` topic back: what was set aside, and the receipts of what was sent once more.

Serves `yocho dead-letters`, from outside all groups; commits nothing. `streams.dead_letter` writes letters,
`streams.redrive` receipts. A letter written twice (a replay after a crash) is given once. What is neither, because
somebody else wrote to the topic, is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.cluster import Cluster
from streams.dead_letter import ORIGINAL, Headers, partition_in
from streams.settings import Settings
from streams.topics import DEAD_LETTERS

REDRIVEN_FROM = "x-redriven-from"
"""On a record that was sent once more: the id of its dead letter."""
RECEIPT = "x-redriven"
"""On a receipt in ``dead-letters``: the id of the letter whose record was sent once more."""
POLL_MS = 250
PATIENCE_S = 30
"""How long the brokers may bring nothing although there is more."""


class LettersError(RuntimeError):
    """Dead letters could not be read; the message says why."""


@dataclass(frozen=True)
class Letter:
    """A dead letter as it was written.

    Parameters
    ----------
    id
        Topic, partition and offset of the original, joined by dashes.
    reason, detail, error_class
        Why it was set aside.
    topic, partition, offset
        Where the original is.
    app_version
        Version of yocho that set it aside.
    at_ms
        When, epoch milliseconds.
    key, value
        The original's, byte for byte.
    headers
        The original's own.
    headers_dropped
        How many more of those there were: they exceeded what a dead letter keeps.
    """

    id: str
    reason: str
    detail: str
    error_class: str
    topic: str
    partition: int
    offset: int
    app_version: str
    at_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    headers_dropped: int

    @property
    def redriven_from(self) -> str | None:
        """Id of the earlier letter whose record was sent once more and set aside again, as this one."""
        return next((value.decode(errors="replace") for name, value in self.headers if name == REDRIVEN_FROM), None)


@dataclass(frozen=True)
class Receipt:
    """Says that the record of a letter was sent once more.

    Parameters
    ----------
    letter_id
        The letter's.
    at_ms
        When, epoch milliseconds.
    """

    letter_id: str
    at_ms: int


def parse(record: Any) -> Letter | Receipt | None:
    """Read one record of the topic, as kafka-python gives it; None if it is neither letter nor receipt."""
    headers: Headers = [(name, value or b"") for name, value in record.headers]
    ours = {name: value.decode(errors="replace") for name, value in reversed(headers) if not name.startswith(ORIGINAL)}
    if RECEIPT in ours:
        return Receipt(ours[RECEIPT], record.timestamp)
    try:
        partition_in(ours["x-id"])
        return Letter(
            ours["x-id"],
            ours["x-reason"],
            ours["x-detail"],
            ours["x-error-class"],
            ours["x-topic"],
            int(ours["x-partition"]),
            int(ours["x-offset"]),
            ours["x-app-version"],
            record.timestamp,
            record.key,
            record.value,
            [(name.removeprefix(ORIGINAL), value) for name, value in headers if name.startswith(ORIGINAL)],
            int(ours.get("x-headers-dropped", "0")),
        )
    except (KeyError, ValueError):
        return None


def read(
    cluster: Cluster, settings: Settings, *, partitions: set[int] | None = None, since_ms: int = 0
) -> Iterator[Letter | Receipt]:
    """Yield the letters and receipts that are there now, those of a partition in order.

    Parameters
    ----------
    cluster
        Where to read.
    settings
        Topic name.
    partitions
        Only these; None = all.
    since_ms
        Only what was written from then on, epoch milliseconds.

    Yields
    ------
    Letter or Receipt
        Each letter once.

    Raises
    ------
    ForbiddenError, LettersError
        We have no right to read the topic, it is missing, or the brokers stopped answering.
    """
    topic = DEAD_LETTERS.topic(settings)
    seen: set[str] = set()
    try:
        cluster.require_known([topic])
        consumer = cluster.consumer()
        try:
            for record in _records(consumer, topic, partitions):
                found = parse(record) if record.timestamp >= since_ms else None
                if isinstance(found, Letter):
                    if found.id in seen:
                        continue
                    seen.add(found.id)
                if found is not None:
                    yield found
        finally:
            consumer.close()
    except KafkaError as error:
        raise LettersError(f"topic {topic}: {error}") from error


def _records(consumer: KafkaConsumer, topic: str, wanted: set[int] | None) -> Iterator[Any]:
    """Everything a topic holds when the first record is asked for."""
    there = consumer.partitions_for_topic(topic)
    if not there:
        raise LettersError(f"topic {topic} is missing: yocho topics create makes it")
    tps = [TopicPartition(topic, number) for number in sorted(there if wanted is None else wanted & there)]
    if not tps:
        return
    consumer.assign(tps)
    consumer.seek_to_beginning(*tps)
    ends = consumer.end_offsets(tps)
    left = {tp for tp in tps if consumer.position(tp) < ends[tp]}
    quiet_polls = 0
    while left:
        polled = consumer.poll(timeout_ms=POLL_MS)
        for tp, records in polled.items():
            yield from (record for record in records if record.offset < ends[tp])
        left = {tp for tp in left if consumer.position(tp) < ends[tp]}
        quiet_polls = 0 if polled else quiet_polls + 1
        if quiet_polls * POLL_MS > PATIENCE_S * 1000:
            raise LettersError(f"topic {topic}: the brokers bring nothing for {PATIENCE_S} s, and there is more")
