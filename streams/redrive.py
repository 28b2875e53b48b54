"""Sends what was set aside back to where it came from, once its cause is mended: `yocho dead-letters redrive`.

Stands before the line from event to alert, as a producer does. Each record goes back with its key, value and own
headers, to the partition of its key, and says in the header ``x-redriven-from`` which letter it was. A receipt in
``dead-letters`` says that it went.

Guarantee: when `send` returns, every record and its receipt are acknowledged by all replicas. Where it breaks off, what
has no receipt yet may have been sent and is sent again next time; the worker then counts it once as long as its event
id is among the last six of its customer (`models.state.N_RECENT`).
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streams.cluster import Cluster
from streams.dead_letter import Headers, partition_in
from streams.letters import RECEIPT, REDRIVEN_FROM, Letter, Receipt, read
from streams.partitioner import partition_of
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, enabled_inputs

CHUNK_RECORDS = 1_000
CHUNK_BYTES = 8 * 1024 * 1024
"""What waits for its acknowledgement at a time, in records and bytes."""

Progress = Callable[[int, int], None]
"""Told how many records are back, and of how many."""


class RedriveError(RuntimeError):
    """Records could not be sent; the message says how many were."""


@dataclass(frozen=True)
class Selection:
    """Which letters are meant; a letter must meet everything that is said.

    Parameters
    ----------
    ids
        One of these; empty = any.
    reason, topic
        Its reason, its original's topic; None = any.
    since_ms
        Set aside from then on, epoch milliseconds.
    """

    ids: frozenset[str] = frozenset()
    reason: str | None = None
    topic: str | None = None
    since_ms: int = 0

    def __contains__(self, letter: Letter) -> bool:
        return (
            (not self.ids or letter.id in self.ids)
            and self.reason in (None, letter.reason)
            and self.topic in (None, letter.topic)
            and letter.at_ms >= self.since_ms
        )

    @property
    def partitions(self) -> set[int] | None:
        """Partitions its letters are on; None where they may be on any."""
        return {partition_in(letter_id) for letter_id in self.ids} if self.ids else None

    def read(self, cluster: Cluster, settings: Settings) -> Iterable[Letter | Receipt]:
        """Yield its letters, and all receipts among them; raises as `streams.letters.read` does."""
        for found in read(cluster, settings, partitions=self.partitions, since_ms=self.since_ms):
            if isinstance(found, Receipt) or found in self:
                yield found


@dataclass
class Plan:
    """What a redrive would do.

    Parameters
    ----------
    ids
        Letters that go back.
    kinds
        How many of them there are, by topic and reason.
    gone
        Letters that stay, as their record was sent back before, or is itself one that came back and failed again.
    homeless
        Letters that stay, by original topic: these settings read no such input.
    empty
        How many letters stay as their record had no value: there is nothing to send.
    incomplete
        How many of those that go back miss headers, which their letter could not hold.
    """

    ids: set[str] = field(default_factory=set)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    gone: set[str] = field(default_factory=set)
    homeless: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    incomplete: int = 0


def plan(cluster: Cluster, settings: Settings, selection: Selection, *, again: bool = False) -> Plan:
    """Read which letters would go back; bodies are not kept.

    Parameters
    ----------
    cluster
        Where to read.
    settings
        Topic names.
    selection
        Which letters are meant.
    again
        Also those that were sent back before.

    Returns
    -------
    Plan
        For `send`.

    Raises
    ------
    LettersError
        The topic is missing or the brokers stopped answering.
    """
    found = Plan()
    inputs = {source.topic(settings) for source in enabled_inputs(settings)}
    receipts: set[str] = set()
    kept: dict[str, tuple[str, str, bool]] = {}
    for one in selection.read(cluster, settings):
        if isinstance(one, Receipt):
            receipts.add(one.letter_id)
        elif one.topic not in inputs:
            found.homeless[one.topic] += 1
        elif one.value is None:
            found.empty += 1
        else:
            kept[one.id] = (one.topic, one.reason, one.headers_dropped > 0)
            if one.redriven_from is not None:
                found.gone.add(one.id)
    found.gone |= receipts & kept.keys()
    if again:
        found.gone.clear()
    found.ids = kept.keys() - found.gone
    found.kinds.update(kept[letter_id][:2] for letter_id in found.ids)
    found.incomplete = sum(kept[letter_id][2] for letter_id in found.ids)
    return found


def send(
    cluster: Cluster, settings: Settings, selection: Selection, planned: Plan, progress: Progress | None = None
) -> int:
    """Send the planned letters' records back.

    Parameters
    ----------
    cluster
        Where to.
    settings
        Topic names and partition count.
    selection
        As it was planned.
    planned
        From `plan`.
    progress
        Called after each chunk.

    Returns
    -------
    int
        Records sent.

    Raises
    ------
    LettersError
        The topic is missing or the brokers stopped answering.
    RedriveError
        The brokers did not take a record.
    """
    producer = cluster.producer()
    sent, chunk, size = 0, list[Letter](), 0
    try:
        for letter in selection.read(cluster, settings):
            if isinstance(letter, Receipt) or letter.id not in planned.ids:
                continue
            chunk.append(letter)
            size += len(letter.value or b"")
            if len(chunk) == CHUNK_RECORDS or size > CHUNK_BYTES:
                sent += _send_chunk(producer, settings, chunk)
                chunk, size = [], 0
                if progress:
                    progress(sent, len(planned.ids))
        sent += _send_chunk(producer, settings, chunk)
        if progress:
            progress(sent, len(planned.ids))
    except KafkaError as error:
        raise RedriveError(f"not all records were taken, {sent} were and have receipts: {error}") from error
    finally:
        producer.close(timeout=0)
    return sent


def restored(letter: Letter, partitions: int) -> tuple[str, int, bytes | None, bytes | None, Headers]:
    """Return topic, partition, key, value and headers of a letter's record on its way back.

    A record without a key goes to the partition it was on.
    """
    partition = letter.partition if letter.key is None else partition_of(letter.key, partitions)
    own = [header for header in letter.headers if header[0] != REDRIVEN_FROM]
    return letter.topic, partition, letter.key, letter.value, [*own, (REDRIVEN_FROM, letter.id.encode())]


def _send_chunk(producer: KafkaProducer, settings: Settings, letters: list[Letter]) -> int:
    """Send records, and when they are all there, their receipts."""
    records = [restored(letter, settings.partitions) for letter in letters]
    _acknowledged(producer, records)
    topic = DEAD_LETTERS.topic(settings)
    _acknowledged(
        producer,
        [(topic, partition_in(letter.id), None, b"", [(RECEIPT, letter.id.encode())]) for letter in letters],
    )
    return len(letters)


def _acknowledged(
    producer: KafkaProducer, records: Iterable[tuple[str, int, bytes | None, bytes | None, Headers]]
) -> None:
    futures: list[Any] = [
        producer.send(topic, value, key=key, headers=headers, partition=partition)
        for topic, partition, key, value, headers in records
    ]
    producer.flush()
    for future in futures:
        future.get(timeout=0)
