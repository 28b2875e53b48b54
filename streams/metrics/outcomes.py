"""What outcomes say about the alerts: precision, recall, lead time and alerts per customer who returned, by level.

Counters first: they can be summed over workers and cut to any range. The ratios beside them
are this worker's, since it started, and show nothing while there is nothing to divide by. A level stands for "told of
this level or a higher one", as a threshold does, so *watch* is every episode.

Precision and recall look at different customers at the same time: an outcome is known up to a horizon after the alert,
a loss a horizon after the last main event. What is history to a muted worker (`streams.mute`) does not count.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.episode_outcomes import EpisodeOutcome, OutcomeName
from models.levels import ALERT_LEVELS, LEVELS, Level
from models.lost import Lost
from models.target import DAY_S
from streams.metrics.family import Family, Label

LEAD_TIME_DAYS = (1, 3, 7, 14, 21, 28, 42, 56, 70, 91, 182, 365)
"""Bucket ends: weeks where alerts of a quarter's horizon lie, wider beyond."""

_NAMES = {level: LEVELS[level].name for level in ALERT_LEVELS}
_TOLD = {Level.HEALTHY: "none", **_NAMES}
_LEVEL = Label("level", tuple(_NAMES.values()))
_OUTCOME = Label("outcome", tuple(str(outcome) for outcome in OutcomeName))

OUTCOMES = Family(
    "yocho_outcomes_total", "counter",
    "Told episodes whose outcome is known, by the highest level told: the customer returned within the horizon, or"
    " churned.",
    (_OUTCOME, _LEVEL), unit="episodes",
)  # fmt: skip
OUTCOME_WARNINGS = Family(
    "yocho_outcome_warnings_total", "counter",
    "Alerts of a new or worse risk in episodes whose outcome is known, by the highest level told.",
    (_OUTCOME, _LEVEL), unit="alerts",
)  # fmt: skip
LOST_CUSTOMERS = Family(
    "yocho_lost_customers_total", "counter",
    "Customers whose last main event is a whole horizon ago, by the highest level told by then; `none` were missed.",
    (Label("told", tuple(_TOLD.values())),),
)  # fmt: skip
LEAD_TIME = Family(
    "yocho_lead_time_seconds", "histogram",
    "From the first alert of a silence until the customer was lost: the time there was to win them back.",
    (_LEVEL,), buckets=tuple(float(days * DAY_S) for days in LEAD_TIME_DAYS),
)  # fmt: skip
PRECISION = Family(
    "yocho_alert_precision_ratio", "gauge",
    "Churned of all told episodes whose outcome is known, told this level or a higher one, since start. If it is low,"
    " raise YOCHO_LEVELS.",
    (_LEVEL,),
)  # fmt: skip
RECALL = Family(
    "yocho_alert_recall_ratio", "gauge",
    "Share of lost customers who had been told of at this level or a higher one, since start. If it is low, lower"
    " YOCHO_LEVELS.",
    (_LEVEL,),
)  # fmt: skip
PER_RETURN = Family(
    "yocho_alerts_per_return_ratio", "gauge",
    "Alerts of a rise for each episode whose customer returned, told this level or a higher one, since start.",
    (_LEVEL,), unit="alerts per episode",
)  # fmt: skip


class OutcomeMetrics(Collector):
    """Counters and ratios of outcomes and losses.

    Parameters
    ----------
    registry
        Where they are registered.

    Examples
    --------
    >>> registry = CollectorRegistry()
    >>> metrics = OutcomeMetrics(registry)
    >>> metrics.lost(Lost(0, Level.AT_RISK, 86_400)), metrics.lost(Lost(1, Level.HEALTHY, 0))
    (None, None)
    >>> [registry.get_sample_value("yocho_alert_recall_ratio", {"level": name}) for name in ("watch", "critical")]
    [0.5, 0.0]
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        outcomes, warnings = OUTCOMES.counter(registry), OUTCOME_WARNINGS.counter(registry)
        lost, lead_time = LOST_CUSTOMERS.counter(registry), LEAD_TIME.histogram(registry)
        pairs = [(outcome, level) for outcome in OutcomeName for level in ALERT_LEVELS]
        self._counters = {pair: outcomes.labels(str(pair[0]), _NAMES[pair[1]]) for pair in pairs}
        self._warning_counters = {pair: warnings.labels(str(pair[0]), _NAMES[pair[1]]) for pair in pairs}
        self._lost_counters = {level: lost.labels(name) for level, name in _TOLD.items()}
        self._lead_times = {level: lead_time.labels(name) for level, name in _NAMES.items()}
        self._outcomes = dict.fromkeys(pairs, 0)
        self._warnings = dict.fromkeys(ALERT_LEVELS, 0)
        self._lost = dict.fromkeys(_TOLD, 0)
        registry.register(self)

    def outcome(self, found: EpisodeOutcome) -> None:
        """Count an outcome."""
        pair = found.outcome, found.level
        self._counters[pair].inc()
        self._warning_counters[pair].inc(found.warnings)
        self._outcomes[pair] += 1
        self._warnings[found.level] += found.warnings

    def lost(self, customer: Lost) -> None:
        """Count a customer who was lost."""
        self._lost_counters[customer.level].inc()
        self._lost[customer.level] += 1
        if customer.level:
            self._lead_times[customer.level].observe(customer.lead_s)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return _families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        precision, recall, per_return = families = _families()
        all_lost = sum(self._lost.values())
        for level, name in _NAMES.items():
            higher = [other for other in ALERT_LEVELS if other >= level]
            churned = sum(self._outcomes[OutcomeName.CHURNED, other] for other in higher)
            returned = sum(self._outcomes[OutcomeName.RETURNED, other] for other in higher)
            if churned + returned:
                precision.add_metric([name], churned / (churned + returned))
            if returned:
                per_return.add_metric([name], sum(self._warnings[other] for other in higher) / returned)
            if all_lost:
                recall.add_metric([name], sum(self._lost[other] for other in higher) / all_lost)
        yield from families


def _families() -> list[GaugeMetricFamily]:
    return [PRECISION.gauge(), RECALL.gauge(), PER_RETURN.gauge()]
