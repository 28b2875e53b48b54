"""The climates a shop can live in: season, growth, decline, shocks, and populations with another rhythm.

A climate changes two rates over time. *Activity* multiplies orders and logins of everybody; it acts as a latent state
does, by stretching time (see the package). *Newcomers* says how many join a day after the opening. A price rise also
makes active customers start to fade. What it does not touch: e-mail campaigns, and how states follow one another.

Days are counted from the start of the opening. After 30 years the rates stay as they are.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from models.events import Channel
from models.simulator.calendar import Days
from models.simulator.character import ORDINARY, Population

_YEAR_DAYS = 365.2425


def _need(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


@dataclass(frozen=True)
class Trend:
    """A ratio that moves from 1 to its end by an equal factor a day, and stays there.

    Parameters
    ----------
    to_ratio
        Where it ends, > 0: 0.25 shrinks to a quarter.
    over_days
        How long it takes, > 0.

    Examples
    --------
    >>> Trend(to_ratio=0.25, over_days=100).at(np.array([0, 50, 100, 200])).tolist()
    [1.0, 0.5, 0.25, 0.25]
    """

    to_ratio: float = 1.0
    over_days: float = 730.0

    def __post_init__(self) -> None:
        """Refuse what no shop survives."""
        _need(self.to_ratio > 0, f"to_ratio must be positive, got {self.to_ratio}")
        _need(self.over_days > 0, f"over_days must be positive, got {self.over_days}")

    def at(self, day: Days) -> Days:
        """Return the ratio on some days."""
        ratio: Days = self.to_ratio ** np.clip(day / self.over_days, 0.0, 1.0)
        return ratio


@dataclass(frozen=True)
class Shock:
    """Something that happens to everybody on one day; the ratios hold from then on or wear off.

    Parameters
    ----------
    on_day
        Days after the start of the opening, >= 0.
    activity_ratio, newcomers_ratio
        Factors of the two rates, > 0.
    wears_off_days
        Half-life of what the two factors add or take away; infinite = they stay.
    price_ratio
        Factor of order values, > 0, for good.
    leaving_ratio
        Chance of every customer in state active to start fading that day, 0..1.

    Examples
    --------
    >>> launch = Shock(on_day=10, activity_ratio=3.0, wears_off_days=30)
    >>> launch.felt(launch.activity_ratio, np.array([9, 10, 40])).tolist()
    [1.0, 3.0, 2.0]
    """

    on_day: float
    activity_ratio: float = 1.0
    newcomers_ratio: float = 1.0
    wears_off_days: float = math.inf
    price_ratio: float = 1.0
    leaving_ratio: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot happen."""
        _need(self.on_day >= 0, f"on_day must be at least 0, got {self.on_day}")
        for name in ("activity_ratio", "newcomers_ratio", "wears_off_days", "price_ratio"):
            _need(getattr(self, name) > 0, f"{name} must be positive, got {getattr(self, name)}")
        _need(0 <= self.leaving_ratio <= 1, f"leaving_ratio must be within 0..1, got {self.leaving_ratio}")

    def felt(self, ratio: float, day: Days) -> Days:
        """Return what is left of a factor on some days; 1 before the shock."""
        left = 0.5 ** (np.maximum(day - self.on_day, 0.0) / self.wears_off_days)
        return np.where(day < self.on_day, 1.0, 1.0 + (ratio - 1.0) * left)


_STILL = Trend()


@dataclass(frozen=True)
class Climate:
    """How a shop fares over time, and who its customers are. The default is the shop of the package's docstring.

    Parameters
    ----------
    population
        Constants its customers are drawn from.
    main
        Channel of the renewal process with a rhythm, whose end is churn: orders, or logins in a community.
    season_ratio
        Amplitude of the yearly sine in activity, 0..1 (exclusive): 0.6 swings between 0.4 and 1.6.
    season_peak_day
        Day of the year at which it is highest, 0..366.
    activity, newcomers
        Trends of the two rates.
    newcomers_per_day_ratio
        Newcomers a day after the opening, per customer of the opening, > 0.
    shocks
        What happens on single days.

    Examples
    --------
    >>> new_year = Climate(season_ratio=0.5, activity=Trend(0.25, over_days=730))
    >>> new_year.level(np.array([0.0, 730.485]), opened=0.0).round(6).tolist()
    [1.5, 0.375]
    """

    population: Population = ORDINARY
    main: Channel = Channel.ORDER
    season_ratio: float = 0.0
    season_peak_day: float = 0.0
    activity: Trend = _STILL
    newcomers: Trend = _STILL
    newcomers_per_day_ratio: float = 0.003  # about replaces those lost for good
    shocks: tuple[Shock, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no shop can be."""
        _need(self.main is not Channel.EMAIL_OPEN, "main must be orders or logins")
        _need(0 <= self.season_ratio < 1, f"season_ratio must be within 0..1 (exclusive), got {self.season_ratio}")
        arriving = self.newcomers_per_day_ratio
        _need(arriving > 0, f"newcomers_per_day_ratio must be positive, got {arriving}")

    def level(self, day: Days, opened: float) -> Days:
        """Return the factor of everybody's activity, > 0.

        Parameters
        ----------
        day
            Days since the opening began, shape (n,).
        opened
            When that was, days since the epoch: seasons follow the calendar.
        """
        since_peak = day + opened - self.season_peak_day  # 1970 began on day 0, and a year of 365.2425 keeps it so
        level = self.activity.at(day) * (1.0 + self.season_ratio * np.cos(2 * np.pi * since_peak / _YEAR_DAYS))
        for shock in self.shocks:
            level *= shock.felt(shock.activity_ratio, day)
        return level

    def arrivals(self, day: Days) -> Days:
        """Return the newcomers a day, per customer of the opening, shape (n,), > 0; `day` as in `level`."""
        arrivals = self.newcomers_per_day_ratio * self.newcomers.at(day)
        for shock in self.shocks:
            arrivals *= shock.felt(shock.newcomers_ratio, day)
        return arrivals


# Gaps of weeks to months: over 91 days a third to a half of the recent customers do not order.
_SLOW = Climate(population=replace(ORDINARY, rhythm_days=(40.0,)))
_PRICE_RISE = Shock(300, activity_ratio=0.75, newcomers_ratio=0.6, price_ratio=1.2, leaving_ratio=0.3)
_REGULARS = Population(
    one_time_ratio=0.1, regular_ratio=0.9, regularity=(15.0, 60.0), rhythm_days=(7.0, 14.0), gap_spread=0.1
)
_MEMBERS = Population(one_time_ratio=0.3, rhythm_days=(25.0,), gap_spread=0.8, side_gap_days=60.0, before_ratio=0.0)

CLIMATES = {
    "steady": Climate(),
    "season": replace(_SLOW, season_ratio=0.6, season_peak_day=340),
    "growth": replace(_SLOW, newcomers=Trend(4.0, 540), activity=Trend(1.5, 540)),
    "web-shop": replace(_SLOW, newcomers=Trend(4.0, 540), season_ratio=0.4, season_peak_day=340),
    "decline": replace(_SLOW, newcomers=Trend(0.2, 540), activity=Trend(0.35, 540)),
    "small-decline": replace(_SLOW, newcomers_per_day_ratio=0.001, activity=Trend(0.35, 540)),
    "launch": replace(_SLOW, shocks=(Shock(300, activity_ratio=2.0, newcomers_ratio=6.0, wears_off_days=30),)),
    "price-rise": replace(_SLOW, shocks=(_PRICE_RISE,)),
    "grocery": Climate(population=_REGULARS),
    "community": Climate(population=_MEMBERS, main=Channel.LOGIN, activity=Trend(0.3, 730), newcomers=Trend(0.3, 730)),
}
"""Climates by name, for the command line and the table of harsh cases."""
