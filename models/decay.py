"""Half-life arithmetic: counts and means that age by event time.

Serves per-customer state, the third word of the line from event to alert. Everything here is elementwise and
closed form: a value is kept as of its last event and aged to any later moment when it is asked for.

Decayed counts commute: an event that arrives late is added with the weight it would have by now, so the order
of arrival changes nothing but the last bit. That is forward decay [1]_ seen from the newest event instead of
a landmark.

References
----------
.. [1] G. Cormode, V. Shkapenyuk, D. Srivastava, B. Xu (2009), Forward decay: a practical time decay model for
   streaming systems, ICDE.
"""

from typing import overload

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@overload
def decayed(value: float, gap_days: float, half_life_days: float) -> float: ...
@overload
def decayed(value: Floats, gap_days: Floats, half_life_days: float) -> Floats: ...
def decayed(value: float | Floats, gap_days: float | Floats, half_life_days: float) -> float | Floats:
    """Age a decayed count across a silence; ageing in two steps equals ageing in one.

    Parameters
    ----------
    value
        Weighted number of events at the last event, >= 0; a float or shape (n,).
    gap_days
        Event time since then, in days, >= 0; like `value`.
    half_life_days
        Days until an event weighs one half, > 0.

    Returns
    -------
    float or ndarray
        The count now, in [0, value], float64.

    Raises
    ------
    ValueError
        `half_life_days` is not positive.

    Examples
    --------
    >>> decayed(4.0, gap_days=14.0, half_life_days=7.0)
    1.0
    >>> decayed(np.array([4.0, 4.0]), np.array([0.0, 7.0]), half_life_days=7.0).tolist()
    [4.0, 2.0]
    """
    aged = value * np.exp2(-_half_lives(gap_days, half_life_days))
    return aged if isinstance(aged, np.ndarray) else float(aged)


def counted(value: Floats, lag_days: Floats, half_life_days: float, events: NDArray[np.bool_] | float = 1.0) -> Floats:
    """Count one more event: the older side of value and event is aged to the newer one.

    Time passes for the count even where nothing is to be counted.

    Parameters
    ----------
    value
        Decayed counts as of each one's latest event, shape (n,), >= 0.
    lag_days
        New event minus latest event, in days, shape (n,). Positive: the event is in order, the count ages up
        to it. Negative: the event is late, it is added with its own age, and the count stays as of its latest
        event.
    half_life_days
        Days until an event weighs one half, > 0.
    events
        How many events there are, shape (n,) or one number for all, >= 0; False counts none.

    Returns
    -------
    ndarray
        Counts as of the later of both times, shape (n,).

    Raises
    ------
    ValueError
        `half_life_days` is not positive.

    Examples
    --------
    >>> counted(np.array([4.0, 4.0]), np.array([7.0, -7.0]), half_life_days=7.0).tolist()
    [3.0, 4.5]
    """
    kept, own = _weights(lag_days, half_life_days)
    return value * kept + own * events


def averaged(
    mean: Floats, weight: Floats, sample: Floats, lag_days: Floats, half_life_days: float
) -> tuple[Floats, Floats]:
    """Take one more sample into a mean whose samples lose half their weight every half-life.

    The mean itself does not move in silence; its weight does. An unknown sample (NaN) moves time on and
    nothing else.

    Parameters
    ----------
    mean
        Means so far, shape (n,); NaN while nothing is known.
    weight
        Decayed number of samples behind each mean as of its latest event, shape (n,), >= 0.
    sample
        New values, shape (n,); NaN where unknown.
    lag_days
        New event minus latest event, in days, shape (n,), as in `counted`.
    half_life_days
        Days until a sample weighs one half, > 0.

    Returns
    -------
    tuple of ndarray
        Means and weights as of the later of both times, each of shape (n,).

    Raises
    ------
    ValueError
        `half_life_days` is not positive.

    Examples
    --------
    >>> mean, weight = averaged(*np.array([[10.0], [1.0], [40.0], [7.0]]), half_life_days=7.0)
    >>> mean.tolist(), weight.tolist()
    ([30.0], [1.5])
    """
    kept, own = _weights(lag_days, half_life_days)
    known = ~np.isnan(sample)
    old = weight * kept
    new = old + known * own
    # A share of the distance, not a sum of products: equal samples then have exactly their value as mean.
    share = np.divide(own, new, out=np.ones_like(new), where=new > 0)
    moved = np.where(np.isnan(mean), sample, mean + (sample - mean) * share)
    return np.where(known, moved, mean), new


def _half_lives(gap_days: float | Floats, half_life_days: float) -> float | Floats:
    if not half_life_days > 0:
        raise ValueError(f"half-life must be positive, got {half_life_days} days")
    return gap_days / half_life_days


def _weights(lag_days: Floats, half_life_days: float) -> tuple[Floats, Floats]:
    """Weigh what is kept of the value and what the event brings: one of the two is 1."""
    younger = np.exp2(-np.abs(_half_lives(lag_days, half_life_days)))
    late = lag_days < 0
    return np.where(late, 1.0, younger), np.where(late, younger, 1.0)
