"""Where a number stands among many others, online: a histogram in log scale that forgets.

Serves segments: how much is much in this shop. In the spirit of DDSketch [1]_, buckets grow by a constant factor, so a
quantile is right to a constant relative error however large the numbers are, and histograms add up. Weights fade by
`fade`, as in forward decay [2]_, so that prices and habits of years ago lose their say.

References
----------
.. [1] C. Masson, J. E. Rim, H. K. Lee (2019), DDSketch: a fast and fully-mergeable quantile sketch with relative-error
   guarantees, PVLDB 12(12).
.. [2] G. Cormode, V. Shkapenyuk, D. Srivastava, B. Xu (2009), Forward decay: a practical time decay model for streaming
   systems, ICDE.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ERROR_RATIO = 0.05
"""Relative error of a quantile. 6 decades of numbers are then 138 buckets at most, which is little to write often."""
_LOG_GROWTH = math.log((1.0 + ERROR_RATIO) / (1.0 - ERROR_RATIO))
_NOTHING = -100_000
"""Bucket of zero: below all others, as the smallest float lies in bucket -7,446."""
_WEIGHT_DIGITS, _LEAST_WEIGHT = 3, 0.01
"""Of a customer: weights are rounded, as they are written often, and forgotten when nothing much is left."""


class LogHistogram:
    """Weights by bucket of the logarithm.

    Parameters
    ----------
    weights
        Bucket number to weight, > 0.

    Examples
    --------
    >>> spent = LogHistogram()
    >>> spent.add(np.array([10.0, 20.0, 20.0, 500.0, np.nan]))
    >>> spent.total, spent.rank(np.array([5.0, 20.0, 1000.0])).tolist()
    (4.0, [0.0, 0.5, 1.0])
    >>> round(spent.quantile(0.5), -1)
    20.0
    """

    def __init__(self, weights: Mapping[int, float] | None = None) -> None:
        self._weights = dict(weights or {})
        self._table: tuple[NDArray[np.int64], Floats] | None = None

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return math.fsum(self._weights.values())

    def add(self, values: Floats) -> None:
        """Count numbers, shape (n,), >= 0, with weight 1 each; NaN is passed over."""
        buckets, counts = np.unique(_buckets(values[~np.isnan(values)]), return_counts=True)
        self._put(dict(zip(buckets.tolist(), counts.tolist(), strict=True)))

    def merge(self, other: "LogHistogram") -> None:
        """Count everything that another one has counted."""
        self._put(other._weights)

    def fade(self, factor: float) -> None:
        """Multiply all weights by a number in (0, 1]; what is left of nothing much is dropped."""
        faded = ((bucket, round(weight * factor, _WEIGHT_DIGITS)) for bucket, weight in self._weights.items())
        self._weights = {bucket: weight for bucket, weight in faded if weight >= _LEAST_WEIGHT}
        self._table = None

    def rank(self, values: Floats) -> Floats:
        """Tell which share of the weight lies below each number, those in its own bucket counted half.

        Counted half, because a bucket may hold most of a shop: who is like everybody else is in the middle, not on top.

        Parameters
        ----------
        values
            Shape (n,), >= 0 or NaN.

        Returns
        -------
        ndarray
            Shape (n,), in [0, 1]; NaN for NaN, and for all while nothing has been counted.
        """
        buckets, below = self._sorted()
        if not buckets.size:
            return np.full(len(values), np.nan)
        known = ~np.isnan(values)
        wanted = _buckets(np.where(known, values, 0.0))
        left, right = np.searchsorted(buckets, wanted), np.searchsorted(buckets, wanted, "right")
        ranks = (below[left] + below[right]) / (2.0 * below[-1])
        return np.where(known, ranks, np.nan)

    def quantile(self, share: float) -> float:
        """Return a number with this share of the weight at or below it, to `ERROR_RATIO`; NaN while there is none.

        Parameters
        ----------
        share
            In [0, 1].
        """
        buckets, below = self._sorted()
        if not buckets.size:
            return math.nan
        place = min(int(np.searchsorted(below[1:], share * below[-1])), len(buckets) - 1)
        bucket = int(buckets[place])
        # the number in a bucket from which both of its ends are equally far, as a ratio
        return 0.0 if bucket == _NOTHING else math.exp(bucket * _LOG_GROWTH) * (1.0 - ERROR_RATIO)

    def to_dict(self) -> dict[str, float]:
        """Return bucket number, as text, to weight: equal histograms give equal JSON."""
        return {str(bucket): self._weights[bucket] for bucket in sorted(self._weights)}

    @classmethod
    def from_dict(cls, kept: Mapping[str, float]) -> "LogHistogram":
        """Make one of what `to_dict` gave."""
        return cls({int(bucket): weight for bucket, weight in kept.items()})

    def _put(self, more: Mapping[int, float]) -> None:
        for bucket, weight in more.items():
            self._weights[bucket] = self._weights.get(bucket, 0.0) + weight
        self._table = None

    def _sorted(self) -> tuple[NDArray[np.int64], Floats]:
        """Bucket numbers, rising, and the weight below each and below everything, one more."""
        if self._table is None:
            buckets = np.array(sorted(self._weights), np.int64)
            weights = np.array([self._weights[bucket] for bucket in buckets.tolist()], np.float64)
            self._table = buckets, np.concatenate([[0.0], np.cumsum(weights)])
        return self._table


def _buckets(values: Floats) -> NDArray[np.int64]:
    """Bucket i holds the numbers in (growth^(i-1), growth^i]."""
    positive = values > 0
    log = np.log(np.where(positive, values, 1.0))
    return np.where(positive, np.ceil(log / _LOG_GROWTH), _NOTHING).astype(np.int64)
