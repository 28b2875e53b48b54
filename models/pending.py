"""The pending example of a customer: frozen when scored, resolved twice, after a step and after the horizon.

Start of the second line (labels, trainer, model topic). Each customer has at most one pending example in the
row. It is *scheduled* (``example_at`` set, `SCHEDULED`), then *frozen* (`FROZEN`) with the features, the
probability and the experts' log-odds of that moment. It gives two labels:

- the *step* label at ``frozen + H/13``: did a main event fall into the first thirteenth of the horizon? It comes
  early and teaches the hazard. The example stays frozen (`STEP_RESOLVED`);
- the *horizon* label at ``frozen + H``: did one fall into ``[frozen, frozen + H)``? It closes the example.

A return is known early and is still held back until the end of step and horizon. Otherwise the model would
learn returns sooner than churn, and at any moment would have seen too many returns.

The schedule: the first main event schedules the first freeze, between one second and H/4 later, at a place
given by a hash of the customer id, so that customers who signed up in one campaign do not all fall due in one
second. Each horizon label schedules the next freeze in the same second. The chain ends with a resolution that
finds the last main event more than 2H old: such a customer is lost already and has nothing to teach. The next
main event starts a new chain as the first one did.

A freeze at second t sees the events before t; events at t belong to the outcome. So what is due at t comes
before the events of t.
"""

import numpy as np
import xxhash
from numpy.typing import NDArray

from models.half import half
from models.labels import Bools, Floats, Resolved, Seconds
from models.state import Rows
from models.target import Target

PHASES = 65_536  # `phase` is a <u2; a step of H/4 at H = 91 d is then 30 s
LIVE_HORIZONS = 2  # an example is worth freezing while the last main event is at most this many horizons old

SCHEDULED, FROZEN, STEP_RESOLVED = 0, 1, 2
"""What ``example_frozen`` says."""
NO_RETURN, IN_HORIZON, IN_STEP = 0, 1, 2
"""What ``example_returned`` says: the earliest part of the horizon a main event fell into."""


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
    """Tell when the pending example wants attention: its freeze, its step label, or its horizon label.

    Parameters
    ----------
    rows
        Shape (n,).
    target
        Main channel and horizon.

    Returns
    -------
    ndarray
        Epoch seconds, shape (n,); 0 = not before the next main event. After a horizon label this may be the
        very second just resolved: the next freeze is due at once.
    """
    at_s: Seconds = rows["example_at"].astype(np.int64)
    waits_s: Seconds = np.array([0, target.step_s, target.horizon_s], np.int64)[rows["example_frozen"]]
    return at_s + waits_s


def freeze(rows: Rows, x: Floats, p: Floats, at_s: Seconds, target: Target, *, experts: Floats | None = None) -> Bools:
    """Freeze the scheduled examples with what the scorer saw, in place.

    Parameters
    ----------
    rows
        Rows whose scheduled freeze is due (``example_frozen`` is `SCHEDULED`), shape (n,).
    x
        Features at `at_s`, shape (n, k); columns beyond `KEPT_FEATURES` follow from the time and are not kept.
        at the edge of it.
    p
        P(churn) at `at_s`, shape (n,), in [0, 1].
    at_s
        When they were scored: ``example_at``, or stream time where a late event scheduled it in the past.
        Shape (n,).
    target
        Main channel and horizon.
    experts
        Log-odds of each expert at `at_s`, shape (n, k), k <= `KEPT_EXPERTS`, NaN = unused; kept like `x`. None
        where there are none.

    Returns
    -------
    ndarray
        True where frozen, shape (n,); False where the customer is no longer live at `at_s` and the schedule
        ended.
    """
    live = is_live(rows, at_s, target)
    rows["example_at"] = np.where(live, at_s, 0)
    rows["example_frozen"] = np.where(live, FROZEN, SCHEDULED)
    rows["example_p"] = np.where(live, p, np.nan)
    _keep(rows["example_x"], x, live)
    _keep(rows["example_experts"], np.empty((len(rows), 0)) if experts is None else experts, live)
    return live


def _keep(kept: NDArray[np.float16], values: Floats, live: Bools) -> None:
    """Round values of live rows to half precision, as many as there is room for; all else is unknown."""
    kept[:] = np.nan
    width = min(kept.shape[1], values.shape[1])
    kept[:, :width] = np.where(live[:, None], half(values[:, :width]), np.float16(np.nan))


def just_frozen(rows: Rows, at_s: Seconds) -> NDArray[np.intp]:
    """Return the rows whose example was frozen at their second of `at_s`, shape (n,): who had a look just then."""
    return np.flatnonzero((rows["example_frozen"] == FROZEN) & (rows["example_at"] == at_s))


def resolve(rows: Rows, target: Target) -> Resolved:
    """Give the next label of each frozen example, in place; the horizon label also schedules the next freeze.

    Parameters
    ----------
    rows
        Rows with a frozen example whose `next_label_at` has come, shape (n,). Where the step label is overdue
        so long that the horizon has ended as well, the row is still frozen and due again: resolve it again.
    target
        Main channel and horizon.

    Returns
    -------
    Resolved
        The labels; both outcomes are dated ``frozen + H/13``, or ``frozen + H``.
    """
    frozen_at_s = rows["example_at"].astype(np.int64)
    is_step = rows["example_frozen"] == FROZEN
    resolved_at_s = next_label_at(rows, target)
    labels = Resolved(
        frozen_at_s=frozen_at_s,
        resolved_at_s=resolved_at_s,
        churned=rows["example_returned"] < np.where(is_step, IN_STEP, IN_HORIZON),
        probability=rows["example_p"].astype(np.float64),
        x=rows["example_x"].astype(np.float64),
        experts=rows["example_experts"].astype(np.float64),
        is_step=is_step,
    )
    rows["example_frozen"] = np.where(is_step, STEP_RESOLVED, SCHEDULED)
    _close(rows, np.flatnonzero(~is_step), resolved_at_s, target)
    return labels


def _close(rows: Rows, which: NDArray[np.intp], resolved_at_s: Seconds, target: Target) -> None:
    """Empty the examples of these rows and schedule their next freeze."""
    rows["example_at"][which] = np.where(is_live(rows, resolved_at_s, target), resolved_at_s, 0)[which]
    rows["example_returned"][which] = NO_RETURN
    for name in ("example_p", "example_x", "example_experts"):
        rows[name][which] = np.nan


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
    frozen = rows["example_frozen"][which] != SCHEDULED
    came_back = frozen & (example_at <= at_s) & (at_s < example_at + target.horizon_s)
    back = which[came_back]
    part = np.where(at_s < example_at + target.step_s, IN_STEP, IN_HORIZON)[came_back]
    rows["example_returned"][back] = np.maximum(rows["example_returned"][back], part)
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
