"""Holds alerts back when there are suddenly far too many of them: a broken producer or model, not so many customers.

Between the looks at silent customers and what people are told, one breaker per partition. It counts the alerts that
speak of a new or worse risk (opened, escalated) in the last 24 hours of event time. When another one would exceed

    the largest of  multiple * usual,  `BUSY` * the busiest day,  `LEAST`

it opens: *usual* is the mean of the last `DAYS` days, the *busiest day* one of them. The second keeps shops whose alerts
come in waves, because their logs know dates only or their customers joined in cohorts, from tripping at every wave, the
third small shops. Until `DAYS` days are known nothing trips. Days on which it was open or just released are not usual.

While it is open nobody is lost: who crosses a level is looked at again within the next hour (`HOLD_S` and a spread), and
is told about then if it is still true. A person releases it, and it keeps out of the way for a day. Where a source was
stale when it tripped, the return of the source closes it too, and it starts counting again.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

from models.target import DAY_S

DAYS = 28
HOURS = 24
HOUR_S = DAY_S // HOURS
HOLD_S = HOUR_S
BUSY = 2
LEAST = 50
UNLIMITED = 1 << 30


@dataclass(frozen=True, slots=True)
class Trip:
    """Why the breaker opened.

    Parameters
    ----------
    at_s
        When, epoch seconds of event time.
    told
        Alerts of the last 24 hours.
    limit
        How many there may be.
    """

    at_s: int
    told: int
    limit: int


class Breaker:
    """The breaker of one partition.

    Parameters
    ----------
    multiple
        How many times the usual number of alerts a day may be told, > 1; 0 = never trips.

    Examples
    --------
    >>> breaker = Breaker(5.0)
    >>> for day in range(30):
    ...     breaker.tell(20, day * DAY_S)
    >>> breaker.room(30 * DAY_S), breaker.limit
    (100, 100)
    >>> breaker.tell(100, 30 * DAY_S)
    >>> breaker.room(30 * DAY_S + 60)
    0
    >>> breaker.trip(30 * DAY_S + 60, source_is_stale=False)
    Trip(at_s=2592060, told=100, limit=100)
    >>> breaker.is_open
    True
    """

    def __init__(self, multiple: float) -> None:
        self.multiple = multiple
        self.opened_at_s = 0
        self.closes_with_source = False
        self._released_until_s = 0
        self._hour = 0
        self._hours: deque[int] = deque([0] * HOURS, maxlen=HOURS)
        self._days: deque[int] = deque(maxlen=DAYS)
        self._today = 0
        self._today_is_usual = True

    @property
    def is_open(self) -> bool:
        """Whether alerts are held."""
        return self.opened_at_s > 0

    @property
    def told(self) -> int:
        """Alerts of the last 24 hours."""
        return sum(self._hours)

    @property
    def limit(self) -> int:
        """Alerts there may be within 24 hours; `UNLIMITED` while too little is known."""
        if not self.multiple or len(self._days) < DAYS:
            return UNLIMITED
        usual = sum(self._days) / DAYS
        return int(max(self.multiple * usual, BUSY * max(self._days), LEAST))

    def room(self, at_s: int) -> int:
        """Return how many alerts may still be told as of a second, >= 0."""
        if self.is_open:
            return 0
        self._come_to(at_s)
        return UNLIMITED if at_s < self._released_until_s else max(0, self.limit - self.told)

    def tell(self, n: int, at_s: int) -> None:
        """Count n alerts as of a second; one that lies back counts as of the latest."""
        if not n and not self._hour:
            return  # days are counted from the first alert on
        self._come_to(at_s)
        self._hours[-1] += n
        self._today += n

    def trip(self, at_s: int, *, source_is_stale: bool) -> Trip:
        """Open it."""
        trip = Trip(at_s, self.told, self.limit)
        self.opened_at_s = at_s
        self.closes_with_source = source_is_stale
        self._today_is_usual = False
        return trip

    def release(self, at_s: int) -> bool:
        """Close it because a person says so, who knows why there are so many; False if it was not open."""
        if not self.is_open:
            return False
        self._close()
        self._released_until_s = at_s + DAY_S
        return True

    def source_returned(self) -> bool:
        """Close it if a source was stale when it tripped, False otherwise; if there still are too many it trips again."""
        if not self.is_open or not self.closes_with_source:
            return False
        self._close()
        return True

    def to_dict(self) -> dict[str, Any]:
        """Write it down as plain values."""
        return {
            "opened_at_s": self.opened_at_s,
            "closes_with_source": self.closes_with_source,
            "released_until_s": self._released_until_s,
            "hour": self._hour,
            "hours": list(self._hours),
            "days": list(self._days),
            "today": self._today,
            "today_is_usual": self._today_is_usual,
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any], multiple: float) -> "Breaker":
        """Read what `to_dict` gave; KeyError, TypeError or ValueError when it is damaged."""
        breaker = cls(multiple)
        breaker.opened_at_s = int(plain["opened_at_s"]) if multiple else 0
        breaker.closes_with_source = bool(plain["closes_with_source"])
        breaker._released_until_s = int(plain["released_until_s"])
        breaker._hour = int(plain["hour"])
        breaker._hours.extend(map(int, plain["hours"]))
        breaker._days.extend(map(int, plain["days"]))
        breaker._today = int(plain["today"])
        breaker._today_is_usual = bool(plain["today_is_usual"])
        return breaker

    def _close(self) -> None:
        self.opened_at_s = 0
        self.closes_with_source = False
        self._hours.extend([0] * HOURS)

    def _come_to(self, at_s: int) -> None:
        """Move the window of 24 hours on, and close the days that are over."""
        hour = at_s // HOUR_S
        if not self._hour:
            self._hour = hour
        ahead = hour - self._hour
        if ahead <= 0:
            return
        self._hours.extend([0] * min(ahead, HOURS))
        days = hour // HOURS - self._hour // HOURS
        if days:
            self._close_day(at_s)
            self._days.extend([0] * (0 if self.is_open else min(days - 1, DAYS)))
        self._hour = hour

    def _close_day(self, at_s: int) -> None:
        if self._today_is_usual:
            self._days.append(self._today)
        self._today = 0
        self._today_is_usual = not self.is_open and at_s >= self._released_until_s
