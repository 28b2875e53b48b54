"""How many events an hour a source usually brings, by hour of the week: what `models.feed` compares its silence with.

Serves the test that tells an outage from quiet customers, beside the line from event to alert. A week has 168 hours
(UTC, from Monday midnight), each with its own expected count. Once a week is over, its counts are learnt: the level
follows half of the change at once, so that growth does not wait; the shape forgets slowly, as a mean over the last
`MEMORY_WEEKS`. Nothing changes within a week, so what is expected up to a second is a table look-up and a line.

Counts are not Poisson: campaigns, batches and weather make them vary more. The *dispersion*, variance of an hour's
count over its mean, is learnt with them, and evidence is divided by it (quasi-likelihood) [1]_.

References
----------
.. [1] P. McCullagh, J. A. Nelder (1989), Generalized linear models, 2nd ed., section 6.2: over-dispersion.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.target import DAY_S, HOUR_S

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WEEK_HOURS = 168
WEEK_S = WEEK_HOURS * HOUR_S
MEMORY_WEEKS = 8
"""Weeks over which an hour's share is averaged: two months see a season change and ten paydays."""
DISPERSION_WEEKS = 4
NEARLY_FULL = 0.9
LARGEST_JUMP = 4.0
"""A week's count of an hour is learnt as at most so many times what was expected, there or on average: an import of
last year's orders within one hour must not be waited for in the weeks to come."""
_MONDAY_S = 4 * DAY_S  # 5 January 1970; the epoch was a Thursday


def week_start(at_s: int) -> int:
    """Return the Monday midnight (UTC) at or before a second.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> datetime.fromtimestamp(week_start(1_704_300_000), UTC).isoformat()
    '2024-01-01T00:00:00+00:00'
    """
    return at_s - (at_s - _MONDAY_S) % WEEK_S


@dataclass(frozen=True, eq=False)
class WeekProfile:
    """Expected events by hour of the week; learning makes a new one.

    Parameters
    ----------
    rate
        Expected events in each hour, shape (168,), rounded to 1e-4 so that it is stored exactly.
    seen
        Weeks in which each hour was learnt, at most `MEMORY_WEEKS`, shape (168,).
    dispersion
        Variance over mean of an hour's count, >= 1.
    weeks
        Weeks that were learnt in full, or nearly so.

    Examples
    --------
    >>> profile = WeekProfile()
    >>> everything = np.ones(WEEK_HOURS, bool)
    >>> profile.learn(np.full(WEEK_HOURS, 10), everything).learn(np.full(WEEK_HOURS, 20), everything).rate[0].item()
    15.0
    """

    rate: Floats = field(default_factory=lambda: np.zeros(WEEK_HOURS))
    seen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(WEEK_HOURS, np.int64))
    dispersion: float = 1.0
    weeks: int = 0

    @property
    def per_week(self) -> float:
        """Events expected in a whole week."""
        return float(self.rate.sum())

    def learn(self, counts: NDArray[np.integer], counted: Bools) -> "WeekProfile":
        """Learn a week that is over.

        Parameters
        ----------
        counts
            Events in each hour, shape (168,).
        counted
            Which hours to learn from, shape (168,): not those before the first event or in an outage.

        Returns
        -------
        WeekProfile
            Itself where too little was counted to say anything.
        """
        known = counted & (self.seen > 0)
        if self.rate[known].sum() < 0.25 * self.per_week:
            return self
        count = self._bounded(counts)
        growth = _ratio(count[known].sum(), self.rate[known].sum())
        follow = 0.5 + 0.5 * growth
        weight = np.where(counted, 1.0 / np.minimum(self.seen + 1, MEMORY_WEEKS), 0.0)
        at_old_level = count / growth if growth > 0 else self.rate
        rate = follow * (self.rate + weight * (at_old_level - self.rate))
        return WeekProfile(
            rate=np.round(rate, 4),
            seen=np.minimum(self.seen + counted, MEMORY_WEEKS),
            dispersion=self._dispersion(count[known], growth * self.rate[known], self.seen[known]),
            weeks=self.weeks + bool(counted.mean() >= NEARLY_FULL),
        )

    def to_dict(self) -> dict[str, Any]:
        """Write it down as plain values."""
        return {
            "rate": self.rate.tolist(),
            "seen": int(self.seen[0]) if (self.seen == self.seen[0]).all() else self.seen.tolist(),
            "dispersion": self.dispersion,
            "weeks": self.weeks,
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "WeekProfile":
        """Read what `to_dict` gave; KeyError or ValueError when it is damaged."""
        seen = np.broadcast_to(np.asarray(plain["seen"], np.int64), WEEK_HOURS)
        return cls(np.array(plain["rate"], np.float64), seen, float(plain["dispersion"]), int(plain["weeks"]))

    def _bounded(self, counts: NDArray[np.integer]) -> Floats:
        if not self.weeks:
            return counts.astype(np.float64)
        usual = np.maximum(self.rate, self.per_week / WEEK_HOURS)
        bounded: Floats = np.minimum(counts, np.maximum(LARGEST_JUMP * usual, 1.0))
        return bounded

    def _dispersion(self, count: Floats, expected: Floats, seen: NDArray[np.int64]) -> float:
        """Pearson's estimate over the hours of this week, averaged over some weeks."""
        if not expected.sum() > 0:
            return self.dispersion
        # What is expected was estimated from `seen` counts and errs as well.
        now = float((np.square(count - expected) / (1.0 + 1.0 / seen)).sum() / expected.sum())
        weight = 1.0 / min(self.weeks + 1, DISPERSION_WEEKS)
        return round(max(1.0, self.dispersion + weight * (now - self.dispersion)), 4)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 1.0
