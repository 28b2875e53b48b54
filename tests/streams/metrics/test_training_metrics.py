"""What the trainer exports: nothing where there is none, and otherwise what it knows."""

from prometheus_client import CollectorRegistry

from models.contest import Options
from models.drift import Drift
from models.experts import NAMES as EXPERTS
from models.promotion import Verdict
from models.trainer import Learnt
from streams.metrics.training import TrainingMetrics
from tests.models.label_log import ALONE, LOG, taught, trainer

TRAINED = trainer(options=Options())
taught(TRAINED, LOG)


def gauges(registry):
    counters = {"yocho_labels_learnt", "yocho_drift_alarms"}
    names = ("yocho_prequential", "yocho_reliability", "yocho_expert", "yocho_level", "yocho_duel")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect() if family.name.startswith(names) and family.name not in counters
        for sample in family.samples
    }  # fmt: skip


def test_a_worker_that_does_not_train_shows_counters_at_zero_and_no_gauges():
    registry = CollectorRegistry()
    training = TrainingMetrics(registry)
    assert gauges(registry) == {}
    assert registry.get_sample_value("yocho_labels_learnt_total", {"kind": "step"}) == 0
    training.show(TRAINED)
    assert gauges(registry)
    training.show(None)
    assert gauges(registry) == {}


def test_gauges_are_those_of_the_trainer():
    registry = CollectorRegistry()
    TrainingMetrics(registry).show(TRAINED)
    found, reliability = gauges(registry), TRAINED.reliability
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


def test_what_is_not_known_is_left_out():
    registry = CollectorRegistry()
    TrainingMetrics(registry).show(trainer(options=ALONE))
    shown = {name for name, *_ in gauges(registry)}
    assert shown == {"yocho_level_shift", "yocho_expert_weight_ratio"}, "no labels and no challenger"


def test_labels_drifts_and_promotions_are_counted_by_kind():
    registry = CollectorRegistry()
    training = TrainingMetrics(registry)
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


def test_labels_that_wait_are_shown_while_there_is_a_trainer():
    registry = CollectorRegistry()
    training = TrainingMetrics(registry)
    assert registry.get_sample_value("yocho_labels_pending") is None
    training.show(TRAINED)
    training.pending(12)
    assert registry.get_sample_value("yocho_labels_pending") == 12
    training.show(None)
    assert registry.get_sample_value("yocho_labels_pending") is None
