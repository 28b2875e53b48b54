"""The hazard expert: what happens in a thirteenth of the horizon, learnt within weeks and chained to the whole.

Discrete-time survival analysis [1]_: a logit gives P(no main event within the next step) at any moment of a silence,
and the horizon is the product over thirteen steps in which the silence goes on. Six features move while it does, in
closed form: the three silences, ``log(1 + weeks)`` becoming ``log(1 + weeks + k)``, and the three trends, which fade.
The two that need more than features (rhythm and tail) are left out; in their place stand four products of the main
silence, the usual gap and the count of events (`bends`), so that the hazard may rise as the usual day draws near. The
cumulative hazard of thirteen steps is summed from five of them (`NODES`), near ones closer, as the first weeks change
most.

The level tracker (`models.level`) watches how many come back against what this expert foresaw, and says by what factor
all hazards are up or down just now.

References
----------
.. [1] J. D. Singer, J. B. Willett (1993), It's about time: using discrete-time survival analysis to study duration and
   the timing of events, Journal of Educational Statistics 18(2).
"""

import numpy as np
from numpy.typing import NDArray

from models.events import Channel
from models.experts.formulas import N_FEATURES, cumulative_hazard, linear_log_odds, no_event_log_odds, weighted
from models.experts.logits import RIDGE, LogitExpert
from models.experts.scaling import Scaling, standardised
from models.features import HABIT_OF, RHYTHM, SHARE_DECAY, SILENCE_OF, TAIL, TREND_OF
from models.target import DAY_S, Target

Floats = NDArray[np.float64]

HAZARD_MEMORY_DAYS = 365.0  # slow on purpose: it is the measure that the level tracker compares the present with
NODES = ((0, 1.0), (1, 1.5), (3, 2.5), (6, 3.5), (10, 4.5))
"""Steps ahead, and how many of the thirteen steps each stands for."""
N_BENDS = 4
MAX_LOG_ODDS = 8.0  # thirteen steps of a young logit multiply its errors: surer than 3,000 to 1 it cannot be


class HazardExpert(LogitExpert):
    """Learns from step labels, answers for the horizon; parameters as in `models.experts.logits.LogitExpert`.

    Attributes
    ----------
    level
        Log of the factor on all hazards, from the level tracker.
    """

    def __init__(
        self,
        main: str = "order",
        horizon_s: int = 91 * DAY_S,
        memory_days: float = HAZARD_MEMORY_DAYS,
        scaling: Scaling | None = None,
    ) -> None:
        super().__init__(main, horizon_s, memory_days, scaling)
        self.level = 0.0

    def log_odds(self, x: Floats) -> Floats:
        """Return the log-odds of churn; see `Expert.log_odds`."""
        scaling = self._scaling
        return chained(x.T, scaling.centre, scaling.unit, self.weights, level=self.level, target=self.target)

    def step_log_odds(self, x: Floats) -> Floats:
        """Return the log-odds of no main event within one step at a level of 0, shape (n,)."""
        return linear_log_odds(self._inputs(x), self.weights)

    def _ridge(self) -> Floats:
        return np.full(N_FEATURES + N_BENDS + 1, RIDGE)

    def _inputs(self, x: Floats) -> Floats:
        z = _standing(x.T, self._scaling.centre, self._scaling.unit)
        return np.vstack([z, *bends(z, z[SILENCE_OF[self.target.main]], self.target.main)])


def bends(z: Floats, silence: Floats, main: Channel) -> tuple[Floats, Floats, Floats, Floats]:
    """Return products of the main silence at some moment with usual gap and count, each of shape (n,).

    Parameters
    ----------
    z
        Standardised features, shape (d, n).
    silence
        The main silence at that moment, standardised, shape (n,).
    main
        Main channel.
    """
    _, count, gap = (z[index] for index in HABIT_OF[main])
    return silence * silence, silence * gap, gap * gap, silence * count


def chained(columns: Floats, centre: Floats, unit: Floats, weights: Floats, *, level: float, target: Target) -> Floats:
    """Chain the step's logit to the horizon.

    Parameters
    ----------
    columns
        Features, one per row, shape (d, n), NaN = unknown.
    centre, unit
        Scaling, shape (d,).
    weights
        Of the standardised features, of the `bends`, the bias last, shape (d + 5,).
    level
        Log of the factor on all hazards.
    target
        Main channel and horizon.

    Returns
    -------
    ndarray
        Log-odds of no event within thirteen steps, shape (n,).
    """
    z = _standing(columns, centre, unit)
    standing = weighted(z, weights[:N_FEATURES], float(weights[-1]))
    slope = weights[:N_FEATURES] * unit
    main = SILENCE_OF[target.main]
    total = np.zeros(columns.shape[1])
    for ahead, stands_for in NODES:
        log_odds = standing + _moved(columns, slope, ahead, target)
        silence = z[main] + _further(columns[main], ahead) * unit[main]
        for bend, weight in zip(bends(z, silence, target.main), weights[N_FEATURES:-1].tolist(), strict=True):
            log_odds += bend * weight
        total += stands_for * cumulative_hazard(log_odds)
    return np.clip(no_event_log_odds(total * np.exp(level)), -MAX_LOG_ODDS, MAX_LOG_ODDS)


def _standing(columns: Floats, centre: Floats, unit: Floats) -> Floats:
    z = standardised(columns, centre, unit)
    z[[RHYTHM, TAIL]] = 0.0
    return z


def _moved(columns: Floats, slope: Floats, ahead: int, target: Target) -> Floats:
    """What `ahead` steps more of silence add through silences and trends."""
    total = np.zeros(columns.shape[1])
    if not ahead:
        return total
    fading = 2.0 ** (-SHARE_DECAY * ahead * target.step_s / DAY_S)
    for silence, trend in zip(SILENCE_OF, TREND_OF, strict=True):
        if slope[silence]:
            total += _further(columns[silence], ahead) * slope[silence]
        if slope[trend]:
            faded = columns[trend] * (fading - 1.0)
            total += np.where(np.isnan(faded), 0.0, faded) * slope[trend]
    return total


def _further(silence: Floats, ahead: int) -> Floats:
    """How much ``log(1 + steps)`` grows in `ahead` steps; 0 where nobody ever came."""
    grown = np.log1p(ahead * np.exp(-silence))
    return np.where(np.isnan(grown), 0.0, grown)
