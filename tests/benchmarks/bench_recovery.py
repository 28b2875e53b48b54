"""A million customers restored from their changelog: from the start of a worker until it takes events.

The changelog is written as a worker writes it, onto the embedded broker, and a real worker recovers from it: join the
group, read, decompress, apply, index due times. Beside it, the same records applied in this process, without the wire,
and the same worker with copies of its state on disk: as they are made, and as it restarts from them.
On the embedded broker, or on Apache Kafka where YOCHO_TEST_BROKER says ``kafka``. The embedded one keeps 5 MiB a
partition, compressed: of 48 partitions that is enough for a million.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from confluent_kafka import Producer

from streams.engine.changelog import OwnedRows, take_changes
from streams.engine.outbox import Record
from streams.engine.partition import PartitionRows
from streams.settings import Settings
from streams.topics import CHANGELOG
from tests.benchmarks.contestants import measured
from tests.benchmarks.populations import DAY_S, plain_ids
from tests.end_to_end.brokers import IS_KAFKA, fresh_broker
from tests.models.histories import NOW_S, random_rows
from tests.streams.harness import Written

N_CUSTOMERS = 1_000_000
N_PARTITIONS = 48
FETCHED = 2_000
BAR_S = 30
SESSION_S = 10
BROKER = "Apache Kafka" if IS_KAFKA else "embedded broker"


def changelogs() -> Iterator[tuple[int, list[Record]]]:
    """Changelog of each partition: customers with different pasts, looked at within half a year."""
    each, rng = N_CUSTOMERS // N_PARTITIONS + 1, np.random.default_rng(1)
    pasts = random_rows(50_000)
    for number in range(N_PARTITIONS):
        partition = PartitionRows(number)
        partition.take_over(generation=1)
        slots = partition.slots_of(plain_ids(number * each, min(N_CUSTOMERS, (number + 1) * each)))
        phases = partition.rows["phase"][slots]
        partition.rows[slots] = pasts[rng.integers(0, len(pasts), len(slots))]
        partition.rows["phase"][slots] = phases
        partition.rows["recent_ids"][slots] = rng.integers(0, 1 << 63, (len(slots), 6))
        partition.rows["due_at"][slots] = rng.integers(NOW_S, NOW_S + 180 * DAY_S, len(slots))
        partition.stream_time_s = NOW_S
        partition.mark_dirty(slots)
        yield number, list(take_changes(partition))


def write(bootstrap: str, topic: str) -> float:
    """Fill the changelog; gives the seconds that applying the same records takes, and due times being indexed."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 100, "compression.type": "zstd",
         "queue.buffering.max.messages": 200_000, "log_level": 0}
    )  # fmt: skip
    applied_s = 0.0
    for number, records in changelogs():
        for key, value, _ in records:
            producer.produce(topic, value, key, partition=number)
        producer.flush()
        written, owned = [Written(*record) for record in records], OwnedRows()
        started = time.process_time()
        for begin in range(0, len(written), FETCHED):
            owned.apply(number, written[begin : begin + FETCHED], 0)
        owned.partition(number).take_over(generation=2)
        applied_s += time.process_time() - started
    return applied_s


def restart(environment: dict[str, str], state_dir: str) -> dict[str, float]:
    """Start a worker anew, once the group has forgotten the one before."""
    time.sleep(SESSION_S + 1)
    return measured("recover", N_CUSTOMERS, environment | {"YOCHO_STATE_DIR": state_dir})


def run() -> None:
    """Print the figures."""
    settings = Settings(partitions=N_PARTITIONS)
    with fresh_broker(settings) as broker, tempfile.TemporaryDirectory() as folder:
        applied_s = write(broker.bootstrap, CHANGELOG.topic(settings))
        environment = {
            **os.environ,
            "YOCHO_BROKERS": broker.bootstrap,
            "YOCHO_PARTITIONS": str(N_PARTITIONS),
            "YOCHO_CLOCK": "event",
            "YOCHO_LEARN": "off",
            "YOCHO_METRICS_PORT": "0",
            "YOCHO_SESSION_TIMEOUT_S": str(SESSION_S),
        }
        runs = {
            "cold": restart(environment, ""),
            "cold, copied to disk": restart(environment, folder),
            "warm": restart(environment, folder),
        }
        disk_bytes = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    print(f"recovery of {N_CUSTOMERS:,.0f} customers, {BROKER}, {N_PARTITIONS} partitions, one worker")
    for name, figures in runs.items():
        state_s = figures["state_s"]
        print(
            f"  {name}: takes events after {figures['seconds']:.1f} s (bar: {BAR_S}), {figures['cpu_s']:.1f} s of work"
        )
        print(f"    {state_s:.1f} s from the assignment on, {N_CUSTOMERS / state_s:,.0f} customers/s;")
        print(f"    {figures['disk']:,.0f} records from disk, {figures['changelog']:,.0f} from the changelog;")
        print(f"    resident set at most {figures['max_rss_bytes'] / 2**20:.0f} MiB")
    share = applied_s / runs["cold"]["cpu_s"]
    print(f"  apply and index alone {applied_s:.1f} s of work, {share:.2f} of the cold worker's")
    is_equal = len({figures["hash"] for figures in runs.values()}) == 1
    print(f"  state hash equal: {is_equal}; copies on disk {disk_bytes / 2**20:.0f} MiB")
