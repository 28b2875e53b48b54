"""What a trainer published and which labels it learnt, read from the topics: the judge of training runs."""

import re
from datetime import datetime

import msgspec
from confluent_kafka import Consumer, TopicPartition

from models import learning_state
from models.labels import Label
from models.trainer import Trainer
from streams.model_topic import LATEST, TRAINER

LINE = re.compile(r'"timestamp":"(\S+?)".*"event":"model ready","model":"(\S+?)"')


def models(bootstrap):
    """Every record that the one partition of models still holds, in order."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "models", "log_level": 0})
    low, high = reader.get_watermark_offsets(TopicPartition("churn-model", 0), timeout=20)
    wanted = high - low
    reader.assign([TopicPartition("churn-model", 0, low)])
    found = []
    while len(found) < wanted:
        found += reader.consume(wanted - len(found), timeout=20)
    reader.close()
    return found


def states(bootstrap):
    return [learning_state.decode(m.value()) for m in models(bootstrap) if m.key() == TRAINER]


def versions(bootstrap):
    """When each version was published, epoch seconds, by its name."""
    messages = [m for m in models(bootstrap) if m.key() not in {TRAINER, LATEST}]
    return {m.key().decode(): m.timestamp()[1] / 1000 for m in messages}


def delays(when, workers, published):
    """Seconds from a version's publication to its being ready, by worker and version."""
    return {
        (f"{when} {number}", name): datetime.fromisoformat(at).timestamp() - published[name]
        for number, worker in enumerate(workers)
        for at, name in LINE.findall(worker.said())
        if name in published
    }


def labels(probe):
    """Every label of the topic, by partition, in order."""
    decoder = msgspec.json.Decoder(Label)
    return {n: [decoder.decode(m.value()) for m in ms] for n, ms in probe.records("churn-labels").items()}


def covered(trainer, by_partition):
    """How many horizon and step labels stand before a trainer's positions, counted in the topic."""
    kinds = [label.kind for n, offset in trainer.positions.items() for label in by_partition[n][:offset]]
    return kinds.count("horizon"), kinds.count("step")


def learnt(trainer):
    return trainer.champion.n_labels, trainer.champion.n_steps


def assert_each_label_was_learnt_once(target, states, by_partition, snapshot_every):
    """Every published state has learnt as many labels of each kind as stand before its offsets."""
    for state in states:
        trainer = Trainer.from_dict(state, target, snapshot_every)
        assert learnt(trainer) == covered(trainer, by_partition)
    assert min(learnt(trainer)) > 300


def waiting(probe, bootstrap):
    """How many labels the newest published state has not learnt."""
    positions = states(bootstrap)[-1]["positions"]
    return sum(len(found) - positions.get(str(n), 0) for n, found in labels(probe).items())
