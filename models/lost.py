"""Who has stayed away for a whole horizon, and what people had been told of it: recall and lead time of alerts.

Beside the alert policy on the line from event to alert. A customer counts as *lost* when the last main event is a
horizon old, told or not. Outcomes (`models.episode_outcomes`) measure what was told; this measures what there was to
tell.

No row notes that somebody has been counted. They are found by a look at exactly the second last main event + H, and by
no other, so once per silence. (Looks happen as of their own second, whoever brings them: `models.watch`.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clocks import RUNNING, ChannelClocks
from models.episode_outcomes import awaited
from models.levels import Level
from models.state import Rows
from models.target import Target

Seconds = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lost:
    """A customer who has stayed away for a horizon.

    Parameters
    ----------
    index
        Row of the call.
    level
        Highest level told in this silence; `HEALTHY` = nobody was told.
    lead_s
        Seconds since the first alert of this silence; 0 where nobody was told.
    """

    index: int
    level: Level
    lead_s: int


def lost_at(rows: Rows, target: Target, clocks: ChannelClocks = RUNNING) -> Seconds:
    """Return the second at which the last main event is a horizon old, shape (n,); 0 without a main event.

    Time in which the source of main events was out does not count.
    """
    last_at = rows["last_at"][:, target.main].astype(np.int64)
    return np.where(last_at > 0, clocks.passed_at(target.main, last_at, target.horizon_s), 0)


def lost(rows: Rows, at_s: Seconds, target: Target, clocks: ChannelClocks = RUNNING) -> list[Lost]:
    """Find who is lost at the very second of the look: before it they are not yet, after it not any more.

    Every episode told in this silence is still awaited then, and no other: it was told after the last main event, and
    none has come since. One told in the same second comes too late to count, so ask before the policy decides.

    Parameters
    ----------
    rows
        Shape (n,).
    at_s
        The second of each look, epoch seconds, shape (n,).
    target
        Main channel and horizon.
    clocks
        What silence is measured with.

    Examples
    --------
    >>> from models.events import Channel
    >>> from models.state import new_rows
    >>> rows, target = new_rows(1), Target(Channel.ORDER, 91 * 86_400)
    >>> rows["last_at"][:, Channel.ORDER], rows["outcome_at"][0, 0], rows["outcome_level"][0, 0] = 100, 200, Level.WATCH
    >>> lost(rows, np.array([99 + target.horizon_s]), target)
    []
    >>> lost(rows, np.array([100 + target.horizon_s]), target)
    [Lost(index=0, level=<Level.WATCH: 1>, lead_s=7862300)]
    """
    found = []
    for i in np.flatnonzero(lost_at(rows, target, clocks) == at_s).tolist():
        told = awaited(rows[i])
        level = max((level for _, level in told), default=Level.HEALTHY)
        found.append(Lost(i, level, int(at_s[i]) - min(told_at_s for told_at_s, _ in told) if told else 0))
    return found
