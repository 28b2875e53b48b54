"""The pending example of a customer: frozen when scored, resolved exactly one horizon later.

Start of the second line (labels, trainer, model topic). Each customer has at most one pending example in the
row. It is *scheduled* (``example_at`` set, not frozen), then *frozen* with the features and the probability
of that moment, and *resolved* at ``frozen + H``: returned if a main event fell in ``[frozen, frozen + H)``,
churned if not.

A return is known early and is still held back until ``frozen + H``. Otherwise the model would learn returns H
sooner than churn, and at any moment would have seen too many returns.

The schedule: the first main event schedules the first freeze, between one second and H/4 later, at a place
given by a hash of the customer id, so that customers who signed up in one campaign do not all fall due in one
second. Each resolution schedules the next freeze in the same second. The chain ends with a resolution that
finds the last main event more than 2H old: such a customer is lost already and has nothing to teach. The next
main event starts a new chain as the first one did.

A freeze at second t sees the events before t; events at t belong to the outcome. So what is due at t comes
before the events of t.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import xxhash
from numpy.typing import NDArray

from models.state import Rows
from models.target import Target

Seconds = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PHASES = 65_536  # `phase` is a <u2; a step of H/4 at H = 91 d is then 30 s
LIVE_HORIZONS = 2  # an example is worth freezing while the last main event is at most this many horizons old


class Label(msgspec.Struct, frozen=True):
    """One resolved example, as it is written to the topic of labels.

    Parameters
    ----------
    customer_id
        Whose example it is.
    frozen_at_s, resolved_at_s
        When it was scored and when its outcome was certain, epoch seconds; always one horizon apart.
    churned
        True when no main event came in between.
    probability
        P(churn) given when it was frozen, in [0, 1].
    features
        Known features as they were then, by name; unknown ones are left out.
    weight
        How much to learn from it, > 0.
    """

    customer_id: str
    frozen_at_s: int
    resolved_at_s: int
    churned: bool
    probability: float
    features: dict[str, float]
    weight: float = 1.0


@dataclass(frozen=True)
class Resolved:
    """Resolved examples as arrays, one element per row given to `resolve`.

    Parameters
    ----------
    frozen_at_s, resolved_at_s
        Epoch seconds, shape (n,).
    churned
        Outcome, shape (n,).
    probability
        P(churn) when frozen, shape (n,).
    x
        Features when frozen, shape (n, `N_FEATURES`), NaN = unknown.
    """

    frozen_at_s: Seconds
    resolved_at_s: Seconds
    churned: Bools
    probability: Floats
    x: Floats

    def labels(self, customer_ids: Sequence[str], names: Sequence[str]) -> list[Label]:
        """Give each example its customer and its features their names.

        Parameters
        ----------
        customer_ids
            n ids, in the order of the rows.
        names
            Names of the first columns of `x`; the columns behind them are unused.
        """
        columns = (self.frozen_at_s, self.resolved_at_s, self.churned, self.probability, self.x)
        return [
            Label(customer, frozen, resolved, churned, p, _known(names, x))
            for customer, frozen, resolved, churned, p, x in zip(
                customer_ids, *(column.tolist() for column in columns), strict=True
            )
        ]


def _known(names: Sequence[str], x: list[float]) -> dict[str, float]:
    return {name: value for name, value in zip(names, x, strict=False) if not math.isnan(value)}


def phase(customer_id: bytes) -> int:
    """Place a customer in the quarter horizon over which first freezes spread; set when the row is made.

    Parameters
    ----------
    customer_id
        The customer's id, UTF-8.

    Returns
    -------
    int
        Uniform in [0, `PHASES`), the same in every process. Not Kafka's hash, whose low bits choose the
        partition.

    Examples
    --------
    >>> phase(b"c1") == phase(b"c1"), phase(b"c1") == phase(b"c2")
    (True, False)
    """
    return xxhash.xxh3_64_intdigest(customer_id) % PHASES


def next_label_at(rows: Rows, target: Target) -> Seconds:
    """Tell when the pending example wants attention: its freeze, or its resolution.

    Parameters
    ----------
    rows
        Shape (n,).
    target
        Main channel and horizon.

    Returns
    -------
    ndarray
        Epoch seconds, shape (n,); 0 = not before the next main event. After `resolve` this may be the very
        second just resolved: the next freeze is due at once.
    """
    at_s: Seconds = rows["example_at"].astype(np.int64)
    return np.where(rows["example_frozen"] == 1, at_s + target.horizon_s, at_s)


def freeze(rows: Rows, x: Floats, p: Floats, at_s: Seconds, target: Target) -> Bools:
    """Freeze the scheduled examples with what the scorer saw, in place.

    Parameters
    ----------
    rows
        Rows whose scheduled freeze is due (``example_frozen`` is 0), shape (n,).
    x
        Features at `at_s`, shape (n, k), k <= `N_FEATURES`.
    p
        P(churn) at `at_s`, shape (n,), in [0, 1].
    at_s
        When they were scored: ``example_at``, or stream time where a late event scheduled it in the past.
        Shape (n,).
    target
        Main channel and horizon.

    Returns
    -------
    ndarray
        True where frozen, shape (n,); False where the customer is no longer live at `at_s` and the schedule
        ended.
    """
    live = is_live(rows, at_s, target)
    rows["example_at"] = np.where(live, at_s, 0)
    rows["example_frozen"] = live
    rows["example_p"] = np.where(live, p, np.nan)
    rows["example_x"] = np.nan
    rows["example_x"][:, : x.shape[1]] = np.where(live[:, None], x, np.nan)
    return live


def resolve(rows: Rows, target: Target) -> Resolved:
    """Close frozen examples whose horizon has passed and schedule the next freeze, in place.

    Parameters
    ----------
    rows
        Rows with a frozen example whose ``example_at + H`` has come, shape (n,).
    target
        Main channel and horizon.

    Returns
    -------
    Resolved
        The examples; both outcomes are dated ``frozen + H``.
    """
    frozen_at_s = rows["example_at"].astype(np.int64)
    resolved_at_s = frozen_at_s + target.horizon_s
    examples = Resolved(
        frozen_at_s=frozen_at_s,
        resolved_at_s=resolved_at_s,
        churned=rows["example_returned"] == 0,
        probability=rows["example_p"].astype(np.float64),
        x=rows["example_x"].astype(np.float64),
    )
    rows["example_at"] = np.where(is_live(rows, resolved_at_s, target), resolved_at_s, 0)
    rows["example_frozen"] = rows["example_returned"] = 0
    rows["example_p"] = np.nan
    rows["example_x"] = np.nan
    return examples


def schedule(rows: Rows, which: NDArray[np.intp], at_s: Seconds, target: Target) -> None:
    """Note what main events mean for the example: a return if it is frozen, a schedule if there is none.

    Parameters
    ----------
    rows
        All rows, changed in place, ``last_at`` already moved to the event.
    which
        Indices of the rows that got a main event, shape (m,), each at most once.
    at_s
        The events' times, epoch seconds, shape (m,).
    target
        Main channel and horizon.
    """
    example_at = rows["example_at"][which].astype(np.int64)
    frozen = rows["example_frozen"][which] == 1
    came_back = frozen & (example_at <= at_s) & (at_s < example_at + target.horizon_s)
    rows["example_returned"][which[came_back]] = 1
    # A late event that is not the newest one says nothing about the customer being live now.
    newest = at_s >= rows["last_at"][which, target.main]
    starts = newest & (example_at == 0)
    begin = which[starts]
    spread = 1 + rows["phase"][begin].astype(np.int64) * (target.horizon_s // 4) // PHASES
    rows["example_at"][begin] = at_s[starts] + spread


def is_live(rows: Rows, at_s: Seconds, target: Target) -> Bools:
    """Tell whether an example would be worth freezing: the last main event is at most 2H old.

    Parameters
    ----------
    rows
        Shape (n,).
    at_s
        When, epoch seconds, shape (n,).
    target
        Main channel and horizon.

    Returns
    -------
    ndarray
        Shape (n,); False without any main event.
    """
    last_at = rows["last_at"][:, target.main].astype(np.int64)
    return (last_at > 0) & (at_s - last_at <= LIVE_HORIZONS * target.horizon_s)
