"""A real Prometheus on loopback, with the project's own rules, that reads processes under test every second."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.documents import ROOT
from tests.end_to_end.loopback_server import LoopbackServer

RULES = ROOT / "deploy" / "prometheus"
EVERY_S = 1

Series = list[dict[str, Any]]


class PrometheusServer(LoopbackServer):
    """Prometheus, told of processes and of whom to tell.

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

    READY_S = 60.0

    def __init__(
        self,
        jobs: Mapping[str, Sequence[int]],
        alertmanager: int | None = None,
        rules: Path = RULES,
        every_s: int = EVERY_S,
    ) -> None:
        self.began_s = time.time()
        super().__init__(
            ("prometheus",),
            _configuration(jobs, alertmanager, rules, every_s),
            ("--storage.tsdb.path={data}", "--enable-feature=exemplar-storage"),
        )

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

    def _is_ready(self) -> bool:
        """Whether it answers and has read every process once."""
        return super()._is_ready() and self.now("up") != [] and self.now("up == 0") == []

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
