"""The level of the whole shop just now, from what resolves early: season, growth, decline.

Horizon labels tell what the level was a horizon ago. Step labels resolve after a thirteenth of it: how many customers
came back, against how many the slow hazard expert foresaw, is the level of the last weeks. On the second line the
tracker compares the level now with the mean level over the time that the horizon experts learnt from,

    shift = log(returns / expected) now - log(returns / expected) then,

and the mixture multiplies its cumulative hazard by ``exp(share * shift)``. How much of a shift lasts for the coming
horizon differs: a season does, a busy week does not. So four readings compete (`READINGS`), one of them "no shift", and
are weighed by how they would have done on labels, as frozen (`models.blend`). On a seasonal shop this gains 0.010 AUC,
on CDNOW, where a week's level says nothing, it costs 0.0001.
"""

import bisect
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.blend import Blend, log_losses
from models.experts.formulas import cumulative_hazard, no_event_log_odds
from models.experts.second_order import MEMORY_DAYS, finite
from models.target import DAY_S, STEPS, Target

Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]

FAST_DAYS, SLOW_DAYS = 7.0, 21.0  # half-lives of "now": whole weeks, as weekdays differ
READINGS = ((0.0, SLOW_DAYS), (0.5, SLOW_DAYS), (1.0, SLOW_DAYS), (1.0, FAST_DAYS))
"""Share of the shift that is believed, and how fast "now" forgets."""
_START = np.array([0.7, 0.1, 0.1, 0.1])
_RATE, _KEPT_PER_WEEK = 40.0, 0.95
_EXPECTED_ANYWAY = 20.0  # returns as foreseen, added to both sides: a few returns do not make a level
_MOST = 1.0  # no shift beyond a factor of e


class LevelTracker:
    """How much more or less happens now than the horizon experts learnt.

    Parameters
    ----------
    target
        Main channel and horizon.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._blend = Blend(_START, rate=_RATE, kept_per_week=_KEPT_PER_WEEK)
        self._steps: dict[int, tuple[float, float]] = {}  # step of freezing -> returns, expected returns
        self._first_learnt_at_s: int | None = None
        self._shifts: list[tuple[int, Floats]] = []  # when, and the readings from then on

    def observe(self, frozen_at_s: Seconds, y: Floats, expected: Floats) -> None:
        """Take step labels: when they were frozen, who stayed away (1), P(returns) foreseen; each of shape (n,)."""
        steps, which = np.unique(frozen_at_s // self.target.step_s, return_inverse=True)
        returns, foreseen = np.bincount(which, 1.0 - y), np.bincount(which, expected)
        for step, more, hoped in zip(steps.tolist(), returns.tolist(), foreseen.tolist(), strict=True):
            before = self._steps.get(step, (0.0, 0.0))
            self._steps[step] = (before[0] + more, before[1] + hoped)

    def learn(self, base: Floats, y: Floats, frozen_at_s: Seconds, weight: Floats, *, days: float) -> None:
        """Weigh the readings by horizon labels.

        Parameters
        ----------
        base
            Log-odds of the mixture before any shift, as frozen, shape (n,); NaN where not known.
        y
            1 = churned, shape (n,).
        frozen_at_s
            Epoch seconds, shape (n,).
        weight
            How much each label counts, shape (n,).
        days
            Event time since the group before, >= 0.
        """
        first = int(frozen_at_s.min())
        self._first_learnt_at_s = first if self._first_learnt_at_s is None else min(first, self._first_learnt_at_s)
        known = np.flatnonzero(~np.isnan(base))
        if known.size and self._shifts:
            shifts = self._as_of(frozen_at_s[known])
            shifted = np.column_stack([shift(base[known], column) for column in shifts.T])
            self._blend.learn(log_losses(shifted, y[known]), weight[known], days=days)

    def advance(self, now_s: int, *, is_late: bool = True) -> None:
        """Take the readings of this moment; forget what no later reading can need.

        Parameters
        ----------
        now_s
            Epoch seconds.
        is_late
            False while the mixture rests on experts that follow the level themselves: then there is no shift.
        """
        readings = self._read(now_s) if is_late else np.zeros(len(READINGS))
        if self._shifts and self._shifts[-1][0] >= now_s:
            now_s = self._shifts.pop()[0]
        self._shifts.append((now_s, readings))
        reach_s = self.target.horizon_s + int(6 * MEMORY_DAYS * DAY_S)
        while len(self._shifts) > 1 and self._shifts[1][0] < now_s - reach_s:
            del self._shifts[0]
        for step in [step for step in self._steps if step * self.target.step_s < now_s - reach_s]:
            del self._steps[step]

    @property
    def shift(self) -> float:
        """Log of the factor on the mixture's cumulative hazard."""
        return float(self._shifts[-1][1] @ self._blend.weights()) if self._shifts else 0.0

    def recent(self, now_s: int, half_life_days: float = SLOW_DAYS) -> float:
        """Return the log of returns over expected, recent steps counting most."""
        if not self._steps:
            return 0.0
        steps, returns, expected = self._columns()
        age_days = (now_s - (steps + 1) * self.target.step_s) / DAY_S
        return _log_ratio(0.5 ** (np.maximum(age_days, 0.0) / half_life_days), returns, expected)

    def then(self, now_s: int) -> float:
        """Return the same over the outcomes that the horizon experts have learnt, as they remember them."""
        if not self._steps or self._first_learnt_at_s is None:
            return 0.0
        steps, returns, expected = self._columns()
        step_s = self.target.step_s
        last = (now_s - self.target.horizon_s) // step_s
        frozen = np.arange(min(self._first_learnt_at_s // step_s, last), last + 1)
        weight = 0.5 ** ((last - frozen) * (step_s / DAY_S / MEMORY_DAYS))
        covers = (steps[:, None] >= frozen) & (steps[:, None] < frozen + STEPS)
        return _log_ratio(covers @ weight / weight.sum(), returns, expected)

    def to_dict(self) -> dict[str, Any]:
        """Write down what was learnt as plain numbers."""
        return {
            "blend": self._blend.to_dict(),
            "steps": [[step, *counts] for step, counts in self._steps.items()],
            "first_learnt_at_s": self._first_learnt_at_s,
            "shifts": [[at_s, *readings.tolist()] for at_s, readings in self._shifts],
        }

    def load(self, plain: dict[str, Any]) -> None:
        """Go on from what `to_dict` gave; ValueError when it is damaged."""
        self._blend.load(plain["blend"])
        steps = [finite(row, 3).tolist() for row in plain["steps"]]
        self._steps = {int(step): (returns, expected) for step, returns, expected in steps}
        first = plain["first_learnt_at_s"]
        self._first_learnt_at_s = None if first is None else int(first)
        rows = [finite(row, 1 + len(READINGS)) for row in plain["shifts"]]
        self._shifts = [(int(row[0]), row[1:]) for row in rows]

    def _read(self, now_s: int) -> Floats:
        if self._first_learnt_at_s is None:
            return np.zeros(len(READINGS))
        then = self.then(now_s)
        moved = [share * (self.recent(now_s, half_life_days) - then) for share, half_life_days in READINGS]
        return np.clip(moved, -_MOST, _MOST)

    def _as_of(self, at_s: Seconds) -> Floats:
        times = [time for time, _ in self._shifts]
        places = [bisect.bisect_right(times, moment) - 1 for moment in at_s.tolist()]
        nothing = np.zeros(len(READINGS))
        return np.array([self._shifts[place][1] if place >= 0 else nothing for place in places])

    def _columns(self) -> tuple[Seconds, Floats, Floats]:
        steps = np.fromiter(self._steps, np.int64)
        returns, expected = np.array(list(self._steps.values())).T
        return steps, returns, expected


def shift(log_odds: Floats, by: float | Floats) -> Floats:
    """Multiply the cumulative hazard behind log-odds of no event by ``exp(by)``.

    Examples
    --------
    >>> p = 1 / (1 + np.exp(-shift(np.array([0.0]), np.log(2.0))))  # twice the hazard: 0.5 squared
    >>> p.round(9).tolist()
    [0.25]
    """
    return no_event_log_odds(cumulative_hazard(log_odds) * np.exp(by))


def _log_ratio(weight: Floats, returns: Floats, expected: Floats) -> float:
    return float(np.log((weight @ returns + _EXPECTED_ANYWAY) / (weight @ expected + _EXPECTED_ANYWAY)))
