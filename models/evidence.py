"""What each signal of a customer usually is and what it is now, in units a person thinks in.

Serves the alert, last word of the line from event to alert. Array in, array out over rows, like the features,
but for people: days of silence, events per 30 days, money per order. Days in which a channel's source was out do not
count (`models.clocks`). What is not known is NaN here and None in `Evidence`.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from models.baskets import breadth, dropped
from models.clocks import ChannelClocks
from models.decay import decayed
from models.events import Channel
from models.features import INDEX
from models.scorer import Scorer
from models.state import LONG_DAYS, SHORT_DAYS, Rows
from models.target import DAY_S

Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]

RATE_DAYS = 30.0

# A row keeps one rate and no earlier one, and a date has no past: what is usual here is what is usual in this shop.
_AGAINST_ALL = {
    "email_open_rate": ("email_open_rate", "opens per e-mail sent"),
    "email_click_rate": ("email_click_rate", "clicks per e-mail sent"),
    "calendar": ("calendar_rest", "days of rest per day ahead"),
}


class Evidence(Struct, frozen=True, gc=False):
    """One signal: its usual value, its value now, and what it adds to the risk."""

    signal: Annotated[str, Meta(min_length=1, description="Which signal, e.g. order_silence.")]
    usual: Annotated[
        float | None,
        Meta(
            description="Its usual value for this customer; of e-mail rates and calendar, the shop's. null = unknown."
        ),
    ]
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


def values_of(signal: str, scorer: Scorer, rows: Rows, at_s: Seconds, x: Floats) -> Values:
    """Return the usual value and the value now of one signal.

    Parameters
    ----------
    signal
        One of `models.features.SIGNALS`.
    scorer
        Knows the main channel, of which ``main_rhythm`` speaks, and the means of the shop.
    rows
        Shape (n,).
    at_s
        Epoch seconds, shape (n,), not before the rows' last events.
    x
        Features of that moment, shape (n, d).

    Returns
    -------
    Values
        Silence and rhythm: typical gap (geometric mean, recent gaps weigh more) and days since the last event. Trend:
        events per 30 days at the long half-life, from the second event on, and at the short one. Basket: money per
        order, likewise. Categories: how many were ever bought, and how many of them lately. History: no usual value,
        number of orders. E-mail rates and calendar: the mean of all examples, and this customer's or date's; the mean
        is unknown until the scorer has seen enough values.

    Raises
    ------
    KeyError
        There is no such signal.

    Examples
    --------
    >>> from models.state import new_rows
    >>> from models.target import Target
    >>> rows, at_s = new_rows(1), np.array([24 * DAY_S])
    >>> rows["last_at"][0, 0], rows["gap_mean"][0, 0], rows["gap_weight"][0, 0] = DAY_S, np.log(7), 1
    >>> scorer = Scorer.cold(Target(Channel.ORDER, 91 * DAY_S))
    >>> values = values_of("order_silence", scorer, rows, at_s, scorer.features_of(rows, at_s))
    >>> values.usual.round(3).tolist(), values.now.tolist(), values.unit
    ([7.0], [23.0], 'days')
    """
    if signal in _AGAINST_ALL:
        name, unit = _AGAINST_ALL[signal]
        now = x[:, INDEX[name]]
        mean = scorer.centre[INDEX[name]] if scorer.unit[INDEX[name]] else np.nan
        return Values(np.where(np.isnan(now), np.nan, mean), now, unit)
    measure, channel, unit = _MEASURES[signal]
    usual, now = measure(_Moment(rows, at_s, scorer.clocks), scorer.target.main if channel is None else channel)
    return Values(usual, now, unit)


class _Moment(NamedTuple):
    """n customers at their seconds, and the clocks that tell which time counts."""

    rows: Rows
    at_s: Seconds
    clocks: ChannelClocks

    def days_since(self, since_s: NDArray[np.integer], channel: Channel) -> Floats:
        """Return the days that count; a late event is looked at as of its own time."""
        since = since_s.astype(np.int64)
        passed_s = np.maximum(self.at_s - since, 0) - self.clocks.stopped_s(channel, since, self.at_s)
        days: Floats = passed_s / DAY_S
        return days


def _silence(moment: _Moment, channel: Channel) -> tuple[Floats, Floats]:
    rows, last_at = moment.rows, moment.rows["last_at"][:, channel]
    usual = np.where(rows["gap_weight"][:, channel] > 0, np.exp(rows["gap_mean"][:, channel]), np.nan)
    return usual.astype(np.float64), np.where(last_at > 0, moment.days_since(last_at, channel), np.nan)


def _trend(moment: _Moment, channel: Channel) -> tuple[Floats, Floats]:
    usual, now = (_rate(name, days, moment, channel) for name, days in (("long", LONG_DAYS), ("short", SHORT_DAYS)))
    return np.where(moment.rows["count"][:, channel] > 1, usual, np.nan), now  # one event is no pace


def _rate(name: str, half_life_days: float, moment: _Moment, channel: Channel) -> Floats:
    """Events per 30 days: the decayed count over the decayed time in which it was collected.

    Time starts at the customer's first event; less than 30 days of it count as 30, or two events in one hour
    would be a rate of hundreds.
    """
    rows, last_at = moment.rows, moment.rows["last_at"][:, channel]
    known_days = np.maximum(moment.days_since(rows["first_at"], channel), RATE_DAYS)
    count = decayed(rows[name][:, channel].astype(np.float64), moment.days_since(last_at, channel), half_life_days)
    decayed_days = half_life_days / np.log(2) * -np.expm1(-np.log(2) * known_days / half_life_days)
    return np.where(last_at > 0, RATE_DAYS * count / decayed_days, np.nan)


def _history(moment: _Moment, channel: Channel) -> tuple[Floats, Floats]:
    return np.full(len(moment.rows), np.nan), moment.rows["count"][:, channel].astype(np.float64)


def _basket(moment: _Moment, channel: Channel) -> tuple[Floats, Floats]:
    return moment.rows["amount_long"].astype(np.float64), moment.rows["amount_short"].astype(np.float64)


def _categories(moment: _Moment, channel: Channel) -> tuple[Floats, Floats]:
    ever = breadth(moment.rows).astype(np.float64)
    ever = np.where(ever > 0, ever, np.nan)
    return ever, ever - dropped(moment.rows)


_Measure = Callable[[_Moment, Channel], tuple[Floats, Floats]]
_MEASURES: dict[str, tuple[_Measure, Channel | None, str]] = {
    "order_silence": (_silence, Channel.ORDER, "days"),
    "order_trend": (_trend, Channel.ORDER, "orders per 30 days"),
    "order_history": (_history, Channel.ORDER, "orders"),
    "basket": (_basket, Channel.ORDER, "money per order"),
    "categories": (_categories, Channel.ORDER, "categories"),
    "login_silence": (_silence, Channel.LOGIN, "days"),
    "login_trend": (_trend, Channel.LOGIN, "logins per 30 days"),
    "email_silence": (_silence, Channel.EMAIL_OPEN, "days"),
    "email_trend": (_trend, Channel.EMAIL_OPEN, "e-mail opens per 30 days"),
    "main_rhythm": (_silence, None, "days"),  # None = the main channel
}
