"""What an operator counts: closed label sets, and as many series for a million customers as for one."""

import time

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from models.apply import Outcome
from models.contest import Options
from models.drift import Drift
from models.events import Source
from models.experts import NAMES as EXPERTS
from models.levels import ALERT_LEVELS, LEVELS
from models.policy import TransitionType
from models.promotion import Verdict
from models.state import ROW
from models.trainer import Learnt
from streams.engine.partition import PartitionRows
from streams.metrics.line import OUTCOMES, Metrics
from streams.metrics.training import BIN_NAMES
from streams.reasons import Reason, Reject
from streams.settings import Settings
from streams.topics import INPUTS, enabled_inputs
from tests.bad_input import BAD_INPUT
from tests.builders import START_MS, Record, email_open, login, order
from tests.models.label_log import ALONE, LOG, taught, trainer
from tests.streams.harness import FirstLine

ALLOWED = {
    "type": {source.event_type for source in INPUTS} | {str(kind) for kind in TransitionType},
    "outcome": {*OUTCOMES.values(), "rejected", "erased", "churned", "returned", "censored"},
    "reason": {str(reason) for reason in Reason},
    "level": {level.name for level in LEVELS},
    "told": {"none", *(LEVELS[level].name for level in ALERT_LEVELS)},
    "stage": {"output", "state"},
    "source": {source.name.lower() for source in Source},
    "partition": {"0"},
    "kind": {"step", "horizon", "loss", "input"},
    "expert": set(EXPERTS),
    "side": {"said", "seen", "champion", "challenger"},
    "bin": set(BIN_NAMES),
}
TRAINED = trainer(options=Options())
taught(TRAINED, LOG)


def after(n_customers):
    """A first line after a stay with so many customers, good and bad."""
    line = FirstLine()
    line.metrics.watch_partitions(lambda: [line.partition])
    kinds = (order, login, email_open)
    samples = [kind(f"customer-{n}") for n in range(n_customers) for kind in kinds]
    samples += [email_open(f"customer-{n}", machine=True) for n in range(n_customers)]
    samples += [order(f"customer-{n}", at="+20d") for n in range(n_customers)]
    line.take(*samples, *[Record(bad.source.key, 0, 0, START_MS, bad.key, bad.value) for bad in BAD_INPUT])
    line.pass_time("+25d")
    line.metrics.committed("output", 0.1)
    line.metrics.committed("state", 0.1)
    line.metrics.training.show(TRAINED)
    return line


def series(line):
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in line.registry.collect()
        for sample in family.samples
    }


def test_series_do_not_grow_with_customers():
    few, many = after(3), after(300)
    assert len(many.partition) == 100 * len(few.partition)
    assert series(many) == series(few)
    assert b"customer-" not in generate_latest(many.registry)


def test_every_label_value_is_from_a_closed_set():
    for _, labels in series(after(3)):
        for name, value in labels:
            assert name == "le" or value in ALLOWED[name], f"{name}={value!r}"


def test_gauges_tell_of_each_partition_when_asked_and_not_before():
    registry, partitions = CollectorRegistry(), []
    Metrics(registry).watch_partitions(lambda: partitions)
    assert registry.get_sample_value("yocho_customers", {"partition": "7"}) is None
    partition = PartitionRows(7)
    slots = partition.slots_of([b"a", b"b"])
    partition.due.schedule(slots, np.array([100, 200]))
    partition.stream_time_s = int(time.time()) - 60
    partitions.append(partition)

    def value(name):
        return registry.get_sample_value(name, {"partition": "7"})

    assert (value("yocho_customers"), value("yocho_due_timers")) == (2, 2)
    assert value("yocho_state_bytes") == 2 * ROW.itemsize
    assert value("yocho_stream_time_lag_seconds") == pytest.approx(60, abs=5)
    partitions.clear()
    assert value("yocho_customers") is None


def test_a_partition_without_an_event_has_no_lag():
    registry = CollectorRegistry()
    Metrics(registry).watch_partitions(lambda: [PartitionRows(0)])
    assert registry.get_sample_value("yocho_stream_time_lag_seconds", {"partition": "0"}) is None
    assert registry.get_sample_value("yocho_customers", {"partition": "0"}) == 0


def test_outcomes_are_counted_by_type():
    registry = CollectorRegistry()
    sources = np.array([0, 0, 1, 2, 2, 4, 4], np.uint8)
    outcomes = np.array(
        [
            Outcome.APPLIED, Outcome.APPLIED, Outcome.REPLAYED, Outcome.IGNORED, Outcome.DUPLICATE, Outcome.APPLIED,
            Outcome.IGNORED,
        ],
        np.uint8,
    )  # fmt: skip
    Metrics(registry, enabled_inputs(Settings(email_clicks_topic="email-clicks"))).applied(sources, outcomes)
    counted = {
        (kind, outcome): registry.get_sample_value("yocho_events_total", {"type": kind, "outcome": outcome})
        for kind in ("order", "login", "email_open", "email_click")
        for outcome in OUTCOMES.values()
    }
    assert {key: value for key, value in counted.items() if value} == {
        ("order", "applied"): 2, ("login", "replayed"): 1, ("email_open", "machine"): 1, ("email_open", "duplicate"): 1,
        ("email_click", "applied"): 1, ("email_click", "machine"): 1,
    }  # fmt: skip


def test_an_input_that_is_read_shows_its_counters_from_the_start_and_no_other_does():
    registry = CollectorRegistry()
    Metrics(registry, enabled_inputs(Settings(email_sends_topic="email-sends")))
    shown = {s.labels["type"] for metric in registry.collect() if metric.name == "yocho_events" for s in metric.samples}
    assert shown == {"order", "login", "email_open", "email_send", "command"}


def test_a_dead_letter_counts_as_rejected_input_and_by_reason():
    registry = CollectorRegistry()
    Metrics(registry).rejected("login", Reject(Reason.LATE, "older"))
    assert registry.get_sample_value("yocho_events_total", {"type": "login", "outcome": "rejected"}) == 1
    assert registry.get_sample_value("yocho_dead_letters_total", {"reason": "late"}) == 1


def test_an_alert_for_silence_has_no_latency_and_one_for_an_event_never_a_negative_one():
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.alert("watch", "opened", None)
    assert registry.get_sample_value("yocho_event_to_alert_seconds_count") == 0
    metrics.alert("healthy", "recovered", time.time() + 3600)  # a producer whose clock is ahead
    metrics.alert("healthy", "recovered", time.time() - 3)
    assert registry.get_sample_value("yocho_event_to_alert_seconds_count") == 2
    assert registry.get_sample_value("yocho_event_to_alert_seconds_sum") == pytest.approx(3, abs=1)


def test_a_batch_that_fails_leaves_no_time_behind():
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    with pytest.raises(RuntimeError), metrics.processing():
        raise RuntimeError
    with metrics.processing():
        pass
    assert registry.get_sample_value("yocho_processing_seconds_count") == 1


def test_two_workers_in_one_process_do_not_share_a_registry():
    one, other = CollectorRegistry(), CollectorRegistry()
    Metrics(one).looked(5)
    Metrics(other)
    assert one.get_sample_value("yocho_looks_total") == 5
    assert other.get_sample_value("yocho_looks_total") == 0


class TestTraining:
    """What the trainer exports: nothing where there is none, and otherwise what it knows."""

    @staticmethod
    def gauges(registry):
        counters = {"yocho_labels_learnt", "yocho_drift_alarms"}
        names = ("yocho_prequential", "yocho_reliability", "yocho_expert", "yocho_level", "yocho_duel")
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in registry.collect() if family.name.startswith(names) and family.name not in counters
            for sample in family.samples
        }  # fmt: skip

    def test_a_worker_that_does_not_train_shows_counters_at_zero_and_no_gauges(self):
        registry = CollectorRegistry()
        training = Metrics(registry).training
        assert self.gauges(registry) == {}
        assert registry.get_sample_value("yocho_labels_learnt_total", {"kind": "step"}) == 0
        training.show(TRAINED)
        assert self.gauges(registry)
        training.show(None)
        assert self.gauges(registry) == {}

    def test_gauges_are_those_of_the_trainer(self):
        registry = CollectorRegistry()
        Metrics(registry).training.show(TRAINED)
        found, reliability = self.gauges(registry), TRAINED.reliability
        assert found["yocho_prequential_log_loss",] == reliability.log_loss()
        assert found["yocho_prequential_brier",] == reliability.brier()
        assert found["yocho_prequential_auc",] == reliability.auc()
        assert found["yocho_prequential_ece",] == reliability.ece()
        assert found["yocho_level_shift",] == TRAINED.champion.level_shift
        assert {name: found["yocho_expert_weight_ratio", name] for name in EXPERTS} == TRAINED.champion.weights
        assert {side: found["yocho_duel_e_value", side] for side in TRAINED.e_values} == TRAINED.e_values
        point = reliability.curve()[7]
        assert found["yocho_reliability_ratio", "0.7-0.8", "said"] == point.said
        assert found["yocho_reliability_ratio", "0.7-0.8", "seen"] == point.seen

    def test_what_is_not_known_is_left_out(self):
        registry = CollectorRegistry()
        Metrics(registry).training.show(trainer(options=ALONE))
        shown = {name for name, *_ in self.gauges(registry)}
        assert shown == {"yocho_level_shift", "yocho_expert_weight_ratio"}, "no labels and no challenger"

    def test_labels_drifts_and_promotions_are_counted_by_kind(self):
        registry = CollectorRegistry()
        training = Metrics(registry).training
        drifts = (Drift("loss", "loss", "up", 7), Drift("input", "order_silence", "up", 7))
        for winner in ("challenger", "champion"):
            training.learnt(Learnt(3, 2, drifts, Verdict(0, 5, 1, 20.0, 0.1, winner, "why"), None))
        training.learnt(Learnt(1, 0, (), None, None))
        training.refused()
        counted = {
            (name, kind): registry.get_sample_value(f"yocho_{name}_total", {"kind": kind} if kind else {})
            for name, kind in [
                ("labels_learnt", "step"), ("labels_learnt", "horizon"), ("labels_refused", ""),
                ("drift_alarms", "loss"), ("drift_alarms", "input"), ("promotions", ""),
            ]
        }  # fmt: skip
        assert list(counted.values()) == [7, 4, 1, 2, 2, 1]
