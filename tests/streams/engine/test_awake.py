"""Waiting counts while somebody could have been heard: a worker that was frozen begins to wait when it wakes up."""

from types import SimpleNamespace

import pytest

from streams.engine import task as task_module
from streams.engine.awake import MOST_S
from streams.engine.turns import PATIENCE_S
from tests.streams.engine.desk import Desk


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now_s=1_000.0, time=lambda: 1_000_000.0, perf_counter=lambda: 0.0)
    clock.monotonic = lambda: clock.now_s
    monkeypatch.setattr(task_module, "time", clock)
    return clock


def test_inputs_that_were_waited_for_when_the_worker_froze_are_waited_for_when_it_wakes_up(clock):
    desk = Desk().deliver(0, 10, 30).deliver(1, 20, end=5)
    desk.work()
    assert desk.line.applied == [("orders", 0), ("logins", 0)]
    clock.now_s += 10 * PATIENCE_S
    desk.work()
    assert desk.line.applied == [("orders", 0), ("logins", 0)], "nobody could be heard meanwhile"
    for _ in range(int(PATIENCE_S / MOST_S) + 1):
        clock.now_s += MOST_S
        desk.work()
    assert desk.line.applied == [("orders", 0), ("logins", 0), ("orders", 1)]
