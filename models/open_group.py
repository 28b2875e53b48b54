"""Labels that wait to be learnt together: checked one by one, handed out as arrays.

Serves *trainer* on the second line. Learning costs a Newton step per group, not per label, so labels are collected. The
group is closed by what the labels say, never by how they were fetched: before the first label of a later day (UTC), so
that no day waits for the next, and when it is full.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.features import NAMES
from models.groups import GROUP_LABELS, Group
from models.half import LARGEST
from models.labels import Kind, Label
from models.mixture import KEPT_NAMES
from models.target import DAY_S, Target

KNOWN = frozenset(NAMES)
LAST_SECOND = 2**32 - 1  # in a row

Floats = NDArray[np.float64]


class LabelError(ValueError):
    """A label cannot be learnt by this trainer; nothing of it was."""


def check(label: Label, target: Target) -> None:
    """Refuse a label that answers another question, or whose numbers no row could have kept.

    Parameters
    ----------
    label
        As read from the topic.
    target
        What the trainer learns to predict.

    Raises
    ------
    LabelError
        The outcome was waited for longer or shorter than one step or horizon; a feature is unknown to this code; a
        number is not finite or out of range. The message names no customer.

    Examples
    --------
    >>> from models.events import Channel
    >>> label = Label("c1", 0, 90 * DAY_S, True, 0.5, {"order_silence": 1.0})
    >>> check(label, Target(Channel.ORDER, 91 * DAY_S))
    Traceback (most recent call last):
    models.open_group.LabelError: the label waited 7776000 s for its outcome, its horizon is 7862400 s
    """
    expected_s = target.step_s if label.kind == "step" else target.horizon_s
    waited_s = label.resolved_at_s - label.frozen_at_s
    if waited_s != expected_s:
        raise LabelError(f"the label waited {waited_s} s for its outcome, its {label.kind} is {expected_s} s")
    if not 0 <= label.frozen_at_s <= label.resolved_at_s <= LAST_SECOND:
        raise LabelError("the label is of no time that a row can hold")
    unknown = label.features.keys() - KNOWN
    if unknown:
        raise LabelError(f"the label has {len(unknown)} features this code does not have")
    if not (_in_range(label.features.values()) and _in_range(label.experts.values())):
        raise LabelError("the label has a number that is not finite or larger than a row can keep")
    if not 0.0 <= label.probability <= 1.0:
        raise LabelError("the label's probability is not in [0, 1]")
    if not 0.0 < label.weight <= LARGEST:
        raise LabelError("the label's weight is not positive and finite")


def _in_range(numbers: Iterable[float]) -> bool:
    return all(-LARGEST <= number <= LARGEST for number in numbers)


class OpenGroup:
    """Labels of both kinds, in the order they came.

    Examples
    --------
    >>> group = OpenGroup()
    >>> group.add(Label("c1", 0, 100, True, 0.5, {}))
    >>> group.closes_before(Label("c2", 0, DAY_S - 1, True, 0.5, {})), group.is_full
    (False, False)
    >>> group.closes_before(Label("c2", 0, DAY_S, True, 0.5, {}))
    True
    """

    def __init__(self) -> None:
        self.labels: list[Label] = []
        self._last_day = -1

    def closes_before(self, label: Label) -> bool:
        """Whether a label is of a later day than all that wait."""
        return bool(self.labels) and label.resolved_at_s // DAY_S > self._last_day

    def add(self, label: Label) -> None:
        """Take a label that was checked."""
        self.labels.append(label)
        self._last_day = max(self._last_day, label.resolved_at_s // DAY_S)

    @property
    def is_full(self) -> bool:
        """Whether it has to be closed now."""
        return len(self.labels) >= GROUP_LABELS

    def of(self, kind: Kind) -> list[Label]:
        """Return the labels of one kind."""
        return [label for label in self.labels if label.kind == kind]

    def arrays(self, kind: Kind) -> Group | None:
        """Return the labels of one kind as arrays, None where there are none.

        The group counts as resolved at the end of its last day. So a mixture's day does not depend on how many groups
        it was cut into, and it keeps one reading of the level a day, however many labels a shop has.
        """
        labels = self.of(kind)
        if not labels:
            return None
        return Group(
            x=_matrix(labels, lambda label: label.features, NAMES),
            y=np.array([float(label.churned) for label in labels]),
            kept=_matrix(labels, lambda label: label.experts, KEPT_NAMES),
            frozen_at_s=np.array([label.frozen_at_s for label in labels], np.int64),
            resolved_at_s=(self._last_day + 1) * DAY_S,
            weight=np.array([label.weight for label in labels]),
        )


def _matrix(labels: Sequence[Label], named: Callable[[Label], Mapping[str, float]], names: Sequence[str]) -> Floats:
    """Return named numbers as rows, shape (n, len(names)); NaN = unknown, other names are left out."""
    return np.array([[values.get(name, math.nan) for name in names] for values in map(named, labels)])
