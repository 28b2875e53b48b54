"""Traces of a real worker: every record is in one, nobody is named in any, and alerts do not care who takes them."""

import socket
import sys
from collections import defaultdict
from types import SimpleNamespace

import orjson
import pytest

from streams.alerts import decode
from streams.partitioner import partition_of
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Outbound, Probe, WorkerProcess, environment, send_to, settle
from tests.end_to_end.collector import Collector
from tests.end_to_end.log import DAY_MS, START_MS

RUN_AND_TELL = (
    "import os, sys; from streams.settings import Settings; from streams.worker import run_worker; "
    "code = run_worker(Settings.from_env(os.environ), 'INFO'); "
    "print('imported:', any(name.startswith('opentelemetry') for name in sys.modules)); sys.exit(code)"
)
N_CUSTOMERS, N_DAYS = 60, 41
INPUTS = ("orders", "logins")


def log():
    """Customers of whom every second one stops half-way, half of whom come back in the end; and a bad record."""
    for day in range(N_DAYS):
        for n in range(N_CUSTOMERS):
            if n % 2 or day < N_DAYS // 2 or (n % 4 and day == N_DAYS - 1):
                key = b"canary-%02d@example.com" % n
                topic, more = ("orders", {"amount": 4711}) if day % 3 else ("logins", {"session_seconds": 9})
                at = START_MS + day * DAY_MS + n * DAY_MS // N_CUSTOMERS
                event = {"event_id": f"canary-{day}-{n}", "customer_id": key.decode(), "occurred_at": at, **more}
                yield Outbound(topic, partition_of(key, PARTITIONS), key, orjson.dumps(event))
    yield Outbound("orders", 1, b"canary", b'{"customer_id": "canary')


def work(**variables):
    """What a worker makes of the log, and what it said."""
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        settings = environment(broker.bootstrap, YOCHO_HORIZON="14d", **variables)
        with WorkerProcess(settings, (sys.executable, "-c", RUN_AND_TELL)) as worker:
            worker.wait_ready()
            send_to(broker.bootstrap, [*log()])
            settle(worker, probe)
            code, said = worker.stop(), worker.said()
        told = [decode(message.value()) for messages in probe.records("churn-alerts").values() for message in messages]
        alerts = {(alert.alert_id, str(alert.type), alert.level, alert.occurred_at) for alert in told}
        sent = {topic: {n: len(found) for n, found in probe.records(topic).items()} for topic in INPUTS}
    return SimpleNamespace(code=code, said=said, alerts=alerts, sent=sent)


@pytest.fixture(scope="module")
def silent():
    return work()


@pytest.fixture(scope="module")
def traced():
    """Spans would leave after a minute: what is here came with the end."""
    with Collector() as collector:
        run = work(YOCHO_TRACING="on", OTEL_EXPORTER_OTLP_ENDPOINT=collector.address, OTEL_BSP_SCHEDULE_DELAY="60000")
        run.bodies, run.paths, run.spans = collector.bodies, collector.paths, collector.spans()
    return run


def batches(run):
    return [span for span in run.spans if span.attributes.get("messaging.operation.name") == "process"]


def test_every_record_is_in_one_trace(traced):
    assert traced.code == 0, traced.said
    assert traced.paths == {"/v1/traces"}
    places = defaultdict(list)
    for span in batches(traced):
        number = int(span.attributes["messaging.destination.partition.id"])
        for topic in INPUTS:
            if f"yocho.{topic}.first_offset" in span.attributes:
                first, last = (span.attributes[f"yocho.{topic}.{which}_offset"] for which in ("first", "last"))
                places[topic, number] += range(first, last + 1)
    wanted = {(topic, n): [*range(count)] for topic, counts in traced.sent.items() for n, count in counts.items()}
    assert {place: sorted(offsets) for place, offsets in places.items()} == {p: o for p, o in wanted.items() if o}


def test_a_batch_holds_its_stages_and_says_what_it_put(traced):
    stages = defaultdict(list)
    for span in traced.spans:
        stages[span.parent].append(span)
    for root in batches(traced):
        names = [stage.name for stage in sorted(stages[root.span_id], key=lambda stage: stage.ended_ns)]
        assert names in (["decode", "merge_wait", "process"], ["decode", "merge_wait", "process", "emit"])
        assert all(root.began_ns <= stage.began_ns <= stage.ended_ns <= root.ended_ns for stage in stages[root.span_id])
        if root.attributes["yocho.alerts"] or root.attributes["yocho.dead_letters"]:
            assert names[-1] == "emit"
    assert sum(root.attributes["yocho.dead_letters"] for root in batches(traced)) == 1
    assert 0 < sum(root.attributes["yocho.alerts"] for root in batches(traced)) <= len(traced.alerts)


def test_commits_are_traces_too(traced):
    commits = [span for span in traced.spans if span.name == "commit"]
    assert commits
    of_a_commit = [span.name for span in traced.spans if span.parent == commits[0].span_id]
    assert sorted(of_a_commit) == ["offsets", "output", "state"]


def test_the_service_is_named(traced):
    (resource,) = {orjson.dumps(span.resource, option=orjson.OPT_SORT_KEYS) for span in traced.spans}
    assert orjson.loads(resource)["service.name"] == "yocho-worker"


def test_nobody_is_named(traced):
    assert len(traced.spans) > 10
    for told in (*traced.bodies, traced.said.encode()):
        assert b"canary" not in told
        assert b"example.com" not in told
        assert b"4711" not in told


def test_alerts_are_the_same_with_traces_and_without(silent, traced):
    assert silent.alerts
    assert traced.alerts == silent.alerts


def test_without_traces_nothing_of_opentelemetry_is_imported(silent, traced):
    assert (silent.code, "imported: False" in silent.said) == (0, True), silent.said
    assert "imported: True" in traced.said


def test_a_collector_that_never_answers_changes_no_alert_stops_no_worker_and_is_news_once(silent):
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes connections and says nothing
        run = work(
            YOCHO_TRACING="on",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{mute.getsockname()[1]}",
            OTEL_EXPORTER_OTLP_TIMEOUT="1",
            OTEL_BSP_SCHEDULE_DELAY="100",
        )
    assert run.code == 0, run.said
    assert run.alerts == silent.alerts
    lines = [orjson.loads(line) for line in run.said.splitlines() if line.startswith("{")]
    assert [line["level"] for line in lines if line["event"] == "spans are lost, alerts are not"] == ["warning"]
    assert not [line for line in lines if line["level"] in {"error", "critical"}]
    assert not [line for line in lines if line["logger"].startswith("opentelemetry")]
