"""The second line on an embedded broker: each label is learnt exactly once, whoever trains and however often."""

import asyncio
import contextlib
import dataclasses
from types import SimpleNamespace

import orjson
import pytest
from prometheus_client import CollectorRegistry

from models import learning_state
from models import snapshot as snapshots
from models.contest import Options
from models.events import Channel
from models.promotion import Verdict
from models.scorer import Scorer
from models.target import DAY_S, Target
from models.trainer import Trainer
from streams import label_feed
from streams.engine.outbox import Outbox
from streams.metrics.training import TrainingMetrics
from streams.model_book import ModelBook
from streams.model_topic import LATEST, TRAINER, records
from streams.training import KEPT_S, TrainingLine, follow_models, read_models
from tests.logged import logged, text_of
from tests.models.label_log import placed, taught
from tests.streams.label_shop import EVERY, N_PARTITIONS, PER_DAY, TARGET, H, label, open_shop


@pytest.fixture
def shop():
    with open_shop() as shop:
        yield shop


def test_a_model_is_published_every_so_many_labels_as_state_version_and_latest(shop):
    shop.send(*map(label, range(45)))
    assert shop.train(40) == (40, 0)
    models = shop.snapshots()
    assert [model.n_labels for model in models] == [20, 40]
    assert shop.keys == [key for model in models for key in (TRAINER, model.name.encode(), LATEST)]
    states = [learning_state.decode(value)["positions"] for value in shop.published(TRAINER)]
    assert states == [{"0": 10, "1": 10}, {"0": 20, "1": 20}]


def test_a_trainer_that_starts_again_learns_each_label_exactly_once(shop):
    """What was learnt after the last publication went with the trainer; the next learns it again, into its state."""
    log = list(map(label, range(81)))
    shop.send(*log[:31])
    assert shop.train(30) == (30, 0)
    shop.send_to(1, log[31])
    shop.send(*log[32:])
    assert shop.train(60) == (60, 0)
    models, whole = shop.snapshots(), Trainer(TARGET, EVERY)
    expected = [learnt.publication for learnt in taught(whole, placed(log)) if learnt.publication]
    assert models == [one.snapshot for one in expected]
    assert [model.n_labels for model in models] == [20, 40, 60, 80]
    assert orjson.dumps(shop.state()) == orjson.dumps(expected[-1].state)


def test_a_trainer_that_starts_with_nothing_new_learns_nothing_and_publishes_nothing(shop):
    shop.send(*map(label, range(21)))
    shop.train(20)
    published = len(shop.snapshots())
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(shop._train(1, shop.settings()), 3))
    assert len(shop.snapshots()) == published


@pytest.mark.parametrize(("turn", "ahead"), [(label_feed.LABELS_PER_TURN, label_feed.READ_AHEAD), (7, 3)])
def test_labels_are_learnt_in_the_order_they_resolved_however_they_are_fetched(shop, monkeypatch, turn, ahead):
    """Partition by partition, months of one half of the customers would come before those of the other half."""
    monkeypatch.setattr(label_feed, "LABELS_PER_TURN", turn)
    monkeypatch.setattr(label_feed, "READ_AHEAD", ahead)
    log = list(map(label, range(401)))
    for partition in range(N_PARTITIONS):
        for one in log[partition::N_PARTITIONS]:
            shop.send_to(partition, one)
        shop.producer.flush()
    shop.train(400)
    expected = [learnt.publication for learnt in taught(Trainer(TARGET, EVERY), placed(log)) if learnt.publication]
    assert [model.name for model in shop.snapshots()] == [one.snapshot.name for one in expected]


class TestAnotherTarget:
    """A state answers one question; with another question, training begins anew."""

    def other(self):
        trainer = Trainer(Target(Channel.ORDER, 35 * DAY_S), 1)
        labels = [label(n, 35 * DAY_S) for n in (0, PER_DAY)]
        (learnt,) = taught(trainer, placed(labels))
        return records(learnt.publication)

    def test_a_published_state_of_another_target_is_not_gone_on_with(self, shop):
        shop.publish(*self.other())
        shop.send(*map(label, range(21)))
        assert shop.train(20) == (20, 0)
        newest = shop.snapshots()[-1]
        assert (newest.n_labels, newest.horizon_s) == (20, H)

    def test_one_published_since_does_not_hide_the_older_state_of_this_target(self, shop):
        shop.send(*map(label, range(21)))
        shop.train(20)
        shop.publish(*self.other())
        shop.send(*map(label, range(21, 42)))
        assert shop.train(20) == (20, 0)
        assert [model.n_labels for model in shop.snapshots()] == [20, 1, 40]

    def test_labels_of_another_horizon_are_counted_and_not_learnt(self, shop):
        shop.send(*[label(n, 35 * DAY_S if n % 3 == 0 else H) for n in range(32)])
        assert shop.train(31) == (20, 11)


def test_a_record_that_is_no_label_is_refused_and_passed_over(shop, caplog):
    bad = [b"{", b"null", b'{"customer_id":"c1"}', orjson.dumps({"secret": 1})]
    shop.send(*bad, *map(label, range(21)))
    assert shop.train(24) == (20, 4)
    assert [model.n_labels for model in shop.snapshots()] == [20]
    assert "secret" not in text_of(caplog.records)
    places = {(about["topic"], about["partition"], about["offset"]) for _, about in logged(caplog.records)}
    assert len(places) == len(logged(caplog.records)) == 4


def test_the_tombstone_behind_the_labels_of_somebody_erased_is_passed_over_without_a_word(shop, caplog):
    shop.send(*map(label, range(15)), None, None, *map(label, range(15, 21)))
    assert shop.train(20) == (20, 0)
    assert [model.n_labels for model in shop.snapshots()] == [20]
    assert "refused" not in caplog.text


def test_a_label_from_the_far_future_holds_nobody_up(shop):
    shop.send_to(0, label(0, at_s=2**40))
    shop.send(*map(label, range(21)))
    assert shop.train(21) == (20, 1)


def test_a_state_that_is_damaged_is_told_and_the_one_before_is_taken(shop, caplog):
    shop.send(*map(label, range(41)))
    shop.train(40)
    damaged = shop.state()
    damaged["contest"]["champion"] = {}
    shop.publish((TRAINER, orjson.dumps(damaged)), (TRAINER, b"{"), (LATEST, b'{"format":"x"}'))
    shop.send(*map(label, range(41, 62)))
    assert shop.train(20) == (20, 0)
    assert snapshots.decode(shop.published(LATEST)[-1]).n_labels == 60
    assert "state was refused" in caplog.text


def test_settings_choose_champion_challenger_and_experts(shop):
    shop.send(*map(label, range(21)))
    shop.train(20, experts=("rhythm", "linear"), memory_days=20.0, challenger_memory_days=0.0)
    assert shop.state()["contest"]["options"] == {
        "memory_days": 20.0, "challenger_memory_days": 0.0, "experts": ["rhythm", "linear"],
    }  # fmt: skip
    assert shop.state()["contest"]["challenger"] is None


def test_the_end_of_a_duel_is_logged(shop, caplog):
    caplog.set_level("INFO")
    line = TrainingLine(shop.settings(), Outbox(lambda: None), TrainingMetrics(CollectorRegistry()), print)
    (learnt, *_) = taught(Trainer(TARGET, 1, Options()), placed(map(label, range(21))))
    verdict = Verdict(0, 1, 1, 20.0, 1.0, "challenger", "won")
    line._tell(dataclasses.replace(learnt, verdict=verdict, publication=None))
    assert ("duel ended", {"at": "1970-01-01T00:00:00Z", "why": "won"}) in logged(caplog.records)


FAR_S = 2**32


@pytest.mark.parametrize(
    ("stream_times_s", "kept"),
    [((), [0, 20, 40]), ((0, FAR_S), [40]), ((KEPT_S, FAR_S), [0, 20, 40])],
    ids=["nobody knows the time", "everybody is past them", "one partition still needs them"],
)
def test_workers_read_models_at_start_follow_them_after_and_keep_those_that_are_needed(shop, stream_times_s, kept):
    shop.send(*map(label, range(21)))
    shop.train(20)
    partitions = [SimpleNamespace(stream_time_s=at_s) for at_s in stream_times_s]

    async def follow():
        settings = shop.settings()
        book = ModelBook(Scorer.cold(settings.target), pinned=False)
        await read_models(settings, book)
        at_start = book.newest.n_labels
        following = asyncio.create_task(follow_models(settings, book, shop.refused.append, lambda: partitions))
        shop.send(*map(label, range(21, 42)))
        await shop._train(20, settings)
        async with asyncio.timeout(20):
            while book.newest.n_labels < 40:
                await asyncio.sleep(0.02)
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        return at_start, book

    at_start, book = asyncio.run(follow())
    assert at_start == 20
    assert [scorer.n_labels for scorer in iterate(book)] == kept


def iterate(book):
    scorer = book.in_effect(0)
    while scorer is not None:
        yield scorer
        scorer = book.following(scorer)


def test_it_trains_where_partition_zero_is_and_nowhere_else(shop):
    async def assigned(owned):
        line = TrainingLine(shop.settings(), Outbox(lambda: None), TrainingMetrics(CollectorRegistry()), print)
        line.follow_assignment(owned)
        running = line._running is not None
        line.follow_assignment(set())
        await asyncio.sleep(0.05)
        return running

    assert [asyncio.run(assigned(owned)) for owned in ({0}, {0, 1}, {1}, set())] == [True, True, False, False]
