"""A first line whose batches are traced: `FirstLine` with the sensor of a worker that traces, and spans in a list."""

import time
from typing import NamedTuple

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer
from prometheus_client import CollectorRegistry

from streams.engine.outbox import Flush
from streams.tracing.batches import BatchTracer
from streams.tracing.parts import TracedEngineMetrics
from tests.streams.harness import FirstLine


class Trace(NamedTuple):
    """A span and its stages in their order."""

    root: ReadableSpan
    stages: list[ReadableSpan]

    @property
    def names(self) -> list[str]:
        return [stage.name for stage in self.stages]

    def attribute(self, name: str):
        return self.root.attributes[name]


class Spans(InMemorySpanExporter):
    """What was made, as traces."""

    def traces(self) -> list[Trace]:
        spans = self.get_finished_spans()
        return [
            Trace(root, [span for span in spans if span.parent is not None and span.parent == root.context])
            for root in spans
            if root.parent is None
        ]


def tracer_to(processor: SpanProcessor, **options) -> Tracer:
    """A tracer of OpenTelemetry's whose spans go there."""
    provider = TracerProvider(shutdown_on_exit=False, **options)
    provider.add_span_processor(processor)
    return provider.get_tracer("yocho")


class TracedLine(FirstLine):
    """One partition, traced; what it puts is acknowledged when a test says so."""

    def __init__(self, *, processor: SpanProcessor | None = None, **settings) -> None:
        super().__init__(**settings)
        self.spans = Spans()
        self.tracer = BatchTracer(tracer_to(processor or SimpleSpanProcessor(self.spans)), self.settings)
        self.metrics.engine = TracedEngineMetrics(self.tracer, CollectorRegistry())
        self.restart()

    def put(self, topic, partition, key, value, headers=None) -> None:
        self.tracer.put(topic, is_tombstone=value is None)
        super().put(topic, partition, key, value, headers)

    def acknowledge(self) -> None:
        """The brokers have everything that was put."""
        now_s = time.perf_counter()
        self.metrics.engine.sent(Flush(now_s, now_s, time.perf_counter()))

    def traces(self) -> list[Trace]:
        return self.spans.traces()
