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
.. [1] R. P. Brent (1973), Algorithms for minimization without derivatives, ch. 4: inverse quadratic interpolation
   within a bracket. Measured here: two or three rounds of two evaluations where bisection needs 22.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.experts.formulas import probability
from models.outlook import Outlook
from models.scorer import Scorer
from models.state import Rows

Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]

GRID = 10
NEVER = 0
_PARTS = (slice(0, 4), slice(4, 8), slice(8, GRID + 1))
"""Of the grid: who crosses in one is not asked about the next."""
_BLOCK = 512  # customers solved together: more need memory that the system has to hand out anew each time
# A curve through three points errs by the product of the distances to them, times how much log-odds bend over the log
# of the silence. They are nearly straight, so the crossing is nearly always within so much of that product.
_CAUTION = 0.1
# Rounds after which the bracket is plainly cut in three, which always works: a jump at midnight, where the shop has a
# calendar, or where the rhythm leaves its floor at an angle.
_PATIENCE = 6
_TINY = 1e-300


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
    asked = np.flatnonzero((first <= until) & (wanted < 1.0) & (rows["last_at"][:, scorer.target.main] > 0))
    for begin in range(0, asked.size, _BLOCK):
        which = asked[begin : begin + _BLOCK]
        answer[which] = _search(scorer.outlook(rows[which]), first[which], until[which], wanted[which])
    return answer


def _search(outlook: Outlook, first: Seconds, until: Seconds, wanted: Floats) -> Seconds:
    origin = _origin(outlook, first)
    moments = _grid(outlook, origin, first, until)
    distance = _along(outlook, moments, wanted)
    reached = distance >= 0
    point = reached.argmax(axis=0)  # the first one, or 0 where there is none
    each = np.arange(first.size)
    answer = np.where(reached[point, each], moments[point, each], NEVER)
    inside = np.flatnonzero(point > 0)
    if inside.size:
        after = point[inside]
        is_last = np.isin(after, [part.stop - 1 for part in _PARTS])
        points = np.stack([after - 1, after, np.where(is_last, after - 2, after + 1)])
        bracket = Bracket(moments[points, inside], distance[points, inside], origin[inside])
        answer[inside] = _close(outlook.take(inside), wanted[inside], bracket)
    return answer


def _along(outlook: Outlook, moments: Seconds, wanted: Floats) -> Floats:
    """Return the distances on the grid, part by part, as far as one is >= 0; behind that they are minus infinity."""
    distance = np.full(moments.shape, -np.inf)
    left = np.arange(wanted.size)
    for part in _PARTS:
        distance[part, left] = _distance(outlook, moments[part, left], wanted[left])
        goes_on = np.flatnonzero((distance[part, left] < 0).all(axis=0))
        if not goes_on.size:
            break
        if goes_on.size < left.size:
            left, outlook = left[goes_on], outlook.take(goes_on)
    return distance


def _distance(outlook: Outlook, at_s: Seconds, wanted: Floats) -> Floats:
    """Return log-odds above those of the threshold, of the very sign that the probabilities give."""
    log_odds = outlook.log_odds(at_s)
    with np.errstate(divide="ignore", invalid="ignore"):  # thresholds of 0 and below are always reached
        distance = log_odds - np.log(wanted / (1.0 - wanted))
    return np.where(probability(log_odds) >= wanted, np.maximum(distance, 0.0), np.minimum(distance, -_TINY))


def _origin(outlook: Outlook, first: Seconds) -> Floats:
    """Return the moment from which silence is measured: H/26 before its beginning, so that its log is finite."""
    return first - outlook.silent_s(first) - outlook.scorer.target.horizon_s / 26


def _grid(outlook: Outlook, origin: Floats, first: Seconds, until: Seconds) -> Seconds:
    """Return moments from first to until, both included, rising; shape (`GRID` + 1, n)."""
    near = np.maximum(first - origin, outlook.scorer.target.horizon_s / 26)
    far = np.maximum(until - origin, near)
    step = np.log(far / near) / GRID
    inner = origin + near * np.exp(np.arange(1, GRID)[:, None] * step)
    moments = np.vstack([first, inner.astype(np.int64), until])
    inside: Seconds = np.clip(moments, first, until)
    return inside


@dataclass
class Bracket:
    """Whole seconds between which a threshold is crossed, one more near them, and the distance from it there.

    Parameters
    ----------
    at_s
        Low, high and third moment, epoch seconds, low < high, shape (3, n).
    distance
        Log-odds above the threshold at these, negative at low, >= 0 at high, shape (3, n).
    origin
        Where the log of the silence is measured from, epoch seconds, before low, shape (n,).
    """

    at_s: Seconds
    distance: Floats
    origin: Floats

    def take(self, which: NDArray[np.intp]) -> "Bracket":
        """Return some of the brackets."""
        return Bracket(self.at_s[:, which], self.distance[:, which], self.origin[which])

    @property
    def width(self) -> Seconds:
        """Seconds between low and high, shape (n,)."""
        width: Seconds = self.at_s[1] - self.at_s[0]
        return width

    def root(self) -> Floats:
        """Return where the threshold should be crossed, by three points, or by two where three make no sense."""
        low, high, third = np.log(self.at_s - self.origin)
        f, g, h = self.distance
        line = low + (high - low) * (f / (f - g))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # points may be equally far
            curve = (
                low * (g * h / ((f - g) * (f - h)))
                + high * (f * h / ((g - f) * (g - h)))
                + third * (f * g / ((h - f) * (h - g)))
            )
        makes_sense = (curve > low) & (curve < high)
        root: Floats = self.origin + np.exp(np.where(makes_sense, curve, line))
        return root

    def around(self, middle: Floats, margin: Floats) -> Seconds:
        """Return two seconds on both sides of a moment, not both of them ends of the bracket; shape (2, n)."""
        low, high, _ = self.at_s
        before = np.clip(np.floor(middle - margin).astype(np.int64), low, high - 1)
        after = np.clip(np.ceil(middle + margin).astype(np.int64), before + 1, high)
        after = np.where((before == low) & (after == high), (low + high) // 2, after)
        both: Seconds = np.stack([before, after])
        return both

    def narrow(self, at_s: Seconds, distance: Floats) -> None:
        """Keep the narrowest bracket among low, two seconds within, shape (2, n), and high; and a third point by it."""
        points = np.stack([self.at_s[0], *at_s, self.at_s[1]])
        values = np.stack([self.distance[0], *distance, self.distance[1]])
        after = np.argmax(values >= 0, axis=0)
        third = np.where(after < 3, after + 1, after - 2)
        which = np.stack([after - 1, after, third]), np.arange(after.size)
        self.at_s, self.distance = points[which], values[which]


def _close(outlook: Outlook, wanted: Floats, bracket: Bracket) -> Seconds:
    """Narrow each bracket to two neighbouring seconds and return the later one."""
    answer: Seconds = bracket.at_s[1].copy()
    left = np.arange(answer.size)
    for turn in itertools.count():
        answer[left] = bracket.at_s[1]
        is_open = bracket.width > 1
        if not is_open.any():
            break
        if not is_open.all():
            which = np.flatnonzero(is_open)
            left, wanted = left[which], wanted[which]
            bracket, outlook = bracket.take(which), outlook.take(which)
        at_s = _thirds(bracket) if turn >= _PATIENCE else _expected(bracket)
        bracket.narrow(at_s, _distance(outlook, at_s, wanted))
    return answer


def _expected(bracket: Bracket) -> Seconds:
    root = bracket.root()
    low, high, third = np.abs(root - bracket.at_s)
    margin = _CAUTION * low * high * third / (root - bracket.origin) ** 2
    return bracket.around(root, np.where(margin < 0.5, 0.0, margin))


def _thirds(bracket: Bracket) -> Seconds:
    return bracket.around(bracket.at_s[:2].mean(axis=0), bracket.width / 6.0)
