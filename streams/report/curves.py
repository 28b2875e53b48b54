"""The arithmetic between scores and a picture: bins of predicted and observed, what each threshold costs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.metrics import BINS

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEW = -1.0
"""The score of the week before, for a customer who had none: below every threshold."""


@dataclass(frozen=True)
class Reliability:
    """What was predicted and what was observed, in the bins of the calibration error; NaN where a bin is empty.

    Parameters
    ----------
    predicted
        Mean P(churn), shape (BINS,).
    observed
        Share that churned, shape (BINS,).
    count
        Examples, shape (BINS,).
    """

    predicted: Floats
    observed: Floats
    count: Indices


def reliability(churned: Bools, p: Floats) -> Reliability:
    """Sort examples into bins of equal width by what was predicted.

    Examples
    --------
    >>> bins = reliability(np.array([True, False, True]), np.array([0.91, 0.15, 0.97]))
    >>> bins.count, bins.predicted[[1, 9]].round(2), bins.observed[[1, 9]]
    (array([0, 1, 0, 0, 0, 0, 0, 0, 0, 2]), array([0.15, 0.94]), array([0., 1.]))
    """
    place = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    predicted, observed = (np.bincount(place, values, BINS) for values in (p, churned))
    return Reliability(ratio(predicted, count), ratio(observed, count), count)


@dataclass(frozen=True)
class AlertCosts:
    """What alerting above each threshold would have brought.

    Parameters
    ----------
    precision
        Share of the alerted examples that churned; NaN where none is alerted. Shape (t,), as all here.
    recall
        Share of the churned examples that were alerted; NaN if none churned.
    standing
        Customers above the threshold, mean per week.
    rising
        Customers above the threshold who were not the week before, mean per week.
    """

    precision: Floats
    recall: Floats
    standing: Floats
    rising: Floats


def alert_costs(thresholds: Floats, churned: Bools, p: Floats, before: Floats, weeks: int) -> AlertCosts:
    """Count alerts and hits above thresholds.

    Parameters
    ----------
    thresholds
        Shape (t,).
    churned, p
        Outcome and P(churn) of each example, shape (n,).
    before
        P(churn) of the same customer the week before, `NEW` without one, shape (n,).
    weeks
        Over how many weeks the examples are spread, > 0.

    Examples
    --------
    >>> costs = alert_costs(
    ...     np.array([0.5]),
    ...     churned=np.array([True, True, False]),
    ...     p=np.array([0.7, 0.8, 0.9]),
    ...     before=np.array([NEW, 0.7, 0.4]),
    ...     weeks=1,
    ... )
    >>> costs.precision.round(2), costs.recall, costs.standing, costs.rising
    (array([0.67]), array([1.]), array([3.]), array([2.]))
    """
    alerts, hits = _above(p, thresholds), _above(p[churned], thresholds)
    stayed = _above(np.minimum(p, before), thresholds)
    return AlertCosts(
        precision=ratio(hits, alerts),
        recall=ratio(hits, np.full(len(thresholds), float(churned.sum()))),
        standing=alerts / weeks,
        rising=(alerts - stayed) / weeks,
    )


def week_before(week: Indices, customer: Indices, p: Floats) -> Floats:
    """Return each example's P(churn) of the week before, `NEW` where the customer had none.

    Parameters
    ----------
    week, customer, p
        Number of the week, index of the customer and P(churn) of each example, shape (n,); one per customer and week.

    Examples
    --------
    >>> week_before(np.array([0, 0, 1, 3]), np.array([5, 6, 5, 5]), np.array([0.1, 0.2, 0.3, 0.4]))
    array([-1. , -1. ,  0.1, -1. ])
    """
    order = np.lexsort((week, customer))
    follows = (np.diff(customer[order], prepend=-1) == 0) & (np.diff(week[order], prepend=-1) == 1)
    before = np.empty(len(p))
    before[order] = np.where(follows, np.roll(p[order], 1), NEW)
    return before


def _above(p: Floats, thresholds: Floats) -> Floats:
    """Count the scores above each threshold."""
    return (len(p) - np.searchsorted(np.sort(p), thresholds, side="right")).astype(np.float64)


def ratio(part: Floats | Indices, whole: Floats | Indices) -> Floats:
    """Divide, NaN where there is nothing to divide by."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
