"""The option of traces, as a deployment meets it: off, on, without what it needs, with nobody who takes spans."""

import logging
import subprocess
import sys
import time

import pytest
from prometheus_client import CollectorRegistry

from streams.app import cold_book, create_app
from streams.engine.outbox import Outbox
from streams.metrics.engine import EngineMetrics
from streams.settings import Settings
from streams.tracing import export
from streams.tracing.export import Complaints, resource
from streams.tracing.option import TracingError, traced
from streams.tracing.parts import TracedEngineMetrics, TracedOutbox
from tests.logged import logged
from tests.streams.tracing.test_batch_spans import batch

ON = Settings(tracing="on", instance="worker-1")
NOBODY = "http://127.0.0.1:9"
"""The discard port, where nobody listens: a connection is refused at once."""


@pytest.fixture(autouse=True)
def _no_collector(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOBODY)


def parts_of(tracer):
    app = create_app(Settings(), cold_book(Settings()), CollectorRegistry(), tracer)
    return type(app.engine.outbox), type(app.engine.sensor)


def test_a_worker_traces_nothing_unless_it_is_told_to():
    with traced(Settings()) as tracing:
        assert tracing is None
    assert parts_of(None) == (Outbox, EngineMetrics)


def test_a_worker_that_traces_has_other_parts():
    with traced(ON) as tracing:
        assert parts_of(tracing.tracer) == (TracedOutbox, TracedEngineMetrics)


def test_while_it_is_off_nothing_of_opentelemetry_is_imported():
    code = (
        "import sys; from prometheus_client import CollectorRegistry; from streams.settings import Settings;"
        "from streams import worker; from streams.app import cold_book, create_app; settings = Settings();"
        "create_app(settings, cold_book(settings), CollectorRegistry());"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_a_worker_without_opentelemetry_refuses_to_start_with_one_line():
    code = "import sys; sys.modules['opentelemetry'] = None; from streams.cli import main; main(['worker'])"
    ended = subprocess.run(
        [sys.executable, "-c", code], env={"YOCHO_TRACING": "on"}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == "yocho: YOCHO_TRACING=on needs opentelemetry.exporter: pip install 'yocho[tracing]'\n"


def test_variables_that_opentelemetry_refuses_are_one_line(monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "0")
    with pytest.raises(TracingError, match=r"^YOCHO_TRACING=on: OpenTelemetry refuses its variables \(OTEL_\*\): max_"):
        traced(ON).__enter__()


def test_the_service_has_a_name_of_its_own_unless_opentelemetry_is_told_another(monkeypatch):
    usual = resource(ON).attributes
    assert (usual["service.name"], usual["service.instance.id"]) == ("yocho-worker", "worker-1")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "churn")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=w7,deployment.environment.name=test")
    told = resource(ON).attributes
    assert (told["service.name"], told["service.instance.id"]) == ("churn", "w7")
    assert told["deployment.environment.name"] == "test"


def test_a_collector_that_is_not_there_holds_nobody_up_and_is_told_once(caplog, monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "600")
    monkeypatch.setattr(export, "LAST_WORDS_S", 0.5)
    caplog.set_level(logging.INFO)
    with traced(ON) as tracing:
        took_s = []
        for n in range(1_000):
            began_s = time.perf_counter()
            tracing.tracer.worked_off(batch(n, n + 0.5))
            took_s.append(time.perf_counter() - began_s)
        ended_s = time.monotonic()
    assert time.monotonic() - ended_s < 2.0
    assert sorted(took_s)[500] < 0.01
    ours = logged(caplog.records, "streams.tracing")
    assert [event for event, _ in ours] == [
        "spans are lost, alerts are not",
        "the last spans are lost: the collector did not take them in time",
    ]
    assert logged(caplog.records, "opentelemetry") == []
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_loss_is_news_every_ten_minutes_and_a_hiccup_never(caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(export.time, "monotonic", lambda: now[0])
    caplog.set_level(logging.INFO)
    complaints = Complaints()

    def say(name, level, said):
        complaints.handle(logging.LogRecord(name, level, "", 0, said, None, None))

    exporter, sdk = "opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal"
    say(exporter, logging.WARNING, "Transient error")
    for at_s in (0.0, 1.0, 599.0, 600.0):
        now[0] = at_s
        say(exporter, logging.ERROR, "Failed to export")
    say(sdk, logging.WARNING, "Queue full")
    assert logged(caplog.records) == [
        ("spans are lost, alerts are not", {"why": "Failed to export", "unsaid": 0}),
        ("spans are lost, alerts are not", {"why": "Failed to export", "unsaid": 2}),
    ]
