"""Who customers are and what they did stands in no log and no metric, whatever comes in and however much is asked."""

import os
import re
import sys
from types import SimpleNamespace

import orjson
import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.partitioner import partition_of
from streams.settings import Settings
from tests.bad_input import BAD_INPUT
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Outbound, Probe, WorkerProcess, environment, send_to, settle, total
from tests.end_to_end.log import DAY_MS, START_MS

CANARY = re.compile(rb"kanaria|canary|@example", re.IGNORECASE)
"""Every text below has one of these in it: ids that are mail addresses, and what the fields hold."""
N_CUSTOMERS, N_DAYS = 40, 60
VARIABLES = {
    "YOCHO_HORIZON": "7d",
    "YOCHO_LEARN": "on",
    "YOCHO_SNAPSHOT_EVERY": "20",
    "YOCHO_SASL_MECHANISM": "PLAIN",
    "YOCHO_EMAIL_CLICKS_TOPIC": "canary-clicks",
}
WORKER = (sys.executable, "-m", "streams", "worker", "--log-level", "DEBUG")
TOPIC, DETAIL = (
    ("orders", "logins", "email-opens", "canary-clicks"),
    (
        {"amount": 20, "currency": "JPY", "items": [{"category": "canary-tea", "quantity": 1, "price": 20}]},
        {"session_seconds": 60, "note": "canary@example.com"},
        {"campaign_id": "canary-campaign", "machine": False},
        {"campaign_id": "canary-campaign"},
    ),
)


def good():
    """Half of the customers stop on the way, so there are alerts, labels and models."""
    for day in range(N_DAYS):
        for n in range(N_CUSTOMERS):
            if day < N_DAYS // 2 or n % 2:
                channel = (day + n) % 4
                customer_id = f"kanaria-{n}@example.com"
                at = START_MS + day * DAY_MS + n * 1000
                event = {
                    "event_id": f"canary-{day}-{n}",
                    "customer_id": customer_id,
                    "occurred_at": at,
                    **DETAIL[channel],
                }
                yield outbound(TOPIC[channel], customer_id.encode(), orjson.dumps(event))


def bad():
    """Every known kind of bad record, with a canary in key and value wherever it may be without changing the kind."""
    for item in BAD_INPUT:
        topic = {"email-sends": "orders", "email-clicks": "canary-clicks"}.get(item.source.key, item.source.key)
        yield outbound(topic, item.key, item.value)
        yield outbound(topic, b"kanaria@example.com", (item.value or b"").replace(b"c1", b"kanaria@example.com"))
        yield outbound(topic, b"canary \xff\n key", b'{"canary": "kanaria@example.com"' + (item.value or b""))


def strange():
    """Records of our own topics that nobody of us wrote."""
    for topic, partition in (("churn-labels", 1), ("churn-labels", 0), ("churn-model", 0)):
        nameless = () if topic == "churn-model" else (None,)  # Kafka takes no record without a key for compaction
        for key in (b"kanaria@example.com", b"latest", b"trainer", b"canary-version", *nameless):
            for value in (b"canary", b'{"customer_id": "kanaria@example.com", "canary": 1}', b"\xff canary", b"[]"):
                yield Outbound(topic, partition, key, value)


def outbound(topic, key, value):
    return Outbound(topic, partition_of(key or b"", PARTITIONS), key, value)


@pytest.fixture(scope="module")
def run():
    """A worker that learns, at DEBUG, over good, bad and strange records, and people who talk to it."""
    settings = Settings(email_clicks_topic="canary-clicks")
    with fresh_broker(settings) as broker, Probe(broker.bootstrap, settings=settings) as probe:
        variables = environment(broker.bootstrap, **VARIABLES)
        send_to(broker.bootstrap, [*strange(), *good(), *bad()])
        with WorkerProcess(variables, WORKER) as worker:
            worker.wait_ready()
            settle(worker, probe, 60)
            said_by_commands = [
                yocho(variables, *command)
                for command in (
                    ("ack", "kanaria-2@example.com", "--by", "Canary"),
                    ("snooze", "kanaria-4@example.com", "--until", "3d", "--by", "Canary"),
                    ("release", "--by", "Canary"),
                    ("erase", "kanaria-6@example.com", "--by", "Canary"),
                    ("dead-letters", "list", "--limit", "5"),
                    ("upcoming", "--within", "30d"),
                    ("alerts", "--from-start", "--until-idle", "1"),
                    ("topics", "check"),
                )
            ]
            settle(worker, probe, 60)
            metrics, series = worker.get("/metrics")[1].encode(), worker.metrics()
            code, log = worker.stop(), worker.log.read_bytes()
    return SimpleNamespace(code=code, log=log, metrics=metrics, series=series, commands=said_by_commands)


def yocho(variables, *arguments):
    clean = {name: None for name in os.environ if name.startswith("YOCHO_")}
    return CliRunner().invoke(main, arguments, env=clean | variables)


def test_the_run_was_worth_looking_at(run):
    """Alerts, dead letters, labels, models, refused labels and answers: every path has had something to tell."""
    assert run.code == 0
    assert b'"level":"debug"' in run.log
    assert b"model" in run.log
    assert b"refused" in run.log
    for family in (
        "yocho_alerts_total",
        "yocho_dead_letters_total",
        "yocho_labels_total",
        "yocho_commit_seconds_count",
    ):
        assert total(run.series, family) > 0, family
    assert any("kanaria" in ended.stdout for ended in run.commands), "people are told whom it is about"


def test_no_line_of_a_workers_log_holds_a_customer_or_what_they_did(run):
    assert [line for line in run.log.splitlines() if CANARY.search(line.replace(b"canary-clicks", b""))] == []


def test_no_metric_does(run):
    assert [line for line in run.metrics.splitlines() if CANARY.search(line.replace(b"canary-clicks", b""))] == []


def test_no_command_complains_with_somebodys_name(run):
    assert [line for ended in run.commands for line in ended.stderr_bytes.splitlines() if CANARY.search(line)] == []
