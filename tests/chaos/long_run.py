"""Many events through one worker on Apache Kafka, and whether its memory grows: `python -m ... [EVENTS [CUSTOMERS]]`.

A customer's days go by, some leave, some come back, so alerts, episodes, labels and timers come and go. Events are sent
hardly further ahead than `AHEAD`: what a backlog takes up comes and goes, and the C library keeps the most it ever was,
which would creep up by tens of MiB. After a fifth of the events everybody is known, after two fifths a commit has met
nearly everybody changed, which is the most that it takes up at once. From there on resident memory may grow by less
than `MOST_MIB` a million events (least squares), and no container of the process grows with the events
(`tests.chaos.census`).
"""

import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from tests.apache_kafka.cluster import KafkaCluster
from tests.chaos.census import COUNTED
from tests.chaos.run import kafka_with_topics
from tests.end_to_end.cluster import WorkerProcess, environment, ordered_producer, total
from tests.end_to_end.log import DAY_MS, START_MS, TOPICS

N_EVENTS, N_CUSTOMERS, CHUNK, AHEAD = 10_000_000, 100_000, 10_000, 20_000
EVENTS_A_DAY = 0.25
"""Of a customer: ten million events of a hundred thousand customers are 400 days."""
SEASON_DAYS = 60
WARM, MOST_MIB, MOST_GROWTH = 0.4, 1.0, 0.1
KEPT = {"log.retention.bytes": str(256 * 1024**2), "log.segment.bytes": str(32 * 1024**2)}
"""What brokers keep of each partition; else ten million events would be kept."""
VARIABLES = {"YOCHO_HORIZON": "28d", "YOCHO_FORGET": "400d", "YOCHO_LEARN": "on"}
DETAIL = ({"amount": 1000}, {"session_seconds": 60}, {"machine": False})


@dataclass
class Course:
    """What a run was like: events applied, resident MiB, and censuses by events applied."""

    applied: list[float] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)
    censuses: dict[float, dict] = field(default_factory=dict)

    def slope_mib(self) -> float:
        """MiB a million events, once it is warm."""
        applied, rss_mib = np.array(self.applied), np.array(self.rss_mib)
        warm = applied > WARM * applied[-1]
        return float(np.polyfit(applied[warm] / 1e6, rss_mib[warm], 1)[0])

    def grown(self) -> list[str]:
        """Containers that grew between the middle and the end."""
        middle, end = (self.censuses[at] for at in sorted(self.censuses)[-2:])
        pairs = {"all objects": (middle["objects"], end["objects"])} | {
            name: (middle["large"].get(name, 0), size) for name, size in end["large"].items()
        }
        return [
            f"{name}: {before:,} to {after:,}"
            for name, (before, after) in pairs.items()
            if after > (1 + MOST_GROWTH) * before + CHUNK + AHEAD
        ]


def events(n_events: int, n_customers: int) -> Iterator[tuple[str, bytes, bytes]]:
    """(topic, key, value) in event-time order; everybody does next to nothing in half of their own seasons.

    Were it the same season for all, the breaker would trip at its end and hold alerts for good: nobody releases it.
    """
    rng = np.random.default_rng(11)
    step_ms = DAY_MS / (EVENTS_A_DAY * n_customers)
    begins_days, sleeps = rng.uniform(0, SEASON_DAYS, n_customers), rng.random((n_customers, 64)) < 0.5
    for begin in range(0, n_events, CHUNK):
        season = ((begin * step_ms / DAY_MS + begins_days) // SEASON_DAYS).astype(int) % sleeps.shape[1]
        customers = rng.integers(n_customers, size=CHUNK)
        rests = sleeps[np.arange(n_customers), season]
        customers = np.where(rests[customers] & (rng.random(CHUNK) < 0.98), (customers + 1) % n_customers, customers)
        channels = rng.choice(3, CHUNK, p=[0.3, 0.5, 0.2])
        for number, (customer, channel) in enumerate(zip(customers.tolist(), channels.tolist(), strict=True), begin):
            customer_id = f"c{customer:06d}"
            at_ms = START_MS + int(number * step_ms)
            body = {"event_id": f"e{number}", "customer_id": customer_id, "occurred_at": at_ms, **DETAIL[channel]}
            yield TOPICS[channel], customer_id.encode(), orjson.dumps(body)


def run(kafka: KafkaCluster, n_events: int, n_customers: int) -> Course:
    """Feed a worker, and look at it once a chunk."""
    course, file = Course(), Path(tempfile.mkdtemp(prefix="yocho-census-")) / "census.json"
    variables = environment(kafka.bootstrap, CHAOS_CENSUS=str(file), **VARIABLES)
    producer = ordered_producer(kafka.bootstrap, linger_ms=20)
    with WorkerProcess(variables, (sys.executable, "-c", COUNTED)) as worker:
        worker.wait_ready()
        for number, (topic, key, value) in enumerate(events(n_events, n_customers), 1):
            producer.produce(topic, value, key)
            producer.poll(0)
            if number % CHUNK == 0:
                producer.flush()
                look(worker, course, number - AHEAD)
                if number * 2 == n_events or number == n_events:
                    look(worker, course, number - CHUNK // 10)
                    course.censuses[number] = counted(worker, file)
        assert worker.process.poll() is None, worker.said()[-3000:]
        assert worker.stop(60) == 0
    return course


def look(worker: WorkerProcess, course: Course, until: int) -> None:
    """Wait until so many are applied, and note the memory then."""
    while (applied := applied_by(worker)) < until:
        time.sleep(0.2)
    course.applied.append(applied)
    course.rss_mib.append(worker.memory_bytes("VmRSS") / 1024**2)
    if len(course.applied) % (1_000_000 // CHUNK) == 0:
        print(f"  {applied:,.0f} events: {course.rss_mib[-1]:.0f} MiB", flush=True)


def applied_by(worker: WorkerProcess) -> float:
    """Events the worker has seen through."""
    assert worker.process.poll() is None, worker.said()[-3000:]
    return total(worker.metrics(), "yocho_events_total")


def counted(worker: WorkerProcess, file: Path) -> dict:
    """Ask the worker what it holds."""
    file.unlink(missing_ok=True)
    worker.process.send_signal(signal.SIGHUP)
    while not file.exists():
        assert worker.process.poll() is None
        time.sleep(0.1)
    census: dict = json.loads(file.read_text())
    return census


def main() -> None:
    n_events, n_customers = (*map(int, sys.argv[1:]), *(N_EVENTS, N_CUSTOMERS)[len(sys.argv) - 1 :])
    began_s = time.monotonic()
    with kafka_with_topics(1, KEPT) as kafka:
        course = run(kafka, n_events, n_customers)
    slope_mib, grown = course.slope_mib(), course.grown()
    print(f"{n_events:,} events of {n_customers:,} customers in {time.monotonic() - began_s:.0f} s: "
          f"{course.rss_mib[-1]:.0f} MiB, {slope_mib:+.2f} MiB a million events after two fifths")  # fmt: skip
    for at, census in course.censuses.items():
        print(f"  at {at:,}: {census['objects']:,} objects; large: {census['large']}")
    sys.exit(f"grew: {grown}, {slope_mib:.2f} MiB a million events" if grown or slope_mib >= MOST_MIB else 0)


if __name__ == "__main__":
    main()
