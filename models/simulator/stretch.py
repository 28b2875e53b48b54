"""Time stretched by a rate: how much is done by a moment, and when a given amount is done.

A climate says how active a shop is and how many newcomers it gets, as rates over time. Lives and arrivals are drawn
in even time and pass through here, so nothing about them has to be drawn differently. Times are float days.
"""

from collections.abc import Callable

import numpy as np

from models.simulator.calendar import Days

TABLE_DAYS = 30 * 365
"""How far a changing rate is followed; later it stays as it was on the last day."""


class Even:
    """A rate that never changes.

    Parameters
    ----------
    rate
        Amount a day, > 0.

    Examples
    --------
    >>> Even(0.5).done(np.array(4.0)).item(), Even(0.5).at(np.array(2.0)).item()
    (2.0, 4.0)
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def done(self, at: Days) -> Days:
        """Return the amount done by some moments, counted from day 0."""
        return at * self._rate

    def at(self, done: Days) -> Days:
        """Return the moments by which some amounts are done: undoes `done`."""
        return done / self._rate


class Uneven:
    """A rate that changes from day to day, and stays as it is at both ends of its table.

    Parameters
    ----------
    begin
        Where the table begins, in days.
    rates
        Amount a day on each day from there on, > 0, shape (n,).

    Examples
    --------
    >>> tired = Uneven(100.0, np.array([1.0, 1.0, 0.5]))
    >>> tired.done(np.array([99.0, 102.0, 104.0])).tolist()
    [-1.0, 2.0, 3.0]
    >>> tired.at(np.array([-1.0, 2.0, 3.0])).tolist()
    [99.0, 102.0, 104.0]
    """

    def __init__(self, begin: float, rates: Days) -> None:
        self._at = begin + np.arange(rates.size + 1.0)
        self._done = np.concatenate(([0.0], np.cumsum(rates)))
        self._first, self._last = rates[0], rates[-1]

    def done(self, at: Days) -> Days:
        """Return the amount done by some moments, counted from the table's begin; negative before it."""
        before, after = np.minimum(at - self._at[0], 0.0), np.maximum(at - self._at[-1], 0.0)
        done: Days = np.interp(at, self._at, self._done) + before * self._first + after * self._last
        return done

    def at(self, done: Days) -> Days:
        """Return the moments by which some amounts are done: undoes `done`."""
        before, after = np.minimum(done, 0.0), np.maximum(done - self._done[-1], 0.0)
        at: Days = np.interp(done, self._done, self._at) + before / self._first + after / self._last
        return at


Stretch = Even | Uneven


def stretch(begin: float, rate: Callable[[Days], Days]) -> Stretch:
    """Tabulate a rate by day.

    Parameters
    ----------
    begin
        First day of the table.
    rate
        Amount a day at some moments, > 0; asked at the middle of each of `TABLE_DAYS` days.

    Returns
    -------
    Stretch
        `Even` where the rate never changes: exact, and as fast as not stretching at all.

    Examples
    --------
    >>> stretch(0.0, lambda at: 0.5 + 0 * at).at(np.array(1.0)).item()
    2.0
    """
    middles: Days = np.arange(0.5, TABLE_DAYS) + begin
    rates = rate(middles)
    return Even(rates.item(0)) if (rates == rates[0]).all() else Uneven(begin, rates)
