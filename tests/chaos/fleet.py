"""Workers under a supervisor: one that ends is started again, as systemd, Kubernetes or compose would."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping

from tests.end_to_end.cluster import RUN_WORKER, WorkerProcess, environment

BACK_OFF_S = 0.5
STOP_S = 60.0
READY_S = 120.0
TRAPPED = "from tests.chaos.traps import main; main()"
"""A worker that dies or fails at a point of its own choosing (`tests.chaos.traps`)."""


class Member:
    """One worker's place: its process, and what it is started with next time."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = dict(variables)
        self.trap: str | None = None
        self.process: WorkerProcess | None = None
        self.wanted = True
        self.ended_at_s = 0.0

    def start(self) -> None:
        """Start it, with the trap that was set for it, once."""
        trap, self.trap = self.trap, None
        variables = self.variables | ({"CHAOS_TRAP": trap} if trap else {})
        self.process = WorkerProcess(variables, (sys.executable, "-c", TRAPPED if trap else RUN_WORKER))

    def wait_ready(self) -> None:
        """Wait until it has partitions."""
        assert self.process is not None
        self.process.wait_ready(READY_S)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.process.poll() is None

    def signal(self, what: signal.Signals) -> None:
        if self.process is not None:
            os.kill(self.process.process.pid, what)


class Fleet:
    """So many workers of one group.

    Parameters
    ----------
    bootstrap
        The brokers.
    size
        Workers at the beginning.
    variables
        Their settings, beside those of every end-to-end test.
    """

    def __init__(self, bootstrap: str, size: int, variables: Mapping[str, str]) -> None:
        self._variables = environment(bootstrap, **variables)
        self.members: list[Member] = []
        self.exits: Counter[int] = Counter()
        self.said: list[str] = []
        for _ in range(size):
            self.join()

    def join(self, **variables: str) -> Member:
        """Add a worker."""
        number = str(len(self.members) + 1)
        member = Member({name: text.replace("{n}", number) for name, text in (self._variables | variables).items()})
        self.members.append(member)
        member.start()
        return member

    def leave(self, member: Member) -> None:
        """Stop a worker in order, and do without it."""
        member.wanted = False
        self._stop(member)
        self.members.remove(member)

    def supervise(self) -> None:
        """Start again whoever ended; call it often."""
        now_s = time.monotonic()
        for member in self.members:
            if not member.wanted or member.is_running:
                continue
            if member.process is not None:
                self._bury(member)
                member.ended_at_s = now_s
            elif now_s > member.ended_at_s + BACK_OFF_S:
                member.start()

    def stop(self) -> list[int]:
        """Stop everybody in order; their exit codes."""
        for member in self.members:
            member.wanted = False
            if member.is_running:
                member.signal(signal.SIGTERM)
        return [self._stop(member) for member in self.members]

    def close(self) -> None:
        for member in self.members:
            if member.process is not None:
                member.process.kill()
                self._bury(member)

    def _stop(self, member: Member) -> int:
        if not member.is_running:
            return 0
        assert member.process is not None
        code = member.process.stop(STOP_S)
        self._bury(member)
        return code

    def _bury(self, member: Member) -> None:
        assert member.process is not None
        self.exits[member.process.process.returncode] += 1
        self.said.append(f"== worker {member.process.process.pid}\n{member.process.said()}")
        member.process.__exit__()
        member.process = None
