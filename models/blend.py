"""Weights of a mixture, learnt online: who has been right lately counts most.

Exponentially weighted averaging [1]_ on discounted log loss, on the second line. With each expert's mean loss over
past labels, weighed by age,

    weight ~ start * exp(-rate * weeks * mean loss)

where ``weeks`` is the discounted number of weeks behind the mean (at most ten at a discount of 0.9): with a rate of 20
and ten weeks an expert 0.01 nats behind the best has a seventh of its weight. Near-equals share, losers fade within
weeks, and because old losses are discounted a loser can come back.

References
----------
.. [1] N. Cesa-Bianchi, G. Lugosi (2006), Prediction, learning, and games, ch. 2 and 2.11 (discounted losses).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.experts.second_order import finite

Floats = NDArray[np.float64]

WEEK_DAYS = 7.0


class Blend:
    """Weights of k members that sum to one.

    Parameters
    ----------
    start
        Weights before any loss is known, >= 0, not all zero, shape (k,).
    rate
        How hard a loss is punished, > 0, per nat and week.
    kept_per_week
        What last week's losses count against this week's, in (0, 1).

    Examples
    --------
    >>> blend = Blend(np.ones(2), rate=20.0, kept_per_week=0.9)
    >>> for _ in range(10):
    ...     blend.learn(np.array([[0.50, 0.51]]), np.ones(1), days=7.0)
    >>> blend.weights().round(2).tolist()
    [0.79, 0.21]
    """

    def __init__(self, start: Floats, *, rate: float, kept_per_week: float) -> None:
        self.start = np.asarray(start, np.float64)
        self.rate = rate
        self.kept_per_week = kept_per_week
        self._loss = np.zeros(len(self.start))
        self._labels = 0.0
        self._weeks = 0.0

    def learn(self, losses: Floats, weight: Floats, *, days: float) -> None:
        """Take the losses of a group of labels.

        Parameters
        ----------
        losses
            Log loss of each member, in nats, shape (n, k).
        weight
            How much each label counts, shape (n,).
        days
            Event time since the group before, >= 0.
        """
        kept = self.kept_per_week ** (days / WEEK_DAYS)
        self._loss = kept * self._loss + weight @ losses
        self._labels = kept * self._labels + float(weight.sum())
        self._weeks = max(1.0, kept * self._weeks + days / WEEK_DAYS)

    def weights(self, able: NDArray[np.bool_] | None = None) -> Floats:
        """Return the weights, shape (k,), zero for members that are not able to answer yet."""
        start = self.start if able is None else np.where(able, self.start, 0.0)
        excess = self._loss / self._labels if self._labels else self._loss
        excess = excess - excess[start > 0].min()
        raw = start * np.exp(-self.rate * self._weeks * np.maximum(excess, 0.0))
        weights: Floats = raw / raw.sum()
        return weights

    def to_dict(self) -> dict[str, Any]:
        """Write down what was learnt as plain numbers."""
        return {"loss": self._loss.tolist(), "labels": self._labels, "weeks": self._weeks}

    def load(self, plain: dict[str, Any]) -> None:
        """Go on from what `to_dict` gave; ValueError when it is damaged."""
        self._loss = finite(plain["loss"], len(self.start))
        self._labels, self._weeks = finite([plain["labels"], plain["weeks"]], 2).tolist()


def log_losses(log_odds: Floats, y: Floats) -> Floats:
    """Return the log loss of log-odds, shape (n, k), against outcomes 0 or 1, shape (n,), in nats.

    Examples
    --------
    >>> log_losses(np.array([[0.0, 2.0]]), np.array([1.0])).round(3).tolist()
    [[0.693, 0.127]]
    """
    return np.logaddexp(0.0, np.where(y[:, None] > 0.5, -log_odds, log_odds))
