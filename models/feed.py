"""Is a source quiet because its customers are, or because it is out? What is known of one source of a partition.

Beside the line from event to alert: what it finds stops the clock of a channel (`models.clocks`). It learns how many
events are usual (`models.feed_profile`), follows the sum that weighs silence and thinning (`models.feed_sum`), and says
from which second the source is *stale* and when it *returned*. It went quiet when the sum was last 0; it is back since
the first event of the run that proved it.

The threshold is the sum of three: `STRENGTH` times the dispersion; `MARGIN` times the highest sum of healthy weeks,
because a feed that comes once a night or pauses every other Sunday has a high sum every time, and that is no news; and
`UNEVEN` of the busiest hour. Who is to be called stale must first be known: `WEEKS_KNOWN` full weeks, `LEAST_A_DAY`
expected events a day, and a threshold that a dead source reaches within a week. Hours of an outage are not learnt. A
source that goes on thin, not dead, for `NEW_NORMAL_S` is what it is now, and is learnt afresh.
"""

from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np

from models.feed_profile import WEEK_HOURS, WEEK_S, WeekProfile, week_start
from models.feed_sum import Expectation, Seconds, Sum, walk
from models.target import HOUR_S

PEAK_KEPT = 0.92
"""Of the highest sum, each week: half after eight."""
NEW_NORMAL_S = 4 * WEEK_S
STILL_ALIVE = 0.02
"""Share of a week's usual events below which a source is not thin but dead."""


@dataclass(frozen=True, slots=True)
class Change:
    """A source went stale, or came back.

    Parameters
    ----------
    at_s
        The second from which it is so: before the events of that second.
    is_stale
        What it is from then on.
    since_s
        When it really went quiet, or really came back, <= `at_s`.
    is_new_normal
        It did not come back: what comes by now is what is usual, and everything is learnt afresh.
    """

    at_s: int
    is_stale: bool
    since_s: int
    is_new_normal: bool = False


class Feed:
    """One source of one partition.

    Parameters
    ----------
    first_s
        Second of its first event, epoch seconds.

    Examples
    --------
    >>> feed = Feed(week_start(1_704_300_000))
    >>> for week in range(4):  # one event every ten minutes
    ...     feed.take(feed.at_s + np.arange(0, WEEK_S, 600), feed.at_s + WEEK_S)
    >>> change = feed.change(np.empty(0, np.int64), feed.at_s + 86_400)  # and then nothing
    >>> change.is_stale, (change.at_s - feed.at_s) / 3600, change.since_s - feed.at_s
    (True, 3.8..., -600)
    """

    def __init__(self, first_s: int) -> None:
        self._expected = Expectation(WeekProfile())
        self._sum = Sum(first_s, since_s=first_s)
        self._counts = np.zeros(WEEK_HOURS, np.int64)
        self._counted = np.arange(WEEK_HOURS) > self._hour(first_s)
        self._walked: tuple[Seconds, int, Sum, tuple[Sum, int | None]] | None = None

    @property
    def at_s(self) -> int:
        """How far time has come, epoch seconds."""
        return self._sum.at_s

    @property
    def week_end_s(self) -> int:
        """Up to where it can be followed before the week is learnt."""
        return week_start(self.at_s) + WEEK_S

    @property
    def is_stale(self) -> bool:
        """Whether its silence says nothing about customers."""
        return self._sum.stale_from_s > 0

    @property
    def stale_from_s(self) -> int:
        """When a stale source went quiet; 0 = it is healthy."""
        return self._sum.stale_from_s

    @property
    def per_day(self) -> float:
        """Events expected a day; 0 before the first full week."""
        return self._expected.profile.per_week / 7

    def change(self, at_s: Seconds, until_s: int) -> Change | None:
        """Find what changes first, if these events come and then silence; nothing is changed by asking.

        Parameters
        ----------
        at_s
            When events come, epoch seconds, rising, within [`at_s`, until_s], shape (m,).
        until_s
            How far to look, at most to `week_end_s`.
        """
        change_s = self._walk(at_s, until_s)[1]
        if change_s is None or change_s > until_s:
            if self._is_new_normal(at_s, until_s):
                return Change(until_s, is_stale=False, since_s=until_s, is_new_normal=True)
            return None
        before, _ = walk(self._sum, self._expected, at_s[at_s < change_s], change_s)
        if self.is_stale:
            return Change(change_s, is_stale=False, since_s=before.since_s)
        return Change(change_s, is_stale=True, since_s=self._last_zero(before))

    def take(self, at_s: Seconds, until_s: int) -> None:
        """Go on to a second through events, with no change on the way; parameters as in `change`.

        At the end of a week the week is learnt.
        """
        if len(at_s):
            self._counts += np.bincount(self._hour(at_s), minlength=WEEK_HOURS)
        week_end_s = self.week_end_s
        self._sum = self._walk(at_s, until_s)[0]
        if until_s == week_end_s:
            self._learn(week_end_s)

    def apply(self, change: Change) -> None:
        """Become stale, or healthy again; time must have come to the change."""
        if change.is_stale:
            self._leave_out(change.since_s, change.at_s)
            self._sum = Sum(change.at_s, stale_from_s=change.since_s)
            return
        self._leave_out(self._sum.stale_from_s, change.at_s)
        self._sum = Sum(change.at_s, since_s=change.at_s)
        if change.is_new_normal:
            self._expected = Expectation(WeekProfile())
            self._walked = None

    def to_dict(self) -> dict[str, Any]:
        """Write it down as plain values; `from_dict` goes on from there exactly."""
        return {
            "sum": list(astuple(self._sum)),
            "counts": self._counts.tolist(),
            "counted": np.packbits(self._counted).tobytes().hex(),
            "peak": self._expected.peak_ratio,
            "profile": self._expected.profile.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Feed":
        """Read what `to_dict` gave; KeyError, TypeError or ValueError when it is damaged."""
        feed = cls(0)
        feed._sum = Sum(*map(int, plain["sum"]))
        feed._counts = np.array(plain["counts"], np.int64)
        packed = np.frombuffer(bytes.fromhex(plain["counted"]), np.uint8)
        feed._counted = np.unpackbits(packed, count=WEEK_HOURS).astype(bool)
        feed._expected = Expectation(WeekProfile.from_dict(plain["profile"]), float(plain["peak"]))
        return feed

    def _walk(self, at_s: Seconds, until_s: int) -> tuple[Sum, int | None]:
        """Asked what would change, and then told that it comes so, walk once."""
        if self._walked is None or self._walked[0] is not at_s or self._walked[1:3] != (until_s, self._sum):
            self._walked = (at_s, until_s, self._sum, walk(self._sum, self._expected, at_s, until_s))
        return self._walked[3]

    def _hour(self, at_s: Any) -> Any:
        """Hour of the week time is in."""
        return (at_s - week_start(self.at_s)) // HOUR_S

    def _leave_out(self, from_s: int, until_s: int) -> None:
        """Do not learn these hours of the week that ends in or after them."""
        monday = week_start(until_s - 1)
        begin, end = (max(from_s, monday) - monday) // HOUR_S, (until_s - 1 - monday) // HOUR_S
        self._counted[begin : end + 1] = False

    def _learn(self, week_end_s: int) -> None:
        if self.is_stale:
            self._leave_out(self._sum.stale_from_s, week_end_s)
        before = self._expected
        profile = before.profile.learn(self._counts, self._counted)
        peak_ratio = before.peak_ratio * PEAK_KEPT
        if before.profile.weeks and before.profile.per_week > 0:
            peak_ratio = max(peak_ratio, self._sum.peak / int(before.risen[-1]))
        self._expected = Expectation(profile, round(peak_ratio, 6))
        self._walked = None
        self._sum = replace(self._sum, peak=0)
        self._counts = np.zeros(WEEK_HOURS, np.int64)
        self._counted = np.ones(WEEK_HOURS, bool)

    def _is_new_normal(self, at_s: Seconds, until_s: int) -> bool:
        if not self.is_stale or until_s < max(self.week_end_s, self._sum.stale_from_s + NEW_NORMAL_S):
            return False
        came = int(self._counts.sum()) + len(at_s)
        return came >= STILL_ALIVE * self._expected.profile.per_week

    def _last_zero(self, before: Sum) -> int:
        """The last second at which the sum was 0: it does not rise in hours without expected events."""
        monday = week_start(before.at_s)
        if before.since_s < monday:
            return before.since_s
        risen = int(self._expected.risen_at(np.array([before.since_s - monday]))[0])
        return min(before.at_s - 1, monday + self._expected.second_of(risen + 1) - 1)
