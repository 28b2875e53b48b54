"""The second line on an embedded broker: each label is learnt exactly once, whoever trains and however often."""

import asyncio
import contextlib

import msgspec
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from models.churn_model import ChurnModel
from models.events import Channel
from models.labels import Label
from models.scorer import Scorer
from models.target import DAY_S, Target
from streams.broker import EmbeddedBroker
from streams.engine.outbox import Outbox
from streams.metrics import Metrics
from streams.model_book import ModelBook
from streams.model_topic import LATEST, Published
from streams.settings import Settings
from streams.training import TrainingLine, follow_models, read_models
from tests.models.histories import START_S, examples

EVERY = 10
N_PARTITIONS = 2
H = 28 * DAY_S
EXAMPLES = examples(150, seed=5)


def label(n, horizon_s=H):
    x, y = EXAMPLES[n % len(EXAMPLES)]
    at_s = START_S + n * 60
    return Label(f"c{n}", at_s, at_s + horizon_s, y, 0.4, x)


class Shop:
    """A broker with labels and models; trainers come and go."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.producer = KafkaProducer(bootstrap_servers=bootstrap, api_version=(2, 0))
        self.n_sent = [0] * N_PARTITIONS

    def settings(self, **changes):
        return Settings(
            **{"brokers": (self.bootstrap,), "partitions": N_PARTITIONS, "horizon_s": H, "snapshot_every": EVERY}
            | changes
        )

    def send(self, *labels):
        for n, one in enumerate(labels):
            value = orjson.dumps(msgspec.structs.asdict(one)) if isinstance(one, Label) else one
            self.producer.send("churn-labels", key=b"c", value=value, partition=n % N_PARTITIONS)
            self.n_sent[n % N_PARTITIONS] += 1
        self.producer.flush()

    def publish(self, *models):
        for model in models:
            for key, value in model.records():
                self.producer.send("churn-model", key=key, value=value, partition=0)
        self.producer.flush()

    def models(self):
        """(key, model) in the order they were published."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, api_version=(2, 0))
        tp, found = TopicPartition("churn-model", 0), []
        consumer.assign([tp])
        consumer.seek_to_beginning(tp)
        end = consumer.end_offsets([tp])[tp]
        while len(found) < end:
            for records in consumer.poll(timeout_ms=500).values():
                found += [(record.key, Published.of(record.value)) for record in records]
        consumer.close()
        return found

    def train(self, until, **settings):
        """Run a trainer until so many labels were learnt or refused; gives what it counted."""
        return asyncio.run(asyncio.wait_for(self._train(until, self.settings(**settings)), 40))

    async def _train(self, until, settings):
        registry = CollectorRegistry()
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            outbox = Outbox(lambda: producer)
            line = TrainingLine(settings, outbox, Metrics(registry))
            line.follow_assignment({0, 1})
            while sum(counts(registry).values()) < until:
                await asyncio.sleep(0.02)
            line.follow_assignment({1})
            await asyncio.sleep(0.1)
            await outbox.flush()
        return counts(registry)


def counts(registry):
    outcomes = ("learnt", "refused")
    return {o: int(registry.get_sample_value("yocho_labels_learnt_total", {"outcome": o}) or 0) for o in outcomes}


@pytest.fixture
def shop():
    with EmbeddedBroker.for_settings(Settings(partitions=N_PARTITIONS)) as broker:
        shop = Shop(broker.bootstrap)
        yield shop
        shop.producer.close()


def n_labels(models, key=LATEST):
    return [model.snapshot["n_labels"] for k, model in models if k == key]


def test_a_snapshot_is_published_every_so_many_labels_under_its_version_and_under_latest(shop):
    shop.send(*map(label, range(25)))
    assert shop.train(25) == {"learnt": 25, "refused": 0}
    models = shop.models()
    assert n_labels(models) == [10, 20]
    versions = [Scorer.from_snapshot(model.snapshot).version.encode() for _, model in models]
    assert [key for key, _ in models] == [versions[0], LATEST, versions[2], LATEST]
    assert [sum(model.label_offsets.values()) for _, model in models] == [10, 10, 20, 20]


def test_a_trainer_that_starts_again_learns_each_label_exactly_once(shop):
    """What was learnt after the last snapshot went with the trainer; the next learns it again, into the old model."""
    shop.send(*map(label, range(25)))
    shop.train(25)
    shop.send(*map(label, range(25, 40)))
    assert shop.train(20) == {"learnt": 20, "refused": 0}
    models = shop.models()
    assert n_labels(models) == [10, 20, 30, 40]
    assert models[-1][1].label_offsets == {0: shop.n_sent[0], 1: shop.n_sent[1]}
    effective = [model.snapshot["effective_at_s"] for _, model in models]
    assert effective == sorted(effective)


def test_a_trainer_that_starts_with_nothing_new_learns_nothing_and_publishes_nothing(shop):
    shop.send(*map(label, range(20)))
    shop.train(20)
    published = len(shop.models())
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(shop._train(1, shop.settings()), 2))
    assert len(shop.models()) == published


class TestAnotherTarget:
    """A model answers one question; with another question, training begins anew."""

    OTHER = Target(Channel.ORDER, 35 * DAY_S)

    def other(self, n=7):
        model = ChurnModel.for_target(self.OTHER)
        for x, y in EXAMPLES[:n]:
            model.learn_one(x, y)
        return Published(model.snapshot(), {0: 1_000, 1: 1_000})

    def test_a_published_model_of_another_target_is_not_gone_on_with(self, shop):
        shop.publish(self.other())
        shop.send(*map(label, range(10)))
        assert shop.train(10) == {"learnt": 10, "refused": 0}
        newest = shop.models()[-1][1]
        assert (newest.snapshot["n_labels"], newest.snapshot["horizon_s"]) == (10, H)
        assert newest.label_offsets == {0: 5, 1: 5}

    def test_one_published_since_does_not_hide_the_older_model_of_this_target(self, shop):
        shop.send(*map(label, range(10)))
        shop.train(10)
        shop.publish(self.other())
        shop.send(*map(label, range(10, 20)))
        assert shop.train(10) == {"learnt": 10, "refused": 0}
        assert n_labels(shop.models()) == [10, 7, 20]

    def test_labels_of_another_horizon_are_counted_and_not_learnt(self, shop):
        shop.send(*[label(n, 35 * DAY_S if n % 3 == 0 else H) for n in range(15)])
        assert shop.train(15) == {"learnt": 10, "refused": 5}
        assert n_labels(shop.models()) == [10]


def test_a_record_that_is_no_label_is_refused_and_passed_over(shop, caplog):
    bad = [None, b"{", b"null", b'{"customer_id":"c1"}', orjson.dumps({"secret": 1})]
    shop.send(*bad, *map(label, range(10)))
    assert shop.train(15) == {"learnt": 10, "refused": 5}
    assert n_labels(shop.models()) == [10]
    assert "secret" not in caplog.text


def test_a_model_that_cannot_be_read_is_passed_over(shop):
    shop.producer.send("churn-model", key=LATEST, value=b'{"snapshot":{"format":"x"},"label_offsets":{}}', partition=0)
    shop.send(*map(label, range(10)))
    assert shop.train(10) == {"learnt": 10, "refused": 0}


def test_workers_read_models_at_start_and_follow_them_after(shop):
    shop.send(*map(label, range(10)))
    shop.train(10)

    async def follow():
        settings = shop.settings()
        book = ModelBook(Scorer.cold(settings.target), pinned=False)
        await read_models(settings, book)
        at_start = book.newest.n_labels
        following = asyncio.create_task(follow_models(settings, book))
        shop.send(*map(label, range(10, 20)))
        await shop._train(10, settings)
        async with asyncio.timeout(20):
            while book.newest.n_labels < 20:
                await asyncio.sleep(0.02)
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        return at_start, book

    at_start, book = asyncio.run(follow())
    assert at_start == 10
    labels_of = [scorer.n_labels for scorer in iterate(book)]
    assert labels_of == [0, 10, 20]


def iterate(book):
    scorer = book.in_effect(0)
    while scorer is not None:
        yield scorer
        scorer = book.following(scorer)


def test_it_trains_where_partition_zero_is_and_nowhere_else(shop):
    async def assigned(owned):
        line = TrainingLine(shop.settings(), Outbox(lambda: None), Metrics(CollectorRegistry()))
        line.follow_assignment(owned)
        running = line._running is not None
        line.follow_assignment(set())
        await asyncio.sleep(0.05)
        return running

    assert [asyncio.run(assigned(owned)) for owned in ({0}, {0, 1}, {1}, set())] == [True, True, False, False]
