"""What Prometheus says of a stretch of time: the lines of each panel, and how long each alert was pending or firing."""

import json
import math
import re
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.dashboards.building import Panel, Query

Floats = NDArray[np.float64]

TIMEOUT_S = 30.0
SCRAPES_OF_A_RATE = 4
"""What Grafana makes of ``$__rate_interval``: four scrapes, or a step and one, if that is more."""
STATES = ("pending", "firing")


@dataclass(frozen=True)
class Stretch:
    """A stretch of time, epoch seconds.

    Parameters
    ----------
    from_s, until_s
        Its ends.
    every_s
        How often Prometheus reads, and so the distance of points.
    """

    from_s: float
    until_s: float
    every_s: float

    @property
    def at_s(self) -> Floats:
        """Each point in time, shape (n,)."""
        return np.arange(self.from_s, self.until_s + self.every_s / 2, self.every_s)


@dataclass(frozen=True)
class Line:
    """A line of a panel; NaN where there was nothing, shape (n,)."""

    name: str
    values: Floats


@dataclass(frozen=True)
class Shown:
    """A panel and what it shows."""

    panel: Panel
    lines: Sequence[Line]

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing to show."""
        return not any(np.isfinite(line.values).any() for line in self.lines)


@dataclass(frozen=True)
class Fired:
    """How an alert was, at each point: shape (n,), of bool."""

    name: str
    severity: str
    pending: NDArray[np.bool_]
    firing: NDArray[np.bool_]


class Prometheus:
    """Its HTTP interface.

    Parameters
    ----------
    address
        Such as ``http://127.0.0.1:9090``.
    stretch
        What is asked about.
    """

    def __init__(self, address: str, stretch: Stretch) -> None:
        self._address = address.rstrip("/")
        self._stretch = stretch

    def shown(self, panel: Panel) -> Shown:
        """Ask all queries of a panel; a large number becomes a line, too."""
        return Shown(panel, [line for query in panel.queries for line in self._lines(query)])

    def alerts(self) -> list[Fired]:
        """Yochō's alerts that were pending or firing at some time, the first ones first."""
        was: dict[tuple[str, str], dict[str, NDArray[np.bool_]]] = {}
        for labels, values in self._ask('ALERTS{alertname=~"Yocho.*"}'):
            states = was.setdefault(
                (labels["alertname"], labels["severity"]), {state: np.zeros(len(values), bool) for state in STATES}
            )
            states[labels["alertstate"]] |= np.isfinite(values)
        found = [Fired(name, severity, **states) for (name, severity), states in was.items()]
        return sorted(found, key=lambda one: (int(np.argmax(one.pending | one.firing)), one.name))

    def _lines(self, query: Query) -> list[Line]:
        found = self._ask(replaced(query.expr, self._stretch))
        lines = [Line(named(query.legend, labels), values) for labels, values in found]
        return sorted(lines, key=lambda line: line.name)

    def _ask(self, expr: str) -> list[tuple[dict[str, str], Floats]]:
        at_s = self._stretch.at_s
        asked = {"query": expr, "start": at_s[0], "end": at_s[-1], "step": self._stretch.every_s}
        address = f"{self._address}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the address is the caller's
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return [(series["metric"], self._at_each_point(series["values"])) for series in found]

    def _at_each_point(self, values: Sequence[tuple[float, str]]) -> Floats:
        points = np.full(len(self._stretch.at_s), math.nan)
        for at_s, value in values:
            points[round((at_s - self._stretch.from_s) / self._stretch.every_s)] = float(value)
        return points


def replaced(expr: str, stretch: Stretch) -> str:
    """Put in what Grafana puts in place of its variables.

    Examples
    --------
    >>> replaced("rate(x[$__rate_interval]) + increase(y[$__range])", Stretch(0, 600, 10))
    'rate(x[40s]) + increase(y[600s])'
    """
    known = {
        "$__rate_interval": f"{SCRAPES_OF_A_RATE * stretch.every_s:g}s",
        "$__range": f"{stretch.until_s - stretch.from_s:.0f}s",
    }
    return re.sub(r"\$__\w+", lambda found: known[found[0]], expr)


def named(legend: str, labels: dict[str, str]) -> str:
    """Name a line as Grafana would.

    Examples
    --------
    >>> named("{{instance}} records", {"instance": "worker-1"}), named("", {})
    ('worker-1 records', '')
    """
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)
