"""The linear and the curved expert: second-order logits that learn from horizon labels.

Both answer the very question, P(no main event within the horizon), a horizon late. Linear wins where data are few or
habits are loose, curved where rhythms are regular.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.experts.expert import Expert
from models.experts.formulas import N_FEATURES, N_HIDDEN, activated, folded, hidden_units, weighted
from models.experts.scaling import Scaling
from models.experts.second_order import MEMORY_DAYS, SecondOrder
from models.target import DAY_S

Floats = NDArray[np.float64]

RIDGE = 10.0  # labels' worth of evidence that a feature says nothing
HIDDEN_RIDGE = 50.0  # a hidden unit has to prove more: there are more of them, and none was chosen for a reason


class LinearExpert(Expert):
    """A logit on the features.

    Parameters
    ----------
    main, horizon_s
        As in `Expert`.
    memory_days
        Half-life of a label in days of event time, > 0.
    scaling
        Shared with other experts and measured by whoever made it; None = its own.

    Examples
    --------
    >>> expert = LinearExpert()
    >>> for _ in range(300):
    ...     expert.learn_one({"order_silence": 3.0}, True)
    ...     expert.learn_one({"order_silence": 1.0}, False)
    >>> expert.predict_proba_one({"order_silence": 3.0})[True] > 0.9
    True
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
        self._logit.learn(self._inputs(x), y, days=days, weight=weight)

    def log_odds(self, x: Floats) -> Floats:
        """Return the log-odds of churn; see `Expert.log_odds`."""
        z = np.ascontiguousarray(self._scaling.standardised(x).T)
        return weighted(z, self.weights[:N_FEATURES], float(self.weights[-1]))

    @property
    def weights(self) -> Floats:
        """Weights of the standardised inputs in order, the bias last."""
        return self._logit.weights

    def to_dict(self) -> dict[str, Any]:
        """Write down what was learnt, but for the scaling, as plain numbers."""
        return self._logit.to_dict()

    def load(self, plain: dict[str, Any]) -> None:
        """Go on from what `to_dict` gave; ValueError when it is damaged."""
        self._logit.load(plain)

    def _ridge(self) -> Floats:
        return np.full(N_FEATURES + 1, RIDGE)

    def _inputs(self, x: Floats) -> Floats:
        return np.column_stack([self._scaling.standardised(x), np.ones(len(x))])


class CurvedExpert(LinearExpert):
    """A logit on the features and `N_HIDDEN` fixed hidden units; parameters as in `LinearExpert`."""

    def log_odds(self, x: Floats) -> Floats:
        """Return the log-odds of churn; see `Expert.log_odds`."""
        z = np.ascontiguousarray(self._scaling.standardised(x).T)
        units = activated(z, hidden_units(self.target.main))
        hidden = folded(units * self.weights[N_FEATURES:-1, None])
        return weighted(z, self.weights[:N_FEATURES], float(self.weights[-1])) + hidden

    def _ridge(self) -> Floats:
        return np.concatenate([np.full(N_FEATURES, RIDGE), np.full(N_HIDDEN, HIDDEN_RIDGE), [RIDGE]])

    def _inputs(self, x: Floats) -> Floats:
        z = self._scaling.standardised(x)
        units = activated(np.ascontiguousarray(z.T), hidden_units(self.target.main))
        return np.column_stack([z, units.T, np.ones(len(x))])
