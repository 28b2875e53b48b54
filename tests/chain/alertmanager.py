"""Alertmanager with the project's own routes, and somebody at the other end who is told, over HTTP."""

import json
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from tests.chain.shortened import shortened
from tests.documents import ROOT
from tests.end_to_end.cluster import wait_until
from tests.end_to_end.prometheus_server import free_port

COMMITTED = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"


@dataclass(frozen=True)
class Told:
    """One alert of one message, as it arrived."""

    at_s: float
    receiver: str
    name: str
    is_firing: bool
    labels: dict[str, str]
    annotations: dict[str, str]


class Receiver:
    """A server that takes Alertmanager's webhooks and keeps what it was told, as /RECEIVER."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    def was_told(self, name: str) -> bool:
        """Whether it was told that an alert fires."""
        return any(one.name == name and one.is_firing for one in self.told)

    def is_over(self, name: str) -> bool:
        """Whether it was told since that it fires no more, for all it was told of."""
        last = {frozenset(one.labels.items()): one.is_firing for one in self.told if one.name == name}
        return bool(last) and not any(last.values())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend(_read(message, self.path.strip("/"), time.time()))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing for each message."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class AlertmanagerServer:
    """Alertmanager on loopback, as deploy/alertmanager says, with an address for each receiver.

    Parameters
    ----------
    receiver
        Port of who is told.
    by
        What its waiting times are divided by.
    """

    def __init__(self, receiver: int, by: float) -> None:
        self._command = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
        if self._command is None:
            pytest.skip("alertmanager is not here: on Debian install prometheus-alertmanager")
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="yocho-alertmanager-")
        folder = Path(self._folder.name)
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(_configuration(receiver, by)), encoding="utf-8")
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._command, f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="],
                stdout=log, stderr=log,
            )  # fmt: skip

    def wait_ready(self) -> None:
        wait_until(self._is_ready, 30, lambda: self._log.read_text(errors="replace"))

    def alerts(self) -> dict[str, str]:
        """State by name of the alerts it has now: ``active``, or ``suppressed`` where another one is nearer."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=10) as answer:
            return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in json.load(answer)}

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._folder.cleanup()


def _configuration(receiver: int, by: float) -> dict[str, Any]:
    settings: dict[str, Any] = shortened(yaml.safe_load(COMMITTED.read_text(encoding="utf-8")), by)
    for one in settings["receivers"]:
        one["webhook_configs"] = [{"url": f"http://127.0.0.1:{receiver}/{one['name']}"}]
    return settings


def _read(message: dict[str, Any], receiver: str, at_s: float) -> list[Told]:
    return [
        Told(at_s, receiver, a["labels"]["alertname"], a["status"] == "firing", a["labels"], a["annotations"])
        for a in message["alerts"]
    ]
