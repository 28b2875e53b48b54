"""When a week is busy: maps even shop time to wall time and back, and knows when campaigns are sent.

Lives are drawn in shop time, where every hour is alike, and bent here onto the hours and weekdays at which
people buy. The map is monotone and keeps whole weeks in place, so order and states survive it. Shop and wall
time are both float days since the epoch.
"""

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.float64]

DAY_MS = 86_400_000
_JST_DAYS = 9 / 24
_MONDAY_DAYS = 4 - _JST_DAYS  # 1970-01-05 00:00 in Japan, the first Monday, in days since the epoch UTC
_THURSDAY_18H_DAYS = 3 + 18 / 24

# Orders relative to 9 h; 12 h and 22 h as published (see the package), the others filled in between.
_NIGHT = (1.10, 0.62, 0.36, 0.22, 0.18, 0.22)
_MORNING = (0.38, 0.60, 0.82, 1.00, 1.15, 1.22)
_AFTERNOON = (1.45, 1.30, 1.18, 1.15, 1.18, 1.22)
_EVENING = (1.20, 1.25, 1.45, 1.72, 1.87, 1.60)
_WEEKDAYS = (1.04, 1.02, 1.00, 0.98, 0.98, 0.96, 1.06)  # Monday first; Wednesday = 1

_profile = np.outer(_WEEKDAYS, _NIGHT + _MORNING + _AFTERNOON + _EVENING).ravel()
_DONE = np.concatenate(([0.0], np.cumsum(_profile) / _profile.sum()))  # share of a week's orders by hour h, h = 0..168
_HOUR_OF_WEEK = np.linspace(0.0, 1.0, 7 * 24 + 1)


def to_wall(shop: Days) -> Days:
    """Bend shop time onto the week's busy hours; strictly increasing, whole weeks stay where they are.

    Parameters
    ----------
    shop
        Shop time in days, any shape.

    Returns
    -------
    Days
        Wall time in days since the epoch, same shape.

    Examples
    --------
    >>> monday = np.array([_MONDAY_DAYS + 7 * 2600])
    >>> bool(to_wall(monday)[0] == monday[0])
    True
    >>> float(np.round(to_shop(to_wall(monday + 3.3)) - monday, 9)[0])
    3.3
    """
    return _bend(shop, _DONE, _HOUR_OF_WEEK)


def to_shop(wall: Days) -> Days:
    """Undo `to_wall`.

    Parameters
    ----------
    wall
        Wall time in days since the epoch, any shape.

    Returns
    -------
    Days
        Shop time in days, same shape.
    """
    return _bend(wall, _HOUR_OF_WEEK, _DONE)


def campaigns(begin: float, end: float) -> tuple[Days, Days]:
    """List the weekly campaigns sent in [begin, end).

    Parameters
    ----------
    begin, end
        Wall time in days since the epoch.

    Returns
    -------
    numbers, sent
        Campaign numbers (weeks since 1970-01-05) and wall times of sending in days, each of shape (n,).

    Examples
    --------
    >>> numbers, sent = campaigns(20_000.0, 20_014.0)
    >>> numbers.tolist(), np.diff(sent).tolist()
    ([2857.0, 2858.0], [7.0])
    """
    first_send = _MONDAY_DAYS + _THURSDAY_18H_DAYS
    numbers = np.arange(np.ceil((begin - first_send) / 7), np.ceil((end - first_send) / 7), dtype=float)
    return numbers, first_send + 7.0 * numbers


def _bend(days: Days, known: Days, wanted: Days) -> Days:
    weeks, share = np.divmod((days - _MONDAY_DAYS) / 7, 1)
    return _MONDAY_DAYS + 7 * (weeks + np.interp(share, known, wanted))
