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

from dataclasses import dataclass, replace

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
    ahead = Ahead.of(columns, centre, unit, weights, level=level, target=target)
    return ahead.log_odds(columns[list(SILENCE_OF)], columns[list(TREND_OF)])


@dataclass(frozen=True, eq=False)
class Ahead:
    """n customers as the hazard expert sees them, with all summed that stands still while they are silent.

    Parameters
    ----------
    standing
        Log-odds of no event within a step, by what stands still, shape (n,).
    slant
        What the main silence is multiplied with in the bends, besides itself, shape (n,).
    centre, unit
        Scaling of the three silences, then of the three trends, shape (2, 3).
    weights
        Of the same, standardised, shape (2, 3).
    bend
        Weight of the square of the main silence.
    level
        Log of the factor on all hazards.
    target
        Main channel and horizon.
    """

    standing: Floats
    slant: Floats
    centre: Floats
    unit: Floats
    weights: Floats
    bend: float
    level: float
    target: Target

    @classmethod
    def of(
        cls, columns: Floats, centre: Floats, unit: Floats, weights: Floats, *, level: float, target: Target
    ) -> "Ahead":
        """Prepare customers; parameters as in `chained`. Silences and trends are not looked at."""
        z, moving = _standing(columns, centre, unit), np.array([SILENCE_OF, TREND_OF])
        still = weights[:N_FEATURES].copy()
        still[moving] = 0.0
        _, count, gap = (z[index] for index in HABIT_OF[target.main])
        square, by_gap, gaps, by_count = weights[N_FEATURES:-1].tolist()
        standing = weighted(z, still, float(weights[-1])) + gap * gap * gaps
        slant = gap * by_gap + count * by_count
        return cls(standing, slant, centre[moving], unit[moving], weights[moving], square, level, target)

    def log_odds(self, silences: Floats, trends: Floats) -> Floats:
        """Chain the step's logit to the horizon.

        Parameters
        ----------
        silences, trends
            Features of the three channels at some moments, NaN = unknown, shape (3, ..., n).

        Returns
        -------
        ndarray
            Log-odds of no event within thirteen steps, shape (..., n).
        """
        trend = weighted(self._standardised(1, trends), self.weights[1], 0.0)
        fading = weighted(np.where(np.isnan(trends), 0.0, trends), self.unit[1] * self.weights[1], 0.0)
        steps = np.exp(silences)
        total = np.zeros(silences.shape[1:])
        for ahead, stands_for in NODES:
            later = np.log(steps + ahead) if ahead else silences
            z = self._standardised(0, later)
            silence = z[self.target.main]
            log_odds = weighted(z, self.weights[0], 0.0) + self.standing + trend
            log_odds += fading * (2.0 ** (-SHARE_DECAY * ahead * self.target.step_s / DAY_S) - 1.0)
            log_odds += silence * (silence * self.bend + self.slant)
            total += stands_for * cumulative_hazard(log_odds)
        return np.clip(no_event_log_odds(total * np.exp(self.level)), -MAX_LOG_ODDS, MAX_LOG_ODDS)

    def take(self, which: NDArray[np.intp]) -> "Ahead":
        """Return some of the customers."""
        return replace(self, standing=self.standing[which], slant=self.slant[which])

    def _standardised(self, kind: int, features: Floats) -> Floats:
        flat = features.reshape(len(features), -1)
        return standardised(flat, self.centre[kind], self.unit[kind]).reshape(features.shape)


def _standing(columns: Floats, centre: Floats, unit: Floats) -> Floats:
    z = standardised(columns, centre, unit)
    z[[RHYTHM, TAIL]] = 0.0
    return z
