"""What is known about a customer, as numbers a model can weigh: the table of features and their computation.

*Features* on the line from event to alert: rows in, array out. All of it is closed form, O(1) per customer
and elementwise, so a customer's numbers do not depend on who else is in the batch. What is not known is NaN,
never zero: the model then assumes the population's mean.

While a customer is silent most features stand still; the indices `MOVING` are the ones that do not. `Silence`
prepares these, so that `models.crossing` can ask for many moments of the same silence cheaply.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.calendar import calendar_features
from models.clocks import RUNNING, ChannelClocks
from models.events import N_CHANNELS, Channel
from models.habits import habits, positive
from models.hazard import Rhythm
from models.state import LONG_DAYS, SHORT_DAYS, Rows
from models.target import DAY_S, Target

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Feature:
    """One column of the feature matrix.

    Parameters
    ----------
    name
        Key in labels and snapshots.
    unit
        What one step of the number is.
    low, high
        Range of possible values.
    signal
        The evidence it belongs to when a score is explained, one of `SIGNALS`.
    reason
        Why it says something about churn.
    """

    name: str
    unit: str
    low: float
    high: float
    signal: str
    reason: str


SIGNALS = (
    "order_silence",
    "order_trend",
    "order_history",
    "basket",
    "categories",
    "login_silence",
    "login_trend",
    "email_silence",
    "email_trend",
    "email_open_rate",
    "email_click_rate",
    "main_rhythm",
    "calendar",
)

_LOG_CENTURIES = 11.0  # log of the days in a u4 of seconds, 10.8, rounded up
_LOG_COUNT = 22.2  # log of the largest count that fits the row
_LOG_MONEY = 89.0  # log of the largest float32
# Silence is measured in thirteenths of the horizon, weeks when it is a quarter: the first weeks weigh most.
SILENCE_STEPS = 13


def _channel_features(channel: str, history: str) -> tuple[Feature, ...]:
    silence, trend = f"{channel}_silence", f"{channel}_trend"
    return (
        Feature(silence, "log(1 + H/13)", 0, 18, silence, "Recency: the longer away, the less likely back."),
        Feature(trend, "ratio", 0, 1, trend, "Share of the recent quarter that fell into the last weeks."),
        Feature(f"{channel}_level", "log events", 0, _LOG_COUNT, history, "Pace when last seen, quarterly."),
        Feature(f"{channel}_count", "log events", 0, _LOG_COUNT, history, "Habit: many events ever, loyal."),
        Feature(f"{channel}_gap", "log days", 0, _LOG_CENTURIES, history, "The usual gap gives silence scale."),
    )


FEATURES: tuple[Feature, ...] = (
    *_channel_features("order", "order_history"),
    *_channel_features("login", "login_trend"),
    *_channel_features("email", "email_trend"),
    Feature("basket_usual", "log(1 + money)", 0, _LOG_MONEY, "basket", "Larger orders, more attached."),
    Feature("basket_trend", "log ratio", -89, 89, "basket", "Orders grow or shrink before customers leave."),
    Feature("basket_total", "log(1 + money)", 0, _LOG_MONEY, "basket", "Lifetime spending: loyalty in money."),
    Feature("main_rhythm", "log-odds", -60, 60, "main_rhythm", "The prior: this silence by own rhythm."),
    Feature("main_tail", "ratio", 0, 1, "main_rhythm", "Share of own gaps that last longer than this one."),
    Feature("main_occasions", "log days", 0, 11.1, "main_rhythm", "Each return makes the next more likely."),
    Feature("main_spread", "log days", 0, _LOG_CENTURIES, "main_rhythm", "Irregular gaps excuse silence."),
    Feature("main_span", "log(1 + days)", 0, _LOG_CENTURIES, "main_rhythm", "How long the habit has lasted."),
    Feature("main_single", "0 or 1", 0, 1, "main_rhythm", "One occasion only: no rhythm to judge by yet."),
    Feature("category_breadth", "log categories", 0, 3.5, "categories", "Many categories, many reasons to return."),
    Feature("category_dropped", "ratio", 0, 1, "categories", "Categories no longer bought: half gone already."),
    Feature("email_open_rate", "ratio", 0, 1, "email_open_rate", "Opens of what was sent: reads it, still interested."),
    Feature("email_click_rate", "ratio", 0, 1, "email_click_rate", "Clicks on what was sent: no proxy fakes interest."),
    Feature("calendar_rest", "ratio", 0, 1, "calendar", "Weekends and holidays in the coming step: time to buy."),
    Feature("calendar_holidays", "ratio", 0, 1, "calendar", "Public holidays in the coming horizon."),
    Feature("calendar_sine", "ratio", -1, 1, "calendar", "Season of the year, with the next one."),
    Feature("calendar_cosine", "ratio", -1, 1, "calendar", "Season of the year: 1 at new year, -1 at midsummer."),
)

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
INDEX: dict[str, int] = {name: index for index, name in enumerate(NAMES)}

_BLOCK = INDEX["login_silence"]  # columns per channel
SILENCE_OF: tuple[int, ...] = tuple(_BLOCK * channel for channel in range(N_CHANNELS))
TREND_OF: tuple[int, ...] = tuple(_BLOCK * channel + 1 for channel in range(N_CHANNELS))
HABIT_OF: tuple[tuple[int, ...], ...] = tuple(
    tuple(range(_BLOCK * channel + 2, _BLOCK * (channel + 1))) for channel in range(N_CHANNELS)
)
RHYTHM, TAIL = INDEX["main_rhythm"], INDEX["main_tail"]
CALENDAR: tuple[int, ...] = tuple(INDEX[name] for name in NAMES if name.startswith("calendar_"))
N_KEPT = CALENDAR[0]
"""Features that an example keeps; those of the calendar come after them and follow from its time."""
MOVING: tuple[int, ...] = tuple(sorted([*SILENCE_OF, *TREND_OF, RHYTHM, TAIL, *CALENDAR]))
_SILENCES, _TRENDS = slice(0, 2 * N_CHANNELS, 2), slice(1, 2 * N_CHANNELS, 2)  # places among MOVING
_RHYTHM_PLACE, _TAIL_PLACE = MOVING.index(RHYTHM), MOVING.index(TAIL)  # behind silence and trend of each channel
STILL: tuple[int, ...] = tuple(index for index in range(len(FEATURES)) if index not in MOVING)


def features(rows: Rows, at_s: ArrayLike, target: Target, clocks: ChannelClocks = RUNNING) -> Floats:
    """Describe n customers by `FEATURES`.

    Parameters
    ----------
    rows
        Shape (n,).
    at_s
        As of when, epoch seconds, shape (n,) or one for all. A moment before a channel's last event counts as
        that event, because the row cannot forget it.
    target
        Main channel and horizon.
    clocks
        What silence is measured with.

    Returns
    -------
    ndarray
        Shape (n, `len(FEATURES)`), float64; NaN = unknown. Columns are contiguous, not rows.

    Examples
    --------
    >>> from models.state import new_rows
    >>> row = new_rows(1)
    >>> row["last_at"][:, Channel.ORDER] = 7 * DAY_S
    >>> x = features(row, 14 * DAY_S, Target(Channel.ORDER, 91 * DAY_S))[0]
    >>> round(float(x[INDEX["order_silence"]]), 3), float(x[INDEX["login_silence"]])
    (0.693, nan)
    """
    columns = np.full((len(FEATURES), len(rows)), np.nan)
    for index, column in still(rows, target, clocks).items():
        columns[index] = column
    columns[list(moving_of(target))] = Silence.of(rows, target, clocks).moving(at_s)
    return columns.T


def moving_of(target: Target) -> tuple[int, ...]:
    """Return the features that move in a silence, those of the calendar only where the shop has one."""
    return MOVING if target.calendar else MOVING[: -len(CALENDAR)]


def still(rows: Rows, target: Target, clocks: ChannelClocks = RUNNING) -> dict[int, Floats]:
    """Compute the features that do not change while the customer is silent.

    Returns
    -------
    dict
        Index of the feature to its column, shape (n,), in the order of `STILL`.
    """
    return dict(zip(STILL, habits(rows, target, clocks), strict=True))


@dataclass(frozen=True)
class Silence:
    """What the moving features need to know, as long as no event comes.

    Parameters
    ----------
    last_at_s
        Last event per channel on the channel's clock, seconds, shape (c, n); NaN = never.
    share
        Short over long decayed count as of that event, shape (c, n); NaN = never.
    rhythm
        Of the main channel.
    target
        Main channel, horizon and calendar.
    clocks
        What silence is measured with.
    channels
        The c channels whose silence and trend are wanted; the rhythm is always there.
    """

    last_at_s: Floats
    share: Floats
    rhythm: Rhythm
    target: Target
    clocks: ChannelClocks
    channels: tuple[Channel, ...]

    @classmethod
    def of(
        cls,
        rows: Rows,
        target: Target,
        clocks: ChannelClocks = RUNNING,
        channels: tuple[Channel, ...] = tuple(Channel),
    ) -> "Silence":
        """Prepare n customers."""
        chosen = list(channels)
        share = rows["short"].T[chosen] / positive(rows["long"].T[chosen])
        last_at = positive(rows["last_at"].T[chosen])
        for channel, row in zip(channels, last_at, strict=True):
            row[:] = clocks.read(channel, row)
        return cls(last_at, share, Rhythm.of(rows, target, clocks), target, clocks, channels)

    def moving(self, at_s: ArrayLike) -> Floats:
        """Compute the features that change with silence.

        Parameters
        ----------
        at_s
            Epoch seconds, shape (n,) or (m, n), or one for all.

        Returns
        -------
        ndarray
            One feature per row in the order of `moving_of`, each of the shape of `at_s` (one for all: (n,)); NaN where
            nobody asked for the channel.
        """
        at = np.asarray(at_s, np.float64)
        log_odds, tail = self.rhythm.at(self.clocks.read(self.target.main, at))
        columns = np.full((len(moving_of(self.target)), *tail.shape), np.nan)
        if self.channels:
            every = slice(None) if len(self.channels) == len(Channel) else list(self.channels)
            days = self._days(at, tail.ndim)
            columns[_SILENCES][every] = np.log(1.0 + days * (SILENCE_STEPS / self.target.horizon_days))
            days *= -SHARE_DECAY
            columns[_TRENDS][every] = np.exp2(days, out=days) * self._deep(self.share, tail.ndim)
        columns[_RHYTHM_PLACE], columns[_TAIL_PLACE] = log_odds, tail
        if self.target.calendar:
            known = calendar_features(at, self.target)
            columns[_TAIL_PLACE + 1 :] = known.reshape(len(CALENDAR), *(1,) * (tail.ndim - at.ndim), *at.shape)
        return columns

    def _days(self, at_s: Floats, ndim: int) -> Floats:
        """Days of silence that count, of each channel, shape (c, n) or (c, m, n)."""
        now = at_s
        if self.clocks.outages:
            now = np.stack([self.clocks.read(channel, np.atleast_1d(at_s)) for channel in self.channels])
        days = now - self._deep(self.last_at_s, ndim)
        np.maximum(days, 0.0, out=days)
        days *= 1.0 / DAY_S
        return days

    @staticmethod
    def _deep(values: Floats, ndim: int) -> Floats:
        """Give values of each channel and customer an axis for moments, where there are some."""
        return values if ndim == 1 else values[:, None, :]

    def take(self, which: NDArray[np.intp]) -> "Silence":
        """Return some of the customers."""
        return replace(
            self,
            last_at_s=self.last_at_s[:, which],
            share=self.share[:, which],
            rhythm=self.rhythm.take(which),
        )


# Short and long both halve at their own pace; their ratio halves at the difference of the paces, per day.
SHARE_DECAY = 1.0 / SHORT_DAYS - 1.0 / LONG_DAYS
