"""What kind of customer somebody is: the personal constants that a life is drawn from.

The population's constants are those of the package's docstring; the numbers stand here once.
"""

import math
from dataclasses import dataclass

import numpy as np

ONE_TIME_RATIO = 0.5
REGULAR_RATIO = 0.4
PROXY_RATIO = 0.2


@dataclass(frozen=True)
class Character:
    """One customer's constants.

    Parameters
    ----------
    one_time
        Never orders again after the first time, unless won back.
    life_days
        Mean length of an active spell in days, > 0.
    gap_days
        Mean gap between orders while active, in days, > 0.
    regularity
        Shape of the gamma gaps: 1 is Poisson, above 1 more even, below 1 in bursts.
    login_gap_days
        Mean gap between browsing logins while active, in days, > 0.
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
    login_gap_days: float
    open_ratio: float
    proxied: bool
    amount_level: float


def draw_character(rng: np.random.Generator) -> Character:
    """Draw one customer of the population.

    Parameters
    ----------
    rng
        The customer's own generator.

    Returns
    -------
    Character
        The same for the same state of `rng`.

    Examples
    --------
    >>> draw_character(np.random.default_rng(1)) == draw_character(np.random.default_rng(1))
    True
    """
    regular = rng.random() < REGULAR_RATIO
    return Character(
        one_time=rng.random() < ONE_TIME_RATIO,
        # A gamma rate in the denominator can be arbitrarily small; nobody's mean stay exceeds four years.
        life_days=float(min(240.0 / max(rng.gamma(1.5, 1 / 1.5), 1e-9), 1460.0)),
        gap_days=float(rng.lognormal(math.log(12.0), 0.55)),
        regularity=float(rng.uniform(4.0, 20.0) if regular else rng.uniform(0.7, 1.6)),
        login_gap_days=float(rng.lognormal(math.log(5.0), 0.7)),
        open_ratio=float(rng.beta(2.0, 3.5)),
        proxied=rng.random() < PROXY_RATIO,
        amount_level=float(rng.lognormal(math.log(4500.0), 0.6)),
    )
