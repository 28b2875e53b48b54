"""Prometheus collectors, on the registry they are handed. No label ever holds a customer: label sets are closed.

=====================================  ==========================================================================
``yocho_events_total``                 input records by type and outcome
``yocho_dead_letters_total``           records set aside, by reason
``yocho_alerts_total``                 alerts by level and type
``yocho_alerts_put_off_total``         new alerts put off to the next day for lack of room
``yocho_muted_alerts_total``           alerts that are history, marked or not sent, by level and type
``yocho_looks_total``                  silent customers looked at because their time had come
``yocho_labels_total``                 resolved labels of both kinds by outcome
``yocho_processing_seconds``           one batch through decode'd records to records out
``yocho_event_to_alert_seconds``       from the record's append time to its alert being handed over
``yocho_commit_seconds``               commit stages: output, state
``yocho_restored_records_total``       records that state was restored from, by origin: changelog, disk
``yocho_stream_time_lag_seconds``      wall clock minus stream time, by partition
``yocho_customers``                    customers in state, by partition
``yocho_due_timers``                   entries in the due-time index, by partition
``yocho_state_bytes``                  bytes of rows in use, by partition
=====================================  ==========================================================================

What the trainer exports stands in `streams.training_metrics`, what outcomes say in `streams.outcome_metrics`.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.apply import Outcome
from streams.engine.partition import PartitionRows
from streams.outcome_metrics import OutcomeMetrics
from streams.reasons import Reject
from streams.topics import COMMANDS, EMAIL_OPENS, LOGINS, ORDERS, InputTopic
from streams.training_metrics import TrainingMetrics

OUTCOMES = {
    Outcome.APPLIED: "applied",
    Outcome.REPLAYED: "replayed",
    Outcome.DUPLICATE: "duplicate",
    Outcome.IGNORED: "machine",
    Outcome.NOTED: "applied",
    Outcome.COMMANDED: "applied",
    Outcome.IN_VAIN: "in_vain",
}
ERASED = "erased"
"""Outcome of a record that is older than the erasure of its customer: it has no effect, and is no dead letter."""
ALWAYS_ON = (ORDERS, LOGINS, EMAIL_OPENS, COMMANDS)
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics:
    """Everything a worker counts.

    Parameters
    ----------
    registry
        Where collectors are registered; a fresh one in each test.
    inputs
        Inputs that are read; each shows its counters from the start, at zero.

    Attributes
    ----------
    training
        What the trainer counts.
    outcomes
        How alerts turned out.

    Examples
    --------
    >>> registry = CollectorRegistry()
    >>> Metrics(registry).alert("watch", "opened", None)
    >>> registry.get_sample_value("yocho_alerts_total", {"level": "watch", "type": "opened"})
    1.0
    """

    def __init__(self, registry: CollectorRegistry, inputs: Sequence[InputTopic] = ALWAYS_ON) -> None:
        self.registry = registry
        self.training = TrainingMetrics(registry)
        self.outcomes = OutcomeMetrics(registry)
        self._events = Counter(
            "yocho_events", "Input records; a rising 'rejected' means a broken producer.",
            ["type", "outcome"], registry=registry,
        )  # fmt: skip
        self._dead = Counter(
            "yocho_dead_letters", "Records set aside with their bytes; look at them with the reason.",
            ["reason"], registry=registry,
        )  # fmt: skip
        self._alerts = Counter(
            "yocho_alerts", "Alerts published for action; none at all while events flow is a fault.",
            ["level", "type"], registry=registry,
        )  # fmt: skip
        self._muted = Counter(
            "yocho_muted_alerts", "Alerts of a muted backfill, marked as replay or not sent; nobody acts on them.",
            ["level", "type"], registry=registry,
        )  # fmt: skip
        self._put_off = Counter(
            "yocho_alerts_put_off", "New alerts put off to the next day: no room within YOCHO_CAPACITY.",
            registry=registry,
        )  # fmt: skip
        self._looks = Counter(
            "yocho_looks", "Silent customers looked at because their time had come.", registry=registry
        )
        self._labels = Counter(
            "yocho_labels", "Labels resolved, one step and one horizon after an example was scored.",
            ["outcome"], registry=registry,
        )  # fmt: skip
        self._processing = Histogram(
            "yocho_processing_seconds", "One batch from decoded records to records out.",
            buckets=LATENCY_BUCKETS, registry=registry,
        )  # fmt: skip
        self._event_to_alert = Histogram(
            "yocho_event_to_alert_seconds", "From a record's append time to its alert being handed over.",
            buckets=LATENCY_BUCKETS, registry=registry,
        )  # fmt: skip
        self._commit = Histogram(
            "yocho_commit_seconds", "Stages of a commit; a slow one delays nobody but lengthens a replay.",
            ["stage"], buckets=LATENCY_BUCKETS, registry=registry,
        )  # fmt: skip
        self._restored = Counter(
            "yocho_restored_records", "Records that state was restored from: the changelog's, or a copy's on disk.",
            ["origin"], registry=registry,
        )  # fmt: skip
        self._events_of = {
            source.source: [self._events.labels(source.event_type, OUTCOMES[outcome]) for outcome in Outcome]
            for source in inputs
        }
        for source in inputs:
            self._events.labels(source.event_type, ERASED)

    def watch_partitions(self, partitions: Callable[[], Iterable[PartitionRows]]) -> None:
        """Export gauges of the partitions this worker owns, read at each scrape."""
        self.registry.register(_PartitionGauges(partitions))

    @contextmanager
    def processing(self) -> Iterator[None]:
        """Time one batch."""
        started = time.perf_counter()
        yield
        self._processing.observe(time.perf_counter() - started)

    def applied(self, sources: NDArray[np.uint8], outcomes: NDArray[np.uint8]) -> None:
        """Count what became of events by `models.events.Source`, shape (n,) each."""
        pairs, counts = np.unique(sources.astype(np.int64) * 256 + outcomes, return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            self._events_of[pair // 256][pair % 256].inc(count)

    def erasure(self, *, is_done: bool) -> None:
        """Count an erasure, and whether it was done before."""
        self._events_of[COMMANDS.source][Outcome.IN_VAIN if is_done else Outcome.COMMANDED].inc()

    def passed_over(self, event_type: str) -> None:
        """Count a record older than the erasure of its customer."""
        self._events.labels(event_type, ERASED).inc()

    def rejected(self, event_type: str, reject: Reject) -> None:
        """Count a dead letter."""
        self._events.labels(event_type, "rejected").inc()
        self._dead.labels(str(reject.reason)).inc()

    def alert(self, level: str, type_: str, appended_at_s: float | None) -> None:
        """Count an alert and, where an event caused it, how long that event was under way."""
        self._alerts.labels(level, type_).inc()
        if appended_at_s is not None:
            self._event_to_alert.observe(max(0.0, time.time() - appended_at_s))

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

    def committed(self, stage: str, seconds: float) -> None:
        """Time a stage of a commit."""
        self._commit.labels(stage).observe(seconds)

    def restored(self, origin: str, n: int) -> None:
        """Count records that state was restored from, ``changelog`` or ``disk``."""
        self._restored.labels(origin).inc(n)


class _PartitionGauges(Collector):
    """Gauges computed from the partitions when Prometheus asks."""

    def __init__(self, partitions: Callable[[], Iterable[PartitionRows]]) -> None:
        self._partitions = partitions

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []  # families are known by name; nothing may be read before the worker owns partitions

    def collect(self) -> Iterator[GaugeMetricFamily]:
        lag = GaugeMetricFamily("yocho_stream_time_lag_seconds", "Wall clock minus stream time.", labels=["partition"])
        customers = GaugeMetricFamily("yocho_customers", "Customers in state.", labels=["partition"])
        timers = GaugeMetricFamily("yocho_due_timers", "Entries in the due-time index.", labels=["partition"])
        state = GaugeMetricFamily("yocho_state_bytes", "Bytes of rows in use.", labels=["partition"])
        for partition in list(self._partitions()):
            label = [str(partition.number)]
            if partition.stream_time_s:
                lag.add_metric(label, time.time() - partition.stream_time_s)
            customers.add_metric(label, len(partition))
            timers.add_metric(label, len(partition.due))
            state.add_metric(label, partition.bytes_used)
        yield from (lag, customers, timers, state)
