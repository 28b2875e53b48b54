"""Where the records of an input end: what the broker says, and that markers of transactions are no records."""

import asyncio
from types import SimpleNamespace

import pytest
from faust.types import TP

from streams.engine import fetch_thread
from streams.engine.fetch_thread import Fetched
from tests.streams.engine.scene import CHANGELOG, ORDERS, Scene, records


@pytest.fixture
def scene(monkeypatch):
    return Scene(monkeypatch)


@pytest.mark.parametrize(("ago_s", "end"), [(0.0, 42), (0.9, 42), (1.1, None), (None, None)])
def test_where_a_log_ends_is_known_only_while_its_broker_says_so(scene, ago_s, end, monkeypatch):
    """A broker that is away or slow may have more; what it said last would make the others go on without it."""

    class Fetching:
        def last_poll_timestamp(self, _):
            return None if ago_s is None else int((1_000.0 - ago_s) * 1000)

        def last_stable_offset(self, _):
            return 42

    monkeypatch.setattr(scene.consumer._thread, "_ensure_consumer", Fetching)
    monkeypatch.setattr(fetch_thread, "time", SimpleNamespace(time=lambda: 1_000.0))
    assert scene.consumer.end_of(ORDERS) == end


@pytest.fixture
def log_of_five(scene, monkeypatch):
    monkeypatch.setattr(scene.consumer._thread, "end_of", lambda _: 5)
    return scene


def test_a_log_that_goes_on_with_markers_of_transactions_ends_for_us_after_its_last_record(log_of_five):
    scene = log_of_five
    for batch, position, end in (({ORDERS: records(ORDERS, 2, 3)}, 4, 5), ({}, 5, 4)):
        scene.fetches_give(Fetched(batch, {ORDERS: position}))
        asyncio.run(scene.read())
        assert scene.consumer.end_of(ORDERS) == end


def test_a_log_of_nothing_but_markers_ends_where_reading_began(log_of_five):
    scene = log_of_five
    scene.committed[ORDERS] = 3
    asyncio.run(scene.consumer.perform_seek())
    assert scene.consumer.end_of(ORDERS) == 5
    scene.fetches_give(Fetched({}, {ORDERS: 5}))
    asyncio.run(scene.read())
    assert scene.consumer.end_of(ORDERS) == 3


def test_how_far_a_log_was_read_is_forgotten_with_a_seek_even_by_a_fetch_under_way(log_of_five):
    scene = log_of_five
    scene.committed[ORDERS] = 3
    scene.fetches_give(
        Fetched({ORDERS: records(ORDERS, 4)}, {ORDERS: 5}), during=lambda: drive(scene.consumer.perform_seek())
    )
    asyncio.run(scene.read())
    assert scene.consumer.end_of(ORDERS) == 5


def drive(steps):
    """Run what waits for nothing, in the middle of something else that runs."""
    with pytest.raises(StopIteration):
        steps.send(None)


def test_positions_are_of_the_partitions_that_are_assigned_and_have_one():
    states = {
        ORDERS: SimpleNamespace(has_valid_position=True, position=7),
        CHANGELOG: SimpleNamespace(has_valid_position=False),
    }
    assigned = SimpleNamespace(subscription=SimpleNamespace(assignment=SimpleNamespace(state_value=states.get)))
    tps = [ORDERS, CHANGELOG, TP("orders", 1)]
    assert dict(fetch_thread.positions(SimpleNamespace(_subscription=assigned), tps)) == {ORDERS: 7}
    unassigned = SimpleNamespace(subscription=None)
    assert dict(fetch_thread.positions(SimpleNamespace(_subscription=unassigned), tps)) == {}
