"""A real Prometheus on loopback, with the project's own rules, that reads processes under test every second."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from tests.documents import ROOT
from tests.end_to_end.cluster import wait_until

RULES = ROOT / "deploy" / "prometheus"
EVERY_S = 1

Series = list[dict[str, Any]]


class PrometheusServer:
    """Prometheus in a process of its own, its data in a temporary folder.

    Parameters
    ----------
    jobs
        Ports on 127.0.0.1 to read, by the job's name in deploy/prometheus/prometheus.yml.
    alertmanager
        Port of an Alertmanager to tell; None = nobody is told.
    """

    def __init__(self, jobs: Mapping[str, Sequence[int]], alertmanager: int | None = None) -> None:
        if shutil.which("prometheus") is None:
            pytest.skip("prometheus is not here: on Debian install prometheus")
        self.port = free_port()
        self.began_s = time.time()
        self._folder = tempfile.TemporaryDirectory(prefix="yocho-prometheus-")
        folder = Path(self._folder.name)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration(jobs, alertmanager)), encoding="utf-8")
        self._log = folder / "log"
        command = [
            "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--enable-feature=exemplar-storage",
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def wait_ready(self) -> None:
        """Wait until it answers and has read every process once."""
        wait_until(self._has_read_all, 60, lambda: self._log.read_text(errors="replace"))

    def now(self, query: str) -> Series:
        """What a query gives at this moment."""
        return self._series("query", query=query)

    def since_start(self, query: str) -> Series:
        """What it gave each second since this server began."""
        return self._series("query_range", query=query, start=self.began_s, end=time.time(), step=EVERY_S)

    def exemplars(self, series: str) -> list[dict[str, str]]:
        """Labels of the exemplars it keeps of a series."""
        found = self._data("query_exemplars", query=series, start=self.began_s, end=time.time())
        return [exemplar["labels"] for of_one in found for exemplar in of_one["exemplars"]]

    def _has_read_all(self) -> bool:
        try:
            return self.now("up") != [] and self.now("up == 0") == []
        except OSError:
            return False

    def _series(self, path: str, **parameters: object) -> Series:
        result: Series = self._data(path, **parameters)["result"]
        return result

    def _data(self, path: str, **parameters: object) -> Any:
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=30) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode()
            raise AssertionError(f"{parameters['query']}\n{said}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._folder.cleanup()


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _configuration(jobs: Mapping[str, Sequence[int]], alertmanager: int | None) -> dict[str, Any]:
    """As deploy/prometheus/prometheus.yml, but every second and with these processes."""
    names = yaml.safe_load((RULES / "prometheus.yml").read_text(encoding="utf-8"))["rule_files"]
    told = [] if alertmanager is None else [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
    return {
        "global": {"scrape_interval": f"{EVERY_S}s", "scrape_timeout": f"{EVERY_S}s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES / name) for name in names],
        "alerting": {"alertmanagers": told},
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
            for job, ports in jobs.items()
        ],
    }
