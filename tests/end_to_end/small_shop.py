"""A small shop for the commands: orders of customers who stop one after the other, and clocks that move time on."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson

from streams.partitioner import partition_of
from tests.end_to_end.cluster import PARTITIONS

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
N_CUSTOMERS, LAST_STOP_DAY = 200, 89
MONTH = {"YOCHO_HORIZON": "28d"}


def shop():
    """Customers with a rhythm of their own, who stop one after the other."""
    rng = np.random.default_rng(5)
    return [
        (f"c{n:03d}", float(day))
        for n in range(N_CUSTOMERS)
        for day in np.arange(rng.uniform(0, 10), rng.uniform(30, LAST_STOP_DAY), rng.uniform(1, 10))
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
