"""Workers as processes, and what the broker knows of them: the tools of the end-to-end tests."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition

from streams.settings import Settings
from streams.topics import enabled_inputs

PARTITIONS = 4
RUN_WORKER = (
    "import os, sys; from streams.settings import Settings; from streams.worker import run_worker; "
    "sys.exit(run_worker(Settings.from_env(os.environ), 'INFO'))"
)


def environment(bootstrap: str, **variables: str) -> dict[str, str]:
    """Variables of a worker on event time with a pinned model, unless a test says otherwise."""
    defaults = {
        "YOCHO_BROKERS": bootstrap,
        "YOCHO_CLOCK": "event",
        "YOCHO_LEARN": "off",
        "YOCHO_METRICS_PORT": "0",
        "YOCHO_COMMIT_INTERVAL_S": "0.5",
    }
    return {**defaults, **variables}


class WorkerProcess:
    """A worker in a process of its own, its log in a file."""

    def __init__(self, variables: dict[str, str], command: Sequence[str] = (sys.executable, "-c", RUN_WORKER)) -> None:
        self.log = Path(tempfile.mkstemp(prefix="yocho-worker-", suffix=".log")[1])
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log)

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        wait_until(lambda: "yocho worker ready" in self.said(), timeout_s, self.said)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def port(self) -> int | None:
        """Where it serves metrics and health, None as long as it does not say so."""
        found = re.search(r"metrics on http://[^:]+:(\d+)/metrics\b", self.said())
        return int(found[1]) if found else None

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a GET."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metrics(self) -> dict[str, float]:
        """Value by series, name and labels as /metrics writes them."""
        return series_of(self.get("/metrics")[1])

    def memory_bytes(self, of: str) -> int:
        """Memory of its process as the kernel counts it: ``VmRSS``, resident now, or ``VmHWM``, at its most."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(of))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, timeout_s: float = 20.0) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the worker did not stop in {timeout_s} s:\n{self.said()[-3000:]}") from None

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self.log.unlink(missing_ok=True)


def series_of(page: str) -> dict[str, float]:
    """Value by series of a page of metrics, name and labels as the page writes them."""
    lines = [line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#")]
    return {series: float(value) for series, value in lines}


def total(series: Mapping[str, float], family: str) -> float:
    """Sum of a family over all its labels."""
    return sum(value for name, value in series.items() if name.partition("{")[0] == family)


def wait_until(done: Callable[[], bool], timeout_s: float, said: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, f"still waiting after {timeout_s} s\n{said()[-3000:]}"
        time.sleep(0.1)


def settle(
    worker: WorkerProcess, probe: "Probe", timeout_s: float = 120.0, quiet_s: float = 1.0, uncommitted: int = 0
) -> None:
    """Wait until all but so many records are committed and nobody was looked at for a while: looks come after them."""
    deadline = time.monotonic() + timeout_s
    wait_until(lambda: probe.lag() <= uncommitted, timeout_s, worker.said)
    seen, since = -1.0, time.monotonic()
    while time.monotonic() - since < quiet_s:
        assert time.monotonic() < deadline, f"not settled after {timeout_s} s\n{worker.said()[-3000:]}"
        looks = worker.metrics()["yocho_looks_total"]
        if looks != seen:
            seen, since = looks, time.monotonic()
        time.sleep(0.1)


class Probe:
    """Offsets and records of a broker, read from outside the workers."""

    def __init__(self, bootstrap: str, group: str = "yocho", settings: Settings = Settings()) -> None:  # noqa: B008
        common = {"bootstrap.servers": bootstrap, "enable.auto.commit": False, "log_level": 0}
        self._inputs = [source.topic(settings) for source in enabled_inputs(settings)]
        self._group = Consumer({**common, "group.id": group})
        self._reader = Consumer({**common, "group.id": "probe", "fetch.wait.max.ms": 50})

    def lag(self) -> int:
        """Records of the inputs that exist and are not committed."""
        tps = [TopicPartition(topic, n) for topic in self._inputs for n in range(PARTITIONS)]
        committed = self._group.committed(tps, timeout=20)
        return sum(self._end(tp) - max(tp.offset, 0) for tp in committed)

    def records(self, topic: str) -> dict[int, list[Any]]:
        """Everything a topic holds, by partition, in order."""
        tps = [TopicPartition(topic, n, 0) for n in range(PARTITIONS)]
        wanted = sum(self._end(tp) for tp in tps)
        self._reader.assign(tps)
        found: list[Any] = []
        deadline = time.monotonic() + 60
        while len(found) < wanted and time.monotonic() < deadline:
            found += [
                m for m in self._reader.consume(min(wanted - len(found), 10_000), timeout=1.0) if m.error() is None
            ]
        assert len(found) == wanted, f"read {len(found)} of {wanted} records of {topic}"
        return {n: [m for m in found if m.partition() == n] for n in range(PARTITIONS)}

    def _end(self, tp: TopicPartition) -> int:
        return int(self._reader.get_watermark_offsets(TopicPartition(tp.topic, tp.partition), timeout=20)[1])

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *_: object) -> None:
        self._group.close()
        self._reader.close()


def ordered_producer(bootstrap: str, **more: Any) -> Producer:
    """A producer that keeps the order of each partition; more of its settings with ``_`` for ``.``."""
    settings = {
        "bootstrap.servers": bootstrap,
        "partitioner": "murmur2_random",
        "enable.idempotence": True,  # or a new topic's first batches, refused while it has no leader, change places
        "linger.ms": 2,
        "log_level": 0,
    }
    return Producer(settings | {name.replace("_", "."): value for name, value in more.items()})


def send(bootstrap: str, records: Sequence[tuple[str, bytes, bytes]], pace_per_s: float | None = None) -> Iterator[int]:
    """Produce (topic, key, value) in order; yields how many are out after each hundred."""
    producer = ordered_producer(bootstrap)
    started = time.monotonic()
    for count, (topic, key, value) in enumerate(records, 1):
        producer.produce(topic, value, key)
        if count % 100 == 0 or count == len(records):
            producer.flush()
            if pace_per_s:
                time.sleep(max(0.0, started + count / pace_per_s - time.monotonic()))
            yield count


class Outbound(NamedTuple):
    """A record for a partition of our choice, which may have no key or no value."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None


def send_to(bootstrap: str, records: Sequence[Outbound]) -> list[int]:
    """Produce in order; gives the offset each record got."""
    producer = ordered_producer(bootstrap)
    offsets = [-1] * len(records)
    for number, record in enumerate(records):

        def delivered(error: Any, message: Any, number: int = number) -> None:
            assert error is None, error
            offsets[number] = message.offset()

        producer.produce(record.topic, record.value, record.key, record.partition, on_delivery=delivered)
        producer.poll(0)
    producer.flush()
    assert min(offsets) >= 0
    return offsets
