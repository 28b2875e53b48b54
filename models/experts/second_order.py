"""A logit learnt by Newton steps on a running Hessian that forgets: second-order online logistic regression.

The learner behind the linear, the curved and the hazard expert, on the second line. One pass gets what refitting on
the whole past gets, at a fraction of what first-order steps lose [1]_ [2]_.

A group of labels moves the weights by one Newton step

    precision <- kept * precision + sum of p (1 - p) x x'
    weights   <- weights + (precision + ridge)^-1 (sum of x (y - p) - (1 - kept) * ridge * weights)

where ``kept`` halves the past every `MEMORY_DAYS` of event time, but never lets fewer than `LEAST_LABELS` labels
count: a small shop cannot afford to forget so fast. The second term draws weights of which nothing new is heard back
to zero, as forgetting draws the precision back to the ridge.

References
----------
.. [1] E. Hazan, A. Agarwal, S. Kale (2007), Logarithmic regret algorithms for online convex optimization (online
   Newton step), Machine Learning 69.
.. [2] L. Ljung, T. Soderstrom (1983), Theory and practice of recursive identification, MIT Press: the recursive
   Gauss-Newton method with a forgetting factor.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.experts.formulas import probability

Floats = NDArray[np.float64]

MEMORY_DAYS = 30.0  # half-life of labels; measured on nine logs: 30 is best or near, 120 loses up to 0.007 log loss
LEAST_LABELS = 1_000.0
_LEAST_CURVATURE = 1e-4  # p (1 - p) of a label that is all but certain; keeps the Hessian from vanishing


class SecondOrder:
    """Weights of a logit and how sure they are.

    Parameters
    ----------
    ridge
        Labels' worth of evidence that each weight is zero, > 0, shape (d,).
    memory_days
        Half-life of a label, > 0.

    Examples
    --------
    >>> logit = SecondOrder(np.ones(1))
    >>> for day in range(3):
    ...     logit.learn(np.array([[1.0], [-1.0]] * 50), np.array([1.0, 0.0] * 50), days=day)
    >>> logit.weights.round(1).tolist()
    [2.5]
    """

    def __init__(self, ridge: Floats, memory_days: float = MEMORY_DAYS) -> None:
        self.ridge = ridge
        self.memory_days = memory_days
        self.weights = np.zeros(len(ridge))
        self.precision = np.zeros((len(ridge), len(ridge)))
        self.labels_kept = 0.0

    def learn(self, x: Floats, y: Floats, *, days: float = 0.0, weight: ArrayLike = 1.0) -> None:
        """Learn a group of labels in one step.

        Parameters
        ----------
        x
            Standardised inputs, shape (n, d), finite, n >= 1.
        y
            Outcomes, 0 or 1, shape (n,).
        days
            Event time since the group before, >= 0.
        weight
            How much each label counts, shape (n,) or one for all.
        """
        counts = np.broadcast_to(np.asarray(weight, np.float64), len(y))
        kept = self._kept(days, float(counts.sum()))
        p = probability(x @ self.weights)
        curvature = np.maximum(p * (1.0 - p), _LEAST_CURVATURE) * counts
        hessian = (x * curvature[:, None]).T @ x
        # Rounding may leave the two halves of a product a bit apart; only one of them is written down.
        self.precision = kept * self.precision + (hessian + hessian.T) / 2
        self.labels_kept = kept * self.labels_kept + float(counts.sum())
        gradient = x.T @ ((y - p) * counts) - (1.0 - kept) * self.ridge * self.weights
        self.weights = self.weights + np.linalg.solve(self.precision + np.diag(self.ridge), gradient)

    def _kept(self, days: float, n: float) -> float:
        wanted: float = 0.5 ** (days / self.memory_days)
        if self.labels_kept <= 0.0:
            return wanted
        return max(wanted, min(1.0, (LEAST_LABELS - n) / self.labels_kept))

    def to_dict(self) -> dict[str, Any]:
        """Write everything down as plain numbers; the precision by its upper triangle."""
        upper = self.precision[np.triu_indices(len(self.ridge))]
        return {"weights": self.weights.tolist(), "precision": upper.tolist(), "labels_kept": self.labels_kept}

    def load(self, plain: dict[str, Any]) -> None:
        """Go on from what `to_dict` gave.

        Raises
        ------
        ValueError
            Wrong length, or a number that is not finite.
        """
        size = len(self.ridge)
        weights, upper = finite(plain["weights"], size), finite(plain["precision"], size * (size + 1) // 2)
        precision = np.zeros((size, size))
        precision[np.triu_indices(size)] = upper
        self.precision = precision + np.triu(precision, 1).T
        self.weights = weights
        self.labels_kept = float(finite([plain["labels_kept"]], 1)[0])


def finite(numbers: object, size: int) -> Floats:
    """Return a list of numbers as an array.

    Raises
    ------
    ValueError
        Not a list of `size` finite numbers.

    Examples
    --------
    >>> finite([1, 2.5], 2).tolist()
    [1.0, 2.5]
    >>> finite([1], 2)
    Traceback (most recent call last):
    ValueError: expected 2 finite numbers
    """
    try:
        array = np.array(numbers, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != (size,) or not np.isfinite(array).all():
        raise ValueError(f"expected {size} finite numbers")
    return array
