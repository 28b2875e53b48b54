"""What customers spend and how often they come, of a whole partition: against it a customer is much or little.

Serves segments, beside the alert policy on the line from event to alert. A live customer is counted whenever an example
of theirs is frozen (`models.pending`), so once a horizon, and everybody alike: who comes daily does not count more
than who comes twice a year. What was counted loses half its weight in `HALF_LIFE_HORIZONS`.

An alert must not depend on who happened to be counted just before it in the same batch. So what is counted within a
quarter of the horizon is kept apart and taken over when the quarter is over: from its end on everybody is compared with
the same numbers. The caller sees to it that nothing passes the end of a quarter before all that is due in it is done.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.memory import remembered
from models.quantile import LogHistogram
from models.state import Rows
from models.target import Target
from models.value import events_a_year, spend_a_year

Floats = NDArray[np.float64]

HALF_LIFE_HORIZONS = 2.0
LEAST_CUSTOMERS = 50
"""Weight from which on ranks are told: a fifth of it, the top of the shop, is then ten customers."""

QUARTERS = 4
_FADE_A_QUARTER = 0.5 ** (1.0 / (QUARTERS * HALF_LIFE_HORIZONS))


class Ranks(NamedTuple):
    """Share of customers who spend less, or come less often, in a year; shape (n,), NaN = not known."""

    spend: Floats
    pace: Floats


class _Counted:
    """Spend and pace of those counted."""

    def __init__(self, spend: Mapping[str, float], pace: Mapping[str, float]) -> None:
        self.spend, self.pace = LogHistogram.from_dict(spend), LogHistogram.from_dict(pace)

    def merge(self, other: "_Counted") -> None:
        self.spend.merge(other.spend)
        self.pace.merge(other.pace)

    def fade(self, factor: float) -> None:
        self.spend.fade(factor)
        self.pace.fade(factor)

    def to_dict(self) -> dict[str, Any]:
        return {"spend": self.spend.to_dict(), "pace": self.pace.to_dict()}


class Census:
    """Counts the customers of one partition and ranks them.

    Parameters
    ----------
    target
        Main channel, whose events make the pace, and horizon.
    kept
        What `to_dict` gave; empty begins anew.

    Examples
    --------
    >>> from models.events import Channel
    >>> from models.state import new_rows
    >>> rows, census = new_rows(100), Census(Target(Channel.ORDER, 91 * 86_400))
    >>> rows["last_at"][:, Channel.ORDER], rows["amount_long"] = 86_400, np.linspace(10, 1000, 100)
    >>> rows["main_first_at"], rows["long"][:, Channel.ORDER] = 86_400, 1
    >>> census.count(rows, np.full(100, 100_000))
    >>> census.close(91 * 86_400)
    True
    >>> ranks = census.ranks(rows)
    >>> ranks.spend[[0, 49, 99]].round(1).tolist(), ranks.pace[[0, 99]].tolist()
    ([0.0, 0.5, 1.0], [0.5, 0.5])
    """

    def __init__(self, target: Target, kept: Mapping[str, Any] | None = None) -> None:
        kept = kept or {"faded_to": 0, "all": {"spend": {}, "pace": {}}, "quarters": {}}
        self._target = target
        self._quarter_s = target.horizon_s // QUARTERS
        self._now = 0
        self._faded_to = int(kept["faded_to"])
        self._all = _Counted(**kept["all"])
        self._quarters = {int(quarter): _Counted(**counted) for quarter, counted in kept["quarters"].items()}

    def count(self, rows: Rows, at_s: NDArray[np.int64]) -> None:
        """Count n customers.

        Parameters
        ----------
        rows
            Shape (n,).
        at_s
            When each is counted, epoch seconds, shape (n,).
        """
        if not len(rows):
            return
        quarters = at_s // self._quarter_s
        spend, pace = spend_a_year(rows, self._target), events_a_year(rows, self._target.main, self._target)
        for quarter in np.unique(quarters).tolist():
            counted = self._quarters.setdefault(quarter, _Counted({}, {}))
            counted.spend.add(spend[quarters == quarter])
            counted.pace.add(pace[quarters == quarter])

    def next_close_s(self, stream_time_s: int) -> int | None:
        """Return the next end of a quarter, which nothing may pass before `close`; None before any event.

        It may have been reached already: then something that was due before it is not done yet.
        """
        if not stream_time_s:
            return None
        now = stream_time_s // self._quarter_s
        return (now if now > self._now else now + 1) * self._quarter_s

    def close(self, stream_time_s: int) -> bool:
        """Take over the quarters that have ended at a stream time, epoch seconds; True the first time in a quarter."""
        now = stream_time_s // self._quarter_s
        is_first, self._now = now > self._now, now
        for quarter in sorted(quarter for quarter in self._quarters if quarter < now):
            self._all.fade(_FADE_A_QUARTER ** max(quarter - self._faded_to, 0))
            self._all.merge(self._quarters.pop(quarter))
            self._faded_to = max(self._faded_to, quarter)
        return is_first

    def ranks(self, rows: Rows) -> Ranks:
        """Rank n customers, shape (n,), by what has been taken over; all NaN while that is too little."""
        if self._all.pace.total < LEAST_CUSTOMERS:
            unknown = np.full(len(rows), np.nan)
            return Ranks(unknown, unknown)
        spend, pace = spend_a_year(rows, self._target), events_a_year(rows, self._target.main, self._target)
        return Ranks(self._all.spend.rank(spend), self._all.pace.rank(pace))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON; equal censuses give equal JSON."""
        return {
            "faded_to": self._faded_to,
            "all": self._all.to_dict(),
            "quarters": {str(quarter): self._quarters[quarter].to_dict() for quarter in sorted(self._quarters)},
        }

    @classmethod
    def of(cls, memory: dict[str, Any], target: Target) -> Self:
        """Return the census in a partition's memory, made of what a changelog brought, or a new one; kept there."""
        return remembered(memory, "census", cls, lambda kept: cls(target, kept))
