"""What becomes of records, alerts and labels: the counters of the line from event to alert.

Whoever works on the line holds one `Metrics` and tells it what happened; what the engine, the trainer and the outcomes
say stands beside it in modules of its own.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from models.apply import Outcome
from models.levels import ALERT_LEVELS, LEVELS, Level
from models.policy import TransitionType
from models.segments import SEGMENTS
from streams.alerts import Alert
from streams.metrics.engine import EngineMetrics
from streams.metrics.family import LATENCY_BUCKETS, Family, Label
from streams.metrics.outcomes import OutcomeMetrics
from streams.metrics.training import TrainingMetrics
from streams.origins import Origin
from streams.reasons import Reason, Reject
from streams.topics import COMMANDS, EMAIL_OPENS, LOGINS, ORDERS, READABLE, InputTopic

OUTCOMES = {
    Outcome.APPLIED: "applied",
    Outcome.REPLAYED: "replayed",
    Outcome.DUPLICATE: "duplicate",
    Outcome.IGNORED: "machine",
    Outcome.NOTED: "applied",
    Outcome.COMMANDED: "applied",
    Outcome.IN_VAIN: "in_vain",
}
REJECTED, ERASED, TOMBSTONE = "rejected", "erased", "tombstone"
ALWAYS_ON = (ORDERS, LOGINS, EMAIL_OPENS, COMMANDS)

LEVEL = Label("level", tuple(title.name for title in LEVELS))
UNKNOWN = "unknown"
SEGMENT = Label("segment", (*(title.name for title in SEGMENTS), UNKNOWN))
NEWS = Label("type", tuple(str(kind) for kind in TransitionType))
OUTCOME = Label("outcome", tuple(dict.fromkeys([*OUTCOMES.values(), REJECTED, ERASED, TOMBSTONE])))

EVENTS = Family(
    "yocho_events_total", "counter",
    "Records taken off the inputs, each once: applied; duplicate of an event known already; replayed after a restart;"
    " machine, an open that no person made; in_vain, a command that changes nothing; erased, older than its customer's"
    " erasure; tombstone; or rejected into dead-letters: if that rises, look at the producer of this type.",
    (Label("type", tuple(source.event_type for source in READABLE)), OUTCOME), unit="records",
)  # fmt: skip
DEAD_LETTERS = Family(
    "yocho_dead_letters_total", "counter",
    "Records set aside with their bytes; the reason says what is wrong with a producer. See `yocho dead-letters`.",
    (Label("reason", tuple(str(reason) for reason in Reason)),),
)  # fmt: skip
ALERTS = Family(
    "yocho_alerts_total", "counter",
    "Alerts published for people to act on, by level now, news and segment; none at all while events flow is a fault.",
    (LEVEL, NEWS, SEGMENT),
)  # fmt: skip
MUTED_ALERTS = Family(
    "yocho_muted_alerts_total", "counter",
    "Alerts of a muted backfill, marked as replay or not sent: nobody is to act on them.", (LEVEL, NEWS),
)  # fmt: skip
PUT_OFF = Family(
    "yocho_alerts_put_off_total", "counter",
    "New alerts put off to the next day for lack of room; if it rises every day, YOCHO_CAPACITY is below what happens.",
)  # fmt: skip
EVENT_TO_ALERT = Family(
    "yocho_event_to_alert_seconds", "histogram",
    "From the append of a record to its alert being handed over, of alerts that an event caused. An exemplar names the"
    " alert and the record: look them up in churn-alerts and in the log.",
    buckets=LATENCY_BUCKETS,
)  # fmt: skip
LOOKS = Family(
    "yocho_looks_total", "counter",
    "Silent customers looked at because their time had come; none for days of stream time is a fault.",
    unit="looks",
)  # fmt: skip
LABELS = Family(
    "yocho_labels_total", "counter",
    "Labels resolved, one step and one horizon after an example was scored; censored ones were left out because the"
    " source of main events was out in their time.",
    (Label("outcome", ("churned", "returned", "censored")),),
)  # fmt: skip

_WARNED = tuple(LEVELS[level].name for level in ALERT_LEVELS)
_LEVELS_OF = {
    TransitionType.OPENED: _WARNED,
    TransitionType.ESCALATED: _WARNED[1:],
    TransitionType.RECOVERED: (LEVELS[Level.HEALTHY].name,),
    TransitionType.EXPIRED: (LEVELS[Level.CHURNED].name,),
    TransitionType.ACKNOWLEDGED: _WARNED,
    TransitionType.SNOOZED: _WARNED,
}
TOLD = tuple((level, str(news)) for news, levels in _LEVELS_OF.items() for level in levels)
"""Levels and news that go together."""

EXEMPLAR_CHARACTERS = 128
"""OpenMetrics allows no more for names and values of an exemplar's labels."""


class Metrics:
    """What a worker counts on the line.

    Parameters
    ----------
    registry
        Where collectors are registered; a fresh one in each test.
    inputs
        Inputs that are read; each shows its counters from the start, at zero.
    engine
        Makes what the engine tells.

    Attributes
    ----------
    engine
        What the engine measures.
    training
        What the trainer counts.
    outcomes
        How alerts turned out.

    Examples
    --------
    >>> registry = CollectorRegistry()
    >>> Metrics(registry).looked(3)
    >>> registry.get_sample_value("yocho_looks_total")
    3.0
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        inputs: Sequence[InputTopic] = ALWAYS_ON,
        engine: Callable[[CollectorRegistry], EngineMetrics] = EngineMetrics,
    ) -> None:
        self.engine = engine(registry)
        self.training = TrainingMetrics(registry)
        self.outcomes = OutcomeMetrics(registry)
        self._events = EVENTS.counter(
            registry, [(source.event_type, outcome) for source in inputs for outcome in OUTCOME.values]
        )
        self._dead = DEAD_LETTERS.counter(registry, DEAD_LETTERS.combinations())
        self._alerts = ALERTS.counter(registry, [(*told, title.name) for told in TOLD for title in SEGMENTS])
        self._muted = MUTED_ALERTS.counter(registry, TOLD)
        self._put_off = PUT_OFF.counter(registry)
        self._looks = LOOKS.counter(registry)
        self._labels = LABELS.counter(registry, LABELS.combinations())
        self._event_to_alert = EVENT_TO_ALERT.histogram(registry)
        self._events_of = {
            source.source: [self._events.labels(source.event_type, OUTCOMES[outcome]) for outcome in Outcome]
            for source in inputs
        }

    def applied(self, sources: NDArray[np.uint8], outcomes: NDArray[np.uint8]) -> None:
        """Count what became of events by `models.events.Source`, shape (n,) each."""
        pairs, counts = np.unique(sources.astype(np.int64) * 256 + outcomes, return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            self._events_of[pair // 256][pair % 256].inc(count)

    def commanded(self, *, in_vain: bool) -> None:
        """Count an erasure or a release, and whether there was anything to do."""
        self._events_of[COMMANDS.source][Outcome.IN_VAIN if in_vain else Outcome.COMMANDED].inc()

    def passed_over(self, event_type: str, outcome: str) -> None:
        """Count a record without effect: `ERASED`, a `TOMBSTONE`, or one that came late and is known already."""
        self._events.labels(event_type, outcome).inc()

    def rejected(self, event_type: str, reject: Reject) -> None:
        """Count a dead letter."""
        self._events.labels(event_type, REJECTED).inc()
        self._dead.labels(str(reject.reason)).inc()

    def alert(self, alert: Alert, origin: Origin | None) -> None:
        """Count an alert and, where an event caused it, how long that event was under way."""
        segment = UNKNOWN if alert.segment is None else alert.segment.name
        self._alerts.labels(alert.level, str(alert.type), segment).inc()
        if origin is not None:
            under_way_s = max(0.0, time.time() - origin.appended_at_s)
            self._event_to_alert.observe(under_way_s, exemplar(alert.alert_id, origin))

    def put_off(self, n: int) -> None:
        """Count customers over a threshold for whom the day had no room."""
        self._put_off.inc(n)

    def muted(self, level: str, type_: str) -> None:
        """Count an alert that is history."""
        self._muted.labels(level, type_).inc()

    def looked(self, n: int) -> None:
        """Count looks at silent customers."""
        self._looks.inc(n)

    def resolved(self, churned: int, returned: int) -> None:
        """Count resolved examples."""
        self._labels.labels("churned").inc(churned)
        self._labels.labels("returned").inc(returned)

    def censored(self, n: int) -> None:
        """Count labels that were left out because the source of main events was out in their time."""
        self._labels.labels("censored").inc(n)


def exemplar(alert_id: str, origin: Origin) -> dict[str, str]:
    """Name an alert and the record it goes back to; a topic whose name is too long for an exemplar is left out.

    Examples
    --------
    >>> exemplar("yocho-3f0c", Origin("orders", 3, 812, 0.0))
    {'alert_id': 'yocho-3f0c', 'partition': '3', 'offset': '812', 'topic': 'orders'}
    """
    named = {"alert_id": alert_id, "partition": str(origin.partition), "offset": str(origin.offset)}
    room = EXEMPLAR_CHARACTERS - sum(map(len, (*named, *named.values(), "topic")))
    return named | {"topic": origin.topic} if len(origin.topic) <= room else named
