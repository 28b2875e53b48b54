"""Events per second on the embedded broker: the full job, a plain Faust agent with a table, a raw read loop.

Each runs in a process of its own against its own broker, which holds all events before the clock starts, and is timed
from its first event to its last, so that joining the group counts for nobody. The full job decodes, merges, keeps
100,000 customers' rows, scores, decides, and writes alerts, labels and changelog; the plain agent counts events per
customer in a table, one event at a time, as the Faust tutorial does; the read loop only reads.
"""

import os
from collections.abc import Iterator

import numpy as np
import orjson
from confluent_kafka import Producer

from streams.broker import EmbeddedBroker
from streams.settings import Settings
from tests.benchmarks.contestants import measured

N_CUSTOMERS = 100_000
N_EVENTS = {"full": 1_000_000, "plain": 15_000, "read": 1_000_000}
DAYS = 20
START_MS = 1_700_006_400_000
TOPICS = ("orders", "logins", "email-opens")


def records(n: int) -> Iterator[tuple[str, str, bytes]]:
    """Orders, logins and opens of 100,000 customers over 20 days, in event-time order."""
    rng = np.random.default_rng(1)
    customers, channels = rng.integers(N_CUSTOMERS, size=n), rng.choice(3, n, p=[0.3, 0.5, 0.2])
    at_ms = START_MS + np.sort(rng.integers(DAYS * 86_400_000, size=n))
    details = ({"amount": 1980.0, "currency": "JPY"}, {"session_seconds": 95}, {"campaign_id": "c1", "machine": False})
    for i, (customer, channel, at) in enumerate(
        zip(customers.tolist(), channels.tolist(), at_ms.tolist(), strict=True)
    ):
        key = f"customer-{customer:06d}"
        body = {"event_id": f"e{i}", "customer_id": key, "occurred_at": at, **details[channel]}
        yield TOPICS[channel], key, orjson.dumps(body)


def fill(bootstrap: str, n: int) -> None:
    producer = Producer(
        {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 1000, "compression.type": "zstd",
         "queue.buffering.max.messages": 1_000_000, "log_level": 0}
    )  # fmt: skip
    for topic, key, value in records(n):
        producer.produce(topic, value, key)
        producer.poll(0)
    producer.flush()


def measure(kind: str) -> dict[str, float]:
    """Run one contestant in a fresh process and read the line it prints."""
    n = N_EVENTS[kind]
    with EmbeddedBroker.for_settings(Settings(partitions=4)) as broker:
        broker.create_topic("plain-counts-changelog", 4)
        fill(broker.bootstrap, n)
        environment = {
            **os.environ,
            "YOCHO_BROKERS": broker.bootstrap,
            "YOCHO_CLOCK": "event",
            "YOCHO_LEARN": "off",
            "YOCHO_METRICS_PORT": "0",
            "YOCHO_MERGE_WAIT_S": "0",
        }
        return measured(kind, n, environment)


def run() -> None:
    """Print the table."""
    print(f"throughput, embedded broker, 4 partitions, {N_CUSTOMERS:,} customers, one process each")
    rates = {}
    for kind in N_EVENTS:
        figures = measure(kind)
        rates[kind] = figures["events_per_s"]
        extra = ", ".join(f"{name} {value:,.0f}" for name, value in figures.items() if name != "events_per_s")
        print(f"  {kind:6} {rates[kind]:>10,.0f} events/s   {extra}")
    plain, read = rates["full"] / rates["plain"], rates["full"] / rates["read"]
    print(f"  full / plain {plain:.1f} (bar: 20)   full / read {read:.2f}   full {rates['full']:,.0f}/s (bar: 25,000)")
