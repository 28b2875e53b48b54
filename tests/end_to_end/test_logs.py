"""The log of a real worker: JSON line by line, silent while all is well, and findable by place and alert id."""

import re
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import orjson
import pytest

from streams.partitioner import partition_of
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Outbound, Probe, WorkerProcess, environment, send_to, settle
from tests.end_to_end.log import DAY_MS, START_MS

WORKER = (sys.executable, "-m", "streams", "worker", "--log-level")
N_CUSTOMERS, N_DAYS, QUIET_DAYS = 160, 36, 3
RFC_3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def shop(first_day: int, last_day: int):
    """Everybody logs in each day; a few stop half-way, for whom there are alerts."""
    for day in range(first_day, last_day):
        for n in range(N_CUSTOMERS):
            if n % 8 or day < N_DAYS // 2:
                key = b"customer-%03d" % n
                at = START_MS + day * DAY_MS + n * DAY_MS // N_CUSTOMERS
                event = {"event_id": f"{day}-{n}", "customer_id": key.decode(), "occurred_at": at, "session_seconds": 9}
                yield Outbound("logins", partition_of(key, PARTITIONS), key, orjson.dumps(event))


def orders_alone(days: range):
    """Orders go on, of the same customers, and nobody logs in."""
    for day in days:
        for n in range(1, N_CUSTOMERS, 2):
            key = b"customer-%03d" % n
            at = START_MS + day * DAY_MS + n * DAY_MS // N_CUSTOMERS
            event = {"event_id": f"o{day}-{n}", "customer_id": key.decode(), "occurred_at": at, "amount": 9}
            yield Outbound("orders", partition_of(key, PARTITIONS), key, orjson.dumps(event))


@pytest.fixture(scope="module")
def run():
    """At INFO over a well shop; at DEBUG over a bad record and an outage, and a second time past both."""
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, YOCHO_MAIN="login", YOCHO_HORIZON="14d")
        send_to(broker.bootstrap, [*shop(0, 6)])
        with WorkerProcess(variables, (*WORKER, "INFO")) as worker:
            worker.wait_ready()
            settle(worker, probe)
            since = datetime.now(UTC)
            send_to(broker.bootstrap, [*shop(6, 12)])
            settle(worker, probe)
            time.sleep(2.0)
            until = datetime.now(UTC)
            code, quiet = worker.stop(), lines_of(worker)
        (offset,) = send_to(broker.bootstrap, [Outbound("orders", 2, b"customer-001", b"{")])
        send_to(broker.bootstrap, [*shop(12, N_DAYS), *orders_alone(range(N_DAYS, N_DAYS + QUIET_DAYS))])
        with WorkerProcess(variables, (*WORKER, "DEBUG")) as worker:
            worker.wait_ready()
            settle(worker, probe)
            worker.stop()
            told, readable = lines_of(worker), probe.records("churn-alerts")
        with WorkerProcess(variables | {"YOCHO_LOG_FORMAT": "console"}, (*WORKER, "INFO")) as worker:
            worker.wait_ready()
            worker.stop()
            console = worker.said()
    alerts = [orjson.loads(message.value()) for messages in readable.values() for message in messages]
    return SimpleNamespace(
        code=code, quiet=quiet, since=since, until=until, told=told, offset=offset, alerts=alerts, console=console
    )


def lines_of(worker):
    """Each line as it is: what is no JSON fails the run."""
    return [orjson.loads(line) for line in worker.said().splitlines()]


def test_every_line_is_json_with_time_level_logger_and_event_first(run):
    for line in run.quiet + run.told:
        assert list(line)[:4] == ["timestamp", "level", "logger", "event"]
        assert RFC_3339_UTC.fullmatch(line["timestamp"])
        assert line["level"] in {"debug", "info", "warning", "error", "critical"}
        assert "\n" not in line["event"]


def test_a_worker_tells_its_life_in_a_few_lines(run):
    assert run.code == 0
    told = [line["event"] for line in run.quiet if line["logger"] == "yocho"]
    assert re.fullmatch(r"yocho worker: metrics on http://127\.0\.0\.1:\d+/metrics", told[0])
    assert told[1:] == ["yocho worker ready", "yocho worker ended"]
    assert len(run.quiet) < 10


def test_a_worker_that_is_well_says_nothing_while_it_works(run):
    during = [line for line in run.quiet if run.since < datetime.fromisoformat(line["timestamp"]) < run.until]
    assert during == []


def test_a_dead_letter_is_found_by_topic_partition_and_offset(run):
    place = {"topic": "orders", "partition": 2, "offset": run.offset}
    found = [line for line in run.told if place.items() <= line.items()]
    assert {(line["level"], line["event"]) for line in found} == {
        ("debug", "dead letter"),
        ("warning", "dead letters are coming in"),
    }
    assert {line["reason"] for line in found} == {"invalid_json"}


def test_an_outage_is_found_by_partition_and_source(run):
    out = [line for line in run.told if line["event"].startswith("source is quiet")]
    assert {(line["partition"], line["source"], line["level"]) for line in out} == {
        (number, "logins", "warning") for number in range(PARTITIONS)
    }


def test_an_alert_is_found_by_its_id(run):
    said = {line["alert_id"]: line["partition"] for line in run.told if line["event"] == "alert"}
    assert said
    assert said.keys() <= {alert["alert_id"] for alert in run.alerts}


def test_no_line_names_a_customer(run):
    assert not [line for line in run.quiet + run.told if re.search(r"customer-\d", str(line))]


def test_people_get_readable_lines(run):
    assert re.search(r"^\S+Z \[info +\] yocho worker ready +\[yocho\] partitions=\[0, 1, 2, 3\]$", run.console, re.M)
