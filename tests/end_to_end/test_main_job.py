"""The main job over a synthetic shop: every order is processed, and the alerts are the same every time."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.end_to_end.main_job import assert_done, partition_by_partition, produced, run

N_CUSTOMERS, YEAR_DAYS = 300, 365
IN_TEN_SECONDS = f"{YEAR_DAYS * 86_400 // 10}x"


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> tuple[Path, int]:
    """A year of orders, customer by customer a rhythm of their own; half of them stop for good on the way."""
    rng = np.random.default_rng(11)
    begin, rows = datetime(2024, 1, 1, tzinfo=UTC), []
    for number in range(N_CUSTOMERS):
        gap_days = rng.lognormal(np.log(20), 0.6)
        until = rng.uniform(30, YEAR_DAYS) if rng.random() < 0.5 else YEAR_DAYS
        day = rng.uniform(0, 30)
        while day < until:
            at = begin + timedelta(seconds=int(day * 86_400))
            rows.append((at.isoformat(), f"c{number:04d}", round(float(rng.lognormal(8, 0.5)))))
            day += gap_days * rng.gamma(4, 1 / 4)
    path = tmp_path_factory.mktemp("shop") / "orders.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("customer_id", "event_type", "ts", "value"))
        writer.writerows((customer_id, "order", at, value) for at, customer_id, value in sorted(rows))
    return path, len(rows)


@pytest.fixture(scope="module")
def shop_run(shop) -> SimpleNamespace:
    return run(shop[0])


def test_every_order_of_a_file_is_processed_and_the_alerts_are_read_by_the_command(shop, shop_run):
    assert shop[1] > 3_000
    assert_done(shop_run, shop[1])
    assert {a.level for a in shop_run.alerts} >= {"watch", "at_risk", "critical"}
    assert {str(a.type) for a in shop_run.alerts} >= {"opened", "escalated", "recovered"}


@pytest.mark.parametrize(
    ("sending", "variables"),
    [
        (produced(), {"YOCHO_MAX_BATCH": "173"}),
        (partition_by_partition, {}),
        (produced("--speed", IN_TEN_SECONDS), {}),
    ],
    ids=["another batch size", "another order of partitions", "another speed"],
)
def test_alerts_of_a_file_are_the_same_with(shop, shop_run, sending, variables):
    assert run(shop[0], sending, **variables).news == shop_run.news
