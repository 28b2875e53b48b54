"""How early a lost customer would have been noticed: days from the last main event to the alarm that stands.

Beside the two lines: `models.evaluate` gives the scores, this says what they are worth to somebody who has to act
in time. It looks at the whole log, as only an evaluation may.

A score alarms when it is above a threshold, and the threshold is set by what false alarms may cost: the score
exceeded by a given share of the examples that did *not* churn. So models with different probabilities are compared
at the same price.

*Lost* is a customer with no main event for two horizons and more before the end of the log. Alarms come and go; the
one that counts is the *standing* one, the unbroken run of alarms up to the customer's last scored cut, and its time
is the first cut of that run. Cuts from one horizon before the last main event are looked at, so days may be negative:
the alarm stood before the customer had gone. No alarm at the last cut means not detected, infinitely late.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.event_log import EventLog
from models.outcomes import midnights
from models.target import DAY_S, Target

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FALSE_POSITIVE_RATIOS = (0.10, 0.25)
"""Shares of staying customers that may be alarmed about: what is reported."""
NOT_LOST_S = -1


@dataclass(frozen=True)
class EarlyWarning:
    """How early the lost customers of a log were noticed at one price.

    Parameters
    ----------
    false_positive_ratio
        Share of not churned examples that may score above the threshold, in (0, 1).
    threshold
        Scores above it are alarms.
    days
        From each lost customer's last main event to the standing alarm, infinite = not detected, shape (lost,).

    Examples
    --------
    >>> warning = EarlyWarning(0.1, 0.8, np.array([-7.0, 30.0, np.inf]))
    >>> warning.median_days, round(warning.detected_ratio, 3)
    (30.0, 0.667)
    """

    false_positive_ratio: float
    threshold: float
    days: Floats

    @property
    def median_days(self) -> float:
        """The median over all lost customers; infinite if most are not detected, NaN if there are none."""
        return float(np.median(self.days)) if self.days.size else float("nan")

    @property
    def detected_ratio(self) -> float:
        """Share of the lost customers with a standing alarm, in [0, 1]; NaN if there are none."""
        return float(np.isfinite(self.days).mean()) if self.days.size else float("nan")


def lost_at_s(log: EventLog, target: Target, from_s: int) -> Indices:
    """Return when each lost customer was last seen on the main channel.

    Parameters
    ----------
    log
        The whole log.
    target
        Main channel and horizon.
    from_s
        The first cut that is measured: who went before it tells nothing, epoch seconds.

    Returns
    -------
    ndarray
        Epoch seconds per customer, `NOT_LOST_S` for those who are not lost, shape (customers,).
    """
    last = np.full(len(log.customers), NOT_LOST_S, np.int64)
    is_main = log.channel == target.main
    np.maximum.at(last, log.customer[is_main], log.at_s[is_main])
    _, end_s = midnights(log)
    is_lost = (last >= from_s) & (end_s - last >= 2 * target.horizon_s)
    return np.where(is_lost, last, NOT_LOST_S)


def early_warning(
    false_positive_ratio: float,
    *,
    at_s: Indices,
    customer: Indices,
    churned: Bools,
    p: Floats,
    lost: Indices,
    target: Target,
) -> EarlyWarning:
    """Measure how early lost customers were noticed.

    Parameters
    ----------
    false_positive_ratio
        Share of not churned examples that may be alarms, in (0, 1).
    at_s, customer, churned, p
        Cut (epoch seconds), customer index, outcome and P(churn) of each pooled example, shape (n,), in any order.
    lost
        From `lost_at_s`, shape (customers,).
    target
        Main channel and horizon.

    Returns
    -------
    EarlyWarning
        With one number of days per lost customer that was scored.

    Raises
    ------
    ValueError
        The ratio is not between 0 and 1.

    Examples
    --------
    Last seen on day 1, alarmed at the cuts of days 14 and 21; who stayed scored 0.4 at most.

    >>> from models.events import Channel
    >>> days = np.array([7, 14, 21, 7, 14])
    >>> early_warning(
    ...     0.1,
    ...     at_s=days * DAY_S,
    ...     customer=np.array([0, 0, 0, 1, 1]),
    ...     churned=np.array([True, True, True, False, False]),
    ...     p=np.array([0.3, 0.6, 0.8, 0.2, 0.4]),
    ...     lost=np.array([1 * DAY_S, NOT_LOST_S]),
    ...     target=Target(Channel.ORDER, 28 * DAY_S),
    ... )
    EarlyWarning(false_positive_ratio=0.1, threshold=0.4, days=array([13.]))
    """
    if not 0 < false_positive_ratio < 1:
        raise ValueError(f"false_positive_ratio must be between 0 and 1, got {false_positive_ratio}")
    threshold = threshold_at(false_positive_ratio, churned, p)
    last = lost[customer]
    looked_at = np.flatnonzero((last != NOT_LOST_S) & (at_s > last - target.horizon_s))
    ordered = looked_at[np.lexsort((at_s[looked_at], customer[looked_at]))]
    alarmed_s = _standing_since(customer[ordered], at_s[ordered], p[ordered] > threshold)
    whose = last[ordered][_first_of_each(customer[ordered])]
    return EarlyWarning(false_positive_ratio, threshold, (alarmed_s - whose) / DAY_S)


def threshold_at(false_positive_ratio: float, churned: Bools, p: Floats) -> float:
    """Return the score that a given share of the not churned examples exceeds; 1 without such examples.

    Scores that are equal cannot be told apart, so the share may come out smaller, never larger.

    Examples
    --------
    >>> threshold_at(0.25, np.zeros(4, bool), np.array([0.2, 0.9, 0.4, 0.6]))
    0.6
    """
    stayed = np.sort(p[~churned])
    if not stayed.size:
        return 1.0
    exceeding = int(false_positive_ratio * stayed.size)
    return float(stayed[-1 - exceeding])


def _first_of_each(customer: Indices) -> Indices:
    """Return where each customer's examples begin, for examples sorted by customer."""
    return np.flatnonzero(np.diff(customer, prepend=-1))


def _standing_since(customer: Indices, at_s: Indices, is_alarm: Bools) -> Floats:
    """Return per customer the cut at which the last run of alarms began, infinite if it is quiet at the end."""
    if not customer.size:
        return np.zeros(0)
    first = _first_of_each(customer)
    end = np.append(first[1:], customer.size)
    place = np.arange(customer.size)
    last_quiet = np.maximum.reduceat(np.where(is_alarm, -1, place), first)
    begin = np.maximum(last_quiet + 1, first)
    stands = begin < end
    return np.where(stands, at_s[np.minimum(begin, end - 1)], np.inf)
