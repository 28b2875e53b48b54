"""Who will cross a level soon if they stay silent: the alerts of the coming days, before they come.

Beside the line from event to alert. Nothing is foretold by other rules than those that will bring it about: each
customer whose next look falls into the time asked for is copied, and the copy is looked at (`models.watch`), each time
as of the second its `due_at` names, until it is news or time is over. So whatever the rules know of dwell, cool-down or
snooze holds here too, and who is not due by then costs nothing: in `due_at` the first crossing is solved already.

It holds as long as nothing happens and the model stays as it is.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.levels import Level
from models.policy import WARNINGS
from models.state import Rows
from models.watch import Watch

_BLOCK = 4_096  # customers copied at once


class Crossing(NamedTuple):
    """The next rise of a row of the call: to which level, and when, epoch seconds."""

    row: int
    level: Level
    at_s: int


def upcoming(watch: Watch, rows: Rows, until_s: int, least: Level = Level.WATCH) -> list[Crossing]:
    """Tell who will be news by a moment if nothing happens, and when.

    Parameters
    ----------
    watch
        The rules and the model in effect.
    rows
        Shape (n,), planned: `due_at` is what the rules left there. Not changed.
    until_s
        Epoch seconds; a crossing at this very second is told.
    least
        Crossings into lower levels are passed over, and the first into this one or a higher is told.

    Returns
    -------
    list of Crossing
        At most one for each row: the next alert that says ``opened`` or ``escalated``. Soonest first, at the same
        second in row order.

    Examples
    --------
    A newcomer ordered at second 1,000,000,000. Who asks a day later hears of the nineteenth day:

    >>> from models.events import Channel
    >>> from models.policy import Policy
    >>> from models.scorer import Scorer
    >>> from models.state import new_rows
    >>> from models.target import DAY_S, Target
    >>> target = Target(Channel.ORDER, 91 * DAY_S)
    >>> policy = Policy.for_target(target)
    >>> watch = Watch(Scorer.cold(target), policy, target, forget_s=400 * DAY_S)
    >>> row, now_s = new_rows(1), 1_000_000_000 + DAY_S
    >>> row["last_at"][:, Channel.ORDER], row["main_occasions"] = 1_000_000_000, 1
    >>> watch.plan(row, np.array([now_s]))
    >>> (found,) = upcoming(watch, row, now_s + 30 * DAY_S)
    >>> found.level.name, round((found.at_s - now_s) / DAY_S, 1)
    ('WATCH', 17.8)
    >>> upcoming(watch, row, now_s + 17 * DAY_S)
    []
    """
    due = rows["due_at"]
    which = np.flatnonzero((due > 0) & (due <= until_s))
    blocks = (which[begin : begin + _BLOCK] for begin in range(0, which.size, _BLOCK))
    found = [one for block in blocks for one in _in_silence(watch, rows, block, until_s, least)]
    return sorted(found, key=lambda one: (one.at_s, one.row))


def _in_silence(watch: Watch, rows: Rows, which: NDArray[np.intp], until_s: int, least: Level) -> Iterator[Crossing]:
    copies = rows[which]
    while which.size:
        look = watch.look(copies, copies["due_at"].astype(np.int64))
        goes_on = copies["due_at"] <= until_s
        goes_on[look.forgotten] = False
        for decision in look.decisions:
            news = decision.transition
            if news.type in WARNINGS and news.level >= least:
                yield Crossing(int(which[decision.index]), news.level, news.at_s)
                goes_on[decision.index] = False
        which, copies = which[goes_on], copies[goes_on]
