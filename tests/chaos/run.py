"""One disturbed run: events flow at a steady pace, faults happen at set places of the log, and everything is judged.

The way Kafka Streams and Flink test themselves: an undisturbed reference, a disturbed run, proof that each fault hit
while there was work to do, and a verifier that shares no code with the worker.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streams import provision
from streams.cluster import Cluster
from streams.settings import Settings
from tests.apache_kafka.cluster import KafkaCluster
from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.progress import Progress
from tests.chaos.verdict import Left, Log, Verdict
from tests.end_to_end.cluster import Probe

VARIABLES = {
    "YOCHO_HORIZON": "28d",
    "YOCHO_FORGET": "400d",
    "YOCHO_SESSION_TIMEOUT_S": "6",
    "YOCHO_MERGE_WAIT_S": "10",
}
"""Two days pass in each second of such a log, so an input that is held up must be waited for."""
SETTLE_S, HIT_S, AFTER_S = 300.0, 60.0, 10.0


@dataclass
class Figures:
    """What a run measured.

    Parameters
    ----------
    hits
        Lag of the group, records, at each fault.
    pauses_s
        Each time a partition with work to do made no progress for longer than two commits take.
    failovers_s
        From each SIGKILL of an owner to the next progress on each of its partitions, at the longest.
    exits
        Exit codes of workers, and how many.
    repeats
        Alerts told again with the same id.
    log
        What the workers said; a clean verdict removes it.
    """

    hits: list[int] = field(default_factory=list)
    pauses_s: list[float] = field(default_factory=list)
    failovers_s: list[float] = field(default_factory=list)
    exits: Mapping[int, int] = field(default_factory=dict)
    repeats: int = 0
    seconds: float = 0.0
    log: Path = field(default_factory=lambda: Path(tempfile.mkstemp(prefix="yocho-chaos-", suffix=".log")[1]))


class Run:
    """What faults act on.

    Parameters
    ----------
    kafka, fleet, feeder, progress
        Brokers, workers, events, and how offsets move.
    """

    def __init__(self, kafka: KafkaCluster, fleet: Fleet, feeder: Feeder, progress: Progress) -> None:
        self.kafka, self.fleet, self.feeder, self.progress = kafka, fleet, feeder, progress
        self.figures = Figures()

    def hit(self, what: Callable[[], object]) -> None:
        """Do something once there is work in progress; proves it by the lag."""
        deadline_s, committed = time.monotonic() + HIT_S, self.progress.total
        while (lag := self.progress.lag) == 0 or self.progress.total <= committed:
            if self.feeder.done or time.monotonic() > deadline_s:
                break  # told by the figures: a hit without lag fails the run
            self.wait(0.05)
        self.figures.hits.append(lag)
        what()

    def wait(self, seconds: float) -> None:
        """Let time pass; the supervisor goes on."""
        until_s = time.monotonic() + seconds
        while True:
            self.fleet.supervise()
            _ = self.feeder.done  # raises if it gave up
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(0.05, left_s))

    def wait_sent(self, share: float, total: int) -> None:
        """Wait until a share of the log is out."""
        while self.feeder.acknowledged < share * total and not self.feeder.done:
            self.wait(0.05)

    def drain(self) -> None:
        """Wait until everything is sent and committed."""
        deadline_s = time.monotonic() + SETTLE_S
        while not self.feeder.done:
            self.wait(0.1)
        self.progress.look_again()
        while self.progress.lag:
            said = [m.process.said()[-1500:] for m in self.fleet.members if m.process]
            assert time.monotonic() < deadline_s, f"lag {self.progress.lag} after {SETTLE_S} s\n" + "\n".join(said)
            self.wait(0.1)
        self.wait(3.0)  # looks that are due come after the last event


@contextmanager
def kafka_with_topics(nodes: int, properties: Mapping[str, str] | None = None) -> Iterator[KafkaCluster]:
    """A cluster with the topics of a deployment."""
    with KafkaCluster(nodes, properties) as kafka:
        settings = Settings(brokers=tuple(kafka.bootstrap.split(",")), replication=nodes)
        provision.create(Cluster.reach(settings), settings)
        yield kafka


def undisturbed(log: Log) -> Left:
    """What one worker leaves behind when nothing happens."""
    left, _ = disturbed(log, lambda run: None, nodes=1, workers=1, pace_per_s=1e9)
    return left


def disturbed(
    log: Log,
    story: Callable[[Run], None],
    *,
    nodes: int = 3,
    workers: int = 3,
    pace_per_s: float = 2_000.0,
    **variables: str,
) -> tuple[Left, Figures]:
    """Run a log while a story of faults is told; gives what is left behind and what was measured."""
    with kafka_with_topics(nodes) as kafka, Probe(kafka.bootstrap) as probe:
        feeder, progress = Feeder(kafka.bootstrap, log, pace_per_s), Progress(kafka.bootstrap)
        feeder.start()  # before the workers: which input speaks first would else depend on who is quicker
        fleet = Fleet(kafka.bootstrap, workers, VARIABLES | variables)
        run, began_s = Run(kafka, fleet, feeder, progress), time.monotonic()
        try:
            for member in fleet.members:
                member.wait_ready()
            progress.start()
            story(run)
            run.wait(0.0 if feeder.done else AFTER_S)
            progress.count_no_more_pauses()
            feeder.hurry()
            run.drain()
            fleet.stop()
            left = Left.behind(probe)
        except BaseException as error:
            error.add_note(f"what the workers said: {run.figures.log}")
            raise
        finally:
            progress.stop()
            fleet.close()
            run.figures.log.write_text("\n".join(fleet.said))
    run.figures.exits = dict(fleet.exits)
    run.figures.pauses_s = progress.pauses_s
    run.figures.failovers_s = progress.failovers_s
    run.figures.repeats = left.repeats
    run.figures.seconds = time.monotonic() - began_s
    return left, run.figures


def judge(log: Log, left: Left, expected: Left, figures: Figures) -> Verdict:
    """Judge a run; one whose faults hit an idle group proves nothing and fails.

    Raises
    ------
    AssertionError
        Anything differs, or a fault hit nothing.
    """
    verdict = Verdict.of(left, expected, log)
    assert verdict.is_clean, f"{verdict}; what the workers said: {figures.log}"
    assert all(figures.hits), f"a fault hit an idle group: lags {figures.hits}"
    figures.log.unlink()
    return verdict
