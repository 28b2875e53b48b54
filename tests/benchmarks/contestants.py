"""What is timed in a process of its own: each contestant prints one JSON line and ends its process at once."""

import asyncio
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import faust
import orjson
from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry

from streams.app import cold_book, create_app
from streams.machine import settle_in
from streams.settings import Settings
from tests.streams.engine.state_hash import state_hash

BROKER = os.environ.get("YOCHO_BROKERS", "")


def measured(kind: str, n: int, environment: Mapping[str, str]) -> dict[str, float]:
    """Run a contestant in a fresh process and read the line it prints."""
    command = [sys.executable, "-m", "tests.benchmarks.contestants", kind, str(n)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    _, brace, figure = done.stdout.rpartition("{")  # Faust's terminal codes may stand before it
    if not brace:
        raise RuntimeError(f"{kind} printed no figure:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    figures: dict[str, float] = orjson.loads(brace + figure)
    return figures


def report(**figures: float) -> None:
    """Print the figures and the largest resident set, and end the process."""
    rss_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.buffer.write(orjson.dumps(figures | {"max_rss_bytes": rss_bytes}) + b"\n")
    sys.stdout.flush()
    os._exit(0)


class Stopwatch:
    """From the first event to the last of n."""

    def __init__(self, n: int, **more: Callable[[], float]) -> None:
        self.n, self.more, self.seen, self.started, self.cpu_started = n, more, 0, 0.0, 0.0

    def saw(self, total: int) -> None:
        if not self.started and total:
            self.started, self.cpu_started = time.perf_counter(), time.process_time()

    def done(self) -> None:
        seconds, cpu_s = time.perf_counter() - self.started, time.process_time() - self.cpu_started
        more = {name: get() for name, get in self.more.items()}
        report(events_per_s=self.n / seconds, cpu_us_per_event=cpu_s / self.n * 1e6, **more)

    def count(self, k: int) -> None:
        self.seen += k
        self.saw(self.seen)
        if self.seen >= self.n:
            self.done()


def full(n: int) -> None:
    """The worker; timed until everything is applied and a commit after that is through."""
    settle_in()
    registry = CollectorRegistry()
    settings = Settings.from_env(os.environ)
    app = create_app(settings, cold_book(settings), registry)
    partitions = app.engine.partitions

    def value(name: str) -> float:
        families = registry.restricted_registry([name]).collect()
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    stopwatch = Stopwatch(
        n,
        customers=lambda: sum(len(p) for p in partitions()),
        batches=lambda: value("yocho_batch_records_count"),
        looks=lambda: value("yocho_looks_total"),
        alerts=lambda: value("yocho_alerts_total"),
    )

    def watch() -> None:
        while True:
            time.sleep(0.1)
            applied = value("yocho_events_total")
            stopwatch.saw(int(applied))
            if applied >= n and not any(p.dirty_count for p in partitions()) and not len(app.engine.outbox):
                stopwatch.done()

    threading.Thread(target=watch, daemon=True).start()
    faust.Worker(app, override_logging=False, redirect_stdouts=False, quiet=True).execute_from_commandline()


def recover(n: int) -> None:
    """The worker, from its start until it takes events, n customers being in its changelog; then its first commit."""
    settle_in()
    started, cpu_started = time.perf_counter(), time.process_time()
    settings, registry = Settings.from_env(os.environ), CollectorRegistry()
    app = create_app(settings, cold_book(settings), registry)
    times: dict[str, float] = {}
    app.engine.on_assigned.append(lambda owned: times.setdefault("taken_s", time.perf_counter()) if owned else None)
    began = app.engine.table.on_rebalance

    async def assigned(*arguments: Any) -> None:
        times.setdefault("given_s", time.perf_counter())
        await began(*arguments)

    app.engine.table.on_rebalance = assigned

    def value(name: str, **labels: str) -> float:
        return registry.get_sample_value(name, labels) or 0.0

    def watch() -> None:
        while not (app.engine.ready and sum(map(len, app.engine.partitions())) >= n):
            time.sleep(0.05)
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
        before = value("yocho_commit_seconds_count", stage="state")
        while value("yocho_commit_seconds_count", stage="state") < before + 2:  # copies on disk are whole then
            time.sleep(0.05)
        report(
            seconds=seconds,
            cpu_s=cpu_s,
            state_s=times["taken_s"] - times["given_s"],
            disk=value("yocho_restored_records_total", origin="disk"),
            changelog=value("yocho_restored_records_total", origin="changelog"),
            hash=sum(int(state_hash(partition)[:8], 16) for partition in app.engine.partitions()),
        )

    threading.Thread(target=watch, daemon=True).start()
    faust.Worker(app, override_logging=False, redirect_stdouts=False, quiet=True).execute_from_commandline()


class Order(faust.Record):
    """The fields all three inputs share, the way Faust's own tutorial declares them."""

    event_id: str
    customer_id: str
    occurred_at: int


def plain(n: int) -> None:
    """One event per record, counted in a table: Faust's quick start, its defaults but for what the broker cannot do."""
    app = faust.App(
        "plain", broker=f"kafka://{BROKER}", store="memory://", topic_partitions=4, topic_allow_declare=False,
        web_enabled=False, topic_disable_leader=True, table_standby_replicas=0,
    )  # fmt: skip
    counts = app.Table("counts", default=int, partitions=4)
    watch = Stopwatch(n)

    async def count(stream: Any) -> None:
        async for event in stream:
            counts[event.customer_id] += 1
            watch.count(1)

    app.agent(app.topic("orders", "logins", "email-opens", key_type=str, value_type=Order))(count)
    faust.Worker(app, override_logging=False, redirect_stdouts=False, quiet=True).execute_from_commandline()


async def read(n: int) -> None:
    """Read and look at nothing."""
    consumer = AIOKafkaConsumer(
        "orders", "logins", "email-opens", bootstrap_servers=BROKER, group_id="read", auto_offset_reset="earliest"
    )
    await consumer.start()
    watch = Stopwatch(n)
    while True:
        batches = await consumer.getmany(timeout_ms=500, max_records=2000)
        watch.count(sum(map(len, batches.values())))


if __name__ == "__main__":
    kind, n = sys.argv[1], int(sys.argv[2])
    if kind == "read":
        asyncio.run(read(n))
    else:
        {"full": full, "plain": plain, "recover": recover}[kind](n)
