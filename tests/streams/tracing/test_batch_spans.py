"""A batch is one trace: where its records lie, what it put, and stages without a gap; and nothing of any customer."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.semconv._incubating.attributes import messaging_attributes
from opentelemetry.semconv.attributes import error_attributes
from opentelemetry.trace import SpanKind, StatusCode

from streams.engine.outbox import Flush
from streams.engine.sensor import Batch
from streams.settings import Settings
from streams.topics import enabled_inputs
from streams.tracing.batches import BatchTracer
from tests.builders import START_MS, Record, login, order
from tests.streams.harness import FirstLine, in_pieces
from tests.streams.random_logs import CUTS, MAIL, STEPS, by_customer, log_of
from tests.streams.traced_line import Spans, TracedLine, tracer_to

SETTINGS = Settings(topic_prefix="eu.")
ALERTS, DEAD_LETTERS = "eu.churn-alerts", "eu.dead-letters"


@pytest.fixture
def spans():
    return Spans()


@pytest.fixture
def tracer(spans):
    return BatchTracer(tracer_to(SimpleSpanProcessor(spans)), SETTINGS)


def batch(began_s, ended_s, offsets=None):
    return Batch(2, offsets or {0: [5, 6]}, began_s - 0.3, began_s - 0.2, began_s, ended_s)


def test_a_batch_of_one_topic_says_which_and_where(spans, tracer):
    tracer.worked_off(batch(10.0, 10.5, {0: [5, 6, 9]}))
    (trace,) = spans.traces()
    assert (trace.root.name, trace.root.kind) == ("process eu.orders", SpanKind.CONSUMER)
    assert dict(trace.root.attributes) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "yocho",
        "messaging.destination.name": "eu.orders",
        "messaging.destination.partition.id": "2",
        "messaging.batch.message_count": 3,
        "yocho.orders.message_count": 3,
        "yocho.orders.first_offset": 5,
        "yocho.orders.last_offset": 9,
        "yocho.alerts": 0,
        "yocho.dead_letters": 0,
    }


def test_names_are_those_of_the_conventions_or_our_own(spans, tracer):
    tracer.worked_off(batch(10.0, 10.5))
    for stage in ("output", "state", "offsets"):
        tracer.committed(stage, 0.1)
    tracer.commit_ended(is_done=False)
    used = {name for trace in spans.traces() for name in trace.root.attributes}
    conventions = {
        value
        for module in (messaging_attributes, error_attributes)
        for value in vars(module).values()
        if isinstance(value, str)
    }
    assert len(used) > 10
    assert [name for name in used if name not in conventions and not name.startswith("yocho.")] == []


def test_a_batch_of_several_topics_has_no_destination_and_the_place_of_each(spans, tracer):
    tracer.worked_off(batch(10.0, 10.5, {0: [5], 2: [8, 7]}))
    (trace,) = spans.traces()
    assert trace.root.name == "process"
    assert "messaging.destination.name" not in trace.root.attributes
    places = {name: value for name, value in trace.root.attributes.items() if name.endswith("_offset")}
    assert places == {
        "yocho.orders.first_offset": 5,
        "yocho.orders.last_offset": 5,
        "yocho.email_opens.first_offset": 7,
        "yocho.email_opens.last_offset": 8,
    }


def test_times_are_those_the_engine_tells_as_times_of_day(spans, tracer):
    began_s = time.perf_counter() - 2.0
    tracer.worked_off(batch(began_s, began_s + 0.5))
    (trace,) = spans.traces()
    lengths = {stage.name: (stage.end_time - stage.start_time) / 1e9 for stage in trace.stages}
    assert lengths == pytest.approx({"decode": 0.1, "merge_wait": 0.2, "process": 0.5})
    assert trace.root.end_time / 1e9 == pytest.approx(time.time() - 1.5, abs=0.5)


def test_what_a_batch_puts_ends_when_the_flush_that_took_it_is_acknowledged(spans, tracer):
    """A flush that was under way when the batch was processed has nothing of it."""
    began_s = time.perf_counter()
    tracer.put(ALERTS)
    tracer.put(ALERTS)
    tracer.put(DEAD_LETTERS)
    tracer.put(ALERTS, is_tombstone=True)  # somebody was erased
    ended_s = time.perf_counter()
    tracer.worked_off(batch(began_s, ended_s))
    tracer.sent(Flush(began_s - 2.0, began_s - 1.0, ended_s + 1.0))
    assert spans.traces() == []
    tracer.sent(Flush(began_s, ended_s, ended_s + 3.0))
    (trace,) = spans.traces()
    assert (trace.attribute("yocho.alerts"), trace.attribute("yocho.dead_letters")) == (2, 1)
    assert trace.names == ["decode", "merge_wait", "process", "emit"]
    emit = trace.stages[-1]
    assert (emit.end_time - emit.start_time) / 1e9 == pytest.approx(3.0)
    assert emit.end_time == trace.root.end_time


def test_what_was_put_before_a_batch_began_is_none_of_it(spans, tracer):
    tracer.put(ALERTS)  # somebody was silent
    began_s = time.perf_counter()
    tracer.worked_off(batch(began_s, began_s))
    (trace,) = spans.traces()
    assert trace.attribute("yocho.alerts") == 0
    assert trace.names == ["decode", "merge_wait", "process"]


def test_a_commit_is_a_trace_of_its_stages(spans, tracer):
    for stage in ("output", "state", "offsets"):
        tracer.committed(stage, 0.25)
    tracer.commit_ended(is_done=True)
    (trace,) = spans.traces()
    assert (trace.root.name, trace.root.kind, trace.root.status.status_code) == (
        "commit",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert trace.names == ["output", "state", "offsets"]
    assert trace.attribute("messaging.operation.type") == "settle"


def test_a_commit_without_offsets_is_none_and_one_that_was_refused_is_an_error(spans, tracer):
    tracer.committed("output", 0.1)
    tracer.committed("state", 0.1)
    tracer.commit_ended(is_done=True)
    assert spans.traces() == []
    for stage in ("output", "state", "offsets"):
        tracer.committed(stage, 0.1)
    tracer.commit_ended(is_done=False)
    (trace,) = spans.traces()
    assert trace.root.status.status_code is StatusCode.ERROR
    assert trace.attribute("error.type") == "offsets_refused"
    assert trace.names == ["output", "state", "offsets"]


def test_a_trace_that_is_not_sampled_has_no_stages(spans):
    """`OTEL_TRACES_SAMPLER` is how a busy worker sends a part of its traces."""
    made = []
    otel = tracer_to(SimpleSpanProcessor(spans), sampler=ALWAYS_OFF)
    start_span, otel.start_span = otel.start_span, lambda *a, **k: made.append(a[0]) or start_span(*a, **k)
    BatchTracer(otel, SETTINGS).worked_off(batch(1.0, 2.0))
    assert made == ["process eu.orders"]
    assert spans.traces() == []


def fed(line, samples, cuts):
    for piece in in_pieces(line.send(*samples), cuts):
        line.fetch(piece)
    return line


@given(STEPS, CUTS)
def test_every_record_is_in_one_trace_whose_stages_fill_it_and_what_is_told_stays_the_same(steps, cuts):
    samples = log_of(steps)
    line = fed(TracedLine(max_batch=5, **MAIL), samples, cuts)
    line.acknowledge()
    traces = line.traces()
    assert sum(trace.attribute("messaging.batch.message_count") for trace in traces) == len(samples)
    for source in enabled_inputs(line.settings):
        of = f"yocho.{source.key.replace('-', '_')}"
        here = [trace for trace in traces if f"{of}.message_count" in trace.root.attributes]
        places = [
            offset
            for trace in here
            for offset in range(trace.attribute(f"{of}.first_offset"), trace.attribute(f"{of}.last_offset") + 1)
        ]
        assert sorted(places) == [*range(sum(sample.source == source for sample in samples))]
    for trace in traces:
        assert trace.stages[0].start_time == trace.root.start_time
        assert all(one.end_time == following.start_time for one, following in pairwise(trace.stages))
        assert trace.stages[-1].end_time == trace.root.end_time
    assert sum(trace.attribute("yocho.dead_letters") for trace in traces) == len(line.dead_letters())
    assert by_customer(line.out) == by_customer(fed(FirstLine(max_batch=5, **MAIL), samples, cuts).out)


def test_no_attribute_holds_anything_of_a_record_but_its_place():
    line = TracedLine()
    bad = Record("orders", 0, 0, START_MS, b"canary@example.com", b'{"customer_id": "canary@example.com"')
    line.take(order("canary-1", amount=4711.0, event_id="canary-event"), login("canary@example.com"), bad)
    line.pass_time("+60d")
    line.take(order("canary-1", at="+60d"))
    line.acknowledge()
    told = " ".join(span.to_json() for span in line.spans.get_finished_spans())
    assert line.dead_letters()
    assert "yocho.orders.first_offset" in told
    assert not re.search(r"canary|example\.com|4711", told)
