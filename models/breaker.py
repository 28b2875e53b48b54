"""Holds alerts back when there are suddenly far too many of them: a broken producer or model, not so many customers.

Between the looks at silent customers and what people are told, one breaker per partition. It counts the alerts that
speak of a new or worse risk (opened, escalated) by day, UTC, of event time. Where one more would be more than

    the largest of  multiple * usual,  `BUSY` * the busiest day,  `SHARE` of all customers,  `LEAST`

it opens: *usual* is the mean of the last `DAYS` days, the *busiest day* one of them. The second keeps shops whose
alerts come in waves, because their logs know dates only or their customers joined in cohorts, from tripping at every
wave, the third small shops. In the first `DAYS` days with alerts nothing trips. Days on which it was open or had just
been released are not usual, and the days before them stand in.

While it is open nobody is lost: who crosses a level is looked at again, on the first day after an hour (`HOLD_S` and a
spread of another), later after as many hours as it has been open for days, so that a log of years, in which nobody
releases anything, does not look at thousands every hour. A person releases it, and it keeps out of the way for a day.
Where a source was stale when it tripped, the return of the source closes it too, and it starts counting again. Once it
is closed everybody is revisited within an hour, and told about then if it is still true.

An alert is counted on its own day, so a replay at full speed, whose batches span days, counts as live processing does.
Within a batch customers are not all met in the order of their seconds. So how a log is cut into batches can shift which
alert of a day is the first to be held, and nothing else.
"""

from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.target import DAY_S

DAYS = 28
HOLD_S = 3_600
BUSY = 2
SHARE = 0.1
LEAST = 50
UNLIMITED = 1 << 30
_KEPT_DAYS = 2 * DAYS


class Breaker:
    """The breaker of one partition.

    Parameters
    ----------
    multiple
        How many times the usual number of alerts a day may be told, > 1; 0 = never trips.

    Attributes
    ----------
    customers
        How many the partition has; kept by whoever asks.
    opened_at_s
        Since when alerts are held, epoch seconds; 0 = they are not.
    closes_with_source
        Whether the return of the sources closes it.

    Examples
    --------
    >>> breaker = Breaker(5.0)
    >>> for second in range(100 * DAY_S, 130 * DAY_S, DAY_S // 20):  # twenty a day
    ...     breaker.tell(second)
    >>> breaker.limit(130)
    100
    >>> for _ in range(100):
    ...     breaker.tell(130 * DAY_S)
    >>> breaker.has_room(130 * DAY_S + 7), breaker.is_open
    (False, True)
    """

    def __init__(self, multiple: float) -> None:
        self.multiple = multiple
        self.customers = 0
        self.opened_at_s = 0
        self.closes_with_source = False
        self._released_until_s = 0
        self._first_day = 0
        self._told: dict[int, int] = {}
        self._unusual: set[int] = set()

    @property
    def is_open(self) -> bool:
        """Whether alerts are held."""
        return self.opened_at_s > 0

    def limit(self, day: int) -> int:
        """Alerts there may be on a day, counted from the epoch; `UNLIMITED` while too little is known."""
        if not self.multiple or not self._first_day:
            return UNLIMITED
        usual_days = (d for d in range(day - 1, self._first_day - 1, -1) if d not in self._unusual)
        told = [self._told.get(d, 0) for d in islice(usual_days, DAYS)]
        if len(told) < DAYS:
            return UNLIMITED
        return int(max(self.multiple * sum(told) / DAYS, BUSY * max(told), SHARE * self.customers, LEAST))

    def has_room(self, at_s: int) -> bool:
        """Ask whether one more alert may be told as of a second; the first without room opens the breaker."""
        day = at_s // DAY_S
        if self.is_open and at_s >= self.opened_at_s:
            return False
        told = self._told.get(day, 0)
        if at_s >= self._released_until_s and told >= self.limit(day):
            self.opened_at_s = at_s
            return False
        return True

    def hold_s(self, at_s: NDArray[np.int64]) -> NDArray[np.int64]:
        """How long who is held at a second waits for the next look, the spread aside, seconds."""
        days_open: NDArray[np.int64] = at_s // DAY_S - self.opened_at_s // DAY_S
        return HOLD_S * np.maximum(1, days_open)

    def tell(self, at_s: int) -> None:
        """Count an alert as of a second."""
        day = at_s // DAY_S
        self._first_day = min(self._first_day or day, day)
        self._told[day] = self._told.get(day, 0) + 1
        if len(self._told) > _KEPT_DAYS:
            self._forget(day)

    def release(self, at_s: int) -> bool:
        """Close it because a person says so, who knows why there are so many; False if it was not open."""
        if not self.is_open:
            return False
        self._released_until_s = at_s + DAY_S
        self._close(self._released_until_s)
        return True

    def source_returned(self, at_s: int) -> bool:
        """Close it if a source was stale when it tripped, False otherwise; too many alerts trip it again."""
        if not self.is_open or not self.closes_with_source:
            return False
        self._close(at_s)
        self._told[at_s // DAY_S] = 0
        return True

    def to_dict(self) -> dict[str, Any]:
        """Write it down as plain values."""
        return {
            "opened_at_s": self.opened_at_s,
            "closes_with_source": self.closes_with_source,
            "released_until_s": self._released_until_s,
            "first_day": self._first_day,
            "told": sorted(self._told.items()),
            "unusual": sorted(self._unusual),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any], multiple: float) -> "Breaker":
        """Read what `to_dict` gave; KeyError, TypeError or ValueError when it is damaged."""
        breaker = cls(multiple)
        breaker.opened_at_s = int(plain["opened_at_s"]) if multiple else 0
        breaker.closes_with_source = bool(plain["closes_with_source"])
        breaker._released_until_s = int(plain["released_until_s"])
        breaker._first_day = int(plain["first_day"])
        breaker._told = {int(day): int(told) for day, told in plain["told"]}
        breaker._unusual = set(map(int, plain["unusual"]))
        return breaker

    def _close(self, unusual_until_s: int) -> None:
        self._unusual.update(range(self.opened_at_s // DAY_S, unusual_until_s // DAY_S + 1))
        self.opened_at_s = 0
        self.closes_with_source = False

    def _forget(self, day: int) -> None:
        """Keep what limits of this day and of some before it need."""
        needed = [d for d in sorted(self._told, reverse=True) if d not in self._unusual][:_KEPT_DAYS]
        oldest = min(needed, default=day)
        self._told = {d: told for d, told in self._told.items() if d >= oldest}
        self._unusual = {d for d in self._unusual if d >= oldest}
