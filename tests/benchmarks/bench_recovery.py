"""A million customers restored from their changelog: from the start of a worker until it takes events.

The changelog is written as a worker writes it, onto the embedded broker, and a real worker recovers from it: join the
group, read, decompress, apply, index due times. Beside it, the same records applied in this process, without the wire.
The broker keeps 5 MiB a partition, compressed: of 48 partitions that is enough for a million.
"""

import os
import time
from collections.abc import Iterator

import numpy as np
from confluent_kafka import Producer

from streams.broker import EmbeddedBroker
from streams.engine.changelog import OwnedRows, take_changes
from streams.engine.outbox import Record
from streams.engine.partition import PartitionRows
from streams.settings import Settings
from streams.topics import CHANGELOG
from tests.benchmarks.contestants import measured
from tests.benchmarks.populations import DAY_S, plain_ids
from tests.models.histories import NOW_S, random_rows
from tests.streams.harness import Written

N_CUSTOMERS = 1_000_000
N_PARTITIONS = 48
FETCHED = 2_000
BAR_S = 30


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
        yield number, take_changes(partition)


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


def run() -> None:
    """Print the figures."""
    settings = Settings(partitions=N_PARTITIONS)
    with EmbeddedBroker.for_settings(settings) as broker:
        applied_s = write(broker.bootstrap, CHANGELOG.topic(settings))
        environment = {
            **os.environ,
            "YOCHO_BROKERS": broker.bootstrap,
            "YOCHO_PARTITIONS": str(N_PARTITIONS),
            "YOCHO_CLOCK": "event",
            "YOCHO_LEARN": "off",
            "YOCHO_METRICS_PORT": "0",
        }
        figures = measured("recover", N_CUSTOMERS, environment)
    print(f"recovery of {figures['customers']:,.0f} customers, embedded broker, {N_PARTITIONS} partitions, one worker")
    print(f"  until it takes events {figures['seconds']:.1f} s (bar: {BAR_S}), {figures['cpu_s']:.1f} s of work")
    print(f"  apply and index alone {applied_s:.1f} s of work, {applied_s / figures['cpu_s']:.2f} of the worker's")
    print(f"  resident set at most {figures['max_rss_bytes'] / 2**20:.0f} MiB")
