"""A commit of the consumer: what the engine says, sent in order, and the engine hears what became of it."""

import asyncio

import pytest
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, RequestTimedOutError

from tests.streams.engine.faust_app import NotingEngine
from tests.streams.engine.scene import ORDERS, Scene


def test_a_commit_is_what_the_engine_says_and_not_what_faust_counted(monkeypatch):
    scene = Scene(monkeypatch, NotingEngine(offsets={ORDERS: 10}))
    scene.consumer._acked[ORDERS].extend([1, 2, 3])
    scene.consumer._acked_index[ORDERS].update([1, 2, 3])
    sent = commits_of(scene, monkeypatch)
    assert asyncio.run(scene.consumer._commit_tps([ORDERS], start_new_transaction=False))
    assert sent == [{ORDERS: 10}]
    assert (scene.consumer._acked[ORDERS], scene.consumer._acked_index[ORDERS]) == ([], set())


@pytest.mark.parametrize("offsets", [None, {}, {ORDERS: 10}, {ORDERS: 9}], ids=["failed", "none", "same", "less"])
def test_nothing_new_or_nothing_written_commits_nothing(monkeypatch, offsets):
    scene = Scene(monkeypatch, NotingEngine(offsets=offsets))
    scene.consumer._committed_offset[ORDERS] = 10
    sent = commits_of(scene, monkeypatch)
    assert not asyncio.run(scene.consumer._commit_tps([ORDERS], start_new_transaction=False))
    assert sent == []
    assert scene.engine.sensor.commits == ([] if offsets is None else [True])


@pytest.mark.parametrize("answer", [True, False])
def test_whether_the_brokers_took_the_offsets_is_told_and_how_long_it_took(monkeypatch, answer):
    scene = Scene(monkeypatch, NotingEngine(offsets={ORDERS: 10}))
    commits_of(scene, monkeypatch, answer)
    assert asyncio.run(scene.consumer._commit_tps([ORDERS], start_new_transaction=False)) == answer
    assert (scene.engine.sensor.commits, scene.engine.sensor.stages) == ([answer], ["offsets"])
    assert scene.engine.taken == [({ORDERS: 10}, answer)]


def test_a_commit_that_breaks_off_is_one_that_was_not_taken(monkeypatch):
    scene = Scene(monkeypatch, NotingEngine(offsets={ORDERS: 10}))

    async def commit_offsets(offsets, start_new_transaction=True):
        raise KafkaError

    monkeypatch.setattr(scene.consumer, "_commit_offsets", commit_offsets)
    with pytest.raises(KafkaError):
        asyncio.run(scene.consumer._commit_tps([ORDERS], start_new_transaction=False))
    assert scene.engine.sensor.commits == [False]
    assert scene.engine.taken == [({ORDERS: 10}, False)]


def test_offsets_that_were_worked_out_before_the_group_moved_on_are_not_sent(monkeypatch):
    """The partition may have come back meanwhile, with the state of another owner, who had come less far."""
    engine = NotingEngine()
    scene = Scene(monkeypatch, engine)
    sent = commits_of(scene, monkeypatch)
    scene.app.consumer_generation_id = 7

    async def checkpoint():
        scene.app.consumer_generation_id = 8
        return {ORDERS: 10}

    monkeypatch.setattr(engine, "checkpoint", checkpoint)
    assert not asyncio.run(scene.consumer._commit_tps([ORDERS], start_new_transaction=False))
    assert sent == []
    assert (engine.taken, engine.sensor.commits) == ([({ORDERS: 10}, False)], [False])


def commits_of(scene, monkeypatch, answer=True):
    sent = []

    async def commit_offsets(offsets, start_new_transaction=True):
        sent.append(dict(offsets))
        return answer

    monkeypatch.setattr(scene.consumer, "_commit_offsets", commit_offsets)
    return sent


@pytest.mark.parametrize("refusal", [RequestTimedOutError, IllegalStateError, CommitFailedError])
def test_offsets_that_are_refused_for_good_end_the_worker(monkeypatch, refusal):
    """Faust takes everything down in order; in the middle of a rebalance it once neither worked nor ended."""
    assert refused(monkeypatch, refusal("no")) == ["it cannot read its inputs or commit offsets any more"]


def test_offsets_of_a_group_that_has_moved_on_end_nobody(monkeypatch):
    assert refused(monkeypatch, CommitFailedError("the group has already rebalanced")) == []


def refused(monkeypatch, error):
    """What the engine hears when aiokafka meets a commit with an error; it is not done."""
    scene = Scene(monkeypatch)

    class Consumer:
        async def commit(self, offsets):
            raise error

    thread = scene.consumer._thread
    monkeypatch.setattr(thread, "_ensure_consumer", Consumer)
    monkeypatch.setattr(thread, "assignment", lambda: {ORDERS})
    assert not asyncio.run(thread._commit({ORDERS: 10}))
    return scene.notes
