"""Faults as items of a list: each a story that is told to a run, and how often.

`SHORT` is what CI does, `FULL` what `make chaos` does.
"""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from tests.chaos.run import Run
from tests.chaos.traps import KILL_POINTS
from tests.end_to_end.log import event_log

SESSION_S = 6.0
APART_S = 25.0
"""The session, a failover, and the worker's own return with another rebalance."""
SETTLED_S = 12.0
"""A worker's start, its rebalance and its partitions' recovery."""
TRAPPED_S = 8.0
"""A worker that starts and takes part in a rebalance has met its trap by then, or waits for another rebalance."""
Turns = Callable[[Run, int], Iterator[int]]
"""When each of so many faults happens."""
REFUSALS = [
    *(f"refuse:{error}:{of}:3" for of in ("output", "state") for error in (
        "RequestTimedOutError", "NotEnoughReplicasError", "MessageSizeTooLargeError", "NotLeaderForPartitionError",
    )),
    *(f"refuse:{error}:commit:3" for error in (
        "IllegalGenerationError", "RebalanceInProgressError", "CommitFailedError", "RequestTimedOutError",
        "NotCoordinatorForGroupError",
    )),
]  # fmt: skip


@dataclass(frozen=True)
class Story:
    """A run to be disturbed.

    Parameters
    ----------
    name
        For people.
    tell
        Does it.
    n_events, n_customers
        The log.
    pace_per_s
        Events a second.
    workers, nodes
        Of the group and of the cluster.
    """

    name: str
    tell: Callable[[Run], None]
    n_events: int
    n_customers: int = 2_000
    pace_per_s: float = 2_000.0
    workers: int = 3
    nodes: int = 3
    variables: dict[str, str] = field(default_factory=dict)

    def log(self) -> list[tuple[str, bytes, bytes]]:
        return event_log(self.n_events, self.n_customers)


def over_the_log(run: Run, number: int, end: float = 0.9) -> Iterator[int]:
    """Turns, each at its place of the log."""
    total = len(run.feeder.log)
    for turn in range(number):
        run.wait_sent(0.1 + (end - 0.1) * turn / max(1, number - 1), total)
        yield turn


def in_peace(run: Run, number: int, *, apart_s: float) -> Iterator[int]:
    """Turns, each once the group is at peace: for how long partitions stand still."""
    for turn in range(number):
        run.wait(apart_s)
        yield turn
    run.wait(apart_s)
    assert not run.feeder.done, "the log was too short"


def kills(number: int, turns: Turns = over_the_log) -> Callable[[Run], None]:
    """SIGKILL one worker after the other; each time the others, or itself, go on with its partitions."""

    def tell(run: Run) -> None:
        for turn in turns(run, number):
            victim = _owner(run, turn)
            run.hit(lambda victim=victim: (victim.signal(signal.SIGKILL), run.progress.killed()))
            run.wait(0.2)

    return tell


def traps(settings: list[str]) -> Callable[[Run], None]:
    """Start workers that die, or are refused something, at a point of their own work."""

    def tell(run: Run) -> None:
        for number, trap in enumerate(settings):
            member, other = (run.fleet.members[(number + which) % len(run.fleet.members)] for which in (0, 1))
            member.trap = trap
            run.hit(lambda member=member: member.signal(signal.SIGKILL))
            ended = run.fleet.exits.total()
            if not _has_ended(run, ended + 2, TRAPPED_S) and other.is_running:
                other.signal(signal.SIGKILL)  # it is for a rebalance that the trap waits
                _has_ended(run, ended + 3, TRAPPED_S)
        assert not run.feeder.done, "the log was too short"
        deadly = sum(trap.startswith("kill") for trap in settings)
        assert run.fleet.exits[-signal.SIGKILL] >= 2 * deadly, f"a trap was not met: {run.fleet.exits}"

    return tell


def _has_ended(run: Run, number: int, timeout_s: float) -> bool:
    """Wait until so many processes have ended since the beginning."""
    until_s = time.monotonic() + timeout_s
    while run.fleet.exits.total() < number and time.monotonic() < until_s:
        run.wait(0.05)
    return run.fleet.exits.total() >= number


def bounces(number: int, outage_s: float, end: float = 0.8) -> Callable[[Run], None]:
    """Stop and start each broker in order, then kill each; at last two of three are away for a while."""

    def tell(run: Run) -> None:
        actions = [(node, how) for _ in range(number) for how in ("stop", "kill") for node in run.kafka.nodes]
        for turn in over_the_log(run, len(actions), end):
            node, how = actions[turn]
            run.hit(getattr(node, how))
            run.wait(1.0)
            node.start()
            node.wait_ready()
            run.wait(2.0)
        for node in run.kafka.nodes[:2]:
            run.hit(node.kill)
        run.wait(outage_s)
        for node in run.kafka.nodes[:2]:
            node.start()
            node.wait_ready()

    return tell


def joins(number: int, turns: Turns = over_the_log) -> Callable[[Run], None]:
    """Workers come and go, in order."""

    def tell(run: Run) -> None:
        for turn in turns(run, number):
            if turn % 2 == 0:
                run.hit(run.fleet.join)
            else:
                run.hit(lambda: run.fleet.leave(run.fleet.members[0]))

    return tell


def rolling(run: Run) -> None:
    """Each worker is restarted in turn under its own name, so that nobody else's partitions move."""
    for turn in over_the_log(run, len(run.fleet.members)):
        run.hit(lambda turn=turn: run.fleet.members[turn].signal(signal.SIGTERM))


def zombies(number: int) -> Callable[[Run], None]:
    """A worker freezes for twice its session and wakes up when others have its partitions."""

    def tell(run: Run) -> None:
        for turn in over_the_log(run, number):
            victim = _owner(run, turn)
            run.hit(lambda victim=victim: victim.signal(signal.SIGSTOP))
            run.wait(2 * SESSION_S)
            victim.signal(signal.SIGCONT)

    return tell


def _owner(run: Run, turn: int):
    """A running worker, another one each turn."""
    while not any(member.is_running for member in run.fleet.members):
        run.wait(0.1)
    running = [member for member in run.fleet.members if member.is_running]
    return running[turn % len(running)]


POINTS = [f"kill:{point}:{nth}" for nth in (1, 3) for point in KILL_POINTS]

FULL = (
    Story("50 SIGKILLs of 3 workers over 1,000,000 events", kills(50), 1_000_000, 10_000, 2_500),
    Story(
        "10 failovers, each in peace", kills(10, partial(in_peace, apart_s=APART_S)), 200_000, pace_per_s=500.0, nodes=1
    ),
    Story(f"SIGKILL at {len(KILL_POINTS)} points, 20 each", traps(POINTS * 10), 800_000, pace_per_s=400.0, nodes=1),
    Story(
        "5 clean and 5 hard restarts of each broker, then 2 of 3 down for 30 s",
        bounces(5, 30.0),
        600_000,
        pace_per_s=700.0,  # thirty brokers take a quarter of an hour to come back
        variables={"YOCHO_MERGE_WAIT_S": "25"},  # a broker that was killed is missed after 9 s
    ),
    Story("20 joins and leaves", joins(20), 300_000),
    Story(
        "20 arrivals and departures, each in peace",
        joins(20, partial(in_peace, apart_s=SETTLED_S)),
        250_000,
        pace_per_s=500.0,
        workers=2,
        nodes=1,
    ),
    Story(
        "rolling restart of 3 workers, static membership",
        rolling,
        200_000,
        variables={"YOCHO_INSTANCE": "worker-{n}", "YOCHO_SESSION_TIMEOUT_S": "30"},  # a place is kept for as long
    ),
    Story("5 workers frozen for two sessions", zombies(5), 300_000),
    Story("writes and commits refused", traps(REFUSALS), 800_000),
)
SHORT = tuple(
    replace(story, tell=tell, n_events=n_events, n_customers=300, pace_per_s=pace, nodes=nodes, workers=2)
    for story, tell, n_events, pace, nodes in (
        (FULL[2], traps(POINTS[: len(KILL_POINTS)]), 150_000, 800, 1),
        (FULL[3], bounces(1, 5.0, end=0.3), 200_000, 1_000, 3),
    )
)
