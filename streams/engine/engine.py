"""The tasks of this worker, and the commit order: output, then state, then offsets.

    agents --deliver--> PartitionTask --put--> Outbox
    Faust's commit timer --checkpoint--> outbox flushed, dirty rows written, offsets returned to be committed

The snapshot of a checkpoint (offsets, dirty rows) is taken without an `await` in it, so offsets never lead state; it
is written in portions of all partitions. A step that fails ends the worker, and what was written before it is written
again by whoever takes over, with the same ids. This is Kafka Streams' record cache and commit (KAFKA-3912).
"""

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from faust.types import TP

from streams.engine.changelog import PORTION, take_changes
from streams.engine.ledger import Ledger
from streams.engine.outbox import Outbox, Record
from streams.engine.partition import PartitionRows
from streams.engine.sensor import Sensor
from streams.engine.store import RowTable
from streams.engine.task import Line, PartitionTask
from streams.logs import get_logger

log = get_logger(__name__)

EXIT_FATAL = 70
"""Exit code of a worker that cannot keep its promises (EX_SOFTWARE in sysexits.h)."""

EXIT_NEWER = 65
"""Exit code of a process that met what a newer release wrote (EX_DATAERR): starting it again helps nobody."""

OUTBOX_LIMIT = 20_000
"""Records that may wait for the brokers before tasks pause: about 40 MiB of alerts at their largest."""


class Engine:
    """Partition tasks by number, their ledgers, the outbox.

    Parameters
    ----------
    app
        The Faust app; its consumer is used.
    table
        The customers.
    sources
        Input topic names in source order.
    line
        What tasks do.
    outbox
        Where the line puts its records.
    sensor
        Told what happens, and how long it takes.
    die
        Ends the process at once, with this exit code. Faust's orderly stop would commit once more, past what was not
        written; whoever takes over does the same work with the same ids.
    task_options
        Passed to each `PartitionTask`.
    """

    def __init__(  # noqa: PLR0917 - called once, in streams.app, with seven things of seven types
        self,
        app: Any,
        table: RowTable,
        sources: Sequence[str],
        line: Line,
        outbox: Outbox,
        sensor: Sensor,
        die: Callable[[int], None] = lambda code: os._exit(code),  # noqa: PLW0108 - a test replaces it
        **task_options: Any,
    ) -> None:
        self.app = app
        self.table = table
        self.sources = list(sources)
        self.line = line
        self.outbox = outbox
        self.sensor = sensor
        self.die = die
        self.ready = False
        self.awaits_state = False
        self.tasks: dict[int, PartitionTask] = {}
        self._worked: dict[int, PartitionTask] = {}  # also after a halt: what they applied is committed then
        self._task_options = task_options
        self._number_of = {topic: number for number, topic in enumerate(self.sources)}
        self._ledgers: dict[TP, Ledger] = {}
        self._running: list[asyncio.Task[None]] = []
        self._sender: asyncio.Task[None] | None = None
        self._recovered = False
        self._is_torn = False  # a checkpoint has begun and not ended; one that was cancelled never will
        self.on_assigned: list[Callable[[set[int]], None]] = []

    # -- what Faust's side tells us (streams.engine.consumer.HandOver)

    def is_source(self, tp: TP) -> bool:
        """Whether this partition belongs to an input."""
        return tp.topic in self._number_of

    def fetched(self, tp: TP, first: int, last: int) -> bool:
        """A batch left the consumer; False while no task would take it, and it has to be read again."""
        if tp.partition not in self.tasks:
            return False
        self._ledgers[tp].fetched(first, last)
        return True

    def recovery_began(self) -> None:
        """Partitions were assigned; their state is about to be restored, and what was applied before counts no more."""
        self.awaits_state = True
        self._ledgers, self._worked = {}, {}

    def group_took(self, offsets: Collection[TP], *, is_done: bool) -> None:
        """Offsets were committed, or were not: then others may own these partitions, and go on from before them."""
        self.table.rows.doubt({tp.partition for tp in offsets}, is_over=is_done)

    def recovered(self) -> None:
        """State of all assigned partitions is complete; tasks start at the seek that follows."""
        self.sensor.assignment.recovered()
        for partition in self.partitions():
            partition.take_over(self.app.consumer_generation_id)
        self._recovered = True

    @property
    def merge_wait_s(self) -> float:
        """How long an input that has just spoken is waited for."""
        wait_s: float = self._task_options["merge_wait_s"]
        return wait_s

    def positioned(self, offsets: dict[TP, int], quiet: Collection[TP] = ()) -> None:
        """Reading starts here: fresh ledgers and tasks, once state is complete; nobody waits for a quiet input."""
        if not self._recovered:
            return
        self._cancel()
        self._note_bookmarks(commit=False)
        self.app.consumer.resume_partitions(set(offsets))  # a task that was replaced may have paused some
        self._ledgers = {tp: Ledger(offset) for tp, offset in offsets.items()}
        for number in sorted({tp.partition for tp in offsets}):
            self.tasks[number] = self._new_task(number, offsets, quiet)
        self._worked = dict(self.tasks)
        loop = asyncio.get_running_loop()
        self._running = [loop.create_task(self._guard(partial(task.run, self._ebb))) for task in self.tasks.values()]
        if self._sender is None:
            self._sender = loop.create_task(self._guard(self._send))
        self.ready = True
        if self.tasks:
            self.sensor.assignment.running()
        for callback in self.on_assigned:
            callback(set(self.tasks))

    async def halt(self) -> None:
        """Stop applying. What is buffered and not applied is dropped here and read again by its next owner."""
        self.ready = self._recovered = self.awaits_state = False
        self.sensor.assignment.halted()
        for callback in self.on_assigned:
            callback(set())
        running = self._running
        self._cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def checkpoint(self) -> dict[TP, int] | None:
        """Write output, then state; give the offsets that may follow, None after a failure."""
        if self._is_torn:
            return None
        started = time.perf_counter()
        self._note_bookmarks(commit=True)
        changes = {partition.number: take_changes(partition) for partition in self.partitions() if partition.owned}
        offsets = {
            tp: ledger.committable
            for tp, ledger in self._ledgers.items()
            if ledger.committable is not None and tp.partition in changes  # what was let go may not be committed
        }
        self._is_torn = True
        try:
            await self.outbox.flush()
            sent = time.perf_counter()
            self.sensor.committed("output", sent - started)
            await self._write_state(changes)
        except Exception:  # whatever its class: offsets must not follow, and what was taken to be written is gone
            self.fail("output or state could not be written, offsets stay")
            return None
        self._is_torn = False
        self.sensor.committed("state", time.perf_counter() - sent)
        return offsets

    # -- what the agents bring

    def deliver(self, records: Sequence[Any]) -> None:
        """Give a fetched batch to the task of its partition; a batch of a partition just lost is not ours any more."""
        task = self.tasks.get(records[0].partition)
        if task is None:
            return
        try:
            self.sensor.fetched(records[0].topic, len(records), records[0].timestamp)
            task.deliver(self._number_of[records[0].topic], records)
        except Exception:  # Faust would restart the agent without this batch, and the partition would stick for good
            self.fail("a batch could not be taken over")

    def fail(self, what: str) -> None:
        """End the worker because of the exception being handled; what is not committed is done again elsewhere."""
        log.exception("the worker dies: " + what, exit_code=EXIT_FATAL)
        self.die(EXIT_FATAL)

    def refuse(self, what: str) -> None:
        """End the worker because a newer release has been here: nothing is written, no offset moves."""
        log.error("this worker ends: a newer yocho is at work here", why=what, exit_code=EXIT_NEWER)
        self.die(EXIT_NEWER)

    # -- inside

    def _new_task(self, number: int, offsets: dict[TP, int], quiet: Collection[TP]) -> PartitionTask:
        tps = [TP(topic, number) for topic in self.sources]
        for tp in tps:
            self._ledgers.setdefault(tp, Ledger())
        rows = self.table.rows.partition(number)
        if not rows.owned:  # its changelog is empty, so recovery has not met it
            rows.take_over(self.app.consumer_generation_id)
        task = PartitionTask(
            rows,
            self.line,
            [self._ledgers[tp] for tp in tps],
            ends=lambda source: self.app.consumer.end_of(tps[source]),
            set_paused=lambda source, paused: self._set_paused(tps[source], paused),
            sensor=self.sensor,
            **self._task_options,
        )
        for source, tp in enumerate(tps):
            spoke_at_s = -math.inf if tp in quiet else task.clock.now_s()
            task.merge.start_at(source, offsets.get(tp, 0), rows.bookmarks.get(tp.topic, ()), spoke_at_s)
        return task

    def _note_bookmarks(self, *, commit: bool) -> None:
        """Note what reading the inputs again has to know, where records are put in order."""
        for number, task in self._worked.items():
            rows = self.table.rows.partitions.get(number)
            if task.merge.disorder_ms and task.partition is rows:
                for source, ledger in enumerate(task.ledgers):
                    if commit and ledger.committable is not None:
                        task.merge.commit(source, ledger.committable, ledger.latest_ms)
                rows.bookmarks = {topic: task.merge.bookmarks(source) for source, topic in enumerate(self.sources)}

    async def _write_state(self, changes: dict[int, Iterator[Record]]) -> None:
        changelog, topic = Outbox(self.outbox.producer), self.table.changelog_topic_name
        share = max(1, PORTION // max(1, len(changes)))
        while portions := {number: part for number, left in changes.items() if (part := [*islice(left, share)])}:
            for number, part in portions.items():
                changelog.extend(topic, number, part)
            for (_, number), offset in (await changelog.flush()).items():
                self.table.rows.written(number, offset, portions[number])

    async def _send(self) -> None:
        """Send output as soon as it is there: an alert does not wait for the commit."""
        while True:
            await asyncio.sleep(0.02)
            if len(self.outbox):
                await self.outbox.flush()

    async def _ebb(self) -> None:
        while len(self.outbox) > OUTBOX_LIMIT:  # noqa: ASYNC110 - rare, and an event would cost each put
            await asyncio.sleep(0.01)

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception:  # a task that ended would leave its partition stuck without a word
            self.fail("a partition task failed")

    def _set_paused(self, tp: TP, paused: bool) -> None:
        consumer = self.app.consumer
        (consumer.pause_partitions if paused else consumer.resume_partitions)({tp})

    def _cancel(self) -> None:
        for running in self._running:
            running.cancel()
        self._running = []
        for task in self.tasks.values():
            for topic, ledger in zip(self.sources, task.ledgers, strict=True):
                self.sensor.handed_back(topic, ledger.n_waiting)
        self.tasks.clear()

    def partitions(self) -> list[PartitionRows]:
        """Rows of every partition this worker owns."""
        return list(self.table.rows.partitions.values())

    def lags(self) -> list[tuple[str, int, int]]:
        """Topic, partition, and how many records the end of its log is ahead of what was applied, where it is known.

        May be asked from another thread.
        """
        return [
            (topic, number, max(0, end - ledger.position))
            for number, task in list(self.tasks.items())
            for source, (topic, ledger) in enumerate(zip(self.sources, task.ledgers, strict=True))
            if (end := task.merge.last_end(source)) is not None
        ]
