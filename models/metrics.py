"""How good probabilities were, once the outcomes are known: AUC, log loss, Brier score, calibration error.

Used by *trainer* and by `models.evaluate`. Array in, number out; outcome 1 is churn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CLIP = 1e-6  # a probability of exactly 0 or 1 that is wrong would make the mean log loss infinite
BINS = 10


@dataclass(frozen=True)
class Metrics:
    """Metrics of one set of examples.

    Parameters
    ----------
    n
        Examples.
    base_rate
        Share that churned, in [0, 1].
    auc
        Probability that a churned example scored above a returned one, ties half; NaN without both.
    log_loss
        Mean negative log likelihood, in nats.
    brier
        Mean squared error, in [0, 1].
    ece
        Expected calibration error, in [0, 1].

    Everything but `n` is NaN without examples.
    """

    n: int
    base_rate: float
    auc: float
    log_loss: float
    brier: float
    ece: float

    @classmethod
    def of(cls, churned: Bools, p: Floats) -> "Metrics":
        """Measure probabilities `p` against outcomes, both of shape (n,)."""
        n = len(p)
        if n == 0:
            return cls(0, *[float("nan")] * 5)
        return cls(
            n,
            float(churned.mean()),
            auc(churned, p),
            log_loss(churned, p),
            brier(churned, p),
            ece(churned, p),
        )


def auc(churned: Bools, p: Floats) -> float:
    """Rank quality: how often a churned example scores above a returned one, ties counted half.

    Examples
    --------
    >>> auc(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.4, 0.9]))
    0.875

    References
    ----------
    .. [1] J. Hanley, B. McNeil (1982), The meaning and use of the area under a ROC curve, Radiology 143.
    """
    positives = int(churned.sum())
    negatives = len(churned) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, place, ties = np.unique(p, return_inverse=True, return_counts=True)
    rank = np.cumsum(ties) - (ties - 1) / 2.0
    above = rank[place][churned].sum() - positives * (positives + 1) / 2.0
    return float(above / (positives * negatives))


def log_loss(churned: Bools, p: Floats) -> float:
    """Mean negative log likelihood in nats; probabilities are clipped to `CLIP` from 0 and 1.

    Examples
    --------
    >>> round(log_loss(np.array([True, False]), np.array([0.5, 0.5])), 4)
    0.6931
    """
    q = np.clip(p, CLIP, 1.0 - CLIP)
    return float(-np.mean(np.log(np.where(churned, q, 1.0 - q))))


def brier(churned: Bools, p: Floats) -> float:
    """Mean squared difference of probability and outcome.

    Examples
    --------
    >>> brier(np.array([True, False]), np.array([0.5, 1.0]))
    0.625
    """
    return float(np.mean((p - churned) ** 2))


def ece(churned: Bools, p: Floats) -> float:
    """Calibration: the expected gap between said and seen, over `BINS` bins of equal width.

    Examples
    --------
    >>> round(ece(np.array([True, False, True, True]), np.array([0.7, 0.7, 0.72, 0.98])), 3)
    0.035

    References
    ----------
    .. [1] M. P. Naeini, G. Cooper, M. Hauskrecht (2015), Obtaining well calibrated probabilities using
       Bayesian binning, AAAI.
    """
    place = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    said, seen = (np.bincount(place, values, BINS) for values in (p, churned))
    return float(np.abs(said - seen).sum() / len(p))
