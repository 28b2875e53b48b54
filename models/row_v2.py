"""Version 2 of the row, as changelogs of earlier releases hold it, and how such a customer goes on.

Beside per-customer state on the line from event to alert, as `models.row_v1`. Every field keeps its value. Version 2
did not note outcomes of episodes: an episode that is open has been told and waits for its outcome from now on; what
closed before gives none. Nobody had snoozed or acknowledged anything.
"""

import numpy as np

ROW_V2 = np.dtype(
    [
        ("applied", "<i8", (5,)),
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
        ("cats_ever", "<u4"),
        ("cats_now", "<u4"),
        ("cats_before", "<u4"),
        ("sends_at", "<u4"),
        ("example_at", "<u4"),
        ("example_p", "<f4"),
        ("opened_at", "<u4"),
        ("anchor_at", "<u4"),
        ("example_x", "<f2", (28,)),
        ("example_experts", "<f2", (6,)),
        ("sends_long", "<f2"),
        ("clicks_long", "<f2"),
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


def carry_over_v2(old: np.void, fresh: np.void) -> None:
    """Fill a fresh row of the present version from one of version 2, in place.

    Parameters
    ----------
    old
        One element of a `ROW_V2` array.
    fresh
        One element of `models.state.new_rows`.

    Examples
    --------
    >>> from models.state import new_rows
    >>> old, rows = np.zeros(1, ROW_V2), new_rows(1)
    >>> old["applied"], old["level"], old["step"], old["episode"], old["opened_at"] = 7, 1, 2, 3, 86_400
    >>> carry_over_v2(old[0], rows[0])
    >>> [rows[name][0].tolist() for name in ("applied", "told", "outcome_at", "outcome_level")]
    [[7, 7, 7, 7, 7, -1], 1, [86400, 0], [2, 0]]
    """
    keep_fields(old, fresh)
    note_told(fresh)


def keep_fields(old: np.void, fresh: np.void, *but: str) -> None:
    """Copy what an earlier version holds in the same form, in place, and the offsets of the inputs it knew."""
    for name in old.dtype.names or ():
        if name not in {"applied", *but}:
            fresh[name] = old[name]
    fresh["applied"][: len(old["applied"])] = old["applied"]


def note_told(row: np.void) -> None:
    """Say of an open episode that people know of it and its outcome is awaited, in place; else change nothing."""
    if row["level"]:
        row["told"] = 1
        row["outcome_at"][0], row["outcome_episode"][0] = row["opened_at"], row["episode"]
        row["outcome_anchor"][0] = row["anchor_at"]
        row["outcome_level"][0] = min(int(row["step"]), 3)
