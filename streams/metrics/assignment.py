"""Partitions that come and go: how often, how long recovery takes, and how long this worker works on nothing.

The engine tells it when (`streams.engine.sensor`); what is under way is worked out when Prometheus asks, in another
thread.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.metrics.family import Family, Label

REBALANCES = Family(
    "yocho_rebalances_total", "counter",
    "Assignments that came through, the first included. Often means that members of the group come and go, or that one"
    " is too slow for YOCHO_SESSION_TIMEOUT_S.",
    unit="rebalances",
)  # fmt: skip
WITHOUT = Family(
    "yocho_without_partitions_seconds_total", "counter",
    "Time in which this worker worked on no partition, growing while it lasts: rebalance, recovery, or nothing to do as"
    " there are more workers than partitions.",
)  # fmt: skip
RECOVERY = Family(
    "yocho_recovery_seconds", "histogram",
    "Recoveries, from assignment to complete state. If they take too long, YOCHO_STATE_DIR keeps a copy on disk.",
    buckets=(0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0),
)  # fmt: skip
RECOVERING = Family(
    "yocho_recovering_seconds", "gauge",
    "How long the recovery under way has taken so far, 0 = none is. Nobody is watched on its partitions meanwhile.",
)  # fmt: skip
REMAINING = Family(
    "yocho_recovery_remaining_records", "gauge",
    "Records of the changelog that are still to be restored; with the rate of yocho_restored_records_total this says"
    " when recovery ends.",
)  # fmt: skip
RESTORED = Family(
    "yocho_restored_records_total", "counter",
    "Records that state was restored from: the changelog's, or those of a copy on disk.",
    (Label("origin", ("changelog", "disk")),),
)  # fmt: skip


class AssignmentMetrics(Collector):
    """Rebalances and recovery of one worker; the `streams.engine.sensor.AssignmentSensor`.

    Parameters
    ----------
    registry
        Where collectors are registered.
    now_s
        A clock that never goes back, seconds.

    Attributes
    ----------
    remaining
        Asked for the records of the changelog that are still to be restored.

    Examples
    --------
    >>> registry, clock = CollectorRegistry(), iter([0.0, 10.0, 70.0, 70.0, 75.0, 75.0]).__next__
    >>> assignment = AssignmentMetrics(registry, clock)
    >>> assignment.recovery_began(), assignment.recovered(), assignment.running()
    (None, None, None)
    >>> registry.get_sample_value("yocho_recovery_seconds_sum")
    60.0
    """

    def __init__(self, registry: CollectorRegistry, now_s: Callable[[], float] = time.monotonic) -> None:
        self.remaining: Callable[[], int] = int
        self._now_s = now_s
        self._rebalances = REBALANCES.counter(registry)
        self._recoveries = RECOVERY.histogram(registry)
        self._restored = RESTORED.counter(registry, RESTORED.combinations())
        self._without_s = 0.0
        self._without_since_s: float | None = now_s()
        self._recovering_since_s: float | None = None
        registry.register(self)

    def halted(self) -> None:
        """Nothing is worked on from now on."""
        if self._without_since_s is None:
            self._without_since_s = self._now_s()

    def recovery_began(self) -> None:
        """Partitions were assigned; one that begins while another is under way goes on from that."""
        if self._recovering_since_s is None:
            self._recovering_since_s = self._now_s()

    def recovered(self) -> None:
        """State is complete; told more than once, it counts once."""
        since_s, self._recovering_since_s = self._recovering_since_s, None
        if since_s is not None:
            self._recoveries.observe(self._now_s() - since_s)
            self._rebalances.inc()

    def running(self) -> None:
        """Partitions are being worked on."""
        since_s, self._without_since_s = self._without_since_s, None
        if since_s is not None:
            self._without_s += self._now_s() - since_s

    def restored(self, origin: str, n: int) -> None:
        """Count records that state was restored from, ``changelog`` or ``disk``."""
        self._restored.labels(origin).inc(n)

    def describe(self) -> Iterable[Metric]:
        return []  # families are known by name; the clock is asked at scrapes alone

    def collect(self) -> Iterator[Metric]:
        recovering_since_s, without_since_s = self._recovering_since_s, self._without_since_s
        now_s, without_s = self._now_s(), self._without_s
        without = CounterMetricFamily(WITHOUT.name, WITHOUT.help)
        without.add_metric([], without_s + (0.0 if without_since_s is None else now_s - without_since_s))
        recovering, remaining = RECOVERING.gauge(), REMAINING.gauge()
        recovering.add_metric([], 0.0 if recovering_since_s is None else now_s - recovering_since_s)
        remaining.add_metric([], 0 if recovering_since_s is None else self.remaining())
        yield from (without, recovering, remaining)
