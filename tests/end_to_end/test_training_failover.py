"""The trainer dies and another worker goes on; models reach every worker within seconds, without a restart.

What stands in the topics is the judge: the labels that were written and the states and versions that were published.
"""

from typing import NamedTuple

import pytest

from models.groups import GROUP_LABELS
from models.trainer import Trainer
from streams.engine.merge import Merge
from streams.settings import Settings
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Probe, WorkerProcess, environment, send, settle, wait_until
from tests.end_to_end.log import event_log
from tests.end_to_end.published import (
    assert_each_label_was_learnt_once,
    covered,
    delays,
    labels,
    learnt,
    states,
    versions,
    waiting,
)

N_EVENTS, N_CUSTOMERS = 16_000, 400
SETTINGS = Settings(horizon_s=28 * 86_400, snapshot_every=100)
VARIABLES = {
    "YOCHO_HORIZON": "28d",
    "YOCHO_SNAPSHOT_EVERY": str(SETTINGS.snapshot_every),
    "YOCHO_LEARN": "on",
    "YOCHO_SESSION_TIMEOUT_S": "3",
}
READY_WITHIN_S = 30.0
"""Where the machine is busy; a second or less where it is not."""


class Run(NamedTuple):
    """What a run left behind."""

    states: list
    labels: dict
    published_before: int
    published: dict
    lags: dict
    said: str


class Cluster:
    """Two workers that learn; afterwards one of them."""

    def __init__(self, broker):
        variables = environment(broker.bootstrap, **VARIABLES)
        self.workers = [WorkerProcess(variables) for _ in range(2)]
        for worker in self.workers:
            worker.wait_ready()

    def trainer(self):
        """The worker that trains, by what it exports; None between two trainers."""
        training = [w for w in self.workers if 'yocho_expert_weight_ratio{expert="rhythm"}' in w.metrics()]
        return training[0] if len(training) == 1 else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            worker.__exit__()


def replayed(by_partition):
    """A trainer that has taken every label of the topic from the beginning, merged as they resolved."""
    merge, trainer = Merge(PARTITIONS, 0.0), Trainer(SETTINGS.target, SETTINGS.snapshot_every)
    for number, found in by_partition.items():
        merge.push(number, [(label.resolved_at_s * 1000, (label, n)) for n, label in enumerate(found, 1)], 0, 0.0)
        merge.saw_end(number, 0)
    for number, (label, next_offset) in merge.take(10**6, 1.0):
        trainer.learn(label, number, next_offset)
    return trainer


def behind(probe, bootstrap):
    """Whether the newest state leaves more than the open group and less than a snapshot of the labels."""
    return waiting(probe, bootstrap) > SETTINGS.snapshot_every + GROUP_LABELS


@pytest.fixture(scope="module")
def run():
    """What two workers left behind whose trainer was killed half-way, with labels still to come."""
    log, published_before, lags = event_log(N_EVENTS, N_CUSTOMERS), 0, {}
    with fresh_broker(SETTINGS) as broker, Probe(broker.bootstrap) as probe, Cluster(broker) as cluster:
        wait_until(lambda: cluster.trainer() is not None, 30)
        for sent in send(broker.bootstrap, log, pace_per_s=1_000):
            if not published_before and sent > N_EVENTS // 2 and sent % 500 == 0:
                published = versions(broker.bootstrap)
                if len(published) >= 3 and (victim := cluster.trainer()):
                    victim.kill()
                    published_before = len(published)
                    lags |= delays("first", cluster.workers, published)
                    cluster.workers.remove(victim)
        (survivor,) = cluster.workers
        settle(survivor, probe)
        wait_until(lambda: not behind(probe, broker.bootstrap), 60, survivor.said)
        published = versions(broker.bootstrap)
        lags |= delays("second", cluster.workers, published)
        return Run(states(broker.bootstrap), labels(probe), published_before, published, lags, survivor.said())


def test_the_trainer_was_killed_in_the_middle_and_another_worker_went_on(run):
    assert run.published_before >= 3
    assert len(run.published) > 2 * run.published_before
    assert '"training goes on"' in run.said


def test_no_label_was_learnt_twice_and_none_was_left_out(run):
    assert_each_label_was_learnt_once(SETTINGS.target, run.states, run.labels, SETTINGS.snapshot_every)


def test_it_has_learnt_as_much_as_a_replay_of_the_topic_from_its_beginning(run):
    """Counts, not bits: live, a partition may lag for a moment, and its labels join a later group than in a replay."""
    newest = Trainer.from_dict(run.states[-1], SETTINGS.target, SETTINGS.snapshot_every)
    whole = replayed(run.labels)
    assert learnt(whole) == covered(whole, run.labels)
    left = sum(map(len, run.labels.values())) - sum(newest.positions.values())
    assert left <= SETTINGS.snapshot_every + GROUP_LABELS, "more is waiting than one open group and one snapshot"
    assert abs(sum(learnt(whole)) - sum(learnt(newest))) <= SETTINGS.snapshot_every + GROUP_LABELS


def test_every_version_was_ready_in_every_worker_soon_and_without_a_restart(run):
    assert {worker for worker, _ in run.lags} == {"first 0", "first 1", "second 0"}
    assert {name for worker, name in run.lags if worker == "second 0"} == set(run.published)
    assert max(run.lags.values()) < READY_WITHIN_S
