"""One yardstick for all experts: each feature in standard deviations from its mean.

Second line and score alike. A scale that went on moving would go on changing what every learnt weight means; one taken
from the first customers would be of newcomers alone. So a feature is measured from its first known value on until
`SETTLING_HORIZONS` later, counts from `LEAST_VALUES` values on, and keeps its scale from then on. One that turns up
later (a shop connects its e-mail in its second year) settles then.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.experts.second_order import finite

Floats = NDArray[np.float64]

LEAST_VALUES = 200  # a standard deviation from 200 values is right to 5 %
SETTLING_HORIZONS = 2.0  # by then there are newcomers, regulars and lost customers among the examples
_LEAST_SPREAD = 0.05  # features are logs and ratios: less than this is no spread


class Scaling:
    """Means and spreads of d features.

    Parameters
    ----------
    size
        d.
    horizon_days
        H in days.
    """

    def __init__(self, size: int, horizon_days: float) -> None:
        self._settling_days = SETTLING_HORIZONS * horizon_days
        self._known = np.zeros(size)
        self._mean = np.zeros(size)
        self._square = np.zeros(size)
        self._days = np.zeros(size)  # since the first known value

    def learn(self, x: Floats, *, days: float = 0.0) -> None:
        """Measure features that have not settled.

        Parameters
        ----------
        x
            Shape (n, d), NaN = unknown.
        days
            Event time since the group before, >= 0.
        """
        self._days += np.where(self._known > 0, days, 0.0)
        moving = np.flatnonzero((self._days < self._settling_days) | (self._known < LEAST_VALUES))
        if not moving.size:
            return
        values = x[:, moving]
        is_known = ~np.isnan(values)
        n = is_known.sum(axis=0)
        mean = np.where(is_known, values, 0.0).sum(axis=0) / np.maximum(n, 1)
        square = np.where(is_known, (values - mean) ** 2, 0.0).sum(axis=0)
        before = self._known[moving]
        total = np.maximum(before + n, 1)
        distance = mean - self._mean[moving]
        self._square[moving] += square + distance**2 * before * n / total  # Chan, Golub, LeVeque (1983)
        self._mean[moving] += distance * n / total
        self._known[moving] += n

    @property
    def centre(self) -> Floats:
        """Mean of each feature, shape (d,); 0 while too few values are known."""
        return np.where(self._known >= LEAST_VALUES, self._mean, 0.0)

    @property
    def unit(self) -> Floats:
        """One over the standard deviation, shape (d,); 0 while too few values are known or all are the same."""
        spread = np.sqrt(self._square / np.maximum(self._known, 1.0))
        usable = (self._known >= LEAST_VALUES) & (spread > 0)
        return np.divide(1.0, np.maximum(spread, _LEAST_SPREAD), out=np.zeros_like(spread), where=usable)

    def standardised(self, x: Floats) -> Floats:
        """Return `x`, shape (n, d), in standard deviations; what is unknown is 0, the mean."""
        return standardised(x.T, self.centre, self.unit).T

    def to_dict(self) -> dict[str, Any]:
        """Write everything down as plain numbers."""
        columns = {"known": self._known, "mean": self._mean, "square": self._square, "days": self._days}
        return {name: column.tolist() for name, column in columns.items()}

    def load(self, plain: dict[str, Any]) -> None:
        """Go on from what `to_dict` gave; ValueError when it is damaged."""
        columns = [finite(plain[name], len(self._known)) for name in ("known", "mean", "square", "days")]
        self._known, self._mean, self._square, self._days = columns


def standardised(columns: Floats, centre: Floats, unit: Floats) -> Floats:
    """Standardise features that lie in rows, shape (d, n): each value depends on itself alone.

    Examples
    --------
    >>> standardised(np.array([[3.0, np.nan]]), np.array([1.0]), np.array([0.5])).tolist()
    [[1.0, 0.0]]
    """
    z = (columns - centre[:, None]) * unit[:, None]
    np.copyto(z, 0.0, where=np.isnan(z))
    return z
