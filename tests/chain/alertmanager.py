"""Alertmanager with the project's own routes, and somebody at the other end who is told, over HTTP."""

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

import yaml

from tests.chain.shortened import shortened
from tests.documents import ROOT
from tests.end_to_end.loopback_server import LoopbackServer
from tests.end_to_end.post_server import PostServer

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


class Receiver(PostServer):
    """Takes Alertmanager's webhooks and keeps what it was told, as /RECEIVER."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Told] = []

    def take(self, path: str, body: bytes) -> None:
        self.told.extend(_read(json.loads(body), path.strip("/"), time.time()))

    def was_told(self, name: str) -> bool:
        """Whether it was told that an alert fires."""
        return any(one.name == name and one.is_firing for one in self.told)

    def is_over(self, name: str) -> bool:
        """Whether it was told since that it fires no more, for all it was told of."""
        last = {frozenset(one.labels.items()): one.is_firing for one in self.told if one.name == name}
        return bool(last) and not any(last.values())


class AlertmanagerServer(LoopbackServer):
    """Alertmanager as deploy/alertmanager says, with an address for each receiver.

    Parameters
    ----------
    receiver
        Address of who is told.
    by
        What its waiting times are divided by.
    """

    def __init__(self, receiver: str, by: float) -> None:
        super().__init__(
            ("prometheus-alertmanager", "alertmanager"),
            _configuration(receiver, by),
            ("--storage.path={data}", "--cluster.listen-address="),
        )

    def alerts(self) -> dict[str, str]:
        """State by name of the alerts it has now: ``active``, or ``suppressed`` where another one is nearer."""
        with urllib.request.urlopen(f"{self.address}/api/v2/alerts", timeout=10) as answer:
            return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in json.load(answer)}


def _configuration(receiver: str, by: float) -> dict[str, Any]:
    settings: dict[str, Any] = shortened(yaml.safe_load(COMMITTED.read_text(encoding="utf-8")), by)
    for one in settings["receivers"]:
        one["webhook_configs"] = [{"url": f"{receiver}/{one['name']}"}]
    return settings


def _read(message: dict[str, Any], receiver: str, at_s: float) -> list[Told]:
    return [
        Told(at_s, receiver, a["labels"]["alertname"], a["status"] == "firing", a["labels"], a["annotations"])
        for a in message["alerts"]
    ]
