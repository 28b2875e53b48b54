"""Experts that are second-order logits: what they share, and the two that learn from horizon labels.

The linear and the curved expert answer the very question, P(no main event within the horizon), a horizon late. Linear
wins where data are few or habits are loose, curved where rhythms are regular.
"""

import abc
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.experts.expert import Expert
from models.experts.formulas import (
    N_FEATURES,
    N_HIDDEN,
    activated,
    curved_log_odds,
    hidden_units,
    linear_log_odds,
)
from models.experts.scaling import Scaling
from models.experts.second_order import MEMORY_DAYS, SecondOrder
from models.target import DAY_S

Floats = NDArray[np.float64]

RIDGE = 10.0  # labels' worth of evidence that a feature says nothing
HIDDEN_RIDGE = 50.0  # a hidden unit has to prove more: there are more of them, and none was chosen for a reason


class LogitExpert(Expert):
    """A logit on inputs that are made of the standardised features.

    Parameters
    ----------
    main, horizon_s
        As in `Expert`.
    memory_days
        Half-life of a label in days of event time, > 0.
    scaling
        Shared with other experts and measured by whoever made it; None = its own.
    """

    def __init__(
        self,
        main: str = "order",
        horizon_s: int = 91 * DAY_S,
        memory_days: float = MEMORY_DAYS,
        scaling: Scaling | None = None,
    ) -> None:
        super().__init__(main, horizon_s)
        self.memory_days = memory_days
        self.scaling = scaling
        self._scaling = scaling or Scaling(N_FEATURES, self.target.horizon_days)
        self._logit = SecondOrder(self._ridge(), memory_days)

    def learn(self, x: Floats, y: Floats, *, days: float = 0.0, weight: ArrayLike = 1.0) -> None:
        """Learn a group of labels; see `Expert.learn`."""
        if self.scaling is None:
            self._scaling.learn(x, days=days)
        inputs = np.vstack([self._inputs(x), np.ones(len(x))])
        self._logit.learn(np.ascontiguousarray(inputs.T), y, days=days, weight=weight)

    @property
    def weights(self) -> Floats:
        """Weights of the inputs in order, the bias last."""
        return self._logit.weights

    def to_dict(self) -> dict[str, Any]:
        """Write down what was learnt, but for the scaling, as plain numbers."""
        return self._logit.to_dict()

    def load(self, plain: dict[str, Any]) -> None:
        """Go on from what `to_dict` gave; ValueError when it is damaged."""
        self._logit.load(plain)

    @abc.abstractmethod
    def _ridge(self) -> Floats:
        """Return the ridge of each input, the bias last."""

    @abc.abstractmethod
    def _inputs(self, x: Floats) -> Floats:
        """Return the inputs but for the bias, one per row, for features of shape (n, d)."""

    def _z(self, x: Floats) -> Floats:
        """Return the standardised features, one per row, shape (d, n)."""
        return np.ascontiguousarray(self._scaling.standardised(x).T)


class LinearExpert(LogitExpert):
    """A logit on the features; parameters as in `LogitExpert`.

    Examples
    --------
    >>> expert = LinearExpert()
    >>> for _ in range(300):
    ...     expert.learn_one({"order_silence": 3.0}, True)
    ...     expert.learn_one({"order_silence": 1.0}, False)
    >>> expert.predict_proba_one({"order_silence": 3.0})[True] > 0.9
    True
    """

    def log_odds(self, x: Floats) -> Floats:
        """Return the log-odds of churn; see `Expert.log_odds`."""
        return linear_log_odds(self._z(x), self.weights)

    def _ridge(self) -> Floats:
        return np.full(N_FEATURES + 1, RIDGE)

    def _inputs(self, x: Floats) -> Floats:
        return self._z(x)


class CurvedExpert(LogitExpert):
    """A logit on the features and `N_HIDDEN` fixed hidden units; parameters as in `LogitExpert`."""

    def log_odds(self, x: Floats) -> Floats:
        """Return the log-odds of churn; see `Expert.log_odds`."""
        return curved_log_odds(self._z(x), self.weights, self.target.main)

    def _ridge(self) -> Floats:
        return np.concatenate([np.full(N_FEATURES, RIDGE), np.full(N_HIDDEN, HIDDEN_RIDGE), [RIDGE]])

    def _inputs(self, x: Floats) -> Floats:
        z = self._z(x)
        return np.vstack([z, activated(z, hidden_units(self.target.main))])
