"""Batches and commits as spans, by OpenTelemetry's conventions for messaging.

    process orders   | decode | merge_wait | process | emit |
    commit           | output | state | offsets |

A batch is a trace of its own. Its span is the way of the record that waited longest, from when its fetch was handed to
the task until the batch was processed or, where it put something, until the brokers had that; so the stages follow each
other without a gap. The times are those that the engine tells (`streams.engine.sensor`): nothing is measured again, and
a span is made when all of it is over. Looks at silent customers belong to no batch.

References
----------
.. [1] https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ (1.45, in development: names may change)
"""

import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace import Tracer as OpenTelemetryTracer
from opentelemetry.util.types import AttributeValue

from streams.engine.outbox import Flush
from streams.engine.sensor import Batch, CommitStage
from streams.settings import Settings
from streams.topics import ALERTS, DEAD_LETTERS, enabled_inputs

Attributes = dict[str, AttributeValue]
TOMBSTONE, REFUSED = "tombstone", "offsets_refused"


class Stage(NamedTuple):
    """A part of a span, in seconds of `time.perf_counter`."""

    name: str
    began_s: float
    ended_s: float


class BatchTracer:
    """Makes spans of what the engine tells; the `streams.tracing.parts.Tracer`.

    Parameters
    ----------
    tracer
        Where spans go.
    settings
        Names of topics and group.
    """

    def __init__(self, tracer: OpenTelemetryTracer, settings: Settings) -> None:
        self._tracer = tracer
        self._topics = [source.topic(settings) for source in enabled_inputs(settings)]
        self._inputs = [f"yocho.{source.key.replace('-', '_')}" for source in enabled_inputs(settings)]
        self._outputs = {ALERTS.topic(settings): "yocho.alerts", DEAD_LETTERS.topic(settings): "yocho.dead_letters"}
        self._usual: Attributes = {"messaging.system": "kafka", "messaging.consumer.group.name": settings.group}
        self._put: list[tuple[float, str]] = []
        self._unsent: deque[tuple[Batch, Mapping[str, int]]] = deque()
        self._commit: list[Stage] = []

    def put(self, topic: str, *, is_tombstone: bool = False) -> None:
        """A record for a topic waits to be sent; a tombstone there tells nobody anything."""
        self._put.append((time.perf_counter(), TOMBSTONE if is_tombstone else topic))

    def worked_off(self, batch: Batch) -> None:
        """Make the spans of a batch now, or when what it put is sent; what timers put before is none of it."""
        put = Counter(topic for at_s, topic in self._put if at_s >= batch.began_s)
        self._put.clear()
        if put:
            self._unsent.append((batch, put))
        else:
            self._trace_batch(batch, put, [])

    def sent(self, flush: Flush) -> None:
        """Make the spans of the batches whose output is acknowledged now."""
        self._put.clear()
        while self._unsent and self._unsent[0][0].ended_s <= flush.taken_s:
            batch, put = self._unsent.popleft()
            self._trace_batch(batch, put, [Stage("emit", batch.ended_s, flush.acknowledged_s)])

    def committed(self, stage: CommitStage, seconds: float) -> None:
        """Note a stage of a commit that has just ended and took so long."""
        if stage == "output":  # the first: what was noted before came to no end
            self._commit.clear()
        ended_s = time.perf_counter()
        self._commit.append(Stage(stage, ended_s - seconds, ended_s))

    def commit_ended(self, *, is_done: bool) -> None:
        """Make the spans of a commit; there are none of one that had no offsets to write."""
        stages, self._commit = self._commit, []
        if not stages or stages[-1].name != "offsets":
            return
        attributes = self._usual | _operation("commit", "settle")
        if is_done:
            self._trace("commit", SpanKind.CLIENT, attributes, stages, Status())
        else:
            refused = Status(StatusCode.ERROR, "the brokers did not take the offsets")
            self._trace("commit", SpanKind.CLIENT, attributes | {"error.type": REFUSED}, stages, refused)

    # -- inside

    def _trace_batch(self, batch: Batch, put: Mapping[str, int], emit: Iterable[Stage]) -> None:
        attributes = self._usual | _operation("process", "process")
        attributes["messaging.destination.partition.id"] = str(batch.partition)
        attributes["messaging.batch.message_count"] = len(batch)
        name = "process"
        for number, offsets in batch.offsets.items():
            of = self._inputs[number]
            attributes[f"{of}.message_count"] = len(offsets)
            attributes[f"{of}.first_offset"], attributes[f"{of}.last_offset"] = min(offsets), max(offsets)
            if len(batch.offsets) == 1:  # the conventions give a name only to what all messages have in common
                attributes["messaging.destination.name"] = self._topics[number]
                name = f"process {self._topics[number]}"
        for topic, attribute in self._outputs.items():
            attributes[attribute] = put.get(topic, 0)
        stages = [
            Stage("decode", batch.arrived_s, batch.decoded_s),
            Stage("merge_wait", batch.decoded_s, batch.began_s),
            Stage("process", batch.began_s, batch.ended_s),
            *emit,
        ]
        self._trace(name, SpanKind.CONSUMER, attributes, stages, Status())

    def _trace(self, name: str, kind: SpanKind, attributes: Attributes, stages: list[Stage], status: Status) -> None:
        """Make a trace of a span and its stages, the first of which begins with it and the last of which ends it."""
        epoch_ns = time.time_ns() - time.perf_counter_ns()

        def ns(at_s: float) -> int:
            return epoch_ns + int(at_s * 1e9)

        root = self._tracer.start_span(name, Context(), kind, attributes, start_time=ns(stages[0].began_s))
        if root.is_recording():  # else the sampler has left it out
            within = set_span_in_context(root, Context())
            for stage in stages:
                self._tracer.start_span(stage.name, within, start_time=ns(stage.began_s)).end(ns(stage.ended_s))
            root.set_status(status)
        root.end(ns(stages[-1].ended_s))


def _operation(name: str, kind: str) -> Attributes:
    return {"messaging.operation.name": name, "messaging.operation.type": kind}
