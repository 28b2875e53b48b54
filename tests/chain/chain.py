"""Everything from a shop's feeds to somebody's pager, started for real; workers and feeds can be killed and come back.

Shortened, the durations of rules and routes are divided (`tests.chain.shortened`), and event time runs faster than the
clock, because what is usual in a feed is told in hours. So its events are of the past: YochoStreamTimeBehind would be
right to fire, if they were not meant to be.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.apache_kafka.node import free_ports
from tests.chain.alertmanager import AlertmanagerServer, Receiver
from tests.chain.feeds import Feeds, Shop
from tests.chain.shortened import write_shortened
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import Probe, WorkerProcess, environment, settle, wait_until
from tests.end_to_end.prometheus_server import RULES, PrometheusServer, rule_files

WORKERS = 2


@dataclass(frozen=True)
class Length:
    """How long the story takes: `by` is what durations of rules are divided by."""

    by: float
    every_s: int
    shop: Shop
    variables: dict[str, str]


@dataclass(frozen=True)
class Mark:
    """Something happened."""

    at_s: float
    name: str


@dataclass
class Chain:
    """What runs, and what has happened to it."""

    length: Length
    bootstrap: str
    ports: list[int]
    feeds: Feeds
    workers: list[WorkerProcess]
    alertmanager: AlertmanagerServer
    receiver: Receiver
    prometheus: PrometheusServer
    marks: list[Mark] = field(default_factory=list)

    def mark(self, name: str) -> float:
        """Note that something happens now."""
        self.marks.append(Mark(time.time(), name))
        return self.marks[-1].at_s

    def kill(self, number: int) -> float:
        """SIGKILL a worker."""
        self.workers[number].kill()
        return self.mark(f"worker {number + 1} killed")

    def start(self, number: int) -> None:
        """Start a killed worker again, at the same address."""
        self.workers[number].__exit__()
        self.workers[number] = _worker(self.bootstrap, self.ports[number], self.length)
        self.mark(f"worker {number + 1} started")

    def cut(self, feed: str) -> float:
        """A feed dies."""
        self.feeds.cut(feed)
        return self.mark(f"{feed} cut")

    def restore(self, feed: str) -> float:
        """A feed is back."""
        self.feeds.restore(feed)
        return self.mark(f"{feed} back")

    def firing(self) -> set[str]:
        """Alerts that fire at Prometheus."""
        found = self.prometheus.now('ALERTS{alertstate="firing", alertname=~"Yocho.*"}')
        return {series["metric"]["alertname"] for series in found}

    def pause(self, minutes: float) -> None:
        """Let so many minutes of the rules' time go by."""
        time.sleep(60 * minutes / self.length.by)

    def wait(self, until: Callable[[], bool], minutes: float, name: str) -> float:
        """Wait so many minutes of the rules' time at most, and a minute for slow machines; note when it came true."""
        wait_until(until, 60 + 60 * minutes / self.length.by, self.said)
        return self.mark(name)

    def said(self) -> str:
        """What the workers' logs say, and who was told what."""
        logs = "\n".join(worker.said()[-1500:] for worker in self.workers)
        return f"{logs}\n{self.firing()}\n{self.alertmanager.alerts()}\n{self.receiver.told}\n{self.marks}"


@contextlib.contextmanager
def started(length: Length) -> Iterator[Chain]:
    """The chain, its history told and caught up with, all of it well."""
    with contextlib.ExitStack() as stack:
        rules = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yocho-rules-")))
        write_shortened(RULES, rule_files(), rules, length.by)
        broker = stack.enter_context(fresh_broker())
        receiver = stack.enter_context(Receiver())
        alertmanager = stack.enter_context(AlertmanagerServer(receiver.address, length.by))
        feeds = stack.enter_context(Feeds(broker.bootstrap, length.shop))
        feeds.send_history()
        ports = free_ports(WORKERS)
        workers = [_worker(broker.bootstrap, port, length) for port in ports]
        stack.callback(lambda: [worker.__exit__() for worker in workers])
        with Probe(broker.bootstrap) as probe:
            for worker in workers:
                worker.wait_ready()
            settle(workers[0], probe, 600)
        feeds.go_on()
        alertmanager.wait_ready()
        jobs = {"yocho-worker": ports}
        prometheus = stack.enter_context(PrometheusServer(jobs, alertmanager.port, rules, length.every_s))
        prometheus.wait_ready()
        yield Chain(length, broker.bootstrap, ports, feeds, workers, alertmanager, receiver, prometheus)


def _worker(bootstrap: str, port: int, length: Length) -> WorkerProcess:
    return WorkerProcess(environment(bootstrap, **length.variables, YOCHO_METRICS_PORT=str(port)))
