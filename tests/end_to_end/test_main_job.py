"""The main job as a user runs it: `yocho worker`, `yocho produce FILE`, `yocho alerts`; the same alerts every time.

Once over a synthetic shop, for everybody; once over CDNOW's real orders where that file lies beside the checkout.
"""

import csv
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.events import Channel
from streams import alerts
from streams.event_csv import read_records
from streams.partitioner import partition_of
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Probe, WorkerProcess, environment, send, settle

YOCHO = (sys.executable, "-m", "streams")
N_CUSTOMERS, YEAR_DAYS = 300, 365
IN_TEN_SECONDS = f"{YEAR_DAYS * 86_400 // 10}x"
CDNOW = Path(os.environ.get("YOCHO_CDNOW", Path(__file__).parents[2] / "../shared/data/cdnow_dev.csv.gz"))
CDNOW_ORDERS = 47_354
needs_cdnow = pytest.mark.skipif(not CDNOW.exists(), reason=f"no {CDNOW.name}: YOCHO_CDNOW says where it is")


def yocho(bootstrap: str, *arguments: str) -> str:
    """Standard output of a command that must succeed."""
    ended = subprocess.run(
        (*YOCHO, *arguments), env=os.environ | environment(bootstrap), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def produced(*options: str):
    """A way of sending a file: by the command."""
    return lambda bootstrap, path: yocho(bootstrap, "produce", str(path), *options)


def partition_by_partition(bootstrap: str, path: Path) -> None:
    """A way of sending a file: everything of the last partition, then of the one before, down to the first."""
    records = [(record.source.key, record.key, record.value) for record in read_records(path, Channel.ORDER)]
    list(send(bootstrap, sorted(records, key=lambda record: -partition_of(record[1], PARTITIONS))))


def run(path: Path, sending=produced(), timeout_s: float = 120, **variables: str) -> SimpleNamespace:  # noqa: B008
    """A worker on an empty broker, the file sent while it runs, and what `yocho alerts` then prints."""
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        worker_command = (*YOCHO, "worker", "--log-level", "INFO")
        with WorkerProcess(environment(broker.bootstrap, **variables), worker_command) as worker:
            worker.wait_ready()
            said = sending(broker.bootstrap, path)
            settle(worker, probe, timeout_s)
            metrics = worker.metrics()
            lines = yocho(broker.bootstrap, "alerts", "--json", "--from-start", "--until-idle", "5").splitlines()
            assert worker.stop() == 0, worker.said()
    told = [alerts.decode(line.encode()) for line in lines]
    return SimpleNamespace(
        produce_said=said, metrics=metrics, alerts=told,
        news={(a.alert_id, a.level, str(a.type), a.occurred_at) for a in told},
    )  # fmt: skip


def total(metrics: dict[str, float], family: str) -> float:
    return sum(value for series, value in metrics.items() if series.startswith(family + "{"))


def assert_done(ended: SimpleNamespace, n_orders: int) -> None:
    """Every order was applied, nothing was set aside, and each alert was told once."""
    assert f"sent {n_orders:,} to orders" in ended.produce_said
    applied = 'yocho_events_total{outcome="applied",type="order"}'
    assert ended.metrics[applied] == total(ended.metrics, "yocho_events_total") == n_orders
    assert total(ended.metrics, "yocho_dead_letters_total") == 0
    assert total(ended.metrics, "yocho_alerts_total") == len(ended.alerts) == len(ended.news)


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


@pytest.fixture(scope="module")
def cdnow_run() -> SimpleNamespace:
    return run(CDNOW)


@needs_cdnow
def test_every_order_of_cdnow_is_processed_at_full_speed(cdnow_run):
    assert_done(cdnow_run, CDNOW_ORDERS)


@needs_cdnow
@pytest.mark.nightly  # most of a minute each
@pytest.mark.parametrize(
    ("sending", "variables"),
    [(produced(), {"YOCHO_MAX_BATCH": "173"}), (partition_by_partition, {})],
    ids=["another batch size", "another order of partitions"],
)
def test_alerts_of_cdnow_are_the_same_with(cdnow_run, sending, variables):
    assert run(CDNOW, sending, **variables).news == cdnow_run.news
