"""When a silent customer will cross a threshold: solved when the last event is seen, not found by sweeping.

Serves the due-time index of a partition: work per tick is work due. A search over a coarse grid of moments
finds where the probability first rises over the threshold, then a bracketing search closes in on the second.

Guarantees. The answer is a whole second at which `Scorer.probabilities` really gives at least the threshold,
and one second earlier it gives less: the search asks the scorer's own code, which gives one moment the same
bits whether it is asked for alone or among others. A customer's answer does not depend on who else is in the
batch. The prior never falls in silence, so with the cold scorer the answer is the first such second. A
learnt model may fall and rise again; a crossing that is undone before the next point of the grid is missed.
The points are `GRID` steps between now and the end of the search, near ones closer (a geometric progression
of the silence plus H/26): with 91 days and a search over two horizons from the last event on, the first two
are 1.7 days apart and the last two 61.

References
----------
.. [1] N. Anderson, A. Bjorck (1973), A new high order method of regula falsi type for computing a root of an
   equation, BIT 13. Measured here: 5 evaluations a customer where bisection needs 22.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.scorer import Outlook, Scorer
from models.state import Rows

Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]

GRID = 10
NEVER = 0
# Plain halving is slower and always works: now and then, and only that once a straight line has failed often
# (it does where the prior leaves its floor at an angle). A bracket of 2**32 s is closed after 12 + 32 steps.
_BISECT_EVERY = 6
_PATIENCE = 12


def next_crossing(scorer: Scorer, rows: Rows, from_s: ArrayLike, until_s: ArrayLike, threshold: ArrayLike) -> Seconds:
    """Find the first second in (from, until] at which the probability reaches a threshold in silence.

    Parameters
    ----------
    scorer
        The model in use.
    rows
        Shape (n,).
    from_s, until_s
        Epoch seconds, each of shape (n,) or one for all.
    threshold
        Probability, shape (n,) or one for all; infinite or NaN = never.

    Returns
    -------
    ndarray
        Epoch seconds, shape (n,), int64: ``from + 1`` where the threshold is reached already; `NEVER` (0)
        where there is no such second, where until <= from, or where there never was a main event.

    Examples
    --------
    A newcomer ordered at second 1,000,000,000 and stays silent; when is 0.75 reached, before two horizons?

    >>> from models.events import Channel
    >>> from models.state import new_rows
    >>> from models.target import DAY_S, Target
    >>> scorer = Scorer.cold(Target(Channel.ORDER, 91 * DAY_S))
    >>> row = new_rows(1)
    >>> row["last_at"][:, Channel.ORDER], row["main_occasions"] = 1_000_000_000, 1
    >>> at_s = next_crossing(scorer, row, 1_000_000_000, 1_000_000_000 + 182 * DAY_S, 0.75)
    >>> ((at_s - 1_000_000_000) / DAY_S).round(1).tolist()
    [42.7]
    >>> [float(scorer.probabilities(row, second)[0]) >= 0.75 for second in (at_s[0] - 1, at_s[0])]
    [False, True]
    """
    n = len(rows)
    first = np.broadcast_to(np.asarray(from_s, np.int64), n) + 1
    until = np.broadcast_to(np.asarray(until_s, np.int64), n)
    wanted = np.broadcast_to(np.asarray(threshold, np.float64), n)
    answer = np.full(n, NEVER, np.int64)
    which = np.flatnonzero((first <= until) & (wanted < 1.0) & (rows["last_at"][:, scorer.target.main] > 0))
    if which.size:
        outlook = scorer.outlook(rows[which])
        answer[which] = _search(outlook, first[which], until[which], wanted[which])
    return answer


def _search(outlook: Outlook, first: Seconds, until: Seconds, wanted: Floats) -> Seconds:
    moments = _grid(outlook, first, until)
    above = outlook.probabilities(moments) - wanted
    reached = above >= 0
    point = reached.argmax(axis=0)  # the first one, or 0 where there is none
    each = np.arange(first.size)
    answer = np.where(reached[point, each], moments[point, each], NEVER)
    inside = np.flatnonzero(point > 0)
    if inside.size:
        after = point[inside]
        bracket = Bracket(
            low=moments[after - 1, inside],
            high=moments[after, inside],
            below=above[after - 1, inside],
            above=above[after, inside],
            side=np.zeros(inside.size, np.int8),
        )
        answer[inside] = _close(outlook.take(inside), wanted[inside], bracket)
    return answer


def _grid(outlook: Outlook, first: Seconds, until: Seconds) -> Seconds:
    """Return moments from first to until, both included, rising; shape (`GRID` + 1, n)."""
    pad_s = outlook.scorer.target.horizon_s / 26
    origin = outlook.silence.rhythm.last_at_s - pad_s
    near = np.maximum(first - origin, pad_s)
    far = np.maximum(until - origin, near)
    step = np.log(far / near) / GRID
    inner = origin + near * np.exp(np.arange(1, GRID)[:, None] * step)
    moments = np.vstack([first, inner.astype(np.int64), until])
    inside: Seconds = np.clip(moments, first, until)
    return inside


@dataclass
class Bracket:
    """Whole seconds between which a threshold is crossed, and how far the probability is from it there.

    Parameters
    ----------
    low, high
        Epoch seconds, low < high, shape (n,).
    below, above
        Probability minus threshold at low (negative) and at high (>= 0). An end that stays where it is has
        its value scaled down, so that the next straight line reaches over to its side.
    side
        Which end moved last: 1 high, -1 low, 0 neither; shape (n,).
    """

    low: Seconds
    high: Seconds
    below: Floats
    above: Floats
    side: NDArray[np.int8]

    def take(self, which: NDArray[np.intp]) -> "Bracket":
        """Return some of the brackets."""
        return Bracket(self.low[which], self.high[which], self.below[which], self.above[which], self.side[which])

    def guess(self) -> Seconds:
        """Return a second strictly inside, where a straight line crosses zero, rounded up."""
        width = self.high - self.low
        share = self.below / (self.below - self.above)
        return np.clip(self.low + np.ceil(width * share).astype(np.int64), self.low + 1, self.high - 1)

    def middle(self) -> Seconds:
        """Return the second in the middle."""
        return (self.low + self.high) // 2

    def narrow(self, at_s: Seconds, distance: Floats) -> None:
        """Move one end to a second inside; the other end's value shrinks by Anderson and Bjorck's rule."""
        is_high = distance >= 0
        side = np.where(is_high, np.int8(1), np.int8(-1))
        with np.errstate(divide="ignore", invalid="ignore"):  # an end may hit the threshold exactly: 0.5 then
            shrink = 1.0 - distance / np.where(is_high, self.above, self.below)
        shrink = np.where(side == self.side, np.where(shrink > 0, shrink, 0.5), 1.0)
        self.below = np.where(is_high, self.below * shrink, distance)
        self.above = np.where(is_high, distance, self.above * shrink)
        self.high = np.where(is_high, at_s, self.high)
        self.low = np.where(is_high, self.low, at_s)
        self.side = side


def _close(outlook: Outlook, wanted: Floats, bracket: Bracket) -> Seconds:
    """Narrow each bracket to two neighbouring seconds and return the later one."""
    answer = bracket.high.copy()
    left = np.arange(answer.size)
    for step in itertools.count(1):
        answer[left] = bracket.high
        is_open = bracket.high - bracket.low > 1
        if not is_open.any():
            break
        if not is_open.all():
            which = np.flatnonzero(is_open)
            left, wanted = left[which], wanted[which]
            bracket, outlook = bracket.take(which), outlook.take(which)
        halve = step > _PATIENCE or step % _BISECT_EVERY == 0
        at_s = bracket.middle() if halve else bracket.guess()
        bracket.narrow(at_s, outlook.probabilities(at_s) - wanted)
    return answer
