"""A broker, workers and their accidents as plain objects: the reference that the engine's promises are held against.

The broker is three input logs, the committed offsets, and what was written. A worker is the real `Engine` with its
ledgers, tasks, merges, rows and changelog; only Kafka and the first line's arithmetic are played. After every step,
state as a new owner would recover it is compared with a recount of the logs.
"""

from types import SimpleNamespace

import numpy as np
from faust.types import TP

from models.state import new_rows
from streams.engine.changelog import OwnedRows
from streams.engine.engine import Engine
from streams.engine.outbox import Outbox
from tests.builders import Record
from tests.streams.engine.fakes import (
    CHANGELOG,
    SOURCES,
    CountingLine,
    FakeConsumer,
    FakeProducer,
    FakeSensor,
)
from tests.streams.engine.log_broker import TPS, Broker

FAR = 1 << 40  # beyond all offsets
NOBODY = new_rows(1)[0]


class CrashError(BaseException):
    """The process is gone: nothing after this line runs, and nobody may catch it."""


def _crash(code: int) -> None:
    raise CrashError


class Worker:
    """One process: the real engine on fakes, and the batches between its consumer and its agents."""

    def __init__(self, broker: Broker, max_batch: int, disorder_s: int) -> None:
        self.broker = broker
        self.producer = FakeProducer(broker.written, batch_size=2)
        outbox = Outbox(lambda: self.producer)
        self.app = SimpleNamespace(consumer=FakeConsumer(broker.ends), consumer_generation_id=0)
        self.rows = OwnedRows()
        line = CountingLine(outbox)
        self.engine = Engine(
            self.app,
            SimpleNamespace(rows=self.rows, changelog_topic_name=CHANGELOG),
            SOURCES,
            line,
            outbox,
            FakeSensor(),
            _crash,
            max_batch=max_batch,
            merge_wait_s=0.0,
            disorder_s=disorder_s,
            wall_clock=False,
        )
        self.engine.on_assigned.append(lambda owned: line.places.clear())
        self.engine._sender = "output is sent at commits only, so that each run is the same"
        self.in_flight = {tp: [] for tp in TPS}
        self.position: dict[TP, int] = {}

    async def take_over(self, interrupted: bool) -> None:
        """Join the group: recover what is not contained yet, then read from what is committed."""
        self.broker.generation += 1
        self.app.consumer_generation_id = self.broker.generation
        if interrupted:  # the commit timer strikes halfway through recovery, and the group rebalances again
            self._restore(half=True)
            await self.engine.checkpoint()
        self._restore()
        self.engine.recovered()
        self.seek()

    def seek(self) -> None:
        self.in_flight = {tp: [] for tp in TPS}
        self.position = {tp: self.broker.committed.get(tp, 0) for tp in TPS}
        self.engine.positioned(dict(self.position))
        for running in self.engine._running:
            running.cancel()  # turns are steps of the world

    def fetch(self, tp: TP, n: int) -> None:
        batch = [record for record in self.broker.logs[tp] if record.offset >= self.position[tp]][:n]
        if batch and tp not in self.app.consumer.paused:
            self.position[tp] = batch[-1].offset + 1
            assert self.engine.fetched(tp, batch[0].offset, batch[-1].offset)
            self.in_flight[tp].append(batch)

    def deliver(self, tp: TP) -> None:
        if self.in_flight[tp]:
            self.engine.deliver(self.in_flight[tp].pop(0))

    def turn(self) -> bool:
        return any(task.turn() for task in self.engine.tasks.values())

    def _restore(self, half: bool = False) -> None:
        known = self.rows.last_offset.get(0, -1)
        log = self.broker.written[CHANGELOG, 0]
        end = (known + 1 + len(log)) // 2 if half else len(log)
        if log[known + 1 : end]:
            self.rows.apply(0, log[known + 1 : end], end - 1)


class World:
    """Steps that may happen in any order, and what must hold after each."""

    def __init__(self, max_batch: int, disorder_s: int = 0) -> None:
        self.broker = Broker()
        self.max_batch, self.disorder_s = max_batch, disorder_s
        self.worker = Worker(self.broker, max_batch, disorder_s)
        self.frozen: Worker | None = None

    async def run(self, log, steps) -> None:
        for name, *args in log:
            await self.do(name, *args)
        await self.worker.take_over(interrupted=False)
        for name, *args in steps:
            await self.do(name, *args)
            self.check()
        await self.finish()

    async def do(self, name: str, *args) -> None:
        await getattr(self, name)(*args)

    # -- steps

    async def append(self, source, customer, day, hole) -> None:
        self.broker.append(source, customer, day, hole)

    async def fetch(self, source, n) -> None:
        self.worker.fetch(TPS[source], n)

    async def deliver(self, source) -> None:
        self.worker.deliver(TPS[source])

    async def turn(self) -> None:
        self.worker.turn()

    async def pass_on(self, n) -> None:
        """Fetch from all inputs, deliver, work until nothing more can be told apart in time."""
        for tp in TPS:
            self.worker.fetch(tp, n)
            self.worker.deliver(tp)
        while self.worker.turn():
            pass

    async def commit(self, meanwhile) -> None:
        """A commit that goes well, with `meanwhile` done by others while it waits for the broker."""
        waiting = list(meanwhile)

        async def others(topic: str) -> None:
            while waiting:
                await self.do(*waiting.pop(0))

        self.worker.producer.after_send = others
        await self._commit(self.worker)
        self.worker.producer.after_send = None

    async def crash(self, after_sends, interrupted) -> None:
        """Die in a commit, after so many batches were written; after the last one: before the offsets."""
        left = after_sends

        async def count(topic: str) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                raise CrashError

        self.worker.producer.after_send = count
        try:
            if after_sends:
                await self.worker.engine.checkpoint()
        except CrashError:
            pass
        await self._replace_worker(interrupted)

    async def refuse(self, after_sends) -> None:
        """The broker refuses a batch: the worker must die by itself, and commit nothing."""
        left = after_sends

        async def count(topic: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError("not enough replicas")

        self.worker.producer.after_send = count
        try:
            await self._commit(self.worker)
        except CrashError:
            await self._replace_worker()
        self.worker.producer.after_send = None

    async def revoke(self, kept, interrupted) -> None:
        """A rebalance in good order; the partition stays here, or comes back after its rows were dropped."""
        await self.worker.engine.halt()
        await self._commit(self.worker)
        if not kept:
            self.worker.rows.keep_only(())
        await self.worker.take_over(interrupted)

    async def seek(self) -> None:
        """Reading goes back to what is committed, without a rebalance."""
        self.worker.seek()

    async def freeze(self) -> None:
        """The worker stands still for longer than the session; another takes over."""
        self.frozen = self.worker
        await self._replace_worker()

    async def thaw(self) -> None:
        """It wakes up, works on and writes what it has, and learns at its commit that it is out."""
        if self.frozen is not None:
            for tp in TPS:
                self.frozen.deliver(tp)
            self.frozen.turn()
            await self.frozen.engine.checkpoint()
            self.frozen = None

    async def _replace_worker(self, interrupted: bool = False) -> None:
        self.worker = Worker(self.broker, self.max_batch, self.disorder_s)
        await self.worker.take_over(interrupted)

    async def _commit(self, worker: Worker) -> None:
        for tp, offset in (await worker.engine.checkpoint() or {}).items():
            assert offset >= self.broker.committed.get(tp, 0), "a commit went back"
            self.broker.committed[tp] = offset

    # -- what must hold

    def check(self) -> None:
        """What is committed is in the state, here and as a new owner would recover it; nothing is counted twice."""
        recovered = OwnedRows()
        recovered.apply(0, self.broker.written[CHANGELOG, 0], 0)
        self._check_state(rows_of(self.worker.rows))
        self._check_state(rows_of(recovered))
        output = self.broker.output()
        for key, row in rows_of(recovered).items():
            for number, applied in enumerate(row["applied"][: len(TPS)]):
                # as many as were counted; in which order they were applied is the merge's business
                told = [r for r in self._counted(number, key, FAR) if _told(number, r) in output]
                assert len(told) >= len(self._counted(number, key, applied)), "state went out before output"

    def _check_state(self, rows: dict[bytes, np.void]) -> None:
        for key in {record.key for log in self.broker.logs.values() for record in log}:
            for number, tp in enumerate(TPS):
                row = rows.get(key, NOBODY)
                really = len(self._counted(number, key, row["applied"][number]))
                committed = len(self._counted(number, key, self.broker.committed.get(tp, 0) - 1))
                assert row["count"][number] == really, f"{key!r}, {tp}: counted {row['count'][number]}, not {really}"
                assert really >= committed, f"{key!r}, {tp}: {committed} are committed, only {really} in the state"

    def _is_behind(self, ends: dict[TP, int]) -> bool:
        return any(self.broker.committed.get(tp, 0) < end for tp, end in ends.items())

    def _counted(self, number: int, key: bytes, up_to: int) -> list[Record]:
        return [record for record in self.broker.logs[TPS[number]] if record.key == key and record.offset <= up_to]

    async def finish(self) -> None:
        """Without further accidents everything is read, applied and committed: nothing sticks."""
        await self.thaw()
        everything = {_told(n, record) for n, tp in enumerate(TPS) for record in self.broker.logs[tp]}
        ends = {tp: end for tp, end in self.broker.ends.items() if end}
        if self.disorder_s:  # the latest records wait for later ones
            for source in range(len(TPS)):
                self.broker.append(source, customer=99, day=10_000, hole=0)
            ends = {tp: ends.get(tp, 0) for tp in TPS}
        rounds = 10 + sum(map(len, self.broker.logs.values()))
        while self._is_behind(ends) and rounds:
            rounds -= 1
            await self.pass_on(5)
            await self._commit(self.worker)
        assert not self._is_behind(ends), "stuck"
        self.check()
        assert self.broker.output() == everything


def _told(number: int, record: Record) -> bytes:
    return b"%d-%d" % (number, record.offset)


def rows_of(owned: OwnedRows) -> dict[bytes, np.void]:
    return {key: rows.rows[rows.slot(key)] for rows in owned.partitions.values() for key in rows}
