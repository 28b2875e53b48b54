"""What each signal of a customer usually is and what it is now, in units a person thinks in.

Serves the alert, last word of the line from event to alert. Array in, array out over rows, like the features,
but for people: days of silence, events per 30 days, money per order. What is not known is NaN here and None
in `Evidence`.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from models.decay import decayed
from models.events import Channel
from models.state import LONG_DAYS, SHORT_DAYS, Rows
from models.target import DAY_S, Target

Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]

RATE_DAYS = 30.0


class Evidence(Struct, frozen=True, gc=False):
    """One signal: its usual value, its value now, and what it adds to the risk."""

    signal: Annotated[str, Meta(min_length=1, description="Which signal, e.g. order_silence.")]
    usual: Annotated[float | None, Meta(description="Its usual value for this customer; null = unknown.")]
    now: Annotated[float | None, Meta(description="Its value now; null = unknown.")]
    unit: Annotated[str, Meta(min_length=1, description="Unit of both values.")]
    contribution: Annotated[
        float, Meta(description="What it adds to the log-odds of churn; below 0 it argues for staying.")
    ]


class Values(NamedTuple):
    """One signal of n customers; NaN = unknown.

    Parameters
    ----------
    usual, now
        Shape (n,), in `unit`.
    unit
        Of both.
    """

    usual: Floats
    now: Floats
    unit: str


def values_of(signal: str, rows: Rows, at_s: Seconds, target: Target) -> Values:
    """Return the usual value and the value now of one signal.

    Parameters
    ----------
    signal
        One of `models.features.SIGNALS`.
    rows
        Shape (n,).
    at_s
        Epoch seconds, shape (n,), not before the rows' last events.
    target
        Says which channel ``main_rhythm`` speaks of.

    Returns
    -------
    Values
        Silence and rhythm: typical gap (geometric mean, recent gaps weigh more) and days since the last
        event. Trend: events per 30 days at the long and at the short half-life. Basket: money per order,
        likewise. History: no usual value, number of orders.

    Raises
    ------
    KeyError
        There is no such signal.

    Examples
    --------
    >>> from models.state import new_rows
    >>> rows = new_rows(1)
    >>> rows["last_at"][0, 0], rows["gap_mean"][0, 0], rows["gap_weight"][0, 0] = DAY_S, np.log(7), 1
    >>> values = values_of("order_silence", rows, np.array([24 * DAY_S]), Target(Channel.ORDER, 91 * DAY_S))
    >>> values.usual.round(3).tolist(), values.now.tolist(), values.unit
    ([7.0], [23.0], 'days')
    """
    measure, channel, unit = _MEASURES[signal]
    usual, now = measure(rows, at_s, target.main if channel is None else channel)
    return Values(usual, now, unit)


def _silence(rows: Rows, at_s: Seconds, channel: Channel) -> tuple[Floats, Floats]:
    last_at = rows["last_at"][:, channel].astype(np.int64)
    usual = np.where(rows["gap_weight"][:, channel] > 0, np.exp(rows["gap_mean"][:, channel]), np.nan)
    return usual.astype(np.float64), np.where(last_at > 0, _days(at_s, last_at), np.nan)


def _days(at_s: Seconds, since_s: Seconds) -> Floats:
    days: Floats = np.maximum(at_s - since_s, 0) / DAY_S  # a late event is looked at as of its own time
    return days


def _trend(rows: Rows, at_s: Seconds, channel: Channel) -> tuple[Floats, Floats]:
    return _rate("long", LONG_DAYS, rows, at_s, channel), _rate("short", SHORT_DAYS, rows, at_s, channel)


def _rate(name: str, half_life_days: float, rows: Rows, at_s: Seconds, channel: Channel) -> Floats:
    """Events per 30 days: the decayed count over the decayed time in which it was collected.

    Time starts at the customer's first event; less than 30 days of it count as 30, or two events in one hour
    would be a rate of hundreds.
    """
    last_at = rows["last_at"][:, channel].astype(np.int64)
    known_days = np.maximum(_days(at_s, rows["first_at"].astype(np.int64)), RATE_DAYS)
    count = decayed(rows[name][:, channel].astype(np.float64), _days(at_s, last_at), half_life_days)
    decayed_days = half_life_days / np.log(2) * -np.expm1(-np.log(2) * known_days / half_life_days)
    return np.where(last_at > 0, RATE_DAYS * count / decayed_days, np.nan)


def _history(rows: Rows, at_s: Seconds, channel: Channel) -> tuple[Floats, Floats]:
    return np.full(len(rows), np.nan), rows["count"][:, channel].astype(np.float64)


def _basket(rows: Rows, at_s: Seconds, channel: Channel) -> tuple[Floats, Floats]:
    return rows["amount_long"].astype(np.float64), rows["amount_short"].astype(np.float64)


_Measure = Callable[[Rows, Seconds, Channel], tuple[Floats, Floats]]
_MEASURES: dict[str, tuple[_Measure, Channel | None, str]] = {
    "order_silence": (_silence, Channel.ORDER, "days"),
    "order_trend": (_trend, Channel.ORDER, "orders per 30 days"),
    "order_history": (_history, Channel.ORDER, "orders"),
    "basket": (_basket, Channel.ORDER, "money per order"),
    "login_silence": (_silence, Channel.LOGIN, "days"),
    "login_trend": (_trend, Channel.LOGIN, "logins per 30 days"),
    "email_silence": (_silence, Channel.EMAIL_OPEN, "days"),
    "email_trend": (_trend, Channel.EMAIL_OPEN, "e-mail opens per 30 days"),
    "main_rhythm": (_silence, None, "days"),  # None = the main channel
}
