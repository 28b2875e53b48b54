"""Stand-ins for what surrounds the engine: a producer, a consumer, an app, and a first line that only counts."""

import asyncio
from collections import Counter, defaultdict
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from models.apply import Columns, Outcome, apply_round
from models.events import Channel
from models.target import DAY_S, Target
from streams.engine.outbox import Outbox
from streams.engine.partition import PartitionRows
from streams.engine.places import Places
from streams.engine.sensor import Batch
from tests.builders import Record

TARGET = Target(Channel.ORDER, 91 * DAY_S)
SOURCES = ("orders", "logins", "email-opens")
OUTPUT, CHANGELOG = "churn-alerts", "yocho-customers-changelog"


class Written(NamedTuple):
    """A record as a broker holds it."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class FakeBatch:
    """A record batch that holds so many records and no more."""

    def __init__(self, size: int) -> None:
        self.size, self.records, self.closed = size, [], False

    def append(self, *, key, value, timestamp, headers):
        if self.closed or len(self.records) == self.size:
            self.closed = True
            return None
        self.records.append(Written(key, value, headers))
        return self

    def record_count(self) -> int:
        return len(self.records)

    def close(self) -> None:
        self.closed = True


class FakeProducer:
    """Writes batches to `logs` at once; `after_send(topic)` is awaited then, and may raise or do other things."""

    def __init__(self, logs: dict | None = None, batch_size: int = 1000, after_send=None) -> None:
        self.logs = defaultdict(list) if logs is None else logs
        self.batch_size, self.after_send = batch_size, after_send
        self.sent: list[tuple[str, int]] = []

    def create_batch(self) -> FakeBatch:
        return FakeBatch(self.batch_size)

    async def send_batch(self, batch: FakeBatch, topic: str, *, partition: int):
        assert batch.closed, "an open batch could still be added to"
        log = self.logs[topic, partition]
        written = asyncio.get_running_loop().create_future()
        written.set_result(SimpleNamespace(offset=len(log)))
        log.extend(batch.records)
        self.sent.append((topic, len(batch.records)))
        if self.after_send is not None:
            await self.after_send(topic)
        return written


class FakeConsumer:
    """Knows where logs end and what is paused."""

    def __init__(self, ends=None) -> None:
        self.ends = {} if ends is None else ends
        self.paused: set[Any] = set()

    def end_of(self, tp):
        return self.ends.get(tp)

    def pause_partitions(self, tps) -> None:
        self.paused |= set(tps)

    def resume_partitions(self, tps) -> None:
        self.paused -= set(tps)


class FakeAssignment:
    """Notes what the engine reports of partitions that come and go."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def halted(self) -> None:
        self.notes.append("halted")

    def recovery_began(self) -> None:
        self.notes.append("recovery began")

    def recovered(self) -> None:
        self.notes.append("recovered")

    def running(self) -> None:
        self.notes.append("running")


class FakeSensor:
    """Takes what the engine reports, and adds up how many records it was told of."""

    def __init__(self) -> None:
        self.assignment = FakeAssignment()
        self.records: Counter[tuple[str, str]] = Counter()
        self.stages: list[str] = []
        self.batches: list[Batch] = []
        self.commits: list[bool] = []

    def fetched(self, topic: str, n: int, oldest_ms: int) -> None:
        self.records["fetched", topic] += n

    def handed_back(self, topic: str, n: int) -> None:
        self.records["handed back", topic] += n

    def decoded(self, seconds: float) -> None:
        assert seconds >= 0
        self.stages.append("decode")

    def worked_off(self, batch: Batch) -> None:
        assert batch.arrived_s <= batch.decoded_s <= batch.began_s <= batch.ended_s
        self.batches.append(batch)
        self.records["processed", "all"] += len(batch)

    def committed(self, stage: str, seconds: float) -> None:
        assert seconds >= 0
        self.stages.append(stage)

    def commit_done(self) -> None:
        self.commits.append(True)

    def commit_failed(self) -> None:
        self.commits.append(False)


class CountingLine:
    """The first line reduced to counting: the real `apply_round` on the real rows, one output record per counted event.

    A record's value is its event time in seconds.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.places = Places()

    def decode(self, number, records):
        for record in records:
            self.places.delivered((number, record.key), record.offset)
        return [(int(record.value) * 1000, record) for record in records]

    def process(self, partition: PartitionRows, chunk) -> None:
        for record in chunk:
            self._count(partition, SOURCES.index(record.topic), record)

    def advance(self, partition: PartitionRows, to_s: int, limit: int) -> bool:
        partition.stream_time_s = max(partition.stream_time_s, to_s)
        return True

    def next_switch_s(self, partition: PartitionRows) -> int | None:
        return None

    def _count(self, partition: PartitionRows, number: int, record: Record) -> None:
        slots = partition.slots_of([record.key])
        rows = partition.rows[slots]
        place = self.places.taken((number, record.key))
        outcome = apply_round(rows, one_event(int(record.value), number, place), TARGET)[0]
        partition.rows[slots] = rows
        partition.stream_time_s = max(partition.stream_time_s, int(record.value))
        if outcome == Outcome.APPLIED:
            partition.mark_dirty(slots)
            self.outbox.put(OUTPUT, partition.number, record.key, f"{number}-{record.offset}".encode())


def one_event(at_s: int, source: int, offset: int) -> Columns:
    """One engaged event without an id, as columns."""
    values = ((at_s, "u4"), (source, "u1"), (source, "u1"), (offset, "i8"), (1.0, "f4"), (0, "u8"), (True, "?"))
    return Columns(*(np.array([value], dtype) for value, dtype in values))


def log_record(source: int, offset: int, key: bytes, at_s: int) -> Record:
    """A consumed record as `CountingLine` understands it."""
    return Record(SOURCES[source], 0, offset, at_s * 1000, key, str(at_s).encode())
