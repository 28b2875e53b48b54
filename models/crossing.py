"""When a silent customer will cross a threshold: solved when the last event is seen, not found by sweeping.

Serves the due-time index of a partition: work per tick is work due. A search over a coarse grid of moments
finds where the probability first rises over the threshold, then a bracketing search closes in on the second.

Guarantees. The answer is a whole second at which `Scorer.probabilities` really gives at least the threshold,
and one second earlier it gives less: its error is 0, because the search asks the scorer's own code, which gives one
moment the same bits whether it is asked for alone or among others. (It compares log-odds before the level's shift, and
probabilities only where these are within `_DOUBT` of each other.) A customer's answer does not depend on who else is
in the batch. The prior never falls in silence, so with the cold scorer the answer is the first such second. A learnt
model may fall and rise again; a crossing that is undone before the next point of the grid is missed. The points are
`GRID` steps between now and the end of the search, near ones closer (a geometric progression of the silence plus
H/26): with 91 days and a search over two horizons from the last event on, the first two are 3.3 days apart and the last
two 90. In a simulated shop, asked from the dwell on, 1 customer in 2,000 crosses earlier, for a while, than the answer
says, as with 10 steps or 4. A source that is out moves nothing: nobody crosses by silence that does not count.

It takes two looks at the grid, four and three moments at once, and then three or four at two moments each, where
halving would take 22.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.bracket import Bracket
from models.experts.formulas import probability
from models.level import shift
from models.outlook import Outlook
from models.scorer import Scorer
from models.state import Rows

Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]

GRID = 6
NEVER = 0
_PARTS = (slice(0, 4), slice(4, GRID + 1))
"""Of the grid: who crosses in one need not be asked about the next."""
_BLOCK = 2_048  # customers solved together: twenty calls of NumPy for each moment asked are dear for a few
_CAUTIONS = ((0.1,), (0.1,), (0.1,), (0.3, 30.0), *((0.3, 10.0, 300.0),) * 6)
"""Of an interpolation's last correction, how many times it the crossing may still be off, round by round: who is left
after three rounds is not as smooth as thought. After these the bracket is plainly cut, which always works: a jump at
midnight, where the shop has a calendar."""
_FEW = 0.8  # copying the customers that are left pays when fewer than this share of them are
_TINY = 1e-300
_SURE_LOG_ODDS, _DOUBT = 20.0, 1e-9


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
        goal = Goal.of(scorer, wanted[which])
        answer[which] = _search(scorer.outlook(rows[which]), first[which], until[which], goal)
    return answer


@dataclass(frozen=True)
class Goal:
    """Thresholds to be reached, shape (n,).

    Parameters
    ----------
    probability
        As asked for.
    mixed
        The same as log-odds before the level's shift.
    doubt
        Log-odds nearer to `mixed` than this are compared as probabilities, with the very bits of the scorer. Between
        1e-9 and 1 - 1e-9 arithmetic errs by less than 1e-6 of it; beyond, everything is in doubt.
    """

    probability: Floats
    mixed: Floats
    doubt: Floats

    @classmethod
    def of(cls, scorer: Scorer, wanted: Floats) -> "Goal":
        """Prepare thresholds, shape (n,)."""
        with np.errstate(divide="ignore", invalid="ignore"):  # thresholds of 0 and below are always reached
            log_odds = np.log(wanted / (1.0 - wanted))
        mixed = shift(log_odds, -scorer.level_shift) if scorer.level_shift else log_odds
        return cls(wanted, mixed, np.where(np.abs(log_odds) < _SURE_LOG_ODDS, _DOUBT, np.inf))

    def take(self, which: NDArray[np.intp]) -> "Goal":
        """Return some of the thresholds."""
        return Goal(self.probability[which], self.mixed[which], self.doubt[which])

    def distance(self, outlook: Outlook, at_s: Seconds) -> Floats:
        """Return log-odds above the threshold, of the very sign that the scorer's probabilities give.

        Parameters
        ----------
        outlook
            n customers.
        at_s
            Epoch seconds, shape (m, n).
        """
        mixed = outlook.mixed(at_s)
        distance = mixed - self.mixed
        doubtful = np.nonzero(~(np.abs(distance) > self.doubt))
        if doubtful[0].size:
            reached = probability(outlook.shifted(mixed[doubtful])) >= self.probability[doubtful[1]]
            near = distance[doubtful]
            distance[doubtful] = np.where(reached, np.fmax(near, 0.0), np.fmin(near, -_TINY))
        return distance


def _search(outlook: Outlook, first: Seconds, until: Seconds, goal: Goal) -> Seconds:
    origin = _origin(outlook, first)
    moments = _grid(outlook, origin, first, until)
    distance = _along(outlook, moments, goal)
    reached = distance >= 0
    point = reached.argmax(axis=0)  # the first one, or 0 where there is none
    each = np.arange(first.size)
    answer = np.where(reached[point, each], moments[point, each], NEVER)
    inside = np.flatnonzero(point > 0)
    if inside.size:
        ends = np.searchsorted([part.stop - 1 for part in _PARTS], point[inside])
        last = np.array([part.stop - 1 for part in _PARTS])[ends]
        bracket = Bracket.at(moments[:, inside], distance[:, inside], origin[inside], last)
        answer[inside] = _close(outlook.take(inside), goal.take(inside), bracket)
    return answer


def _along(outlook: Outlook, moments: Seconds, goal: Goal) -> Floats:
    """Return the distances on the grid, part by part, as far as one is >= 0; behind that any, or minus infinity."""
    distance = np.full(moments.shape, -np.inf)
    left = np.arange(moments.shape[1])
    for part in _PARTS:
        distance[part, left] = goal.distance(outlook, moments[part, left])
        goes_on = np.flatnonzero((distance[part, left] < 0).all(axis=0))
        if not goes_on.size:
            break
        if goes_on.size < _FEW * left.size:
            left, outlook, goal = left[goes_on], outlook.take(goes_on), goal.take(goes_on)
    return distance


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


def _close(outlook: Outlook, goal: Goal, bracket: Bracket) -> Seconds:
    """Narrow each bracket to two neighbouring seconds and return the later one."""
    answer: Seconds = bracket.at_s[1].copy()
    left = np.arange(answer.size)
    for turn in itertools.count():
        answer[left] = bracket.at_s[1]
        is_open = bracket.width > 1
        if not is_open.any():
            break
        if np.count_nonzero(is_open) < _FEW * left.size:
            which = np.flatnonzero(is_open)
            left, goal = left[which], goal.take(which)
            bracket, outlook = bracket.take(which), outlook.take(which)
        at_s = bracket.expected(_CAUTIONS[turn]) if turn < len(_CAUTIONS) else bracket.cuts()
        bracket = bracket.narrowed(at_s, goal.distance(outlook, at_s))
    return answer
