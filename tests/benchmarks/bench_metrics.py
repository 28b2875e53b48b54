"""What metrics and traces cost: the same log through lines that count, do not, or trace too, and what a scrape takes.

All lines run in this process, batch about, so that noise meets all alike; the figure is CPU time. Traces are encoded as
they would be sent, and not sent. Not counted there, but shown: the count of customers beside the work, whose slices
come four times a second. Scrapes are of twelve partitions, with all that a worker and a trainer show.
"""

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from models.contest import Options
from models.target import DAY_S
from streams.engine.partition import PartitionRows
from streams.machine import settle_in
from streams.metrics.census import PAUSE_S
from streams.metrics.line import Metrics
from streams.metrics.process import new_registry
from streams.metrics.worker import show_partitions
from streams.topics import EMAIL_OPENS, LOGINS, ORDERS
from streams.tracing.parts import TracedEngineMetrics
from tests.benchmarks.bench_throughput import START_MS, records
from tests.benchmarks.populations import fill
from tests.builders import Record
from tests.models.label_log import LOG, taught, trainer
from tests.streams.harness import FirstLine
from tests.streams.traced_line import TracedLine

N_EVENTS, BATCH, REPEATS = 24_000, 1_000, 8
N_ALONE = 400
BAR, SCRAPE_BAR_S = 0.03, 0.05
N_PARTITIONS, N_CUSTOMERS = 12, (12_000, 1_000_000)
H_S = 91 * DAY_S
NOW_S = START_MS // 1000
INPUTS = {source.key: source for source in (ORDERS, LOGINS, EMAIL_OPENS)}


class Timed:
    """Hands everything on, and adds up the time that takes."""

    def __init__(self, target: Any, spent: list[float]) -> None:
        self._target, self._spent = target, spent

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return Timed(found, self._spent)

        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.thread_time()
            try:
                return found(*args, **kwargs)
            finally:
                self._spent[0] += time.thread_time() - started

        return call


class Off:
    """Takes everything and does nothing."""

    def __getattr__(self, name: str) -> "Off":
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""


class SilentLine(FirstLine):
    """A line that counts nothing."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.metrics = Off()
        self.restart()


class Encoding(SpanExporter):
    """Encodes spans for the wire, and drops them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        encode_spans(spans).SerializePartialToString()
        return SpanExportResult.SUCCESS


class TracingLine(TracedLine):
    """A line that counts and traces, and adds up the time that traces take."""

    def __init__(self, **settings: Any) -> None:
        waiting = BatchSpanProcessor(Encoding(), schedule_delay_millis=3_600_000)
        super().__init__(processor=waiting, **settings)
        self.spent = [0.0]
        self.tracer = Timed(self.tracer, self.spent)
        self.metrics.engine = TracedEngineMetrics(self.tracer, CollectorRegistry())
        self._waiting = Timed(waiting, self.spent)
        self.restart()

    def send_spans(self) -> None:
        """Encode here and now what a thread would beside, once the brokers have what was put."""
        self.acknowledge()
        self._waiting.force_flush()


def share_of_calls() -> float:
    """What part of the CPU time of the line goes into calls of metrics, the clock that says so included."""
    log = [Record(topic, 0, 0, START_MS, key.encode(), value) for topic, key, value in records(N_EVENTS)]
    line, spent = FirstLine(horizon_s=H_S, max_batch=BATCH), [0.0]
    line.metrics = Timed(line.metrics, spent)
    line.restart()
    whole_s = sum(cpu_s(line, log[begin : begin + BATCH], BATCH) for begin in range(0, N_EVENTS, BATCH))
    return spent[0] / whole_s


def cpu_s(line: FirstLine, batch: list[Record], at_once: int) -> float:
    started = time.process_time()
    for begin in range(0, len(batch), at_once):
        line.take(*batch[begin : begin + at_once])
    if isinstance(line, TracingLine):
        line.send_spans()
    return time.process_time() - started


class Costs(NamedTuple):
    """CPU seconds of the log, those of the third in calls of traces, and in how many batches it was worked off."""

    counting: float
    silent: float
    tracing: float
    in_traces: float
    n_batches: float

    def __str__(self) -> str:
        return (
            f"{self.tracing / self.counting - 1:+.1%} on against off; in calls of traces"
            f" {self.in_traces / self.tracing:.1%} of the time, {self.in_traces / self.n_batches * 1e6:.0f} µs a batch"
        )


def overhead(n_events: int, size: int, at_once: int) -> Costs:
    """What the log costs each line: of each piece the least of several runs, first meetings left out."""
    log = [Record(topic, 0, 0, START_MS, key.encode(), value) for topic, key, value in records(n_events)]
    begins = range(0, n_events, size)
    least, in_traces = np.full((3, len(begins)), np.inf), np.full(len(begins), np.inf)
    for repeat in range(REPEATS):
        lines = [make(horizon_s=H_S, max_batch=size) for make in (FirstLine, SilentLine, TracingLine)]
        for n, begin in enumerate(begins):
            for turn in range(3):
                which = (n + repeat + turn) % 3
                lines[2].spent[0] = 0.0
                taken = cpu_s(lines[which], log[begin : begin + size], at_once)
                in_traces[n] = min(in_traces[n], lines[2].spent[0] if which == 2 else np.inf)
                least[which, n] = min(least[which, n], taken)
        assert lines[0].metric("yocho_events_total") == n_events
    known = slice(len(begins) // 4, None)
    counting, silent, tracing = least[:, known].sum(axis=1).tolist()
    n_batches = 0.75 * (lines[0].metric("yocho_batch_records_count") or 0)
    return Costs(counting, silent, tracing, float(in_traces[known].sum()), n_batches)


def scrapes(n_customers: int) -> tuple[dict[str, list[float]], list[float], int]:
    """Seconds that pages take, by form, and slices of the count of customers; and how many bytes a page has."""
    partitions = [PartitionRows(number) for number in range(N_PARTITIONS)]
    for partition in partitions:
        fill(partition, n_customers // N_PARTITIONS, NOW_S, NOW_S + 180 * DAY_S)
        partition.stream_time_s = NOW_S + 20 * DAY_S
        partition.mark_dirty(partition.used_slots()[::3])
    line, registry = FirstLine(horizon_s=H_S), new_registry()
    scorer = line.pipeline.watches.of(line.partition).scorer
    taught(learner := trainer(options=Options()), LOG)
    Metrics(registry).training.show(learner)
    owner = SimpleNamespace(
        partitions=lambda: partitions, lags=lambda: [(topic, n, 7) for topic in INPUTS for n in range(N_PARTITIONS)]
    )
    watches = SimpleNamespace(book=line.book, scorers=lambda: dict.fromkeys(range(N_PARTITIONS), scorer))
    count = show_partitions(registry, owner, line.outages, watches)
    slices = [*timed_steps(count.round())]
    forms: dict[str, Callable[[Any], bytes]] = {"text": generate_latest, "OpenMetrics": generate_openmetrics}
    pages = {name: [timed(lambda form=form: form(registry)) for _ in range(30)] for name, form in forms.items()}
    return pages, slices, len(generate_latest(registry))


def timed_steps(steps: Any) -> Any:
    while True:
        started = time.perf_counter()
        if next(steps, steps) is steps:
            return
        yield time.perf_counter() - started


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run() -> None:
    """Print the figures."""
    settle_in()
    costs = overhead(N_EVENTS, BATCH, BATCH)
    print(
        f"metrics: {N_EVENTS:,} events in batches of {BATCH:,}, CPU time, the least of {REPEATS} runs\n"
        f"  counting {costs.counting:.2f} s, silent {costs.silent:.2f} s: overhead"
        f" {costs.counting / costs.silent - 1:+.1%} (bar: {BAR:.0%});"
        f" {share_of_calls():.1%} of the time in calls of metrics\n"
        f"traces, on top of counting: {costs}\n"
        f"  {N_ALONE} events, each alone: {overhead(N_ALONE, N_ALONE // 4, 1)}"
    )
    print(f"scrapes of {N_PARTITIONS} partitions")
    for n in N_CUSTOMERS:
        pages, slices, n_bytes = scrapes(n)
        shown = "   ".join(
            f"{name} median {np.median(times) * 1e3:.1f} ms, worst {max(times) * 1e3:.1f} ms"
            for name, times in pages.items()
        )
        busy = np.mean(slices) / (np.mean(slices) + PAUSE_S)
        print(f"  {n:>9,} customers   {shown} (bar: {SCRAPE_BAR_S * 1e3:.0f} ms)   {n_bytes / 1024:.0f} KiB")
        print(
            f"            count beside the work: {len(slices)} slices, median {np.median(slices) * 1e3:.1f} ms, worst"
            f" {max(slices) * 1e3:.1f} ms; {busy:.1%} of the time, a round in {len(slices) * PAUSE_S:.0f} s"
        )


if __name__ == "__main__":
    run()
