"""The experts that learn from step labels, as a silence goes on: what stands still is computed once.

Serves `models.outlook` on the first line; `models.experts` has the formulas. Elementwise: one customer gets the same
bits alone as among five hundred, and at one moment as among many.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.experts.chain import Ahead
from models.experts.process import no_occasion_log_odds, past, since_days
from models.features import MOVING, SILENCE_OF, TREND_OF

if TYPE_CHECKING:
    from models.scorer import Scorer

Floats = NDArray[np.float64]

_SILENCES, _TRENDS = ([MOVING.index(index) for index in of] for of in (SILENCE_OF, TREND_OF))


@dataclass(frozen=True, eq=False)
class Quick:
    """n customers as the process and the hazard expert see them.

    Parameters
    ----------
    scorer
        Its weights say who is asked.
    returns, last_days
        What the process expert knows of the past: `models.experts.process.past`.
    ahead
        What the hazard expert sees.
    """

    scorer: "Scorer"
    returns: Floats
    last_days: Floats
    ahead: Ahead

    @classmethod
    def of(cls, scorer: "Scorer", columns: Floats) -> "Quick":
        """Prepare customers by their features, one per row, shape (d, n); the moving ones are not looked at."""
        level, target = scorer.hazard_level, scorer.target
        ahead = Ahead.of(columns, scorer.centre, scorer.unit, scorer.hazard, level=level, target=target)
        return cls(scorer, *past(columns), ahead)

    def log_odds(self, moving: Floats) -> Floats:
        """Return their weighted log-odds, shape (..., n), at moving features as `Silence.moving` gives them."""
        process, hazard = (self.scorer.weight_of(expert) for expert in ("process", "hazard"))
        total = np.zeros(moving.shape[1:])
        if process:
            target, silence = self.scorer.target, moving[_SILENCES[self.scorer.target.main]]
            age_days = self.last_days + since_days(silence, target)
            history = self.returns, self.last_days, age_days
            total += process * no_occasion_log_odds(self.scorer.process, *history, target.horizon_days)
        if hazard:
            total += hazard * self.ahead.log_odds(moving[_SILENCES], moving[_TRENDS])
        return total

    def take(self, which: NDArray[np.intp]) -> "Quick":
        """Return some of the customers."""
        return Quick(self.scorer, self.returns[which], self.last_days[which], self.ahead.take(which))
