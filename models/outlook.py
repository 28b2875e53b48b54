"""Customers whose silence goes on: what stands still is summed once, what moves is computed when asked.

Between *features* and *score* on the first line, and what makes a search over many moments cheap. The order of the sum
is fixed, what stands still first, then what moves, then expert by expert: one customer gets the same bits alone as
among five hundred, and at one moment as among many. (A matrix product may sum in another order as a batch grows.)
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.events import Channel
from models.experts.formulas import N_FEATURES, fold, probability
from models.experts.scaling import standardised
from models.features import MOVING, RHYTHM, SILENCE_OF, STILL, Silence, moving_of, still
from models.hidden import moving_sum, prepared, scratch
from models.level import shift
from models.quick import Quick
from models.state import Rows

if TYPE_CHECKING:
    from models.scorer import Scorer

Floats = NDArray[np.float64]

_RHYTHM_PLACE = MOVING.index(RHYTHM)


@dataclass(frozen=True, eq=False)
class Outlook:
    """n customers as one scorer sees them; for one thread, as its parts share the memory in which they are computed.

    Parameters
    ----------
    scorer
        Which scores.
    constant
        Bias and still features of linear and curved expert, in log-odds, shape (n,).
    inside
        What the still features put into each moving hidden unit, shape (k, n); no rows if there is no need.
    quick
        What the experts of step labels need; None where they have no weight.
    silence
        What the moving features need; None where the moment is given.
    memory
        Where the hidden units are computed: `models.hidden.scratch`; empty if there is no need.
    """

    scorer: "Scorer"
    constant: Floats
    inside: Floats
    quick: Quick | None
    silence: Silence | None
    memory: Floats

    @classmethod
    def of_rows(cls, scorer: "Scorer", rows: Rows) -> "Outlook":
        """Prepare customers by their rows, shape (n,)."""
        columns = np.full((N_FEATURES, len(rows)), np.nan)
        if scorer.is_learnt or _is_quick(scorer):
            for index, column in still(rows, scorer.target, scorer.clocks).items():
                columns[index] = column
        return cls._of(scorer, columns, Silence.of(rows, scorer.target, scorer.clocks, _heard(scorer)))

    @classmethod
    def of_features(cls, scorer: "Scorer", x: Floats) -> "Outlook":
        """Prepare customers by features of one moment, shape (n, d)."""
        return cls._of(scorer, np.ascontiguousarray(x.T), None)

    @classmethod
    def _of(cls, scorer: "Scorer", columns: Floats, silence: Silence | None) -> "Outlook":
        constant = np.full(columns.shape[1], float(scorer.fused[-1]))
        inside = np.empty((0, columns.shape[1]))
        if scorer.is_learnt:
            z = standardised(columns, scorer.centre, scorer.unit)
            for index in STILL:
                if scorer.fused[index]:
                    constant += z[index] * scorer.fused[index]
            if scorer.hidden.any():
                standing, inside = prepared(z, scorer.hidden, scorer.target.main)
                constant += standing
        quick = Quick.of(scorer, columns) if _is_quick(scorer) else None
        return cls(scorer, constant, inside, quick, silence, scratch() if len(inside) else np.empty(0))

    def log_odds(self, at_s: ArrayLike) -> Floats:
        """Score at `at_s`, epoch seconds, shape (n,) or (m, n), or one for all.

        Raises
        ------
        ValueError
            The customers were given by features of one moment.
        """
        return self.shifted(self.mixed(at_s))

    def log_odds_as_given(self, x: Floats) -> Floats:
        """Score at the moment of the features `x`, shape (n, d), that the outlook was made from."""
        return self.shifted(self._mixed(np.ascontiguousarray(x.T[list(moving_of(self.scorer.target))])))

    def mixed(self, at_s: ArrayLike) -> Floats:
        """Return the weighted sum of the experts at `at_s`, before the level's shift; otherwise as `log_odds`."""
        return self._mixed(self._silence().moving(at_s))

    def shifted(self, mixed: Floats) -> Floats:
        """Move log-odds of the mixture to the level, any shape."""
        return shift(mixed, self.scorer.level_shift) if self.scorer.level_shift else mixed

    def probabilities(self, at_s: ArrayLike) -> Floats:
        """Return P(churn) at `at_s`, as in `log_odds`."""
        return probability(self.log_odds(at_s))

    def take(self, which: NDArray[np.intp]) -> "Outlook":
        """Return some of the customers."""
        silence = None if self.silence is None else self.silence.take(which)
        quick = None if self.quick is None else self.quick.take(which)
        return Outlook(self.scorer, self.constant[which], self.inside[:, which], quick, silence, self.memory)

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

    def _mixed(self, moving: Floats) -> Floats:
        scorer, rhythm = self.scorer, moving[_RHYTHM_PLACE]
        total: Floats = np.broadcast_to(self.constant, rhythm.shape)
        if scorer.is_learnt:
            total = total + self._learnt(moving)
        total = total + scorer.weight_of("rhythm") * rhythm  # NaN without any main event
        if self.quick is not None:
            total += self.quick.log_odds(moving)
        return total

    def _learnt(self, moving: Floats) -> Floats:
        """Log-odds that moving features add to linear and curved expert."""
        scorer, (centre, unit, weights) = self.scorer, self.scorer.moving
        z = moving.reshape(len(moving), -1) - centre
        z *= unit
        np.copyto(z, 0.0, where=np.isnan(z))
        total = fold(z * weights)
        if len(self.inside):
            moments = z.reshape(len(moving), *_two_axes(moving.shape[1:]))
            total += moving_sum(self.inside, moments, scorer.hidden, scorer.target.main, self.memory).reshape(-1)
        return total.reshape(moving.shape[1:])


def _is_quick(scorer: "Scorer") -> bool:
    """Whether the experts of step labels have a say."""
    return bool(scorer.weight_of("process") or scorer.weight_of("hazard"))


def _heard(scorer: "Scorer") -> tuple[Channel, ...]:
    """Channels whose silence or trend the scorer has ever seen."""
    if _is_quick(scorer):
        return tuple(Channel)
    return tuple(channel for channel in Channel if scorer.unit[SILENCE_OF[channel]])


def _two_axes(shape: tuple[int, ...]) -> tuple[int, int]:
    """Moments and customers, whether one moment was asked for or many."""
    return (1, shape[0]) if len(shape) == 1 else (shape[0], shape[1])
