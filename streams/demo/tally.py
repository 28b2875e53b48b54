"""Keeps score: how many of the alerted customers really were leaving, which only the simulator knows."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from models.levels import ALERT_LEVELS, LEVELS
from models.policy import WARNINGS
from models.simulator import Shop
from streams.alerts import Alert

WEEK_S = 7 * 86_400


@dataclass
class Tally:
    """Counts alerts by type and level, and checks each warning against the truth.

    Parameters
    ----------
    shop
        Knows who is leaving.
    horizon_s
        Leaving means no order within this time from the alert, in seconds.
    """

    shop: Shop
    horizon_s: int
    told: Counter[str] = field(default_factory=Counter)
    warned: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    customers: set[str] = field(default_factory=set)
    leavers: set[str] = field(default_factory=set)
    _first_s: float = float("inf")
    _last_s: float = 0.0
    _ratios: list[float] = field(default_factory=list)

    def add(self, alert: Alert) -> bool | None:
        """Count an alert.

        Parameters
        ----------
        alert
            Of any type.

        Returns
        -------
        bool or None
            Whether the customer was leaving when the alert was raised; None for alerts that do not warn.
        """
        self.told[f"{alert.level} {alert.type}"] += 1
        if alert.type not in WARNINGS:
            return None
        at_s = alert.occurred_at.timestamp()
        is_leaving = self.shop.leaving(alert.customer_id, at_s, self.horizon_s)
        self.warned[alert.level] += 1
        self.left[alert.level] += is_leaving
        self.customers.add(alert.customer_id)
        if is_leaving:
            self.leavers.add(alert.customer_id)
        self._first_s, self._last_s = min(self._first_s, at_s), max(self._last_s, at_s)
        return is_leaving

    @property
    def total(self) -> int:
        """How many alerts there were of any type."""
        return self.told.total()

    def base_ratio(self) -> float:
        """Share of recent customers that were leaving, averaged over the weeks in which alerts were raised.

        Returns
        -------
        float
            What warning people at random would have hit, 0..1; NaN before the first warning.
        """
        while self._first_s + len(self._ratios) * WEEK_S <= self._last_s:
            at_s = self._first_s + len(self._ratios) * WEEK_S
            self._ratios.append(self.shop.leaving_ratio(at_s, self.horizon_s))
        return sum(self._ratios) / len(self._ratios) if self._ratios else float("nan")

    def levels(self) -> Iterator[tuple[str, int, int]]:
        """Yield (level name, warnings, of which leaving), lowest level first, levels without warnings too."""
        for level in ALERT_LEVELS:
            name = LEVELS[level].name
            yield name, self.warned[name], self.left[name]


def hit_ratio(counts: Iterable[tuple[str, int, int]]) -> float:
    """Share of warnings that were right, over some levels.

    Parameters
    ----------
    counts
        (level name, warnings, of which leaving).

    Returns
    -------
    float
        0..1; NaN without warnings.

    Examples
    --------
    >>> hit_ratio([("watch", 3, 1), ("critical", 1, 1)])
    0.5
    """
    pairs = [(warned, left) for _, warned, left in counts]
    warned = sum(pair[0] for pair in pairs)
    return sum(pair[1] for pair in pairs) / warned if warned else float("nan")
