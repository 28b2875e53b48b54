"""How good the probabilities of late were: a reliability curve, ECE, AUC, log loss and Brier score, live.

Serves *trainer* on the second line, label by label, where `models.metrics` measures whole arrays. Labels are forgotten
exponentially: each counts a little less than the next, so the numbers follow the model that is, with no window to keep.
Instead of fading all sums at every label, each label weighs more than the one before it (forward decay [1]_): an update
touches a handful of numbers, whatever the number of bins.

Bins are those of `models.metrics.ece`, and without forgetting ECE, log loss and Brier score are equal to it. The AUC
comes from two histograms, of churned and of returned, over `SCORES` equal parts of [0, 1]. Two scores in the same part
count as a tie, so it is wrong by at most half the share of pairs (one churned, one returned) that fall into one part:
at most 0.5 / `SCORES` for scores spread evenly; in practice some 1e-4, because within a part ties are about fair.

References
----------
.. [1] G. Cormode et al. (2009), Forward decay: a practical time decay model for streaming systems, ICDE.
"""

import math
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.metrics import BINS, CLIP

Floats = NDArray[np.float64]

MEMORY_LABELS = 5_000
SCORES = 200
HEAVIEST = 1e6  # of a label, before all sums are brought down to its scale
NOTHING = 1e-30  # in weights of the latest label; such a sum was last added to 69 memories ago, and becomes 0

Sum = Annotated[float, msgspec.Meta(ge=0.0, le=1e300)]
Bins = Annotated[list[Sum], msgspec.Meta(min_length=BINS, max_length=BINS)]
Histogram = Annotated[list[Sum], msgspec.Meta(min_length=SCORES, max_length=SCORES)]


class Bin(NamedTuple):
    """One point of the reliability curve.

    Parameters
    ----------
    said, seen
        Mean probability and share that churned, in [0, 1]; NaN for a bin without labels.
    weight
        Labels in it, each counted for what is left of it.
    """

    said: float
    seen: float
    weight: float


class _State(msgspec.Struct, forbid_unknown_fields=True):
    """Sums of label weights; no field has a default, so none can be missing from a saved one."""

    memory_labels: Annotated[int, msgspec.Meta(ge=2)] | None
    newest: Annotated[float, msgspec.Meta(ge=1.0, le=2.0 * HEAVIEST)]  # weight of the latest label
    labels: Annotated[int, msgspec.Meta(ge=0)]
    weight: Bins
    said: Bins
    seen: Bins
    churned: Histogram
    returned: Histogram
    log_loss: Sum
    brier: Sum


class Reliability:
    """Measures predictions as their outcomes become known, with more weight on the latest.

    Parameters
    ----------
    memory_labels
        How many labels count, in effect: one that is `memory_labels` old weighs 1/e. At least 2; None = all alike.

    Raises
    ------
    ValueError
        `memory_labels` is too small.

    Examples
    --------
    >>> reliability = Reliability()
    >>> for i in range(1_000):
    ...     reliability.update(0.75, churned=i % 4 > 0)
    ...     reliability.update(0.25, churned=i % 2 > 0)
    >>> [(round(b.said, 2), round(b.seen, 2)) for b in reliability.curve() if b.weight > 0]
    [(0.25, 0.5), (0.75, 0.75)]
    >>> round(reliability.ece(), 3), round(reliability.auc(), 3)
    (0.125, 0.633)
    """

    def __init__(self, memory_labels: int | None = MEMORY_LABELS) -> None:
        if memory_labels is not None and memory_labels < 2:
            raise ValueError(f"memory_labels must be at least 2 or None, got {memory_labels}")
        weight, said, seen = ([0.0] * BINS for _ in range(3))
        churned, returned = ([0.0] * SCORES for _ in range(2))
        self._state = _State(memory_labels, 1.0, 0, weight, said, seen, churned, returned, 0.0, 0.0)
        self._growth = _growth(memory_labels)

    @property
    def labels(self) -> int:
        """Labels seen, forgotten ones included."""
        return self._state.labels

    def update(self, p: float, churned: bool) -> None:
        """Take one label.

        Parameters
        ----------
        p
            P(churn) as predicted before the outcome was known, in [0, 1].
        churned
            The outcome.

        Raises
        ------
        ValueError
            `p` is not a probability; nothing was learnt.
        """
        if not 0.0 <= p <= 1.0:
            raise ValueError("a probability must be in [0, 1]")
        p, state = float(p), self._state  # a NumPy scalar would stay in the sums and could not be written down
        state.newest = weight = state.newest * self._growth
        state.labels += 1
        place = min(int(p * BINS), BINS - 1)
        state.weight[place] += weight
        state.said[place] += weight * p
        if churned:
            state.seen[place] += weight
        histogram = state.churned if churned else state.returned
        histogram[min(int(p * SCORES), SCORES - 1)] += weight
        q = min(max(p, CLIP), 1.0 - CLIP)
        state.log_loss -= weight * math.log(q if churned else 1.0 - q)
        state.brier += weight * (p - churned) ** 2
        if weight > HEAVIEST:
            self._rescale()

    def weight(self) -> float:
        """Return the labels that count, each for what is left of it: at most `memory_labels`."""
        return sum(self._state.weight) / self._state.newest

    def curve(self) -> list[Bin]:
        """Return said against seen in ten bins of equal width, from 0 to 1."""
        state = self._state
        return [
            Bin(said / weight, seen / weight, weight / state.newest) if weight else Bin(math.nan, math.nan, 0.0)
            for weight, said, seen in zip(state.weight, state.said, state.seen, strict=True)
        ]

    def ece(self) -> float:
        """Return the expected calibration error, in [0, 1]; NaN before the first label."""
        state = self._state
        return self._mean(sum(abs(said - seen) for said, seen in zip(state.said, state.seen, strict=True)))

    def log_loss(self) -> float:
        """Return the mean log loss in nats; NaN before the first label."""
        return self._mean(self._state.log_loss)

    def brier(self) -> float:
        """Return the mean squared error, in [0, 1]; NaN before the first label."""
        return self._mean(self._state.brier)

    def auc(self) -> float:
        """Return how often a churned customer scored above a returned one, ties half; NaN without both."""
        churned, returned = np.array(self._state.churned), np.array(self._state.returned)
        pairs = float(churned.sum() * returned.sum())
        if pairs == 0.0:
            return math.nan
        below: Floats = np.cumsum(returned) - returned / 2.0
        return float((churned * below).sum() / pairs)

    def to_dict(self) -> dict[str, Any]:
        """Write everything down as JSON values, some 10 kB; one made from them goes on bit for bit."""
        plain: dict[str, Any] = msgspec.to_builtins(self._state)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Reliability":
        """Go on measuring.

        Raises
        ------
        ValueError
            `plain` does not hold what `to_dict` gives: a field is missing or unknown, a list has another length, or a
            number is out of range or not finite.
        """
        state = msgspec.convert(plain, _State)
        reliability = cls(state.memory_labels)
        reliability._state = state
        return reliability

    def _mean(self, total: float) -> float:
        weight = sum(self._state.weight)
        return total / weight if weight else math.nan

    def _rescale(self) -> None:
        state = self._state
        for sums in (state.weight, state.said, state.seen, state.churned, state.returned):
            sums[:] = [0.0 if value < NOTHING * state.newest else value / state.newest for value in sums]
        state.log_loss /= state.newest
        state.brier /= state.newest
        state.newest = 1.0


def _growth(memory_labels: int | None) -> float:
    """How much heavier each label is than the one before."""
    return 1.0 if memory_labels is None else 1.0 / (1.0 - 1.0 / memory_labels)
