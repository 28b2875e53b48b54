"""`yocho upcoming` asks what a worker committed; then time passes, and the worker tells just that."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson

from streams.broker import EmbeddedBroker
from streams.partitioner import partition_of
from streams.settings import Settings
from tests.end_to_end.cluster import PARTITIONS, Probe, WorkerProcess, environment, send, settle

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
TODAY, WITHIN, N_CUSTOMERS = 90, 10, 200
MONTH = {"YOCHO_HORIZON": "28d"}


def test_who_is_listed_gets_that_alert_at_that_second():
    with EmbeddedBroker.for_settings(Settings()) as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, **MONTH)
        with WorkerProcess(variables) as worker:
            worker.wait_ready()
            work(broker.bootstrap, worker, probe, shop() + clocks(TODAY))
            listed = lines(yocho(variables, "upcoming", "--within", f"{WITHIN}d", "--json"))
            alerts = "alerts", "--json", "--from-start", "--until-idle", "3"
            before = {alert["alert_id"] for alert in lines(yocho(variables, *alerts))}
            work(broker.bootstrap, worker, probe, clocks(TODAY + WITHIN))
            told = [alert for alert in lines(yocho(variables, *alerts)) if alert["alert_id"] not in before]
            assert worker.stop() == 0, worker.said()
    first = {}
    for alert in told:
        if alert["type"] in ("opened", "escalated"):
            first.setdefault(alert["customer_id"], (alert["level"], alert["occurred_at"]))
    assert {one["customer_id"]: (one["next_level"], one["at"]) for one in listed} == first
    assert len(first) >= 10
    assert {datetime.fromisoformat(one["as_of"]) for one in listed} == {BEGIN + timedelta(days=TODAY)}


def work(bootstrap, worker, probe, orders):
    list(send(bootstrap, [record(*one) for one in sorted(orders, key=lambda one: one[1])]))
    settle(worker, probe)


def shop():
    """Customers with a rhythm of their own, who stop one after the other."""
    rng = np.random.default_rng(5)
    return [
        (f"c{n:03d}", float(day))
        for n in range(N_CUSTOMERS)
        for day in np.arange(rng.uniform(0, 10), rng.uniform(30, TODAY - 1), rng.uniform(1, 10))
    ]


def clocks(day):
    """One order on each partition, which carries its stream time to a day."""
    keys = (f"clock-{n}" for n in range(1_000))
    found = {partition_of(key.encode(), PARTITIONS): key for key in keys}
    return [(key, float(day)) for key in found.values()]


def record(customer_id, day):
    at = BEGIN + timedelta(seconds=round(day * 86_400))
    body = {"event_id": f"{customer_id}-{day}", "customer_id": customer_id, "occurred_at": at.isoformat(), "amount": 9}
    return "orders", customer_id.encode(), orjson.dumps(body)


def yocho(variables, *arguments):
    command = (sys.executable, "-m", "streams", *arguments)
    ended = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines()]
