"""Labels: what became of a frozen example, as arrays and as the records of their topic.

Second line, between the pending example (`models.pending`) and the trainer. An example gives two labels:

- the *step* label after the first thirteenth of the horizon: did a main event fall into it? It comes early and
  teaches the hazard;
- the *horizon* label: did one fall into the whole horizon?
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Kind = Literal["step", "horizon"]


class Label(msgspec.Struct, frozen=True):
    """One resolved example, as it is written to the topic of labels.

    Parameters
    ----------
    customer_id
        Whose example it is.
    frozen_at_s, resolved_at_s
        When it was scored and when its outcome was certain, epoch seconds: apart by one step or one horizon.
    churned
        True when no main event came in between.
    probability
        P(no main event within the horizon) given when it was frozen, in [0, 1], whatever the kind.
    features
        Known features as they were then, by name; unknown ones are left out.
    weight
        How much to learn from it, > 0.
    kind
        Which of the two labels of the example: ``step`` or ``horizon``. Labels of earlier releases do not say;
        they are of the horizon.
    experts
        Log-odds of each expert behind `probability`, by name. Empty on step labels, which do not ask for them.
    """

    customer_id: str
    frozen_at_s: int
    resolved_at_s: int
    churned: bool
    probability: float
    features: dict[str, float]
    weight: float = 1.0
    kind: Kind = "horizon"
    experts: dict[str, float] = {}


@dataclass(frozen=True)
class Resolved:
    """Labels as arrays, one element per row given to `models.pending.resolve`.

    Parameters
    ----------
    frozen_at_s, resolved_at_s
        Epoch seconds, shape (n,).
    churned
        Outcome, shape (n,).
    probability
        P(churn) when frozen, shape (n,).
    x
        Features when frozen, shape (n, `KEPT_FEATURES`), NaN = unknown.
    experts
        Log-odds of the experts when frozen, shape (n, `KEPT_EXPERTS`), NaN = unused.
    is_step
        True for step labels, False for horizon labels, shape (n,).
    """

    frozen_at_s: Seconds
    resolved_at_s: Seconds
    churned: Bools
    probability: Floats
    x: Floats
    experts: Floats
    is_step: Bools

    def labels(self, customer_ids: Sequence[str], names: Sequence[str], experts: Sequence[str] = ()) -> list[Label]:
        """Give each label its customer, and its features and experts their names.

        Parameters
        ----------
        customer_ids
            n ids, in the order of the rows.
        names
            Names of the first columns of `x`; the columns behind them are unused.
        experts
            Names of the first columns of `experts`; columns behind them are left out.
        """
        kinds: list[Kind] = ["step" if is_step else "horizon" for is_step in self.is_step.tolist()]
        told = [
            {} if kind == "step" else _known(experts, row)
            for kind, row in zip(kinds, self.experts.tolist(), strict=True)
        ]
        columns = (self.frozen_at_s, self.resolved_at_s, self.churned, self.probability, self.x)
        return [
            Label(customer, frozen, resolved, churned, p, _known(names, x), kind=kind, experts=log_odds)
            for customer, kind, log_odds, frozen, resolved, churned, p, x in zip(
                customer_ids, kinds, told, *(column.tolist() for column in columns), strict=True
            )
        ]

    @classmethod
    def joined(cls, parts: Sequence["Resolved"], order: NDArray[np.intp]) -> "Resolved":
        """Put labels of several resolutions into one, in this order of their concatenation."""
        columns = ([getattr(part, field.name) for part in parts] for field in fields(cls))
        return cls(*(np.concatenate(column)[order] for column in columns))


def _known(names: Sequence[str], x: list[float]) -> dict[str, float]:
    return {name: value for name, value in zip(names, x, strict=False) if not math.isnan(value)}
