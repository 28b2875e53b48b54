"""A shop's labels and models on an embedded broker, where trainers come and go."""

import asyncio
from contextlib import contextmanager

import msgspec
import orjson
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from models import learning_state
from models import snapshot as snapshots
from models.events import Channel
from models.labels import Label
from models.target import DAY_S, Target
from streams.broker import EmbeddedBroker
from streams.engine.outbox import Outbox
from streams.metrics.training import TrainingMetrics
from streams.model_topic import LATEST, TRAINER
from streams.settings import Settings
from streams.training import TrainingLine
from tests.models.histories import START_S

N_PARTITIONS = 2
H = 28 * DAY_S
TARGET = Target(Channel.ORDER, H)
PER_DAY = 10
EVERY = 20


def label(n, horizon_s=H, at_s=None):
    """The n-th label: ten a day, so a group is ten labels."""
    at_s = (START_S // DAY_S + n // PER_DAY) * DAY_S + n % PER_DAY * 60 if at_s is None else at_s
    return Label(f"c{n}", at_s, at_s + horizon_s, n % 3 > 0, 0.4, {"order_silence": 0.1 * (n % 7)})


@contextmanager
def open_shop():
    """A shop on an embedded broker of its own."""
    with EmbeddedBroker.for_settings(Settings(partitions=N_PARTITIONS)) as broker:
        shop = Shop(broker.bootstrap)
        yield shop
        shop.producer.close()


class Shop:
    """A broker with labels and models; trainers come and go."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.producer = KafkaProducer(bootstrap_servers=bootstrap, api_version=(2, 0))
        self.n_sent = [0] * N_PARTITIONS
        self.refused = []

    def settings(self, **changes):
        return Settings(
            **{"brokers": (self.bootstrap,), "partitions": N_PARTITIONS, "horizon_s": H, "snapshot_every": EVERY}
            | changes
        )

    def send(self, *labels):
        for n, one in enumerate(labels):
            self.send_to(n % N_PARTITIONS, one)
        self.producer.flush()

    def send_to(self, partition, one):
        value = orjson.dumps(msgspec.structs.asdict(one)) if isinstance(one, Label) else one
        self.producer.send("churn-labels", key=b"c", value=value, partition=partition)
        self.n_sent[partition] += 1

    def publish(self, *pairs):
        for key, value in pairs:
            self.producer.send("churn-model", key=key, value=value, partition=0)
        self.producer.flush()

    def published(self, key):
        """Values under a key, or of all versions, in the order they were published."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, api_version=(2, 0))
        tp, found = TopicPartition("churn-model", 0), []
        consumer.assign([tp])
        consumer.seek_to_beginning(tp)
        end = consumer.end_offsets([tp])[tp]
        while len(found) < end:
            for batch in consumer.poll(timeout_ms=500).values():
                found += [(record.key, record.value) for record in batch]
        consumer.close()
        self.keys = [k for k, _ in found]
        return [value for k, value in found if k == key]

    def snapshots(self):
        return [snapshots.decode(value) for value in self.published(LATEST)]

    def state(self):
        return learning_state.decode(self.published(TRAINER)[-1])

    def train(self, until, **settings):
        """Run a trainer until so many labels were learnt or refused; gives what it counted."""
        return asyncio.run(asyncio.wait_for(self._train(until, self.settings(**settings)), 40))

    async def _train(self, until, settings):
        registry = CollectorRegistry()
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            outbox = Outbox(lambda: producer)
            line = TrainingLine(settings, outbox, TrainingMetrics(registry), self.refused.append)
            line.follow_assignment({0, 1})
            while sum(counts(registry)) < until:
                await asyncio.sleep(0.02)
            line.follow_assignment({1})
            await asyncio.sleep(0.1)
            await outbox.flush()
        return counts(registry)


def counts(registry):
    """Labels learnt, records refused."""
    learnt = registry.get_sample_value("yocho_labels_learnt_total", {"kind": "horizon"})
    return int(learnt or 0), int(registry.get_sample_value("yocho_labels_refused_total") or 0)
