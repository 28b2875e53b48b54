"""What the trainer exports: what it took and refused, how good the scores were, and who is ahead.

Only one worker trains: the others, and one that has lost the trainer, show no gauges rather
than old or zero ones. They are computed when a group of labels was learnt, not when Prometheus asks, as that happens in
another thread, in the middle of learning.
"""

import math
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.calibration import Reliability
from models.experts import NAMES as EXPERTS
from models.metrics import BINS
from models.trainer import Learnt, Trainer
from streams.metrics.family import Family, Label

BIN_NAMES = tuple(f"{low / BINS:.1f}-{(low + 1) / BINS:.1f}" for low in range(BINS))

_SIDE = Label("side", ("champion", "challenger"))

LEARNT = Family(
    "yocho_labels_learnt_total", "counter",
    "Labels the trainer learnt, of step and horizon; only moves where it is, and stands still while none resolve.",
    (Label("kind", ("step", "horizon")),),
)  # fmt: skip
REFUSED = Family(
    "yocho_labels_refused_total", "counter",
    "Records that are no label this trainer can learn: somebody else writes to the topic, or the target was changed.",
    unit="records",
)  # fmt: skip
PENDING = Family(
    "yocho_labels_pending", "gauge",
    "Records in the labels' topic that are not learnt yet; if it grows, the trainer is too slow or stuck.",
)  # fmt: skip
DRIFT = Family(
    "yocho_drift_alarms_total", "counter",
    "Losses or inputs left their level: distrust the model until it has learnt the new one.",
    (Label("kind", ("loss", "input")),), unit="alarms",
)  # fmt: skip
PROMOTIONS = Family(
    "yocho_promotions_total", "counter", "Challengers that predicted better and became champion.", unit="promotions"
)
LOG_LOSS = Family(
    "yocho_prequential_log_loss", "gauge",
    "Log loss of predictions made one horizon ago, the latest 5,000 labels counting most; lower is better.",
    unit="nats",
)  # fmt: skip
BRIER = Family(
    "yocho_prequential_brier", "gauge",
    "Mean squared error of predictions made one horizon ago; lower is better, and 0.25 is no better than a coin.",
)  # fmt: skip
AUC = Family(
    "yocho_prequential_auc", "gauge",
    "How often a churned customer had scored above a returned one, a horizon before; higher is better, 0.5 is chance.",
    unit="ratio, 0 to 1",
)  # fmt: skip
ECE = Family(
    "yocho_prequential_ece", "gauge",
    "Expected calibration error of predictions made one horizon ago; above 0.05 probabilities should not be taken"
    " literally.",
    unit="ratio, 0 to 1",
)  # fmt: skip
CURVE = Family(
    "yocho_reliability_ratio", "gauge",
    "The reliability curve by bin of the probability: what was said on average, and the share that churned as seen. The"
    " two should be near each other.",
    (Label("bin", BIN_NAMES), Label("side", ("said", "seen"))),
)  # fmt: skip
WEIGHTS = Family(
    "yocho_expert_weight_ratio", "gauge",
    "Weight of each expert in the champion; all on one means that the others have nothing to add.",
    (Label("expert", EXPERTS),),
)  # fmt: skip
LEVEL_SHIFT = Family(
    "yocho_level_shift", "gauge",
    "Log of the factor on all hazards, from labels that resolve early: how season or growth move the shop now. Shown by"
    " whoever learns, so two of it are two trainers.",
    unit="nats",
)  # fmt: skip
E_VALUE = Family(
    "yocho_duel_e_value", "gauge",
    "Evidence for each side of the duel under way; at 20 it ends, and a challenger that wins is the next champion.",
    (_SIDE,),
)  # fmt: skip


class TrainingMetrics(Collector):
    """Counters and gauges of the second line.

    Parameters
    ----------
    registry
        Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        learnt, drift = LEARNT.counter(registry), DRIFT.counter(registry)
        self._learnt = {kind: learnt.labels(kind) for (kind,) in LEARNT.combinations()}
        self._drift = {kind: drift.labels(kind) for (kind,) in DRIFT.combinations()}
        self._refused = REFUSED.counter(registry)
        self._promotions = PROMOTIONS.counter(registry)
        self._pending: int | None = None
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

    def pending(self, n: int) -> None:
        """Note how many records of the labels' topic are not learnt yet."""
        self._pending = n

    def show(self, trainer: Trainer | None) -> None:
        """Take the gauges from a trainer as it is now; None takes them away."""
        self._families = _families(trainer)
        if trainer is None:
            self._pending = None

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return [*_families(None), PENDING.gauge()]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families
        waiting, n = PENDING.gauge(), self._pending
        if n is not None:
            waiting.add_metric([], n)
        yield waiting


def _families(trainer: Trainer | None) -> list[GaugeMetricFamily]:
    curve, weights, level, e_values = (family.gauge() for family in (CURVE, WEIGHTS, LEVEL_SHIFT, E_VALUE))
    scores = [family.gauge() for family in (LOG_LOSS, BRIER, AUC, ECE)]
    if trainer is not None:
        level.add_metric([], trainer.champion.level_shift)
        for expert, weight in trainer.champion.weights.items():
            weights.add_metric([expert], weight)
        for side, value in trainer.e_values.items() if trainer.challenger is not None else ():
            e_values.add_metric([side], value)
        _measure(trainer.reliability, scores, curve)
    return [*scores, curve, weights, level, e_values]


def _measure(reliability: Reliability, scores: list[GaugeMetricFamily], curve: GaugeMetricFamily) -> None:
    numbers = (reliability.log_loss(), reliability.brier(), reliability.auc(), reliability.ece())
    for score, number in zip(scores, numbers, strict=True):
        if not math.isnan(number):
            score.add_metric([], number)
    for name, point in zip(BIN_NAMES, reliability.curve(), strict=True):
        if point.weight > 0:
            curve.add_metric([name, "said"], point.said)
            curve.add_metric([name, "seen"], point.seen)
