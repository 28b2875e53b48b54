"""The demo's worker: a real `yocho worker` in a process of its own, watched over HTTP and always ended.

It leads its own process group, so that Ctrl-C in the terminal reaches the demo only, which then ends the
worker in order: terminate, wait, and kill the whole group if that takes too long.
"""

import http
import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from prometheus_client.parser import text_string_to_metric_families

WORKER = (sys.executable, "-m", "streams.demo.leash", "worker", "--log-level", "INFO")
STOP_S = 6.0
_HTTP_S = 2.0


class Counts(NamedTuple):
    """What the worker has done so far, from its metrics."""

    events: int
    dead_letters: int
    alerts: int


class Worker:
    """A worker process; use as a context manager, leaving it ends the process.

    Parameters
    ----------
    environment
        All of its environment.
    port
        Where it serves /readyz and /metrics on loopback.
    log_path
        File that takes its output.
    command
        What to run.
    """

    def __init__(
        self, environment: Mapping[str, str], port: int, log_path: Path, command: Sequence[str] = WORKER
    ) -> None:
        self.log_path = log_path
        self._port = port
        with log_path.open("wb") as log:
            # The command is ours, not input; a session of its own is a process group of its own.
            self._process = subprocess.Popen(  # noqa: S603
                command,
                env=dict(environment),
                stdin=subprocess.PIPE,  # the leash: it ends when this end closes, however we end
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code once it has ended, None while it runs."""
        return self._process.poll()

    def is_ready(self) -> bool:
        """Tell whether it has recovered its state and takes events."""
        return self._get("/readyz") is not None

    def counts(self) -> Counts | None:
        """Read its counters; None when it does not answer right now."""
        text = self._get("/metrics")
        if text is None:
            return None
        totals = dict.fromkeys(("yocho_events_total", "yocho_dead_letters_total", "yocho_alerts_total"), 0.0)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name in totals:
                    totals[sample.name] += sample.value
        return Counts(*map(int, totals.values()))

    def last_lines(self, n: int = 15) -> list[str]:
        """Return the last `n` lines of its output, without what would steer a terminal."""
        lines = self.log_path.read_text(errors="replace").splitlines()[-n:]
        return ["".join(char for char in line if char.isprintable()) for line in lines]

    def stop(self) -> None:
        """End it and everything it started; returns when nothing of it is left."""
        if self.exit_code is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()  # closes the leash and takes the exit code

    def _get(self, path: str) -> str | None:
        """Return the body of a 200 answer, None for anything else."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_HTTP_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.read().decode() if answer.status == http.HTTPStatus.OK else None
        except (OSError, http.client.HTTPException):
            return None  # not listening yet, or busy: the caller asks again
        finally:
            connection.close()
