"""Labels on their way into a mixture: groups that are learnt at once, and the examples of an evaluation until then.

Second line. `Pending` serves `models.evaluate`: it is what the pending example of a row is to a worker. Each example
gives a step label and a horizon label; both are learnt when their time has come, in the order of time, in groups as a
trainer makes them.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.calendar import calendar_features
from models.features import CALENDAR, FEATURES, N_KEPT
from models.half import half
from models.outcomes import Outcomes
from models.target import Target

if TYPE_CHECKING:
    from models.mixture import ChurnMixture

Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]

GROUP_LABELS = 256
"""Labels learnt together at most: enough to spread the cost of a Newton step, few enough to learn within a day."""


class Group(NamedTuple):
    """Labels of one kind that are learnt together.

    Parameters
    ----------
    x
        Features when frozen, shape (n, `models.features.N_KEPT`) or more, NaN = unknown, n >= 1.
    y
        1 = no main event in the step or horizon, else 0; shape (n,).
    kept
        Log-odds of `models.mixture.KEPT_NAMES` when frozen, shape (n, 6), NaN = not known. Not used of step labels.
    frozen_at_s
        Epoch seconds, shape (n,).
    resolved_at_s
        Stream time at which the last of them resolved, epoch seconds.
    weight
        How much each label counts, shape (n,).
    """

    x: Floats
    y: Floats
    kept: Floats
    frozen_at_s: Seconds
    resolved_at_s: int
    weight: Floats

    def completed(self, target: Target) -> "Group":
        """Add what examples do not keep, as it follows from their time: the calendar, if the target has one."""
        x = np.full((len(self.x), len(FEATURES)), np.nan)
        x[:, :N_KEPT] = self.x[:, :N_KEPT]
        if target.calendar:
            x[:, CALENDAR] = calendar_features(self.frozen_at_s, target).T
        return self._replace(x=x)


@dataclass(frozen=True)
class Frozen:
    """All examples of one cut.

    Parameters
    ----------
    at_s
        Epoch seconds.
    customer
        Indices into the log's customers, shape (n,).
    x
        Features, shape (n, d).
    kept
        Log-odds of `models.mixture.KEPT_NAMES`, shape (n, 6).
    """

    at_s: int
    customer: NDArray[np.int64]
    x: NDArray[np.floating[Any]]
    kept: NDArray[np.floating[Any]]


class Pending:
    """Waits for outcomes.

    Parameters
    ----------
    outcomes
        What really happened.
    target
        Main channel and horizon.
    """

    def __init__(self, outcomes: Outcomes, target: Target) -> None:
        self.outcomes = outcomes
        self._target = target
        self._steps: deque[Frozen] = deque()
        self._horizons: deque[Frozen] = deque()

    def add(self, frozen: Frozen) -> None:
        """Take the examples of a later cut than all before; they are kept in half precision, as a row keeps them."""
        frozen = Frozen(frozen.at_s, frozen.customer, half(frozen.x[:, :N_KEPT]), half(frozen.kept))
        self._steps.append(frozen)
        self._horizons.append(frozen)

    def learn_until(self, mixture: "ChurnMixture", at_s: int) -> None:
        """Let the mixture learn every label that resolves by `at_s`, epoch seconds."""
        while True:
            step_at_s = self._steps[0].at_s + self._target.step_s if self._steps else at_s + 1
            horizon_at_s = self._horizons[0].at_s + self._target.horizon_s if self._horizons else at_s + 1
            if min(step_at_s, horizon_at_s) > at_s:
                return
            if step_at_s <= horizon_at_s:
                for group in self._groups(self._steps.popleft(), self._target.step_s):
                    mixture.learn_steps(group)
            else:
                for group in self._groups(self._horizons.popleft(), self._target.horizon_s):
                    mixture.learn_horizons(group)

    def _groups(self, frozen: Frozen, wait_s: int) -> list[Group]:
        y = self.outcomes.churned(frozen.customer, frozen.at_s, wait_s).astype(np.float64)
        x, kept = frozen.x.astype(np.float64), frozen.kept.astype(np.float64)
        groups = []
        for begin in range(0, len(y), GROUP_LABELS):
            part = slice(begin, begin + GROUP_LABELS)
            n = len(y[part])
            at_s = np.full(n, frozen.at_s, np.int64)
            groups.append(Group(x[part], y[part], kept[part], at_s, frozen.at_s + wait_s, np.ones(n)))
        return groups
