"""What a customer is worth in a year, and how much of it is at stake.

Beside the alert policy on the line from event to alert; serves segments, capacity and what an alert says.

    value at stake = probability of churn x orders a year x usual order value

*Usual order value* is the decayed mean of the row (half-life `models.apply.AMOUNT_LONG_DAYS`). *Orders a year* come
from the decayed count (half-life `models.state.LONG_DAYS`), as of the last order: silence lowers what is expected of a
customer by the probability, not by the value as well. A count just after an order, of somebody who orders every g days
and has done so for T days, is ``(1 - 2^(-T/90)) / (1 - 2^(-g/90))``. So

    orders a year = (count / (1 - 2^(-T/90)) - 1/2) x 365 ln 2 / 90

gives 365 / g from the second order on (to half a percent for g up to a month, 4 % for a quarter), and follows a change
of pace within a quarter. The half is there because the count is taken right after an order, the best moment to count.
Somebody whose orders come at random is overrated by 3 % at an order a week, a third at an order a quarter. T is the
time from the first order to the last and one usual gap more; who came once is taken to come once a horizon.

The unit is that of the amounts. A shop with several currencies converts before it sends; nothing here can.
"""

import math

import numpy as np
from numpy.typing import NDArray

from models.events import Channel
from models.state import LONG_DAYS, SHORT_DAYS, Rows
from models.target import DAY_S, Target

Floats = NDArray[np.float64]

YEAR_DAYS = 365.0


def events_a_year(rows: Rows, channel: Channel, target: Target) -> Floats:
    """Estimate how often a customer came on a channel when last seen there.

    Parameters
    ----------
    rows
        Shape (n,).
    channel
        Which events.
    target
        The first event is known on its main channel; for others the first on any channel stands in. Its horizon is the
        gap of who came once.

    Returns
    -------
    ndarray
        Events a year, shape (n,), >= 0; NaN without any.

    Examples
    --------
    >>> from models.state import new_rows
    >>> row, target = new_rows(1), Target(Channel.ORDER, 91 * DAY_S)
    >>> row["main_first_at"], row["last_at"][:, 0], row["long"][:, 0] = DAY_S, DAY_S, 1
    >>> events_a_year(row, Channel.ORDER, target).round(1).tolist()
    [4.2]
    """
    return _rate(rows["long"][:, channel], LONG_DAYS, _observed_days(rows, channel, target))


def latest_events_a_year(rows: Rows, channel: Channel, target: Target) -> Floats:
    """Estimate the same over the last weeks (half-life `models.state.SHORT_DAYS`).

    Parameters and result are those of `events_a_year`. It sees no pace below nine a year: only who came more often can
    be seen to come less often so soon.
    """
    return _rate(rows["short"][:, channel], SHORT_DAYS, _observed_days(rows, channel, target))


def usual_events_a_year(rows: Rows, channel: Channel, target: Target) -> Floats:
    """Average how often a customer came on a channel, over all the time until last seen there.

    Parameters and result are those of `events_a_year`. Of a regular customer both are the same; where this one is
    larger, the pace has fallen.
    """
    count = rows["count"][:, channel].astype(np.float64)
    return count / _observed_days(rows, channel, target) * YEAR_DAYS


def spend_a_year(rows: Rows, target: Target) -> Floats:
    """Estimate what a customer spent in a year when last seen.

    Parameters
    ----------
    rows
        Shape (n,).
    target
        As for `events_a_year`.

    Returns
    -------
    ndarray
        In the unit of the amounts, shape (n,), >= 0: who sent back more than they kept spends nothing. NaN where no
        amount was ever seen.
    """
    usual = np.maximum(rows["amount_long"].astype(np.float64), 0.0)
    return usual * events_a_year(rows, Channel.ORDER, target)


def value_at_stake(rows: Rows, p: Floats, target: Target) -> Floats:
    """Estimate the spend of a year that is lost to be expected: probability of churn times `spend_a_year`.

    Parameters
    ----------
    rows
        Shape (n,).
    p
        P(churn), shape (n,), in [0, 1].
    target
        As for `events_a_year`.

    Returns
    -------
    ndarray
        In the unit of the amounts, shape (n,), >= 0; NaN where no amount was ever seen.
    """
    return p * spend_a_year(rows, target)


def _rate(count: NDArray[np.float32], half_life_days: float, observed_days: Floats) -> Floats:
    """Turn counts just after an event, decayed with a half-life, into events a year."""
    seen = 1.0 - np.exp2(-observed_days / half_life_days)
    return np.maximum(count.astype(np.float64) / seen - 0.5, 0.0) * (YEAR_DAYS * math.log(2.0) / half_life_days)


def _observed_days(rows: Rows, channel: Channel, target: Target) -> Floats:
    """Time from the first event to the last, and one usual gap; NaN without any."""
    last_at = rows["last_at"][:, channel].astype(np.float64)
    first_at = rows["main_first_at" if channel == target.main else "first_at"].astype(np.float64)
    usual = np.exp(rows["gap_mean"][:, channel].astype(np.float64))
    gap_days = np.where(rows["gap_weight"][:, channel] > 0, usual, target.horizon_days)
    return np.where(last_at > 0, np.maximum(last_at - first_at, 0.0) / DAY_S + gap_days, np.nan)
