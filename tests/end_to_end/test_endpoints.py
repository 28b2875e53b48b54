"""What an operator's tools see of a worker: health, readiness, metrics, an orderly end, and never a customer."""

import re
import socket
import time
import urllib.request
from types import SimpleNamespace

import orjson
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from streams.metrics.document import worker_families
from tests.documents import Document
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import Probe, WorkerProcess, environment, send, settle, wait_until
from tests.end_to_end.log import event_log

VARIABLES = {"YOCHO_HORIZON": "28d", "YOCHO_MERGE_WAIT_S": "1.0", "YOCHO_FORGET": "400d"}
FEW, MANY = 200, 5_000
N_EVENTS = 10_000


def observed(n_customers: int) -> SimpleNamespace:
    """A worker from its first breath to its last, over a log of so many customers."""
    log = event_log(N_EVENTS, n_customers)
    customers = {key.decode() for _, key, _ in log}
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        list(send(broker.bootstrap, log))
        with WorkerProcess(environment(broker.bootstrap, **VARIABLES)) as worker:
            wait_until(lambda: worker.port is not None, 60, worker.said)
            first_health = worker.get("/healthz")
            readiness = [worker.get("/readyz")]
            wait_until(lambda: readiness.append(worker.get("/readyz")) or readiness[-1][0] == 200, 60, worker.said)
            settle(worker, probe, 60)
            wait_until(lambda: counted(worker.metrics()) == len(customers), 30, worker.said)
            page, series, nowhere = worker.get("/metrics"), worker.metrics(), worker.get("/customers")
            as_prometheus = openmetrics(worker.port)
            alerts = [alert for of_one in probe.records("churn-alerts").values() for alert in of_one]
            elsewhere = [answers(host, worker.port) for host in ("127.0.0.1", *other_addresses())]
            code = worker.stop(10)
            said = worker.said()
    return SimpleNamespace(
        customers=customers, first_health=first_health, readiness=readiness, page=page, series=series,
        openmetrics=as_prometheus, alert_ids={orjson.loads(alert.value())["alert_id"] for alert in alerts},
        nowhere=nowhere, elsewhere=elsewhere, code=code, said=said,
    )  # fmt: skip


def counted(series: dict[str, float]) -> float:
    return sum(value for name, value in series.items() if name.startswith("yocho_census_customers"))


def openmetrics(port: int) -> tuple[str, str]:
    """Content type and page, as Prometheus asks for it."""
    wanted = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"}
    )
    with urllib.request.urlopen(wanted, timeout=10) as response:
        return response.headers["Content-Type"], response.read().decode()


def answers(host: str, port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex((host, port)) == 0


def other_addresses() -> list[str]:
    """Addresses that reach a server on 0.0.0.0 here, and none on 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        try:
            route.connect(("192.0.2.1", 9))  # sends nothing: the kernel only picks the address it would send from
        except OSError:  # a machine without a network
            return ["127.0.0.2"]
        return ["127.0.0.2", route.getsockname()[0]]


@pytest.fixture(scope="module")
def few():
    return observed(FEW)


@pytest.fixture(scope="module")
def many():
    return observed(MANY)


def test_a_worker_is_healthy_at_once_and_ready_only_after_recovery(few):
    assert few.first_health == (200, "alive\n")
    assert few.readiness[0] == (503, "recovering state\n")
    assert few.readiness[-1] == (200, "ready\n")
    assert {status for status, _ in few.readiness[:-1]} == {503}


def test_metrics_show_exactly_the_documented_families(few):
    documented = Document.read("deploy/METRICS.md")
    rows = {row[0].strip("`"): row for section in documented.sections for row in section.rows}
    assert len(rows) > 60
    status, page = few.page
    kinds = dict(re.findall(r"^# TYPE (\w+) (counter|gauge|histogram)$", page, re.MULTILINE))
    assert status == 200
    assert kinds == {name: row[1].replace("info", "gauge") for name, row in rows.items()}


def test_every_series_has_the_labels_that_are_documented(few):
    families = {family.name: family for family in worker_families()}
    for series in few.series:
        name, shown = re.fullmatch(r"(\w+)(?:{(.*)})?", series).groups()
        family = families.get(name) or families[re.sub("_(bucket|sum|count)$", "", name)]
        labels = dict(re.findall(r'(\w+)="(.*?)"', shown or ""))
        labels.pop("le", None)
        assert labels.keys() == set(family.label_names), series
        assert all(labels[label.name] in label.values for label in family.labels if label.values), series


def test_whoever_asks_for_openmetrics_gets_exemplars_that_lead_to_alerts(few):
    content_type, page = few.openmetrics
    assert content_type.startswith("application/openmetrics-text")
    families = list(text_string_to_metric_families(page))
    (alerts,) = (family for family in families if family.name == "yocho_event_to_alert_seconds")
    exemplars = [sample.exemplar.labels for sample in alerts.samples if sample.exemplar]
    assert exemplars
    for labels in exemplars:
        assert labels.keys() == {"alert_id", "topic", "partition", "offset"}
        assert labels["alert_id"] in few.alert_ids
        assert not set(labels.values()) & few.customers


def test_metrics_after_events_tell_what_was_done(few):
    def total(family: str) -> float:
        return sum(value for series, value in few.series.items() if re.match(rf"{family}(\{{|$)", series))

    assert total("yocho_events_total") == N_EVENTS
    assert total("yocho_customers") == len(few.customers)
    assert total("yocho_alerts_total") > 100
    for family in ("yocho_looks_total", "yocho_labels_total", "yocho_due_timers", "yocho_state_bytes"):
        assert total(family) > 0, family
    for stage in ("fetch", "decode", "merge_wait", "process", "emit"):
        assert few.series[f'yocho_stage_seconds_count{{stage="{stage}"}}'] > 0, stage
    for stage in ("output", "state", "offsets"):
        assert few.series[f'yocho_commit_seconds_count{{stage="{stage}"}}'] > 0, stage
    assert total("yocho_fetched_records_total") == total("yocho_event_decision_seconds_count") == N_EVENTS
    assert total("yocho_consumer_lag_records") == total("yocho_dirty_customers") == total("yocho_overdue_timers") == 0
    assert total("yocho_census_customers") == len(few.customers)
    assert total("yocho_rebalances_total") == total("yocho_recovery_seconds_count") == 1
    assert total("yocho_recovering_seconds") == total("yocho_recovery_remaining_records") == 0
    assert time.time() - total("yocho_last_commit_timestamp_seconds") < 600


def test_any_other_path_is_not_found(few):
    assert few.nowhere[0] == 404


def test_the_endpoints_are_reached_from_this_machine_alone_unless_a_setting_says_otherwise(few):
    assert few.elsewhere[0]
    assert not any(few.elsewhere[1:])


def test_series_do_not_grow_with_customers(few, many):
    assert len(many.customers) > 20 * len(few.customers)
    apart = many.series.keys() ^ few.series.keys()  # an alert of a level may not have happened yet
    assert {series for series in apart if 'level="' not in series} == set()


def test_no_customer_id_stands_in_metrics_or_in_the_log(few, many):
    for run in (few, many):
        shown = set(re.findall(r"c\d{5}", run.page[1] + run.said))
        assert not shown & run.customers
        assert '"level":"info"' in run.said


def test_sigterm_ends_a_worker_within_ten_seconds_with_exit_code_zero(few, many):
    assert (few.code, many.code) == (0, 0)


def test_sigterm_ends_a_worker_in_the_middle_of_its_work_too():
    log = event_log(60_000, 2_000)
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        list(send(broker.bootstrap, log))
        with WorkerProcess(environment(broker.bootstrap, YOCHO_MAX_BATCH="100", **VARIABLES)) as worker:
            worker.wait_ready()
            assert worker.stop(10) == 0
            assert "Traceback" not in worker.said()
        assert probe.lag() > 0
