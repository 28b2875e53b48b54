"""Customers whose silence goes on: what stands still is summed once, what moves is computed when asked.

Between *features* and *score* on the first line, and what makes a search over many moments cheap. The order of the sum
is fixed, what stands still first, then what moves, then expert by expert: one customer gets the same bits alone as
among five hundred, and at one moment as among many. (A matrix product may sum in another order as a batch grows.)
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.experts.formulas import N_FEATURES, fold, probability
from models.experts.scaling import standardised
from models.features import MOVING, RHYTHM, SILENCE_OF, STILL, Silence, still
from models.hidden import moving_sum, prepared
from models.level import shift
from models.state import Rows

if TYPE_CHECKING:
    from models.scorer import Scorer

Floats = NDArray[np.float64]
Moving = dict[int, Floats]

_MOVING = list(MOVING)  # for indexing


@dataclass(frozen=True, eq=False)
class Outlook:
    """n customers as one scorer sees them.

    Parameters
    ----------
    scorer
        Which scores.
    columns
        Features, one per row, shape (d, n); the moving ones are not looked at. No rows if there is no need.
    constant
        Bias and still features of linear and curved expert, in log-odds, shape (n,).
    inside
        What the still features put into each moving hidden unit, shape (k, n); no rows if there is no need.
    silence
        What the moving features need; None where the moment is given.
    """

    scorer: "Scorer"
    columns: Floats
    constant: Floats
    inside: Floats
    silence: Silence | None

    @classmethod
    def of_rows(cls, scorer: "Scorer", rows: Rows) -> "Outlook":
        """Prepare customers by their rows, shape (n,)."""
        columns = np.full((N_FEATURES, len(rows)), np.nan)
        if scorer.fused.any() or scorer.weight_of("process") or scorer.weight_of("hazard"):
            for index, column in still(rows, scorer.target, scorer.clocks).items():
                columns[index] = column
        return cls._of(scorer, columns, Silence.of(rows, scorer.target, scorer.clocks))

    @classmethod
    def of_features(cls, scorer: "Scorer", x: Floats) -> "Outlook":
        """Prepare customers by features of one moment, shape (n, d)."""
        return cls._of(scorer, np.ascontiguousarray(x.T), None)

    @classmethod
    def _of(cls, scorer: "Scorer", columns: Floats, silence: Silence | None) -> "Outlook":
        constant = np.full(columns.shape[1], float(scorer.fused[-1]))
        inside = np.empty((0, columns.shape[1]))
        if scorer.fused.any():
            z = standardised(columns, scorer.centre, scorer.unit)
            for index in STILL:
                if scorer.fused[index]:
                    constant += z[index] * scorer.fused[index]
            if scorer.hidden.any():
                standing, inside = prepared(z, scorer.hidden, scorer.target.main)
                constant += standing
        needed = columns if scorer.weight_of("process") or scorer.weight_of("hazard") else columns[:0]
        return cls(scorer, needed, constant, inside, silence)

    def log_odds(self, at_s: ArrayLike) -> Floats:
        """Score at `at_s`, epoch seconds, shape (n,) or (m, n), or one for all.

        Raises
        ------
        ValueError
            The customers were given by features of one moment.
        """
        return self._log_odds(self._silence().moving(at_s, self._channels()))

    def log_odds_as_given(self, x: Floats) -> Floats:
        """Score at the moment of the features `x`, shape (n, d), that the outlook was made from."""
        return self._log_odds({index: x[:, index] for index in MOVING})

    def probabilities(self, at_s: ArrayLike) -> Floats:
        """Return P(churn) at `at_s`, as in `log_odds`."""
        return probability(self.log_odds(at_s))

    def take(self, which: NDArray[np.intp]) -> "Outlook":
        """Return some of the customers."""
        silence = None if self.silence is None else self.silence.take(which)
        return Outlook(self.scorer, self.columns[:, which], self.constant[which], self.inside[:, which], silence)

    def silent_s(self, at_s: ArrayLike) -> Floats:
        """Return the seconds of silence on the main channel that count by `at_s`, shape (n,); NaN = nobody ever came.

        Below zero before the last event. Raises as `log_odds`.
        """
        silence = self._silence()
        now = silence.clocks.read(self.scorer.target.main, np.asarray(at_s, np.float64))
        return now - silence.rhythm.last_at_s

    def _silence(self) -> Silence:
        if self.silence is None:
            raise ValueError("features of one moment say nothing about another")
        return self.silence

    def _channels(self) -> list[int]:
        """Channels whose silence or trend the scorer has ever seen."""
        if self.scorer.weight_of("process") or self.scorer.weight_of("hazard"):
            return list(range(len(SILENCE_OF)))
        return [channel for channel, index in enumerate(SILENCE_OF) if self.scorer.unit[index]]

    def _log_odds(self, moving: Moving) -> Floats:
        scorer, shape = self.scorer, moving[RHYTHM].shape
        total = np.broadcast_to(self.constant, shape)
        if scorer.fused.any():
            total = total + self._learnt(moving, shape)
        total = total + scorer.weight_of("rhythm") * moving[RHYTHM]  # NaN without any main event
        if scorer.weight_of("process") or scorer.weight_of("hazard"):
            total += self._quick(moving, shape)
        return shift(total, scorer.level_shift) if scorer.level_shift else total

    def _learnt(self, moving: Moving, shape: tuple[int, ...]) -> Floats:
        """Log-odds that moving features add to linear and curved expert."""
        scorer = self.scorer
        z = np.zeros((len(MOVING), math.prod(shape)))
        for row, index in zip(z, MOVING, strict=True):
            if index in moving:
                row[:] = moving[index].reshape(-1)
        z -= scorer.centre[_MOVING, None]
        z *= scorer.unit[_MOVING, None]
        np.copyto(z, 0.0, where=np.isnan(z))
        total = fold(z * scorer.fused[_MOVING, None])
        if len(self.inside):
            moments = z.reshape(len(MOVING), *_two_axes(shape))
            total += moving_sum(self.inside, moments, scorer.hidden, scorer.target.main).reshape(-1)
        return total.reshape(shape)

    def _quick(self, moving: Moving, shape: tuple[int, ...]) -> Floats:
        """Weighed log-odds of process and hazard expert, moment by moment."""
        scorer, columns = self.scorer, self.columns.copy()
        total = np.zeros(shape)
        by_moment = {index: column.reshape(_two_axes(shape)) for index, column in moving.items()}
        asked = (
            (scorer.weight_of("process"), scorer.process_log_odds),
            (scorer.weight_of("hazard"), scorer.hazard_log_odds),
        )
        for moment, row in enumerate(total.reshape(_two_axes(shape))):
            for index, column in by_moment.items():
                columns[index] = column[moment]
            row[:] = sum(weight * ask(columns) for weight, ask in asked if weight)
        return total


def _two_axes(shape: tuple[int, ...]) -> tuple[int, int]:
    """Moments and customers, whether one moment was asked for or many."""
    return (1, shape[0]) if len(shape) == 1 else (shape[0], shape[1])
