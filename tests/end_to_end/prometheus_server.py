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
    rules
        Folder of the rules.
    every_s
        How often it reads and evaluates.
    """

    def __init__(
        self,
        jobs: Mapping[str, Sequence[int]],
        alertmanager: int | None = None,
        rules: Path = RULES,
        every_s: int = EVERY_S,
    ) -> None:
        if shutil.which("prometheus") is None:
            pytest.skip("prometheus is not here: on Debian install prometheus")
        self.port = free_port()
        self.began_s = time.time()
        self._folder = tempfile.TemporaryDirectory(prefix="yocho-prometheus-")
        folder = Path(self._folder.name)
        made = _configuration(jobs, alertmanager, rules, every_s)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(made), encoding="utf-8")
        self._log = folder / "log"
        command = [
            "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--enable-feature=exemplar-storage",
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

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
            with urllib.request.urlopen(f"{self.address}/-/ready", timeout=5):
                return self.now("up") != [] and self.now("up == 0") == []
        except OSError:  # nobody listens yet, or it is not ready
            return False

    def _series(self, path: str, **parameters: object) -> Series:
        result: Series = self._data(path, **parameters)["result"]
        return result

    def _data(self, path: str, **parameters: object) -> Any:
        address = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
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


def rule_files() -> list[str]:
    """Names of the files with rules that Prometheus is given."""
    names: list[str] = yaml.safe_load((RULES / "prometheus.yml").read_text(encoding="utf-8"))["rule_files"]
    return names


def _configuration(
    jobs: Mapping[str, Sequence[int]], alertmanager: int | None, rules: Path, every_s: int
) -> dict[str, Any]:
    """As deploy/prometheus/prometheus.yml, but as often as is wanted and with these processes."""
    told = [] if alertmanager is None else [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
    return {
        "global": dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), f"{every_s}s"),
        "rule_files": [str(rules / name) for name in rule_files()],
        "alerting": {"alertmanagers": told},
        "scrape_configs": [
            {"job_name": job, "static_configs": [_target(job, n, port) for n, port in enumerate(ports, 1)]}
            for job, ports in jobs.items()
        ],
    }


def _target(job: str, number: int, port: int) -> dict[str, Any]:
    """One process, by a name that people know it by, as in docker-compose.yml: worker-1."""
    return {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": f"{job.removeprefix('yocho-')}-{number}"}}
