"""What the shop mails and what of it is followed: e-mails sent and clicked, as two decayed counts.

Serves per-customer state, the third word of the line from event to alert. Both inputs are optional. A send is not
something the customer does: it breaks no silence, it only says how many e-mails could have been opened or clicked.

``sends_long`` and ``clicks_long`` have the half-life `LONG_DAYS` and are both as of ``sends_at``, the newest send or
click. So their ratio is the click rate with nothing to be aged, and ``long[EMAIL_OPEN]`` aged from its own
``last_at`` over ``sends_long`` aged from ``sends_at`` is the open rate. Late ones are added with the weight
they would have by now, so the order of arrival changes nothing but the last bit.
"""

import numpy as np
from numpy.typing import NDArray

from models.decay import counted
from models.state import LONG_DAYS, Rows
from models.target import DAY_S


def note_mail(
    rows: Rows, which: NDArray[np.intp], at_s: NDArray[np.int64], *, sent: NDArray[np.bool_], clicked: NDArray[np.bool_]
) -> None:
    """Count e-mails sent and clicked.

    Parameters
    ----------
    rows
        All rows, changed in place.
    which
        Indices of the rows concerned, shape (m,), each at most once.
    at_s
        When, epoch seconds, shape (m,).
    sent, clicked
        What happened to each, shape (m,).

    Examples
    --------
    >>> from models.state import new_rows
    >>> rows, yes, no = new_rows(1), np.array([True]), np.array([False])
    >>> note_mail(rows, np.array([0]), np.array([90 * DAY_S]), sent=yes, clicked=no)
    >>> note_mail(rows, np.array([0]), np.array([180 * DAY_S]), sent=no, clicked=yes)
    >>> float(rows["sends_long"][0]), float(rows["clicks_long"][0]), int(rows["sends_at"][0]) // DAY_S
    (0.5, 1.0, 180)
    """
    sends_at = rows["sends_at"][which].astype(np.int64)
    lag_days = (at_s - sends_at) / DAY_S
    for name, happened in (("sends_long", sent), ("clicks_long", clicked)):
        rows[name][which] = counted(rows[name][which].astype(np.float64), lag_days, LONG_DAYS, happened)
    rows["sends_at"][which] = np.maximum(sends_at, at_s)
