"""One node of Apache Kafka in a process of its own: KRaft, broker and controller at once, on loopback.

A node keeps its ports and its data folder for life, so it can be stopped or killed and started again. Its process ends
with the test run, however that ends.
"""

import ctypes
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBS = ROOT / ".kafka" / "libs"
"""Where `make kafka` puts the broker."""
LOGGING = ROOT / "deploy" / "kafka" / "log4j2.properties"
HEAP = ("-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Small, and quick to start: three nodes share a machine with workers and tests."""
START_S, STOP_S = 60.0, 30.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class KafkaError(RuntimeError):
    """A node could not be formatted, started or stopped; the message ends with its log."""


def missing() -> str | None:
    """Say in one line why Apache Kafka cannot run here; None if it can.

    Examples
    --------
    >>> missing() in (None, "java is not installed", "the broker is not fetched yet: run `make kafka`")
    True
    """
    if shutil.which("java") is None:
        return "java is not installed"
    return None if any(LIBS.glob("kafka_2.13-*.jar")) else "the broker is not fetched yet: run `make kafka`"


class KafkaNode:
    """One node; formatted when made, not started.

    Parameters
    ----------
    number
        Node id, 1 and up.
    folder
        Of its own, for data, configuration and log.
    port
        Where clients reach it.
    properties
        The server's configuration but for what every node here has in common.
    cluster_id
        The same for all nodes.
    formatting
        More arguments of the storage formatter, such as SCRAM users.
    """

    def __init__(
        self,
        number: int,
        folder: Path,
        port: int,
        *,
        properties: Mapping[str, str],
        cluster_id: str,
        formatting: Sequence[str] = (),
    ) -> None:
        self.number, self.port = number, port
        self._folder = folder
        folder.mkdir(parents=True)
        own = {"node.id": str(number), "log.dirs": str(folder / "data")}
        text = "".join(f"{name}={value}\n" for name, value in {**properties, **own}.items())
        self._properties = folder / "server.properties"
        self._properties.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None
        arguments = ("format", "--cluster-id", cluster_id, "--config", str(self._properties), *formatting)
        done = subprocess.run(self._java("kafka.tools.StorageTool", *arguments), capture_output=True, check=False)
        if done.returncode:
            raise KafkaError(f"node {number} could not be formatted:\n{(done.stdout + done.stderr).decode()}")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; returns at once."""
        assert not self.is_running
        with (self._folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._properties)),
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one C call, no locks
            )

    def wait_ready(self, timeout_s: float = START_S) -> None:
        """Wait until clients are served."""
        deadline_s = time.monotonic() + timeout_s
        while not _listens(self.port):
            if not self.is_running:
                raise KafkaError(f"node {self.number} ended:\n{self.said()}")
            if time.monotonic() > deadline_s:
                raise KafkaError(f"node {self.number} serves nobody after {timeout_s} s:\n{self.said()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop in order: leadership is handed over, everything is on disk."""
        self._end(signal.SIGTERM, STOP_S)

    def kill(self) -> None:
        """SIGKILL: nothing is handed over."""
        self._end(signal.SIGKILL, STOP_S)

    def said(self, characters: int = 3_000) -> str:
        """The end of its log."""
        return (self._folder / "log.txt").read_text(errors="replace")[-characters:]

    def _end(self, how: signal.Signals, timeout_s: float) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise KafkaError(f"node {self.number} did not stop in {timeout_s} s:\n{self.said()}") from None

    def _java(self, main: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"
        return ["java", *HEAP, logging, "-cp", f"{LIBS}/*", main, *arguments]


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody listens on, all different.

    Below those that systems give to outgoing connections: a node that is down must find its port free again.
    """
    ports: list[int] = []
    while len(ports) < number:
        port = random.randrange(20_000, 32_000)
        if port not in ports and not _listens(port):
            ports.append(port)
    return ports


def _listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1.0)
        return one.connect_ex(("127.0.0.1", port)) == 0


def _die_with_parent() -> None:
    """In the child, before Java: the kernel kills it when whoever started it is gone."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
