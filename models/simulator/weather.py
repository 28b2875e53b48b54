"""A climate over one shop: its rates laid out from the day the shop opens.

Stands between `models.simulator.climate`, which knows no dates, and lives and arrivals, which are drawn in even time.
"""

import numpy as np

from models.events import Channel
from models.simulator import calendar
from models.simulator.calendar import Days
from models.simulator.character import Population
from models.simulator.climate import Climate
from models.simulator.stretch import Stretch, stretch


class Weather:
    """What a shop's lives and arrivals need to know of its climate.

    Parameters
    ----------
    climate
        The climate.
    opened
        When the opening begins, in days since the epoch.
    opening_days
        How long it takes, in days, > 0.

    Examples
    --------
    >>> weather = Weather(Climate(), opened=20_000.0, opening_days=90.0)
    >>> weather.joins(0.5), weather.joins(1.3)
    (20045.0, 20190.0)
    """

    def __init__(self, climate: Climate, opened: float, opening_days: float) -> None:
        self.population: Population = climate.population
        self.main: Channel = climate.main
        self.activity: Stretch = stretch(opened, lambda at: climate.level(at - opened, opened))
        self._arrivals = stretch(0.0, lambda day: climate.arrivals(day + opening_days))
        self._opened, self._opening_days = opened, opening_days
        self._prices = [(opened + shock.on_day, shock.price_ratio) for shock in climate.shocks]
        self._leaving = [
            (calendar.to_shop(np.array(opened + shock.on_day)).item(), shock.leaving_ratio) for shock in climate.shocks
        ]

    def joins(self, place: float) -> float:
        """Tell when a customer joins.

        Parameters
        ----------
        place
            Place in the queue of all customers, >= 0; 1 is the end of the opening, 2 as many newcomers again.

        Returns
        -------
        float
            Wall time in days since the epoch.
        """
        late = self._arrivals.at(np.array(max(place - 1.0, 0.0))).item()
        return self._opened + (min(place, 1.0) * self._opening_days + late)

    def leaves(self, rng: np.random.Generator, begin: float, end: float) -> float:
        """Tell when an active spell ends: at a shock that drives the customer away, or by itself.

        Parameters
        ----------
        rng
            The customer's own generator; not asked where no shock can drive anybody away.
        begin, end
            The spell, in shop days.

        Returns
        -------
        float
            Its end, in shop days.
        """
        for at, ratio in self._leaving:
            if begin <= at < end and ratio and rng.random() < ratio:
                return at
        return end

    def prices(self, wall: Days) -> Days:
        """Return the factor of order values at some wall times, in days since the epoch, shape (n,)."""
        prices = np.ones(wall.shape)
        for at, ratio in self._prices:
            prices[wall >= at] *= ratio
        return prices
