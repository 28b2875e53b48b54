"""What the calendar says about a moment: season of the year, days of rest ahead.

*Features*, for shops that say so (`Target.calendar`); off by default. These are the same for all customers, so they
rank nobody; they let the experts know the level of a season before the labels of this year tell it. With more than a
year of a seasonal shop that helps (linear expert on the season climate: AUC 0.870 -> 0.879); with less they take any
trend for a season (CDNOW: 0.752 -> 0.748). That is why nobody gets them unasked.

``plain`` knows years and weekends in UTC. ``JP`` lives in Japan's time and knows its public holidays: Golden Week, New
Year, Silver Week.
"""

import functools
from datetime import UTC, date, datetime

import holidays
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.target import DAY_S, STEPS, Target

Floats = NDArray[np.float64]

_FIRST, _LAST = 1970, 2099  # years; the times of a row begin in 1970, the law of Japan's holidays is known so far
_JAPAN_S = 9 * 3_600
_YEAR_DAYS = 365.2425
_SATURDAY_IN_1970 = 2  # 1 January 1970 was a Thursday


def calendar_features(at_s: ArrayLike, target: Target) -> Floats:
    """Describe moments by the calendar.

    Parameters
    ----------
    at_s
        Epoch seconds, any shape.
    target
        Its calendar is ``plain`` or ``JP``.

    Returns
    -------
    ndarray
        Four rows of the shape of `at_s`: share of rest days (weekends, holidays) in the coming thirteenth of the
        horizon; share of public holidays in the coming horizon, NaN if the calendar knows none; sine and cosine of the
        year.

    Examples
    --------
    >>> from models.events import Channel
    >>> golden_week = int(datetime(2025, 4, 29, tzinfo=UTC).timestamp())
    >>> rest, holiday, *_ = calendar_features(golden_week, Target(Channel.ORDER, 91 * DAY_S, "JP"))
    >>> float(rest * 7), float(holiday * 91)
    (4.0, 6.0)
    """
    local_s = np.asarray(at_s, np.float64) + (_JAPAN_S if target.calendar == "JP" else 0)
    day = (local_s // DAY_S).astype(np.int64)
    rest, holiday = _counts(target.calendar)
    year = local_s * (2.0 * np.pi / (_YEAR_DAYS * DAY_S))
    ahead = target.horizon_days
    return np.stack(
        [
            _share(rest, day, max(1, round(ahead / STEPS))),
            _share(holiday, day, round(ahead)) if target.calendar == "JP" else np.full(day.shape, np.nan),
            np.sin(year),
            np.cos(year),
        ]
    )


def _share(counts: NDArray[np.int64], day: NDArray[np.int64], days: int) -> Floats:
    last = len(counts) - 1
    inside = counts[np.clip(day + days, 0, last)] - counts[np.clip(day, 0, last)]
    share: Floats = inside / days
    return share


@functools.cache
def _counts(calendar: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rest days and holidays before each day since 1970."""
    days = (datetime(_LAST + 1, 1, 1, tzinfo=UTC) - datetime(_FIRST, 1, 1, tzinfo=UTC)).days
    holiday = np.zeros(days, np.bool_)
    if calendar == "JP":
        known = holidays.country_holidays("JP", years=range(_FIRST, _LAST + 1))
        holiday[[(day - date(_FIRST, 1, 1)).days for day in known]] = True
    rest = holiday | np.isin((np.arange(days) - _SATURDAY_IN_1970) % 7, (0, 1))
    before = [np.concatenate([[0], np.cumsum(which)]) for which in (rest, holiday)]
    return before[0], before[1]
