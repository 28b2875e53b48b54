"""Bad input at volume: a worker on a clean log, and on the same log with every kind of bad record many times over.

Exactly one dead letter each, with the right reason, place and bytes; state, alerts and outcomes those of the clean run;
no restart; and at least 90 % of the clean run's throughput. `python -m tests.chaos.bad_input` says so on Apache Kafka,
one node; `tests/end_to_end/test_bad_input_at_volume.py` runs the same with fewer events.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from streams import provision
from streams.cluster import Cluster
from streams.engine.changelog import META_KEY
from streams.settings import Settings
from tests.apache_kafka.cluster import KafkaCluster
from tests.end_to_end.bad_log import KINDS, Item, good, named_log, spoilt
from tests.end_to_end.cluster import Probe, WorkerProcess, environment, ordered_producer, settle, total, wait_until
from tests.end_to_end.verifier import alerts_of, recount, rows_of

N_EVENTS, N_CUSTOMERS, DAYS, EACH = 1_000_000, 20_000, 20, 20
LEAST_RATIO = 0.9
VARIABLES = {"YOCHO_HORIZON": "14d", "YOCHO_MERGE_WAIT_S": "1.0"}
OUTCOME_TOPICS = ("churn-outcomes", "churn-labels")

Place = tuple[str, int, int, bytes | None, bytes | None, str]
"""Topic, partition, offset, key and value of a bad record, and its reason."""


class Speed(NamedTuple):
    """How long the worker took for all records: wall clock and its own processor time, seconds; and its memory."""

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


@dataclass(frozen=True)
class Left:
    """What a run left behind."""

    expected: Counter[Place]
    dead: Counter[Place]
    rows: dict[bytes, np.void]
    memory: dict[int, bytes]
    alerts: dict[str, tuple]
    told: dict[str, Counter[tuple[bytes, bytes]]]
    lag: int
    code: int
    said: str
    speed: Speed


def lived_through(bootstrap: str, items: Iterable[Item]) -> Left:
    """Fill the topics, run a worker over them, and read what it left."""
    total, expected = fill(bootstrap, items)
    with Probe(bootstrap) as probe, WorkerProcess(environment(bootstrap, **VARIABLES)) as worker:
        speed = timed(worker, total)
        settle(worker, probe)
        code, said = worker.stop(), worker.said()
        told = {
            topic: Counter((m.key(), m.value()) for messages in probe.records(topic).values() for m in messages)
            for topic in OUTCOME_TOPICS
        }
        dead = Counter(map(place_of, (m for messages in probe.records("dead-letters").values() for m in messages)))
        return Left(
            expected, dead, rows_of(probe), memory_of(probe), alerts_of(probe), told, probe.lag(), code, said, speed
        )  # fmt: skip


def fill(bootstrap: str, items: Iterable[Item]) -> tuple[int, Counter[Place]]:
    """Produce in order into empty topics; gives how many, and the places of those that must become dead letters."""
    producer = ordered_producer(bootstrap, linger_ms=50, queue_buffering_max_messages=1_000_000)
    ends: Counter[tuple[str, int]] = Counter()
    expected: Counter[Place] = Counter()
    for record, fate in items:
        producer.produce(record.topic, record.value, record.key, record.partition)
        producer.poll(0)
        tp = record.topic, record.partition
        if fate is not None:
            expected[(*tp, ends[tp], record.key, record.value, fate)] += 1
        ends[tp] += 1
    assert producer.flush(60) == 0
    return ends.total(), expected


def place_of(letter: Any) -> Place:
    """Where the original of a dead letter is, what it holds and why it was set aside."""
    headers = {name: value.decode() for name, value in letter.headers()}
    at = headers["x-topic"], int(headers["x-partition"]), int(headers["x-offset"])
    return (*at, letter.key(), letter.value(), headers["x-reason"])


def memory_of(probe: Probe) -> dict[int, bytes]:
    """What is remembered of each partition as a whole, its stream time first of all."""
    changelog = probe.records("yocho-customers-changelog")
    return {n: [m.value() for m in messages if m.key() == META_KEY][-1] for n, messages in changelog.items()}


def timed(worker: WorkerProcess, n_records: int) -> Speed:
    """Wait until every record has an outcome; what came before the first look is counted at the pace of the rest."""
    worker.wait_ready()

    def seen() -> float:
        return total(worker.metrics(), "yocho_events_total")

    wait_until(lambda: seen() > 0, 60, worker.said)
    first, wall_s, cpu_s = seen(), time.monotonic(), _cpu_s(worker.process.pid)
    wait_until(lambda: seen() >= n_records, 900, worker.said)
    share = n_records / (n_records - first)
    wall_s, cpu_s = (time.monotonic() - wall_s) * share, (_cpu_s(worker.process.pid) - cpu_s) * share
    return Speed(wall_s, cpu_s, worker.memory_bytes("VmHWM"))


def differences(clean: Left, dirty: Left, log: Sequence[tuple[str, bytes, bytes]]) -> list[str]:
    """What is not as it must be, a line each; empty when all is well."""
    rules = {
        "clean: dead letters": not clean.dead,
        "clean: counts are not those of the log": _counts(clean) == recount(log),
        "dirty: not exactly one dead letter each, with place, bytes and reason": dirty.dead == dirty.expected,
        "dirty: a letter for a record that is not bad": not dirty.dead - dirty.expected,
        "dirty: other customers": dirty.rows.keys() == clean.rows.keys(),
        "dirty: other state": _differing(clean, dirty) <= {"applied"},
        "dirty: other stream time or memory of a partition": dirty.memory == clean.memory,
        "dirty: other alerts": dirty.alerts == clean.alerts,
        "no alerts to compare": len(clean.alerts) > 50,
    }
    for topic in OUTCOME_TOPICS:
        rules[f"dirty: other records in {topic}"] = dirty.told[topic] == clean.told[topic]
    for name, left in (("clean", clean), ("dirty", dirty)):
        rules[f"{name}: records left unread"] = left.lag == 0
        rules[f"{name}: exit code {left.code}"] = left.code == 0
        rules[f"{name}: the worker started more than once"] = left.said.count("yocho worker ready") == 1
        rules[f"{name}: an error in the log"] = "Traceback" not in left.said
    return [rule for rule, is_kept in rules.items() if not is_kept]


def _counts(left: Left) -> dict[bytes, list[int]]:
    return {key: row["count"].tolist() for key, row in left.rows.items()}


def _differing(clean: Left, dirty: Left) -> set[str]:
    """Fields that differ in any row the runs have in common; offsets must, as there are more records."""
    return {
        name
        for key in dirty.rows.keys() & clean.rows.keys()
        for name in clean.rows[key].dtype.names
        if dirty.rows[key][name].tobytes() != clean.rows[key][name].tobytes()
    }


def _cpu_s(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def on_kafka(items: Iterable[Item]) -> Left:
    """The same on a node of Apache Kafka of its own."""
    with KafkaCluster(1) as kafka:
        settings = Settings(brokers=(kafka.bootstrap,))
        provision.create(Cluster.reach(settings), settings)
        return lived_through(kafka.bootstrap, items)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.chaos.bad_input", description=__doc__)
    arguments.add_argument("--events", type=int, default=N_EVENTS)
    arguments.add_argument("--customers", type=int, default=N_CUSTOMERS)
    arguments.add_argument("--rounds", type=int, default=2, help="pairs of runs; the fastest of each kind count")
    asked = arguments.parse_args()
    log = named_log(asked.events, asked.customers, DAYS)
    print(
        f"bad input, Apache Kafka, 1 node, 4 partitions: {len(log):,} events, {EACH} each of {KINDS} kinds", flush=True
    )
    speeds: dict[str, list[Speed]] = {"clean": [], "dirty": []}
    problems: list[str] = []
    for _ in range(asked.rounds):
        clean, dirty = on_kafka(map(good, log)), on_kafka(spoilt(log, EACH))
        problems += differences(clean, dirty, log)
        for name, left in (("clean", clean), ("dirty", dirty)):
            speeds[name].append(left.speed)
            wall_s, cpu_s, rss = left.speed
            print(
                f"  {name}: {len(log) / wall_s:,.0f} good events/s, {cpu_s / len(log) * 1e6:.1f} us of processor each,"
                f" {left.dead.total():,} dead letters, {len(left.alerts):,} alerts, peak {rss / 2**20:,.0f} MiB",
                flush=True,
            )
    wall, cpu = (min(s[i] for s in speeds["clean"]) / min(s[i] for s in speeds["dirty"]) for i in (0, 1))
    print(f"  throughput dirty / clean: {wall:.3f} by the clock, {cpu:.3f} by processor time (bar: {LEAST_RATIO})")
    if wall < LEAST_RATIO:
        problems.append(f"throughput {wall:.3f} of the clean run's")
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
