"""What an operator's tools see of a worker: health, readiness, metrics, an orderly end, and never a customer."""

import re
import socket
from types import SimpleNamespace

import pytest

import streams.metrics
import streams.metrics.outages
import streams.metrics.outcomes
import streams.metrics.training
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import Probe, WorkerProcess, environment, send, settle, wait_until
from tests.end_to_end.log import event_log

VARIABLES = {"YOCHO_HORIZON": "28d", "YOCHO_MERGE_WAIT_S": "1.0", "YOCHO_FORGET": "400d"}
FEW, MANY = 200, 5_000
N_EVENTS = 10_000


def observed(n_customers: int) -> SimpleNamespace:
    """A worker from its first breath to its last, over a log of so many customers."""
    log = event_log(N_EVENTS, n_customers)
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        list(send(broker.bootstrap, log))
        with WorkerProcess(environment(broker.bootstrap, **VARIABLES)) as worker:
            wait_until(lambda: worker.port is not None, 60, worker.said)
            first_health = worker.get("/healthz")
            readiness = [worker.get("/readyz")]
            wait_until(lambda: readiness.append(worker.get("/readyz")) or readiness[-1][0] == 200, 60, worker.said)
            settle(worker, probe, 60)
            page, series, nowhere = worker.get("/metrics"), worker.metrics(), worker.get("/customers")
            elsewhere = [answers(host, worker.port) for host in ("127.0.0.1", *other_addresses())]
            code = worker.stop(10)
            said = worker.said()
    return SimpleNamespace(
        customers={key.decode() for _, key, _ in log}, first_health=first_health, readiness=readiness, page=page,
        series=series, nowhere=nowhere, elsewhere=elsewhere, code=code, said=said,
    )  # fmt: skip


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
    modules = (streams.metrics, streams.metrics.training, streams.metrics.outcomes, streams.metrics.outages)
    documented = {name for module in modules for name in re.findall(r"``(yocho_\w+)``", module.__doc__)}
    assert len(documented) > 10
    status, page = few.page
    shown = set(re.findall(r"^# TYPE (yocho_\w+) (?:counter|gauge|histogram)$", page, re.MULTILINE))
    assert status == 200
    assert {name for name in shown if not name.endswith("_created")} == documented


def test_metrics_after_events_tell_what_was_done(few):
    def total(family: str) -> float:
        return sum(value for series, value in few.series.items() if re.match(rf"{family}(\{{|$)", series))

    assert total("yocho_events_total") == N_EVENTS
    assert total("yocho_customers") == len(few.customers)
    assert total("yocho_alerts_total") > 100
    for family in ("yocho_looks_total", "yocho_labels_total", "yocho_due_timers", "yocho_state_bytes"):
        assert total(family) > 0, family
    for family in ("yocho_processing_seconds", "yocho_event_to_alert_seconds", "yocho_commit_seconds"):
        assert total(f"{family}_count") > 0, family


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
        assert "INFO" in run.said


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
