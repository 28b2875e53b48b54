"""The process expert: buy till you die, in closed form, its four parameters learnt online from quick labels.

MBG/NBD [1]_ [2]_: occasions come at a rate that is gamma(r, alpha) among customers, and after *each* of them, the first
one too, the customer leaves for good with a probability that is beta(a, b) among customers. (In BG/NBD [3]_ nobody
leaves after the first occasion, so a one-time buyer is alive forever and 1 - P(alive) no measure of churn.) With x
returns, the last of them at t, and T days since the first occasion,

    odds of having left = a / (b + x) * ((alpha + T) / (alpha + t)) ** (r + x)
    P(returns in H)     = P(alive) * (1 - ((alpha + T) / (alpha + T + H)) ** (r + x))

It needs hardly any data. The parameters follow the outcomes of the last weeks by Gauss-Newton steps on the log loss of
P(no event within a step), so they follow a moving level too.

References
----------
.. [1] E. Batislam, M. Denizel, A. Filiztekin (2007), Empirical validation and comparison of models for customer base
   analysis, International Journal of Research in Marketing 24(3).
.. [2] U. Wagner, D. Hoppe (2008), Erratum on the MBG/NBD model, International Journal of Research in Marketing 25(3).
.. [3] P. Fader, B. Hardie, K. Lee (2005), "Counting your customers" the easy way, Marketing Science 24(2).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.experts.expert import Expert
from models.experts.formulas import probability
from models.experts.second_order import MEMORY_DAYS, finite
from models.features import INDEX, SILENCE_OF, SILENCE_STEPS
from models.target import DAY_S, Target

Floats = NDArray[np.float64]

_OCCASIONS, _SPAN = INDEX["main_occasions"], INDEX["main_span"]
_RIDGE = 100.0  # labels' worth of evidence for the parameters as they are; damps the steps while little is known
_MAX_STEP = 0.5  # in logs: no group of labels changes a parameter by more than two thirds
_NUDGE = 1e-4
_BOUNDS = (-12.0, 12.0)


class ProcessExpert(Expert):
    """Learns from step labels, answers for the horizon.

    Parameters
    ----------
    main, horizon_s
        As in `Expert`.
    memory_days
        Half-life of a label in days of event time, > 0.

    Attributes
    ----------
    parameters
        Logs of r, alpha in days, a and b. At first the gap of a typical customer is a horizon, and three in ten leave
        after the first occasion, as in `models.hazard`.
    """

    def __init__(self, main: str = "order", horizon_s: int = 91 * DAY_S, memory_days: float = MEMORY_DAYS) -> None:
        super().__init__(main, horizon_s)
        self.memory_days = memory_days
        self.parameters = np.log([1.0, horizon_s / DAY_S, 0.6, 1.4])
        self._precision = np.zeros((4, 4))

    def learn(self, x: Floats, y: Floats, *, days: float = 0.0, weight: ArrayLike = 1.0) -> None:
        """Learn a group of step labels; see `Expert.learn`."""
        counts = np.broadcast_to(np.asarray(weight, np.float64), len(y))
        history, step_days = histories(x.T, self.target), self.target.step_s / DAY_S
        p = probability(no_occasion_log_odds(self.parameters, *history, step_days))
        slopes = np.column_stack([self._slope(place, history, step_days) for place in range(4)])
        self._precision *= 0.5 ** (days / self.memory_days)
        self._precision = self._precision + (slopes * (p * (1.0 - p) * counts)[:, None]).T @ slopes
        move = np.linalg.solve(self._precision + _RIDGE * np.eye(4), slopes.T @ ((y - p) * counts))
        self.parameters = np.clip(self.parameters + np.clip(move, -_MAX_STEP, _MAX_STEP), *_BOUNDS)

    def log_odds(self, x: Floats) -> Floats:
        """Return the log-odds of churn; see `Expert.log_odds`."""
        return no_occasion_log_odds(self.parameters, *histories(x.T, self.target), self.target.horizon_days)

    def to_dict(self) -> dict[str, Any]:
        """Write down what was learnt as plain numbers."""
        return {"parameters": self.parameters.tolist(), "precision": self._precision.ravel().tolist()}

    def load(self, plain: dict[str, Any]) -> None:
        """Go on from what `to_dict` gave; ValueError when it is damaged."""
        parameters, precision = finite(plain["parameters"], 4), finite(plain["precision"], 16)
        self.parameters, self._precision = parameters, precision.reshape(4, 4)

    def _slope(self, place: int, history: tuple[Floats, Floats, Floats], days: float) -> Floats:
        """Derivative of the log-odds by one parameter, by central differences."""
        nudge = np.zeros(4)
        nudge[place] = _NUDGE
        above = no_occasion_log_odds(self.parameters + nudge, *history, days)
        below = no_occasion_log_odds(self.parameters - nudge, *history, days)
        return (above - below) / (2 * _NUDGE)


def histories(columns: Floats, target: Target) -> tuple[Floats, Floats, Floats]:
    """Read returns x, time of the last one t and time since the first occasion T, in days, from features.

    Parameters
    ----------
    columns
        Features, one per row, shape (d, n). A customer of whom nothing is known is a newcomer.
    target
        Main channel and horizon.
    """
    x, t = past(columns)
    return x, t, t + since_days(columns[SILENCE_OF[target.main]], target)


def past(columns: Floats) -> tuple[Floats, Floats]:
    """Read what stands still of `histories`: returns x and time of the last one t, shape (n,)."""
    occasions, span = (np.where(np.isnan(columns[index]), 0.0, columns[index]) for index in (_OCCASIONS, _SPAN))
    return np.maximum(np.exp(occasions) - 1.0, 0.0), np.maximum(np.expm1(span), 0.0)


def since_days(silence: Floats, target: Target) -> Floats:
    """Read the days since the last occasion from the feature of the main silence, any shape; 0 where unknown."""
    known = np.where(np.isnan(silence), 0.0, silence)
    return np.maximum(np.expm1(known), 0.0) * (target.horizon_days / SILENCE_STEPS)


def no_occasion_log_odds(parameters: Floats, x: Floats, t: Floats, age: Floats, days: float) -> Floats:
    """Return the log-odds that no occasion falls into the next `days`, shape (n,).

    Examples
    --------
    A newcomer after a day and after a quarter: P(no order within 91 days)

    >>> now = no_occasion_log_odds(np.log([1.0, 91.0, 0.6, 1.4]), 0.0, 0.0, np.array([1.0, 91.0]), 91.0)
    >>> (1 / (1 + np.exp(-now))).round(2).tolist()
    [0.65, 0.82]
    """
    r, alpha, a, b = (math.exp(value) for value in parameters)
    power = r + x
    left = a / (b + x) * np.exp(np.minimum(power * (np.log(alpha + age) - np.log(alpha + t)), 50.0))
    comes = -np.expm1(-power * np.log1p(days / (alpha + age)))
    returns = np.clip(comes / (1.0 + left), 1e-12, 1.0 - 1e-12)
    log_odds: Floats = np.log1p(-returns) - np.log(returns)
    return log_odds
