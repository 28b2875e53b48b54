"""One task per partition: merges its inputs by event time, runs the first line on them, and brings the time.

Batches arrive through `deliver`; the task takes from them what is safe in event time, processes it without an `await`
in between, and tells the ledgers. When nothing is left to take it looks at the clock: stream time moves with the events
and, if the deployment wants it, with the wall clock while the partition is caught up. Whatever falls due is looked at
as of its own second, so it does not matter how late the task comes to it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from streams.engine.awake import AwakeClock
from streams.engine.deliveries import Deliveries, Delivery
from streams.engine.ledger import Ledger
from streams.engine.merge import FAR, Merge
from streams.engine.partition import PartitionRows
from streams.engine.sensor import Batch, Sensor

TICK_S = 0.1
"""How often an idle partition looks at the clock: a tenth of the one second an alert may take."""

GATHER_S = 0.02
"""Pause after a small batch while there is a backlog, so that the next is larger: array functions cost per call."""

WALL_DELAY_S = 5
"""The wall clock carries stream time to this many seconds ago, so that events on their way come before the timers."""

TIMERS_S = 0.05
"""How long timers are served before events get another turn, to the end of a portion: 1/20 of an alert's second."""

FEW_TIMERS, MANY_TIMERS = 200, 1_000
"""Timers in a portion: the least is about as much work as `TIMERS_S` if each is an alert. Many at once cost a fraction
of what they cost in fifties (CDNOW at full speed: half), so a portion that took less than a quarter of the time is
followed by one twice as large, and one that took longer than all of it by one half as large, in this turn or the
next."""


class Line(Protocol):
    """The first line as the task needs it; `streams.pipeline.Pipeline` is the one."""

    def decode(self, number: int, records: Sequence[Any]) -> Sequence[tuple[int, Any]]:
        """(event time in ms, decoded record with its `offset`) for each record of an input, in order."""

    def process(self, partition: PartitionRows, chunk: Sequence[Any]) -> None:
        """Apply records in event-time order; moves the stream time."""

    def advance(self, partition: PartitionRows, to_s: int, limit: int) -> bool:
        """Move stream time to `to_s` and look at what falls due; False while more is due than `limit`."""

    def next_switch_s(self, partition: PartitionRows) -> int | None:
        """Stream time at which another model takes effect, if one waits."""


class PartitionTask:
    """Applies what is delivered for one partition.

    Parameters
    ----------
    partition
        Its rows.
    line
        What to do with records and time.
    ledgers
        One per input, in input order.
    ends
        Gives, per input, the end of the broker's log (exclusive), None while unknown.
    max_batch
        Records processed between two turns of the event loop.
    merge_wait_s
        How long an empty input that has just spoken is waited for.
    disorder_s
        How much out of order an input may be and still be put in order.
    wall_clock
        Whether the wall clock carries stream time on when caught up.
    set_paused
        Called with (input, True) when an input has delivered enough, and False when it may go on.
    sensor
        Told how long batches take.
    """

    def __init__(
        self,
        partition: PartitionRows,
        line: Line,
        ledgers: Sequence[Ledger],
        ends: Callable[[int], int | None],
        *,
        max_batch: int,
        merge_wait_s: float,
        disorder_s: int,
        wall_clock: bool,
        set_paused: Callable[[int, bool], None],
        sensor: Sensor,
    ) -> None:
        self.partition = partition
        partition.is_live = False
        self.ledgers = ledgers
        self.merge: Merge[Any] = Merge(len(ledgers), merge_wait_s, disorder_s * 1000)
        self._wall_delay_s = max(WALL_DELAY_S, disorder_s)
        self._line = line
        self._ends = ends
        self._max_batch = max_batch
        self._wall_clock = wall_clock
        self._set_paused = set_paused
        self._sensor = sensor
        self.clock = AwakeClock(lambda: time.monotonic())  # noqa: PLW0108 - tests put another `time` here
        self._deliveries = [Deliveries() for _ in ledgers]
        self._paused = [False] * len(ledgers)
        self._wake = asyncio.Event()
        self._gathering = False
        self._portion = FEW_TIMERS

    def deliver(self, number: int, records: Sequence[Any]) -> None:
        """Take over a fetched batch of one input."""
        offsets = [record.offset for record in records]
        arrived_s = time.perf_counter()
        decoded = self._line.decode(number, records)
        delivery = Delivery(arrived_s, time.perf_counter())
        self._sensor.decoded(delivery.decoded_s - arrived_s)
        self._deliveries[number].delivered(offsets[-1], delivery)
        latest_ms = self.merge.push(number, decoded, offsets[-1] + 1, self.clock.now_s(), offsets)
        self.ledgers[number].delivered(offsets, latest_ms)
        self._apply_backpressure(number)
        self._wake.set()

    async def run(self, ebb: Callable[[], Any]) -> None:
        """Work until cancelled; `ebb` is awaited between turns and holds the task while output piles up."""
        while True:
            busy = self.turn()
            await ebb()
            if busy:
                await asyncio.sleep(GATHER_S if self._gathering else 0)
                continue
            self._wake.clear()
            # not `wait_for`: before Python 3.12 it forgets a cancellation that meets the wake-up, and `halt` would hang
            with contextlib.suppress(TimeoutError):  # nothing was delivered: the next turn looks at the clock
                async with asyncio.timeout(TICK_S):
                    await self._wake.wait()

    def turn(self) -> bool:
        """One step without an `await`; True when there is more to do at once."""
        for number in range(len(self.ledgers)):
            self.merge.saw_end(number, self._ends(number))
        now_s = self.clock.now_s()
        switch_s = self._line.next_switch_s(self.partition)
        wall_ms = int(time.time() * 1000) if self._wall_clock else 0
        # the first record goes alone: before there is a stream time, no switch could hold up the others
        most = self._max_batch if self.partition.stream_time_s else 1
        chunk = self.merge.take(most, now_s, FAR if switch_s is None else switch_s * 1000, wall_ms)
        self._gathering = 0 < len(chunk) < most // 4 and not self.merge.caught_up
        self.partition.is_live = self.partition.is_live or self.merge.caught_up
        if chunk:
            self._process(chunk)
            # a backlog must not keep those who sent nothing from being looked at
            self._serve_timers(self.partition.stream_time_s)
            return True
        is_done = self._serve_timers(self._stream_time(switch_s, now_s, wall_ms))
        return not is_done or self._line.next_switch_s(self.partition) != switch_s  # what waited behind it may go on

    def _serve_timers(self, to_s: int) -> bool:
        """Bring the time; False while more is due than there is time for in this turn."""
        until_s = time.perf_counter() + TIMERS_S
        while True:
            began_s = time.perf_counter()
            is_done = self._line.advance(self.partition, to_s, self._portion)
            now_s = time.perf_counter()
            self._fit_portion(now_s - began_s, is_done=is_done)
            if is_done or now_s >= until_s:
                return is_done

    def _fit_portion(self, took_s: float, *, is_done: bool) -> None:
        if took_s > TIMERS_S:
            self._portion = max(FEW_TIMERS, self._portion // 2)
        elif took_s < TIMERS_S / 4 and not is_done:  # there was a whole portion to be done
            self._portion = min(MANY_TIMERS, self._portion * 2)

    def _process(self, chunk: list[tuple[int, Any]]) -> None:
        began_s = time.perf_counter()
        self._line.process(self.partition, [item for _, item in chunk])
        ended_s = time.perf_counter()
        applied: dict[int, list[int]] = {}
        for number, item in chunk:
            applied.setdefault(number, []).append(item.offset)
        oldest = min(self._deliveries[number].of(offsets[0]) for number, offsets in applied.items())
        for number, offsets in applied.items():
            self.ledgers[number].applied(offsets)
            self._deliveries[number].applied_to(self.ledgers[number].position)
            self._apply_backpressure(number)
        batch = Batch(self.partition.number, applied, *oldest, began_s, ended_s)
        self._sensor.worked_off(batch)

    def _stream_time(self, switch_s: int | None, now_s: float, wall_ms: int) -> int:
        """Where stream time may move to without another event: not past a switch of models before it is made."""
        here_s = self.partition.stream_time_s
        if switch_s is not None and self.merge.has_reached(switch_s * 1000, now_s, wall_ms):
            return max(here_s, switch_s)
        if self._wall_clock and here_s and self.merge.caught_up:
            wall_s = wall_ms // 1000 - self._wall_delay_s
            return max(here_s, wall_s if switch_s is None else min(wall_s, switch_s))
        return here_s

    def _apply_backpressure(self, number: int) -> None:
        waiting = self.merge.buffered(number)
        too_much, enough_room = waiting > 4 * self._max_batch, waiting < 2 * self._max_batch
        if (too_much and not self._paused[number]) or (enough_room and self._paused[number]):
            self._paused[number] = not self._paused[number]
            self._set_paused(number, self._paused[number])
