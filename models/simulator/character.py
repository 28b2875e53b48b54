"""What kind of customer somebody is: the personal constants that a life is drawn from, and the population's.

The ordinary population is that of the package's docstring; the numbers stand here once.
"""

import math
from dataclasses import dataclass

import numpy as np

PROXY_RATIO = 0.2


@dataclass(frozen=True)
class Population:
    """Who the customers are: what their personal constants are drawn from.

    Main events are orders, and side events browsing logins; in a community it is the other way round.

    Parameters
    ----------
    one_time_ratio
        Share that never comes again after the first time, 0..1.
    regular_ratio
        Share with even gaps, 0..1.
    regularity
        Range of the gamma shape of those, 0 < low <= high.
    rhythm_days
        Medians of the mean gap between main events while active, in days, > 0; each customer has one of them.
    gap_spread
        Sigma of the lognormal mean gap around its median, >= 0.
    life_days
        Scale of the mean length of an active spell, in days, > 0; at most four years come out.
    side_gap_days
        Median of the mean gap between side events, in days, > 0.
    before_ratio
        Share of main events with a side event some minutes before, 0..1.

    Raises
    ------
    ValueError
        A parameter is out of its range.
    """

    one_time_ratio: float = 0.5
    regular_ratio: float = 0.4
    regularity: tuple[float, float] = (4.0, 20.0)
    rhythm_days: tuple[float, ...] = (12.0,)
    gap_spread: float = 0.55
    life_days: float = 240.0
    side_gap_days: float = 5.0
    before_ratio: float = 0.9

    def __post_init__(self) -> None:
        """Refuse what nobody can be."""
        for name in ("one_time_ratio", "regular_ratio", "before_ratio"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be within 0..1, got {getattr(self, name)}")
        for name in ("life_days", "side_gap_days"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if not 0 < self.regularity[0] <= self.regularity[1]:
            raise ValueError(f"regularity must be a positive range, low before high, got {self.regularity}")
        if not self.rhythm_days or not min(self.rhythm_days) > 0:
            raise ValueError(f"rhythm_days must be one or more positive gaps, got {self.rhythm_days}")
        if not self.gap_spread >= 0:
            raise ValueError(f"gap_spread must be at least 0, got {self.gap_spread}")


ORDINARY = Population()


@dataclass(frozen=True)
class Character:
    """One customer's constants.

    Parameters
    ----------
    one_time
        Never comes again after the first time, unless won back.
    life_days
        Mean length of an active spell in days, > 0.
    gap_days
        Mean gap between main events while active, in days, > 0.
    regularity
        Shape of the gamma gaps: 1 is Poisson, above 1 more even, below 1 in bursts.
    side_gap_days
        Mean gap between side events while active, in days, > 0.
    open_ratio
        Chance to open a campaign while active, 0..1.
    proxied
        Mail is fetched by a privacy proxy; real opens stay hidden.
    amount_level
        Median order value in yen.
    """

    one_time: bool
    life_days: float
    gap_days: float
    regularity: float
    side_gap_days: float
    open_ratio: float
    proxied: bool
    amount_level: float


def draw_character(rng: np.random.Generator, population: Population) -> Character:
    """Draw one customer of a population.

    Parameters
    ----------
    rng
        The customer's own generator.
    population
        Who the customers are.

    Returns
    -------
    Character
        The same for the same state of `rng`.

    Examples
    --------
    >>> draw_character(np.random.default_rng(1), ORDINARY) == draw_character(np.random.default_rng(1), ORDINARY)
    True
    """
    regular = rng.random() < population.regular_ratio
    return Character(
        one_time=rng.random() < population.one_time_ratio,
        # A gamma rate in the denominator can be arbitrarily small; nobody's mean stay exceeds four years.
        life_days=float(min(population.life_days / max(rng.gamma(1.5, 1 / 1.5), 1e-9), 1460.0)),
        gap_days=float(rng.lognormal(math.log(_rhythm(rng, population)), population.gap_spread)),
        regularity=float(rng.uniform(*population.regularity) if regular else rng.uniform(0.7, 1.6)),
        side_gap_days=float(rng.lognormal(math.log(population.side_gap_days), 0.7)),
        open_ratio=float(rng.beta(2.0, 3.5)),
        proxied=rng.random() < PROXY_RATIO,
        amount_level=float(rng.lognormal(math.log(4500.0), 0.6)),
    )


def _rhythm(rng: np.random.Generator, population: Population) -> float:
    rhythms = population.rhythm_days
    return rhythms[rng.integers(len(rhythms))] if len(rhythms) > 1 else rhythms[0]
