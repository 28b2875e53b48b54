"""`yocho trainer` beside a worker that does not learn: it dies, the next one goes on, and nobody learns a label twice.

On Apache Kafka the next one stands by from the beginning. The embedded broker loses a member whose SyncGroup request
comes after the leader's, so there it is started once the first one is dead.
"""

import contextlib
import os
import re
import subprocess
import sys
from typing import NamedTuple

import pytest

from models.groups import GROUP_LABELS
from streams.metrics.document import trainer_families
from streams.settings import Settings
from tests.end_to_end.brokers import IS_KAFKA, fresh_broker
from tests.end_to_end.cluster import Probe, WorkerProcess, environment, send, settle, wait_until
from tests.end_to_end.log import event_log
from tests.end_to_end.published import assert_each_label_was_learnt_once, delays, labels, states, versions, waiting

N_EVENTS, N_CUSTOMERS = 12_000, 400
SETTINGS = Settings(horizon_s=28 * 86_400, snapshot_every=100)
VARIABLES = {
    "YOCHO_HORIZON": "28d",
    "YOCHO_SNAPSHOT_EVERY": str(SETTINGS.snapshot_every),
    "YOCHO_LEARN": "on",
    "YOCHO_TRAINER": "apart",
    "YOCHO_SESSION_TIMEOUT_S": "3",
}


class Run(NamedTuple):
    """What a run left behind."""

    states: list
    labels: dict
    published_before: int
    published: dict
    ready_in_worker: set
    shown: dict
    ready: tuple
    said: list
    codes: list


def trainer(bootstrap):
    command = (sys.executable, "-m", "streams", "trainer", "--log-level", "INFO")
    return WorkerProcess(environment(bootstrap, **VARIABLES), command)


def role(process):
    """``learns``, ``stands by``, or nothing yet."""
    return (re.findall(r'"yocho trainer (learns|stands by)"', process.said()) or [""])[-1]


def is_behind(probe, bootstrap):
    return waiting(probe, bootstrap) > SETTINGS.snapshot_every + GROUP_LABELS


@pytest.fixture(scope="module")
def run():
    log, published_before = event_log(N_EVENTS, N_CUSTOMERS), 0
    with (
        fresh_broker(SETTINGS) as broker,
        Probe(broker.bootstrap) as probe,
        WorkerProcess(environment(broker.bootstrap, **VARIABLES)) as worker,
        trainer(broker.bootstrap) as first,
        contextlib.ExitStack() as closing,
    ):
        wait_until(lambda: role(first) == "learns", 60, first.said)
        standby = closing.enter_context(trainer(broker.bootstrap)) if IS_KAFKA else None
        if standby is not None:
            wait_until(lambda: role(standby) == "stands by", 60, standby.said)
        worker.wait_ready()
        for sent in send(broker.bootstrap, log, pace_per_s=1_000):
            if not published_before and sent > N_EVENTS // 2:
                wait_until(lambda: len(versions(broker.bootstrap)) >= 3, 60, first.said)
                assert role(first) == "learns"
                first.kill()
                published_before = len(versions(broker.bootstrap))
                second = standby or closing.enter_context(trainer(broker.bootstrap))
        settle(worker, probe)
        wait_until(lambda: not is_behind(probe, broker.bootstrap), 60, second.said)
        published = versions(broker.bootstrap)
        wait_until(lambda: len(delays("by", [worker], published)) == len(published), 30, worker.said)
        shown, ready = {"worker": worker.metrics(), "trainer": second.metrics()}, second.get("/readyz")
        codes = [second.stop(10), worker.stop(10)]
        return Run(
            states(broker.bootstrap), labels(probe), published_before, published,
            {name for _, name in delays("by", [worker], published)}, shown, ready,
            [process.said() for process in (first, second, worker)], codes,
        )  # fmt: skip


def test_a_trainer_was_killed_in_the_middle_and_the_next_one_went_on(run):
    assert run.published_before >= 3
    assert len(run.published) > run.published_before + 3
    first, second, _ = run.said
    assert "training begins with nothing learnt" in first
    assert '"training goes on"' in second
    assert "nothing learnt" not in second


def test_no_label_was_learnt_twice_and_none_was_left_out(run):
    assert_each_label_was_learnt_once(SETTINGS.target, run.states, run.labels, SETTINGS.snapshot_every)


def test_every_version_was_ready_in_the_worker_without_a_restart(run):
    assert run.ready_in_worker == set(run.published)


def test_the_worker_learnt_nothing(run):
    assert not re.search("training (begins|goes on)", run.said[2])
    assert not any(series.startswith("yocho_expert_weight_ratio") for series in run.shown["worker"])


def test_a_trainer_is_ready_and_shows_what_trainers_show_and_nothing_of_workers(run):
    assert run.ready == (200, "ready\n")
    documented = {family.name for family in trainer_families()}
    families = {re.match(r"\w+", series)[0] for series in run.shown["trainer"]}
    assert families <= documented
    assert {"yocho_labels_pending", "yocho_build_info", "process_cpu_seconds_total"} <= families
    assert run.shown["trainer"]['yocho_labels_learnt_total{kind="horizon"}'] > 0


def test_sigterm_ends_trainer_and_worker_in_order(run):
    assert run.codes == [0, 0]
    assert not any("Traceback" in said for said in run.said)


@pytest.mark.parametrize(
    ("variables", "words"),
    [({"YOCHO_TRAINER": "worker"}, "the workers learn"), ({"YOCHO_LEARN": "off"}, "nothing to do for a trainer")],
)
def test_a_trainer_that_would_learn_beside_the_workers_or_nothing_does_not_start(variables, words):
    command = (sys.executable, "-m", "streams", "trainer")
    environment = {**os.environ, "YOCHO_LEARN": "on", "YOCHO_TRAINER": "apart", **variables}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert words in line
