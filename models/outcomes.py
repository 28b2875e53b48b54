"""What really happened in an event log after each moment, and the moments at which one asks.

Serves `models.evaluate`: the only place that looks ahead of a cut, to settle examples and to measure.
"""

import numpy as np
from numpy.typing import NDArray

from models.event_log import EventLog
from models.target import DAY_S, Target

Indices = NDArray[np.int64]

WEEK_S = 7 * DAY_S


def midnights(log: EventLog) -> tuple[int, int]:
    """Return the midnights (UTC) before the first and after the last event of the file, epoch seconds."""
    return log.first_at_s // DAY_S * DAY_S, (log.last_at_s // DAY_S + 1) * DAY_S


def cuts_of(log: EventLog) -> list[int]:
    """Return the weekly cuts of a log: a week after the first midnight, and on until all events are before.

    Returns
    -------
    list of int
        Epoch seconds, rising.
    """
    start, end = midnights(log)
    weeks = -((start - end) // WEEK_S)  # rounded up
    return [start + week * WEEK_S for week in range(1, weeks + 1)]


class Outcomes:
    """Looks up who stayed away from the main channel.

    Parameters
    ----------
    log
        The whole log.
    target
        Main channel and horizon.
    """

    def __init__(self, log: EventLog, target: Target):
        self._horizon_s = target.horizon_s
        self._base_s = log.first_at_s
        # One sorted key per main event, customer first. A question may look a horizon beyond the last cut,
        # and must not reach the next customer's keys there.
        self._span_s = log.last_at_s - log.first_at_s + 2 * (WEEK_S + target.horizon_s)
        is_main = log.channel == target.main
        self._keys = np.sort(self._key(log.customer[is_main], log.at_s[is_main]))

    def churned(self, customer: Indices, at_s: int, within_s: int | None = None) -> NDArray[np.bool_]:
        """Tell for each customer whether no main event fell in [at, at + within).

        Parameters
        ----------
        customer
            Indices into the log's customers, shape (n,).
        at_s
            A cut, epoch seconds.
        within_s
            How far to look, in seconds, at most a horizon; None = a horizon.

        Returns
        -------
        ndarray
            Shape (n,). Certain only if the log reaches to at + within.
        """
        ahead_s = self._horizon_s if within_s is None else within_s
        first = np.searchsorted(self._keys, self._key(customer, at_s))
        after = np.searchsorted(self._keys, self._key(customer, at_s + ahead_s))
        stayed_away: NDArray[np.bool_] = first == after
        return stayed_away

    def _key(self, customer: Indices, at_s: int | Indices) -> Indices:
        return customer * self._span_s + (at_s - self._base_s)
