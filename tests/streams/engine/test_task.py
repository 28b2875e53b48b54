"""A partition's task: records in event-time order, ledgers that keep up, and the clock only when nothing is left."""

import asyncio
import itertools
from types import SimpleNamespace

import pytest

from streams.engine import task as task_module
from streams.engine.ledger import LedgerError
from streams.engine.task import FEW_TIMERS, MANY_TIMERS, TIMERS_S, WALL_DELAY_S
from tests.streams.engine.desk import Desk
from tests.streams.engine.fakes import log_record

NOW_S = 1_000_000


@pytest.fixture
def clock(monkeypatch):
    """The wall clock says NOW_S, the monotonic one stands still, and `each_s` passes between two looks at the third."""
    passed = itertools.accumulate(iter(lambda: clock.each_s, None))
    clock = SimpleNamespace(
        time=lambda: NOW_S + 0.9, monotonic=lambda: 0.0, perf_counter=lambda: next(passed), each_s=0.005
    )
    monkeypatch.setattr(task_module, "time", clock)
    return clock


def test_records_are_applied_in_event_time_and_the_ledgers_know(clock):
    desk = Desk().deliver(0, 10, 30).deliver(1, 20)
    assert desk.task.turn()
    assert desk.line.applied == [("orders", 0), ("logins", 0), ("orders", 1)]
    assert desk.committable() == [2, 1]


def test_what_waits_for_a_lagging_input_is_not_committed(clock):
    desk = Desk().deliver(0, 10, 30).deliver(1, 20, end=5)
    desk.work()
    assert desk.line.applied == [("orders", 0), ("logins", 0)]
    assert desk.committable() == [1, 1]


def test_a_turn_applies_no_more_than_a_batch(clock):
    desk = Desk(max_batch=2).deliver(0, 1, 2, 3)
    assert desk.task.turn()
    assert desk.committable() == [2, None]
    assert desk.task.turn()
    assert desk.committable() == [3, None]
    assert not desk.task.turn()


def test_a_batch_that_is_out_of_turn_is_refused():
    desk = Desk()
    desk.ledgers[0].fetched(0, 0)
    with pytest.raises(LedgerError):
        desk.task.deliver(0, [log_record(0, 7, b"c1", 1)])


def test_an_input_that_has_brought_enough_is_paused_until_there_is_room(clock):
    desk = Desk(max_batch=2).deliver(0, *range(1, 9))
    assert desk.paused == [], "four batches may wait"
    desk.deliver(0, 9, first=8)
    assert desk.paused == [(0, True)]
    desk.task.turn()
    desk.task.turn()
    assert desk.paused == [(0, True)], "five are too many"
    desk.task.turn()
    assert desk.paused == [(0, True), (0, False)]


def test_on_event_time_the_clock_on_the_wall_does_not_count(clock):
    desk = Desk(wall_clock=False).deliver(0, 10)
    assert desk.work().stream_time_s == 10


def test_once_caught_up_the_wall_clock_carries_stream_time_on_a_little_behind(clock):
    desk = Desk(wall_clock=True).deliver(0, 10)
    assert desk.work().stream_time_s == NOW_S - WALL_DELAY_S


@pytest.mark.parametrize("end", [2, None], ids=["more to fetch", "end unknown"])
def test_while_an_input_lags_the_wall_clock_stands_still(clock, end):
    """Its silence is ours, not the customers'."""
    desk = Desk(wall_clock=True).deliver(0, 10).deliver(1, 10, end=end)
    desk.ends[1] = end
    assert desk.work().stream_time_s == 10


def test_before_the_first_event_there_is_no_time_to_carry_on(clock):
    desk = Desk(wall_clock=True)
    desk.partition.stream_time_s = 0
    assert desk.work().stream_time_s == 0


def test_events_from_the_future_are_not_taken_back_by_the_wall_clock(clock):
    desk = Desk(wall_clock=True).deliver(0, NOW_S + 60)
    assert desk.work().stream_time_s == NOW_S + 60


def test_cheap_timers_are_served_in_growing_portions_and_costly_ones_do_not_keep_the_events_waiting(clock):
    desk = Desk()
    desk.line.more_is_due = True
    clock.each_s = TIMERS_S / 100
    assert desk.task.turn(), "there is more to do"
    assert max(desk.line.limits) == MANY_TIMERS
    clock.each_s = 3 * TIMERS_S
    n_portions = len(desk.line.limits)
    assert all(desk.task.turn() for _ in range(10))
    assert (len(desk.line.limits), desk.line.limits[-1]) == (n_portions + 10, FEW_TIMERS)
    desk.line.more_is_due = False
    assert not desk.task.turn()


def test_records_behind_a_switch_of_models_wait_for_it(clock):
    desk = Desk().deliver(0, 10, 30).deliver(1, 20, 25)
    desk.line.switch_s = 25
    desk.task.turn()
    assert desk.line.applied == [("orders", 0), ("logins", 0)]
    assert desk.task.turn(), "the turn that makes the switch is not the last, or each would cost an idle tick"
    assert desk.stream_time_s == 25
    assert desk.task.turn()
    assert desk.line.applied[2:] == [("logins", 1), ("orders", 1)]


def test_a_switch_waits_for_an_input_that_may_still_bring_earlier_records(clock):
    """Or the same records would be scored by one model live and by another in a replay."""
    desk = Desk().deliver(0, 10, 30).deliver(1, 20, end=5)
    desk.line.switch_s = 25
    assert desk.work().stream_time_s == 20


@pytest.mark.parametrize("wall_clock", [False, True])
def test_a_switch_far_ahead_does_not_pull_stream_time_to_it(clock, wall_clock):
    desk = Desk(wall_clock=wall_clock).deliver(0, 10)
    desk.line.switch_s = NOW_S + 3600
    assert desk.work().stream_time_s == (NOW_S - WALL_DELAY_S if wall_clock else 10)


def test_the_wall_clock_stops_at_a_switch_before_it_goes_on(clock):
    desk = Desk(wall_clock=True).deliver(0, 10)
    desk.line.switch_s = 500
    assert desk.work().stream_time_s == NOW_S - WALL_DELAY_S
    assert desk.line.advanced[-2:] == [500, NOW_S - WALL_DELAY_S]


async def until(happened):
    while not happened():
        await asyncio.sleep(0.001)


async def no_ebb():
    """Output flows."""


def run_for_a_while(desk, steps, ebb=no_ebb):
    """Run the task in a loop while `steps` happen; it must end when it is cancelled."""

    async def scene():
        running = asyncio.create_task(desk.task.run(ebb))
        try:
            await steps(running)
        finally:
            running.cancel()
            await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), 5)

    asyncio.run(scene())


def test_a_delivery_wakes_the_task_at_once(monkeypatch):
    monkeypatch.setattr(task_module, "TICK_S", 60.0)
    desk = Desk()

    async def steps(running):
        await asyncio.sleep(0.01)
        desk.deliver(0, 10)
        await asyncio.sleep(0.01)
        assert desk.line.applied == [("orders", 0)]

    run_for_a_while(desk, steps)


def test_without_a_delivery_it_looks_at_the_clock_again_and_again(monkeypatch):
    monkeypatch.setattr(task_module, "TICK_S", 0.001)
    desk = Desk()

    async def steps(running):
        await until(lambda: len(desk.line.advanced) >= 3)

    run_for_a_while(desk, steps)


def test_a_task_that_is_woken_and_cancelled_in_one_moment_ends():
    """`asyncio.wait_for` forgets the cancellation there before Python 3.12, and the hand-over would hang."""
    desk = Desk()

    async def steps(running):
        await asyncio.sleep(0.01)
        desk.deliver(0, 10)
        running.cancel()
        await asyncio.wait([running], timeout=5)
        assert running.cancelled()

    run_for_a_while(desk, steps)


def test_while_output_piles_up_nothing_more_is_applied():
    desk, flows = Desk(max_batch=1).deliver(0, 1, 2, 3), asyncio.Event()

    async def steps(running):
        await asyncio.sleep(0.01)
        assert len(desk.line.applied) == 1
        flows.set()
        await until(lambda: len(desk.line.applied) >= 3)

    run_for_a_while(desk, steps, flows.wait)


def test_after_each_batch_those_who_sent_nothing_are_looked_at_too(clock):
    """A backlog that never ends must not keep the silent ones from being noticed."""
    desk = Desk().deliver(0, 10)
    assert desk.task.turn()
    assert desk.line.advanced == [10]


def test_the_first_record_of_a_partition_goes_alone_so_that_the_next_can_be_held_up():
    """Before there is a stream time nobody knows of a switch that the others may not pass."""
    desk = Desk()
    desk.partition.stream_time_s = 0
    desk.deliver(0, 10, 20, 30)
    desk.task.turn()
    assert desk.line.applied == [("orders", 0)]
