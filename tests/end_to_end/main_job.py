"""The main job as a user runs it: `yocho worker`, `yocho produce FILE`, `yocho alerts`."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from models.events import Channel
from streams import alerts
from streams.event_csv import read_records
from streams.partitioner import partition_of
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Probe, WorkerProcess, environment, send, settle, total

YOCHO = (sys.executable, "-m", "streams")


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


def assert_done(ended: SimpleNamespace, n_orders: int) -> None:
    """Every order was applied, nothing was set aside, and each alert was told once."""
    assert f"sent {n_orders:,} to orders" in ended.produce_said
    applied = 'yocho_events_total{outcome="applied",type="order"}'
    assert ended.metrics[applied] == total(ended.metrics, "yocho_events_total") == n_orders
    assert total(ended.metrics, "yocho_dead_letters_total") == 0
    assert total(ended.metrics, "yocho_alerts_total") == len(ended.alerts) == len(ended.news)
