"""Replays an event log into the input topics, keyed and typed as a shop would send it: `yocho produce`.

Stands before the line from event to alert. The file is read twice: first to find any row that cannot be sent, so that
a bad file sends nothing at all, then to send. Records go out in the order of the file; where it feeds several topics, a
day of event time is in the broker before the next one begins, so no input runs far ahead of another.

kafka-python is written in Python throughout and sets the pace: some 10,000 records a second on a core of 2020.

Guarantee: when `replay` returns, every record is acknowledged by all replicas. Running it again sends the same records
with the same event ids.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from models.event_rows import EventLogError
from streams.cluster import Cluster
from streams.event_csv import Outgoing, read_records
from streams.partitioner import partition_of
from streams.settings import Settings
from streams.simulate import Pace
from streams.topics import INPUTS, InputTopic

CHUNK_MS = 86_400_000
CHUNK_RECORDS = 5_000
"""kafka-python's own queue has no bound; this is ours, about a megabyte."""
CUSTOMERS_REMEMBERED = 1 << 17

Progress = Callable[[int, int], None]
"""Told how many records are in the broker, and of how many."""


class ProduceError(RuntimeError):
    """Records could not be sent; the message says which topic and why."""


@dataclass(frozen=True)
class ProduceReport:
    """What was sent.

    Parameters
    ----------
    sent
        Records by topic name.
    seconds
        How long sending took, wall clock.
    """

    sent: dict[str, int]
    seconds: float

    @property
    def total(self) -> int:
        """All records."""
        return sum(self.sent.values())

    @property
    def per_second(self) -> float:
        """Records per second."""
        return self.total / max(self.seconds, 1e-9)


def replay(
    path: Path,
    cluster: Cluster,
    settings: Settings,
    *,
    speed: float = float("inf"),
    main_name: str | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> ProduceReport:
    """Send a file.

    Parameters
    ----------
    path, main_name
        See `streams.event_csv.read_records`.
    cluster
        Where to.
    settings
        Topic names, partition count and main channel.
    speed
        Seconds of event time per second, > 0; infinite does not wait.
    limit
        Send only so many rows, from the beginning of the file.
    progress
        Called after each chunk.
    sleep
        Waits for seconds; a test may hand in its own.

    Returns
    -------
    ProduceReport
        After the last acknowledgement.

    Raises
    ------
    EventLogError
        A row cannot be read; nothing was sent.
    ProduceError
        The settings name no topic for an event type, a topic has another partition count than they say, or the
        brokers did not take a record.
    OSError
        The file cannot be read.
    """
    counts = Counter(record.source.key for record in _limited(read_records(path, settings.main, main_name), limit))
    total = counts.total()
    if not total:
        raise EventLogError(f"{path}: no events in it")
    sources = [topic for topic in INPUTS if topic.key in counts]
    for source in sources:
        if not source.is_enabled(settings):
            raise ProduceError(f"{path} has {source.event_type} events, and {source.variable} names no topic for them")
    with Sender(cluster, settings, sources) as sender:
        pace, started = Pace(speed), time.monotonic()
        for record in _limited(read_records(path, settings.main, main_name), limit):
            if sender.is_full(record):
                sender.flush()
                if progress:
                    progress(sender.total, total)
            wait_s = pace.wait_s(record.at_ms / 1000, time.time())
            if wait_s > 0:
                sender.flush()
                sleep(wait_s)
            sender.send(record)
        sender.flush()
        if progress:
            progress(sender.total, total)
        return ProduceReport(dict(sender.sent), time.monotonic() - started)


class Sender:
    """Sends records in chunks and vouches for each; use as a context manager.

    Parameters
    ----------
    cluster
        Where to.
    settings
        Topic names and partition count.
    sources
        Inputs that will be sent to.

    Raises
    ------
    ProduceError
        A topic has another partition count than the settings say.
    """

    def __init__(self, cluster: Cluster, settings: Settings, sources: Iterable[InputTopic]) -> None:
        self.sent: Counter[str] = Counter()
        self._producer: KafkaProducer = cluster.producer()
        self._settings = settings
        self._topics = {source.key: self._open(source) for source in sources}
        self._waiting: list[tuple[str, Any]] = []
        self._chunk_from_ms = 0
        # kafka-python computes the same partition anew for each record, in 8 us.
        self._partition = lru_cache(CUSTOMERS_REMEMBERED)(lambda key: partition_of(key, settings.partitions))

    @property
    def total(self) -> int:
        """Records acknowledged."""
        return self.sent.total()

    def is_full(self, record: Outgoing) -> bool:
        """Tell whether the chunk should be flushed before this record."""
        span_ms = abs(record.at_ms - self._chunk_from_ms)
        apart = len(self._topics) > 1 and span_ms > CHUNK_MS
        return bool(self._waiting) and (apart or len(self._waiting) >= CHUNK_RECORDS)

    def send(self, record: Outgoing) -> None:
        """Hand a record to the producer."""
        topic = self._topics[record.source.key]
        if not self._waiting:
            self._chunk_from_ms = record.at_ms
        future = self._producer.send(topic, key=record.key, value=record.value, partition=self._partition(record.key))
        self._waiting.append((topic, future))

    def flush(self) -> None:
        """Wait until everything is acknowledged; count it.

        Raises
        ------
        ProduceError
            Something was not.
        """
        try:
            self._producer.flush()
            for topic, future in self._waiting:
                future.get(timeout=0)
                self.sent[topic] += 1
        except KafkaError as error:
            raise ProduceError(f"not all records were taken, {self.total} were: {error}") from error
        self._waiting.clear()

    def _open(self, source: InputTopic) -> str:
        topic = source.topic(self._settings)
        try:
            found = len(self._producer.partitions_for(topic) or ())
        except KafkaError as error:
            raise ProduceError(f"topic {topic}: {error}") from error
        if found != self._settings.partitions:
            raise ProduceError(
                f"topic {topic} has {found} partitions, YOCHO_PARTITIONS says {self._settings.partitions};"
                " yocho topics check tells more"
            )
        return topic

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.close(timeout=0)


def _limited(records: Iterable[Outgoing], limit: int | None) -> Iterable[Outgoing]:
    return records if limit is None else (record for record, _ in zip(records, range(limit), strict=False))
