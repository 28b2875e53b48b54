"""Batch delivery: a Faust consumer that hands over one message per fetched partition batch.

Faust's cost is per message (tasks, queues, sensors), not per byte, so a message here is everything one fetch brought
for one partition: its value is the list of records, its offset the last of them. The rest of Faust does not notice.
Each override says why it exists; `test_hooks.py` pins what they rely on.
"""

import time
from collections.abc import AsyncIterator, Collection
from typing import Any, Protocol

from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.engine.fetch_thread import BatchConsumerThread, Fetched
from streams.engine.sensor import Sensor


class HandOver(Protocol):
    """What the consumer tells the engine; `streams.engine.engine.Engine` is the only one."""

    sensor: Sensor
    """Told what became of a commit."""

    def fetched(self, tp: TP, first: int, last: int) -> bool:
        """A batch of a source partition left the consumer; False if nobody takes it now."""

    async def checkpoint(self) -> dict[TP, int] | None:
        """Write output and state; the offsets that may be committed now, None when the write failed."""

    def group_took(self, offsets: Collection[TP], *, is_done: bool) -> None:
        """Offsets were committed, or were not."""

    def is_source(self, tp: TP) -> bool:
        """Whether offsets of this partition are committed by us."""

    async def halt(self) -> None:
        """Stop applying; what is buffered and not applied is dropped."""

    def fail(self, what: str) -> None:
        """End the worker because of the exception being handled."""

    @property
    def merge_wait_s(self) -> float:
        """How long an input that has just spoken is waited for."""

    def positioned(self, offsets: dict[TP, int], quiet: Collection[TP] = ()) -> None:
        """Reading of source partitions will start at these offsets; the quiet ones have not spoken for that long."""


class BatchConsumer(driver.Consumer):
    """Faust's consumer with batches, our commit order and a safe hand-over."""

    _dropped = False
    """Whether something was fetched and not handed over, so that reading has to go back to what is committed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._given: dict[TP, int] = {}  # offset after the last record handed over, or where reading began
        self._read: dict[TP, int] = {}  # how far fetches have read since the last seek, markers included

    @property
    def hand_over(self) -> HandOver:
        """The engine of the app this consumer belongs to."""
        engine: HandOver = self.app.engine
        return engine

    def _new_consumer_thread(self) -> Any:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
        # Faust passes its live set to the fetch thread; if it empties meanwhile, aiokafka takes that for "all
        # partitions" and Faust then drops what comes of the paused ones. So: a copy, and no fetch for none.
        if self._dropped and not await self._seek_again():
            return {}
        if not active_partitions:
            await self.sleep(0.1)
            return {}
        return await super()._getmany(frozenset(active_partitions), timeout)

    def end_of(self, tp: TP) -> int | None:
        """Where the records of an input end (exclusive), None while that is not known.

        A log may go on with markers of transactions. Where it has been read to its end, the last record handed over is
        the last there is.
        """
        end: int | None = self._thread.end_of(tp)
        return self._given.get(tp, end) if end is not None and self._read.get(tp, -1) >= end else end

    async def _seek_again(self) -> bool:
        try:
            await self.perform_seek()
        except Exception:
            self._dropped = True
            if self.flow_active:
                raise  # otherwise a rebalance came in between: its recovery seeks, or we do after it
        return not self._dropped

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109
        # Faust interleaves single records of all partitions here; we yield each partition's batch as one message. What
        # is not yielded was fetched all the same: Faust seeks at once, in the middle of a rebalance; we do it when the
        # flow is on again. A partition that was paused for backpressure during its fetch is no reason to drop.
        read = self._read  # a seek meanwhile makes a new one
        records, _ = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        for tp, batch in records.items():
            if not self.flow_active or generation != self.app.consumer_generation_id:
                self._dropped = True
                return
            if batch and self._is_wanted(tp, batch):
                yield tp, self._batch_message(tp, batch)
        if isinstance(records, Fetched):
            read.update(records.positions)

    def _is_wanted(self, tp: TP, batch: list[Any]) -> bool:
        if not self.hand_over.is_source(tp):
            return tp in self._get_active_partitions()
        taken = self.hand_over.fetched(tp, batch[0].offset, batch[-1].offset)
        self._dropped |= not taken
        self._given[tp] = batch[-1].offset + 1
        return taken

    def _batch_message(self, tp: TP, batch: list[Any]) -> ConsumerMessage:
        message = self._to_message(tp, batch[-1])
        message.key, message.value = None, batch
        return message

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps are the ledger's; Faust's interval tree would grow with each batch, whose offsets all look like gaps."""

    async def _commit_tps(self, tps: Any, start_new_transaction: bool) -> bool:
        # Every commit (timer, wait_empty, stop, revocation) passes here. The order is the promise: output, then
        # state, then offsets. Faust acks a batch when the agent has handed it over, so its ack lists say nothing.
        for acked in (self._acked, self._acked_index):
            for done in acked.values():
                done.clear()
        await self._heal_group()
        generation = self.app.consumer_generation_id
        offsets = await self.hand_over.checkpoint()
        ahead = {tp: offset for tp, offset in (offsets or {}).items() if self._should_commit(tp, offset)}
        sensor = self.hand_over.sensor
        if not ahead:
            if offsets is not None:
                sensor.commit_done()
            return False
        began_s, done = time.perf_counter(), False
        try:
            if generation == self.app.consumer_generation_id:  # else the group has moved on meanwhile
                done = bool(await self._commit_offsets(ahead, start_new_transaction=start_new_transaction))
        finally:
            self.hand_over.group_took(ahead, is_done=done)
            sensor.committed("offsets", time.perf_counter() - began_s)
            (sensor.commit_done if done else sensor.commit_failed)()
        return done

    async def _heal_group(self) -> None:
        # aiokafka stops joining after an error it does not know until its user has seen it; Faust reads past the call
        # that would show it, and a worker would wait for partitions for ever. Seen once, it joins again.
        coordinator: Any = getattr(self._thread._consumer, "_coordinator", None)
        if coordinator is None or getattr(coordinator, "_pending_exception", None) is None:
            return
        try:
            await self._thread.call_thread(coordinator.check_errors)
        except KafkaError as error:
            self.log.warning("the consumer group refused this worker (%s); joining again", type(error).__name__)

    def _should_commit(self, tp: TP, offset: int) -> bool:
        # Faust never commits offset 0 and may advance this mark although the commit failed; ours is what we sent.
        committed = self._committed_offset[tp]
        return committed is None or offset > committed

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        # Faust drops its books before its last commit, so each rebalance delivers the last seconds again (upstream
        # issue 502). Stop, let what is running finish, commit, and only then let go.
        if revoked and not self.should_stop:
            self.stop_flow()
            self.app.flow_control.suspend()
            self.pause_partitions(self.assignment())
            self.app.flow_control.clear()
            await self.settle()
        await super().on_partitions_revoked(revoked)

    async def settle(self) -> None:
        """Apply nothing more, and commit all that was applied; Faust takes a commit that began before for the last."""
        await self.hand_over.halt()
        await self.maybe_wait_for_commit_to_finish()
        await self.commit()

    async def perform_seek(self) -> None:
        # aiokafka does not move partitions that have no committed offset, nor those committed at 0: what was fetched
        # while the flow was stopped, and dropped, would be skipped for good. They go back to their beginning. What
        # the broker has is in `_read_offset`; `_committed_offset` also keeps offsets whose commit failed.
        self._dropped = False  # first: what is dropped while we seek may come from after the seek
        await super().perform_seek()
        starts = {tp: self._read_offset[tp] or 0 for tp in self.assignment() if self.hand_over.is_source(tp)}
        fresh = {tp for tp, offset in starts.items() if not offset}
        if fresh:
            beginnings = await self.earliest_offsets(*fresh)
            await self.seek_wait(beginnings)
            starts.update((tp, beginnings[tp]) for tp in fresh)
            for tp in fresh:
                self._committed_offset.pop(tp, None)
        self._given, self._read = dict(starts), {}
        self.hand_over.positioned(starts, await self._quiet(starts))

    async def _quiet(self, starts: dict[TP, int]) -> set[TP]:
        """Inputs that nobody has to wait for after a hand-over, though a reader cannot know when they spoke last.

        Where a partition has no commit, it is read for the first time, and any of its inputs may be about to begin.
        """
        known = {tp.partition for tp in starts if self._read_offset[tp]}
        tps = [tp for tp in starts if tp.partition in known]
        return await self._thread.quiet(tps, self.hand_over.merge_wait_s) if tps else set()


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = BatchConsumer
