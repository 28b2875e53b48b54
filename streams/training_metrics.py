"""What the trainer exports: what it took and refused, how good the scores were, and who is ahead.

Part of `streams.metrics`. Only one worker trains: the others, and one that has lost the trainer, show no gauges rather
than old or zero ones. They are computed when a group of labels was learnt, not when Prometheus asks, as that happens in
another thread, in the middle of learning.

=====================================  ==========================================================================
``yocho_labels_learnt_total``          labels learnt by kind: step, horizon
``yocho_labels_refused_total``         records that are no label this trainer can learn
``yocho_drift_alarms_total``           drift found by kind: loss, input
``yocho_promotions_total``             challengers that became champion
``yocho_prequential_log_loss``         of the last 5,000 labels or so, scored one horizon before
``yocho_prequential_brier``            their mean squared error
``yocho_prequential_auc``              their rank quality
``yocho_prequential_ece``              their calibration error
``yocho_reliability_ratio``            the reliability curve: said and seen, by bin of the probability
``yocho_expert_weight_ratio``          weight of each expert in the champion
``yocho_level_shift``                  log of the factor on all hazards, from labels that resolve early
``yocho_duel_e_value``                 evidence for champion and challenger; at 20 the duel ends
=====================================  ==========================================================================
"""

import math
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.calibration import Reliability
from models.metrics import BINS
from models.trainer import Learnt, Trainer

BIN_NAMES = tuple(f"{low / BINS:.1f}-{(low + 1) / BINS:.1f}" for low in range(BINS))


class TrainingMetrics(Collector):
    """Counters and gauges of the second line.

    Parameters
    ----------
    registry
        Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        learnt = Counter("yocho_labels_learnt", "Labels the trainer learnt.", ["kind"], registry=registry)
        drift = Counter(
            "yocho_drift_alarms", "Losses or inputs left their level: distrust the model.", ["kind"], registry=registry
        )
        self._learnt = {kind: learnt.labels(kind) for kind in ("step", "horizon")}
        self._drift = {kind: drift.labels(kind) for kind in ("loss", "input")}
        self._refused = Counter("yocho_labels_refused", "Records that are no label of ours.", registry=registry)
        self._promotions = Counter("yocho_promotions", "Challengers that became champion.", registry=registry)
        self._families = _families(None)
        registry.register(self)

    def refused(self) -> None:
        """Count a record the trainer passed over."""
        self._refused.inc()

    def learnt(self, learnt: Learnt) -> None:
        """Count what came of a group of labels."""
        self._learnt["step"].inc(learnt.steps)
        self._learnt["horizon"].inc(learnt.horizons)
        for drift in learnt.drifts:
            self._drift[drift.kind].inc()
        if learnt.verdict is not None and learnt.verdict.winner == "challenger":
            self._promotions.inc()

    def show(self, trainer: Trainer | None) -> None:
        """Take the gauges from a trainer as it is now; None takes them away."""
        self._families = _families(trainer)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return _families(None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families


def _families(trainer: Trainer | None) -> list[GaugeMetricFamily]:
    curve = _gauge("yocho_reliability_ratio", "Said against seen, by bin of the probability.", ["bin", "side"])
    weights = _gauge("yocho_expert_weight_ratio", "Weight of each expert in the champion.", ["expert"])
    level = _gauge("yocho_level_shift", "Log of the factor on all hazards, from labels that resolve early.")
    e_values = _gauge("yocho_duel_e_value", "Evidence for each side; at 20 the duel ends.", ["side"])
    scores = [_gauge(f"yocho_prequential_{name}", text) for name, text in _SCORES.items()]
    if trainer is not None:
        level.add_metric([], trainer.champion.level_shift)
        for expert, weight in trainer.champion.weights.items():
            weights.add_metric([expert], weight)
        for side, value in trainer.e_values.items() if trainer.challenger is not None else ():
            e_values.add_metric([side], value)
        _measure(trainer.reliability, scores, curve)
    return [*scores, curve, weights, level, e_values]


_SCORES = {
    "log_loss": "Log loss of predictions made one horizon ago, in nats; lower is better.",
    "brier": "Mean squared error of predictions made one horizon ago; lower is better.",
    "auc": "How often a churned customer had scored above a returned one; higher is better.",
    "ece": "Expected calibration error of predictions made one horizon ago; lower is better.",
}


def _measure(reliability: Reliability, scores: list[GaugeMetricFamily], curve: GaugeMetricFamily) -> None:
    numbers = (reliability.log_loss(), reliability.brier(), reliability.auc(), reliability.ece())
    for score, number in zip(scores, numbers, strict=True):
        if not math.isnan(number):
            score.add_metric([], number)
    for name, point in zip(BIN_NAMES, reliability.curve(), strict=True):
        if point.weight > 0:
            curve.add_metric([name, "said"], point.said)
            curve.add_metric([name, "seen"], point.seen)


def _gauge(name: str, text: str, labels: list[str] | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels or [])
