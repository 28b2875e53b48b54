"""One message per fetched partition batch; what was fetched and not handed over is read again; commits in our order."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError
from faust.transport.drivers import aiokafka as driver

from streams.engine.fetch_thread import FETCH_WAIT_MS
from tests.streams.engine.scene import CHANGELOG, ORDERS, Scene, records


@pytest.fixture
def scene(monkeypatch):
    return Scene(monkeypatch)


async def reads(scene):
    return [(tp, [record.offset for record in message.value]) for tp, message in await scene.read()]


def test_a_fetched_partition_batch_is_one_message_that_ends_at_its_last_record(scene):
    batch = records(ORDERS, 3, 4, 7)
    scene.fetches_give({ORDERS: batch})
    [(tp, message)] = asyncio.run(scene.read())
    assert (tp, message.value, message.key, message.offset) == (ORDERS, batch, None, 7)
    assert scene.notes == [("fetched", ORDERS, 3, 7)]


def test_the_changelog_comes_in_batches_too_and_is_not_counted(scene):
    scene.fetches_give({CHANGELOG: records(CHANGELOG, 1, 2)})
    assert asyncio.run(reads(scene)) == [(CHANGELOG, [1, 2])]
    assert scene.notes == []


def test_a_partition_paused_for_backpressure_during_its_fetch_is_handed_over_all_the_same(scene):
    """Its records have left aiokafka: dropping them would skip them for good."""
    scene.fetches_give({ORDERS: records(ORDERS, 3)}, during=lambda: scene.consumer.pause_partitions({ORDERS}))
    assert asyncio.run(reads(scene)) == [(ORDERS, [3])]


def test_a_changelog_that_was_paused_is_read_no_further(scene):
    scene.fetches_give({CHANGELOG: records(CHANGELOG, 1)}, during=lambda: scene.consumer.pause_partitions({CHANGELOG}))
    assert asyncio.run(reads(scene)) == []


def flow_stops(scene):
    return scene.consumer.stop_flow


def nobody_takes_it(scene):
    return lambda: setattr(scene.engine, "takes", False)


@pytest.mark.parametrize("accident", [flow_stops, nobody_takes_it])
def test_what_was_fetched_and_not_handed_over_is_read_again_when_the_flow_is_on(scene, accident):
    scene.committed[ORDERS] = 3
    scene.fetches_give({ORDERS: records(ORDERS, 3)}, during=accident(scene))
    scene.fetches_give({ORDERS: records(ORDERS, 3)})

    async def steps():
        assert await reads(scene) == []
        assert "seek" not in scene.notes, "not in the middle of a rebalance"
        scene.consumer.resume_flow()
        scene.engine.takes = True
        assert await reads(scene) == [(ORDERS, [3])]

    asyncio.run(steps())
    assert scene.notes[-3:] == ["seek", ("positioned", {ORDERS: 3}), ("fetched", ORDERS, 3, 3)]


def test_what_is_dropped_while_seeking_is_sought_again(scene):
    """It may have been fetched after its own partition was sought."""
    scene.fetches_give({})
    scene.fetches_give({})
    scene.consumer._dropped = True
    seek = scene.seek_to_committed

    async def seek_while_something_is_dropped():
        scene.consumer.seek_to_committed = seek
        scene.consumer._dropped = True
        return await seek()

    async def steps():
        scene.consumer.seek_to_committed = seek_while_something_is_dropped
        await reads(scene)
        await reads(scene)
        await reads(scene)

    asyncio.run(steps())
    assert scene.notes.count("seek") == 2


def test_a_seek_that_a_rebalance_broke_is_tried_again_after_it(scene):
    scene.consumer._dropped = True

    async def seek_in_a_rebalance():
        scene.consumer.stop_flow()
        raise AssertionError("Partition is not assigned")

    async def steps():
        scene.consumer.seek_to_committed, seek = seek_in_a_rebalance, scene.seek_to_committed
        assert await reads(scene) == []
        scene.consumer.seek_to_committed = seek
        scene.consumer.resume_flow()
        scene.fetches_give({})
        await reads(scene)

    asyncio.run(steps())
    assert scene.notes == ["seek", ("to the beginning", {ORDERS: 0}), ("positioned", {ORDERS: 0})]


def test_a_seek_that_fails_by_itself_is_not_hushed_up(scene):
    scene.consumer._dropped = True

    async def broken_seek():
        raise AssertionError("broken")

    scene.consumer.seek_to_committed = broken_seek
    with pytest.raises(AssertionError, match="broken"):
        asyncio.run(reads(scene))


def test_a_batch_of_a_former_generation_is_not_handed_over(scene):
    scene.fetches_give({ORDERS: records(ORDERS, 3), CHANGELOG: records(CHANGELOG, 1)})

    async def steps():
        reading = scene.consumer.getmany(0.0)
        await anext(reading)
        scene.app.consumer_generation_id += 1
        assert [tp async for tp, _ in reading] == []
        assert scene.consumer._dropped

    asyncio.run(steps())


def test_without_active_partitions_nothing_is_fetched(scene):
    """aiokafka takes no partitions for all partitions."""
    assert asyncio.run(scene.consumer._getmany(set(), 0.0)) == {}


def test_a_revoked_partition_is_let_go_after_its_last_commit(scene, monkeypatch):
    """Faust drops its books first, and delivers the last seconds again at each rebalance (issue 502)."""

    async def let_go(consumer, revoked):
        scene.notes.append("let go")

    async def commit():
        assert not scene.consumer.flow_active
        assert scene.consumer._get_active_partitions() == set()
        scene.notes.append("commit")

    async def wait():
        scene.notes.append("wait for the commit under way")

    monkeypatch.setattr(driver.Consumer, "on_partitions_revoked", let_go)
    monkeypatch.setattr(scene.consumer, "commit", commit)
    monkeypatch.setattr(scene.consumer, "maybe_wait_for_commit_to_finish", wait)
    asyncio.run(scene.consumer.on_partitions_revoked({ORDERS}))
    assert scene.notes == ["halt", "wait for the commit under way", "commit", "let go"]


def test_reading_starts_at_what_the_broker_has_committed(scene):
    scene.committed[ORDERS] = 42
    asyncio.run(scene.consumer.perform_seek())
    assert scene.notes == ["seek", ("positioned", {ORDERS: 42})]


def test_after_a_hand_over_the_inputs_that_have_been_quiet_are_told_apart(scene):
    scene.committed[ORDERS], scene.quiet_ones = 42, {ORDERS}
    asyncio.run(scene.consumer.perform_seek())
    assert scene.notes[-1] == ("positioned", {ORDERS: 42}, {ORDERS})
    assert scene.asked_for_quiet == [([ORDERS], 7.0)]


def test_at_a_first_reading_every_input_may_be_about_to_begin(scene):
    scene.quiet_ones = {ORDERS}
    asyncio.run(scene.consumer.perform_seek())
    assert scene.notes[-1] == ("positioned", {ORDERS: 0})
    assert scene.asked_for_quiet == []


@pytest.mark.parametrize("error", [KafkaError("no leader"), TimeoutError()])
def test_while_a_broker_cannot_tell_no_input_counts_as_quiet(scene, error, monkeypatch):
    class Away:
        async def offsets_for_times(self, _):
            raise error

    thread = scene.consumer._thread
    monkeypatch.setattr(thread, "_ensure_consumer", Away)
    assert asyncio.run(thread._quiet([ORDERS], 7.0)) == set()


@pytest.mark.parametrize("committed", [None, 0])
def test_a_partition_without_a_commit_goes_back_to_its_beginning(scene, committed):
    """aiokafka leaves it where it is; what was fetched meanwhile and dropped would be skipped."""
    scene.committed[ORDERS], scene.beginnings[ORDERS] = committed, 17
    asyncio.run(scene.consumer.perform_seek())
    assert scene.notes == ["seek", ("to the beginning", {ORDERS: 17}), ("positioned", {ORDERS: 17})]


def test_a_commit_that_never_reached_the_broker_does_not_count(scene):
    """Faust keeps the offset although the commit failed; it says nothing about where reading starts."""
    scene.consumer._committed_offset[ORDERS] = 500
    asyncio.run(scene.consumer.perform_seek())
    assert scene.notes[-1] == ("positioned", {ORDERS: 0})
    assert scene.consumer._should_commit(ORDERS, 3)


def test_a_group_that_refused_the_worker_is_joined_again(scene, monkeypatch):
    """aiokafka joins no more until somebody has seen its error, and Faust never looks; it would wait for ever."""
    seen = []

    def check_errors():
        seen.append("error")
        raise GroupAuthorizationFailedError

    async def call_thread(function):
        return function()

    coordinator = SimpleNamespace(_pending_exception=GroupAuthorizationFailedError(), check_errors=check_errors)
    thread = SimpleNamespace(_consumer=SimpleNamespace(_coordinator=coordinator), call_thread=call_thread)
    monkeypatch.setattr(scene.consumer, "_thread", thread)
    asyncio.run(scene.consumer._heal_group())
    coordinator._pending_exception = None
    asyncio.run(scene.consumer._heal_group())
    assert seen == ["error"]


def test_gaps_are_left_to_the_ledger(scene):
    asyncio.run(scene.consumer._add_gap(ORDERS, 0, 1000))
    assert not scene.consumer._gap


def test_an_empty_fetch_does_not_hold_up_the_next_one(scene, monkeypatch):
    made = SimpleNamespace(_fetch_max_wait_ms=1500)
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_create_worker_consumer", lambda thread, transport: made)
    thread = scene.consumer._new_consumer_thread()
    assert thread._create_worker_consumer(None)._fetch_max_wait_ms == FETCH_WAIT_MS
