"""How long each stage takes, batches and commits, and whether events are decided on in time.

The engine tells it once per batch (`streams.engine.sensor`). What matters to people is `DECISION`: every event from its
append to the decision about its customer, alert or none.
"""

import time

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from streams.engine.outbox import Flush
from streams.engine.sensor import Batch, CommitStage
from streams.metrics.assignment import AssignmentMetrics
from streams.metrics.batch_histogram import BatchHistogram
from streams.metrics.family import LATENCY_BUCKETS, TOPIC, Family, Label

LIVE, CATCHING_UP = "live", "catching_up"

FETCHED = Family(
    "yocho_fetched_records_total", "counter",
    "Records fetched and handed to the task of their partition. This, less what was handed back and less the sum of"
    " yocho_events_total, is what waits here; if that grows while events stand still, a task is stuck.",
    (TOPIC,),
)  # fmt: skip
HANDED_BACK = Family(
    "yocho_handed_back_records_total", "counter",
    "Records fetched and not applied before their partition went elsewhere; its next owner fetches them again.",
    (TOPIC,),
)  # fmt: skip
DECISION = Family(
    "yocho_event_decision_seconds", "histogram",
    "Every event, from its append to the decision about its customer, alert or none. A partition is catching_up from"
    " when it is taken over until nothing is left to fetch, then live until it is handed over. Of live ones 99 % should"
    " be below 1 second; if not, yocho_stage_seconds says where they wait. With YOCHO_DISORDER they wait by that much.",
    (Label("phase", (LIVE, CATCHING_UP)),),
    buckets=LATENCY_BUCKETS,
)  # fmt: skip
STAGE = Family(
    "yocho_stage_seconds", "histogram",
    "Stages from event to alert, once per batch: fetch (append of its oldest record to this worker), decode,"
    " merge_wait (its oldest record's, for other inputs), process, emit (output put to acknowledged). The slow one says"
    " where to look: brokers, this worker's CPU, an input that stands still, or the brokers again.",
    (Label("stage", ("fetch", "decode", "merge_wait", "process", "emit")),),
    buckets=(0.001, 0.0025, *LATENCY_BUCKETS),
)  # fmt: skip
BATCH = Family(
    "yocho_batch_records", "histogram",
    "Records in a batch as it is processed; always near YOCHO_MAX_BATCH means that there is a backlog.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000),
)  # fmt: skip
COMMIT = Family(
    "yocho_commit_seconds", "histogram",
    "Stages of a commit: output, then state, then offsets. A slow one delays nobody but lengthens a replay.",
    (Label("stage", ("output", "state", "offsets")),),
    buckets=LATENCY_BUCKETS,
)  # fmt: skip
COMMIT_FAILURES = Family(
    "yocho_commit_failures_total", "counter",
    "Offsets that the brokers did not take, mostly in a rebalance: those events are read again and recognised. A failed"
    " write of output or state ends the worker instead, with exit code 70.",
    unit="commits",
)  # fmt: skip
LAST_COMMIT = Family(
    "yocho_last_commit_timestamp_seconds", "gauge",
    "When everything applied was last committed, or found to be committed, or when this worker began; epoch seconds."
    " More than a minute ago means that commits are stuck, and a crash would repeat as much work.",
    unit="seconds since 1970",
)  # fmt: skip


class EngineMetrics:
    """What the engine measures; the `streams.engine.sensor.Sensor`.

    Parameters
    ----------
    registry
        Where collectors are registered.

    Attributes
    ----------
    assignment
        Rebalances and recovery.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.assignment = AssignmentMetrics(registry)
        self._fetched = FETCHED.counter(registry)
        self._handed_back = HANDED_BACK.counter(registry)
        self._decisions = BatchHistogram(DECISION, registry)
        stages, commits = STAGE.histogram(registry), COMMIT.histogram(registry)
        self._stages = {stage: stages.labels(stage) for (stage,) in STAGE.combinations()}
        self._commits = {stage: commits.labels(stage) for (stage,) in COMMIT.combinations()}
        self._batches = BATCH.histogram(registry)
        self._failures = COMMIT_FAILURES.counter(registry)
        self._last_commit = LAST_COMMIT.kept_gauge(registry)
        self.commit_done()

    def decided(self, appended_at_s: NDArray[np.float64], *, is_live: bool) -> None:
        """Events appended at these epoch seconds, shape (n,), were decided on just now."""
        under_way_s = np.maximum(time.time() - appended_at_s[appended_at_s > 0], 0.0)
        self._decisions.observe(LIVE if is_live else CATCHING_UP, under_way_s)

    def fetched(self, topic: str, n: int, oldest_ms: int) -> None:
        """Count records that reached a task."""
        self._fetched.labels(topic).inc(n)
        if oldest_ms > 0:  # a producer may leave it out
            self._took("fetch", max(0.0, time.time() - oldest_ms / 1000))

    def decoded(self, seconds: float) -> None:
        """Time the decoding of what a fetch brought of an input."""
        self._took("decode", seconds)

    def handed_back(self, topic: str, n: int) -> None:
        """Count records that were not applied before the partition was lost."""
        self._handed_back.labels(topic).inc(n)

    def worked_off(self, batch: Batch) -> None:
        """Note the size of a batch, and time its stages."""
        self._batches.observe(len(batch))
        self._took("merge_wait", batch.began_s - batch.decoded_s)
        self._took("process", batch.ended_s - batch.began_s)

    def sent(self, flush: Flush) -> None:
        """Time what went out, from put to acknowledged."""
        self._took("emit", flush.acknowledged_s - flush.first_put_s)

    def committed(self, stage: CommitStage, seconds: float) -> None:
        """Time a stage of a commit."""
        self._commits[stage].observe(seconds)

    def commit_done(self) -> None:
        """Note that nothing is uncommitted."""
        self._last_commit.set_to_current_time()

    def commit_failed(self) -> None:
        """Count a commit that did not come through."""
        self._failures.inc()

    def _took(self, stage: str, seconds: float) -> None:
        self._stages[stage].observe(seconds)
