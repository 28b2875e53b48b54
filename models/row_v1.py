"""Version 1 of the row, as changelogs of earlier releases hold it, and how such a customer goes on.

Beside per-customer state on the line from event to alert. `models.state.from_bytes` reads a row of this version
through `carry_over_v1`, so nobody's state is lost by an upgrade: every field keeps its value, and so does the pending
example, features in half precision from now on. Two things version 1 could not know:

- which of its inputs are new here: nothing of e-mail sends, clicks and commands has been applied yet;
- whether a return fell into the first thirteenth of the horizon. A frozen example goes on as one whose step is
  resolved, so it gives its horizon label at its time and no step label; to give the step label of silent
  customers only would teach too much churn.
"""

import numpy as np

from models.half import half
from models.row_v2 import keep_fields, note_told

ROW_V1 = np.dtype(
    [
        ("applied", "<i8", (3,)),
        ("recent_ids", "<u8", (6,)),
        ("first_at", "<u4"),
        ("main_first_at", "<u4"),
        ("due_at", "<u4"),
        ("last_at", "<u4", (3,)),
        ("count", "<u4", (3,)),
        ("short", "<f4", (3,)),
        ("long", "<f4", (3,)),
        ("gap_weight", "<f4", (3,)),
        ("gap_mean", "<f4", (3,)),
        ("gap_m2", "<f4", (3,)),
        ("amount_short", "<f4"),
        ("amount_short_weight", "<f4"),
        ("amount_long", "<f4"),
        ("amount_long_weight", "<f4"),
        ("amount_sum", "<f4"),
        ("example_at", "<u4"),
        ("example_p", "<f4"),
        ("example_x", "<f4", (24,)),
        ("opened_at", "<u4"),
        ("anchor_at", "<u4"),
        ("episode", "<u2"),
        ("main_occasions", "<u2"),
        ("phase", "<u2"),
        ("recent_next", "u1"),
        ("example_frozen", "u1"),
        ("example_returned", "u1"),
        ("level", "u1"),
        ("step", "u1"),
        ("expired", "u1"),
    ]
)
_STEP_RESOLVED = 2  # `models.pending.STEP_RESOLVED`; that module stands on the row


def carry_over_v1(old: np.void, fresh: np.void) -> None:
    """Fill a fresh row of the present version from one of version 1, in place.

    Parameters
    ----------
    old
        One element of a `ROW_V1` array.
    fresh
        One element of `models.state.new_rows`.

    Examples
    --------
    >>> from models.state import new_rows
    >>> old, rows = np.zeros(1, ROW_V1), new_rows(1)
    >>> old["applied"], old["count"] = 7, 3
    >>> carry_over_v1(old[0], rows[0])
    >>> rows["applied"][0].tolist(), rows["count"][0].tolist()
    ([7, 7, 7, -1, -1, -1], [3, 3, 3])
    """
    keep_fields(old, fresh, "example_x", "example_frozen")
    fresh["example_x"][: len(old["example_x"])] = half(old["example_x"])
    fresh["example_frozen"] = _STEP_RESOLVED if old["example_frozen"] else 0
    note_told(fresh)
