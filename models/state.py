"""A customer is a row: the versioned structured dtype, its bytes and back.

Third word of the line from event to alert (per-customer state). A partition's customers are one NumPy array
of `ROW`; `models.apply` says what an event changes in it, `models.pending` what becomes of the pending
example, `models.life_cycle` what becomes of the episode. This module only knows the layout.

Layout: little-endian and packed, widest fields first, so every field is aligned without a padding byte. Times
are whole epoch seconds in ``<u4`` (1970 to 2106) with 0 = never; offsets are ``<i8`` with -1 = none; ``(3,)``
is one column per `models.events.Channel`, ``(6,)`` one per `models.events.Source`.

=====================  ======  ==============================================================================
field                  bytes   meaning
=====================  ======  ==============================================================================
``applied (6,)``           48  last applied offset per source
``recent_ids (6,)``        49  ring of event-id fingerprints, 0 = empty; ``recent_next`` is the slot written next
``first_at``                8  first engaged event on any channel; ``main_first_at`` on the main channel
``due_at``                  4  when the partition's clock looks at this customer again, 0 = nothing due
``last_at (3,)``           24  latest event time per channel; ``count (3,)`` engaged events ever
``short, long (3,)``       24  decayed counts as of ``last_at``, half-lives `SHORT_DAYS` and `LONG_DAYS`
``gap_* (3,)``             36  rhythm: forgetting weight, mean and sum of squared deviations of log gap, in days
``main_occasions``          2  distinct days (UTC) with a main event, late ones not counted, at most 65,535
``amount_*``               20  order value: decayed means, their weights as of ``last_at[ORDER]``; lifetime sum
``cats_*``                 12  order categories as 32-bit sketches: ever, and two generations: `models.baskets`
``sends_long``              4  e-mails sent and clicked, both decayed (`LONG_DAYS`) as of ``sends_at``, half
``clicks_long``                precision; an e-mail more is lost only above 2,048
``sends_at``                4  latest e-mail sent or clicked; of a stranger, the first that a machine opened
``phase``                   2  place of the first freeze within H/4, in 1/65536 of it (`models.pending.phase`)
``example_*``              78  the one pending example: `models.pending`; features and experts' log-odds in half
                               precision (11 bits: a log or log-odds to 0.05 %), NaN = unknown or unused
``level .. expired``       13  the alert episode: `models.life_cycle`
``closed_at``               4  when the last episode ended: the cool-down counts from there
``snoozed_until``           4  no episode opens before this second: somebody said so, or a day had no more room
``told``                    2  whether people have been told of the open episode, and the highest step of it that
                               somebody ``acknowledged``
``outcome_* (2,)``         22  told episodes whose outcome is not known yet: when told (0 = none), anchor, number,
                               levels (`models.episode_outcomes`)
=====================  ======  ==============================================================================

Earlier versions are carried over when they are read. Version 1 (`models.row_v1`) had three sources, 24 features in
single precision, one label per example, and knew neither categories nor e-mails sent. Version 2 (`models.row_v2`)
knew no commands, no cool-down and no outcomes of episodes.

Memory, measured (`make bench`): a row is 360 bytes, a customer with id, index and due times 444; with UUIDs 466.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.events import N_CHANNELS, N_SOURCES, Channel
from models.newer import refuse_newer
from models.row_v1 import ROW_V1, carry_over_v1
from models.row_v2 import ROW_V2, carry_over_v2

ROW_VERSION = 3
KEPT_FEATURES = 28  # columns of the pending example; `models.features` may use fewer
KEPT_EXPERTS = 6  # experts whose log-odds the pending example keeps; a mixture may have fewer
N_RECENT = 6
N_OUTCOMES = 2  # told episodes whose outcome is not known yet; a third does not open before one is
SHORT_DAYS = 14.0  # half-life of "lately": two quiet weeks halve it
LONG_DAYS = 90.0  # half-life of "usually": about the gap between orders of an ordinary shop customer

ROW = np.dtype(
    [
        ("applied", "<i8", (N_SOURCES,)),
        ("recent_ids", "<u8", (N_RECENT,)),
        ("first_at", "<u4"),
        ("main_first_at", "<u4"),
        ("due_at", "<u4"),
        ("last_at", "<u4", (N_CHANNELS,)),
        ("count", "<u4", (N_CHANNELS,)),
        ("short", "<f4", (N_CHANNELS,)),
        ("long", "<f4", (N_CHANNELS,)),
        ("gap_weight", "<f4", (N_CHANNELS,)),
        ("gap_mean", "<f4", (N_CHANNELS,)),
        ("gap_m2", "<f4", (N_CHANNELS,)),
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
        ("closed_at", "<u4"),
        ("snoozed_until", "<u4"),
        ("outcome_at", "<u4", (N_OUTCOMES,)),
        ("outcome_anchor", "<u4", (N_OUTCOMES,)),
        ("example_x", "<f2", (KEPT_FEATURES,)),
        ("example_experts", "<f2", (KEPT_EXPERTS,)),
        ("sends_long", "<f2"),
        ("clicks_long", "<f2"),
        ("episode", "<u2"),
        ("main_occasions", "<u2"),
        ("phase", "<u2"),
        ("outcome_episode", "<u2", (N_OUTCOMES,)),
        ("outcome_level", "u1", (N_OUTCOMES,)),
        ("recent_next", "u1"),
        ("example_frozen", "u1"),
        ("example_returned", "u1"),
        ("level", "u1"),
        ("step", "u1"),
        ("expired", "u1"),
        ("told", "u1"),
        ("acknowledged", "u1"),
    ]
)

Rows = NDArray[np.void]
"""Array of `ROW`, one element per customer."""

_VERSION_BYTE = bytes([ROW_VERSION])
_LAYOUTS = {bytes([1]): ROW_V1, bytes([2]): ROW_V2, _VERSION_BYTE: ROW}
_STORED = np.dtype([("version", "u1"), ("row", ROW)])
_CARRY_OVER = {1: carry_over_v1, 2: carry_over_v2}
_CHANNEL_NAMES = [channel.name.lower() for channel in Channel]
_PER_CHANNEL = frozenset(
    ["last_at", "count", "short", "long", "gap_weight", "gap_mean", "gap_m2"],
)


class StateVersionError(ValueError):
    """A stored customer is damaged: no version of the row looks like this."""


def new_rows(n: int) -> Rows:
    """Make `n` customers of whom nothing is known yet.

    Parameters
    ----------
    n
        How many, >= 0.

    Returns
    -------
    Rows
        Shape (n,). No offset applied (-1); amount means, example probability, features and experts NaN; all
        else zero.

    Examples
    --------
    >>> row = new_rows(1)[0]
    >>> row["applied"].tolist(), int(row["last_at"].sum()), bool(np.isnan(row["amount_long"]))
    ([-1, -1, -1, -1, -1, -1], 0, True)
    """
    rows = np.zeros(n, ROW)
    rows["applied"] = -1
    for name in ("amount_short", "amount_long", "example_p", "example_x", "example_experts"):
        rows[name] = np.nan
    return rows


def to_bytes(row: np.void) -> bytes:
    """Encode one customer as a changelog value: one version byte, then the row's bytes.

    Parameters
    ----------
    row
        One element of a `ROW` array.

    Returns
    -------
    bytes
        1 + `ROW.itemsize` bytes. `from_bytes` gives back every bit, NaN payloads included.

    Examples
    --------
    >>> value = to_bytes(new_rows(1)[0])
    >>> len(value), value[0], from_bytes(value).tobytes() == value[1:]
    (361, 3, True)
    """
    return _VERSION_BYTE + row.tobytes()


def rows_to_bytes(rows: Rows) -> list[bytes]:
    """Encode many customers at once: the same as `to_bytes` of each, at a fraction of the cost.

    Parameters
    ----------
    rows
        Shape (n,).

    Returns
    -------
    list of bytes
        n values, in the order of `rows`.

    Examples
    --------
    >>> rows_to_bytes(new_rows(2)) == [to_bytes(row) for row in new_rows(2)]
    True
    """
    data = rows.tobytes()
    return [_VERSION_BYTE + data[at : at + ROW.itemsize] for at in range(0, len(data), ROW.itemsize)]


def from_bytes(data: bytes) -> np.void:
    """Decode one customer from a changelog value.

    Parameters
    ----------
    data
        What `to_bytes` gave, in this version or an earlier one.

    Returns
    -------
    numpy.void
        A read-only view of one `ROW`; assigning it to an element of a `ROW` array copies it.

    Raises
    ------
    NewerVersionError
        A newer release wrote it.
    StateVersionError
        The version byte is none or the length is wrong. The message holds neither id nor content.

    Examples
    --------
    >>> from_bytes(bytes([99]) + bytes(360))
    Traceback (most recent call last):
    models.newer.NewerVersionError: stored customer has version 99, this code reads versions 1 to 3
    """
    layout = _LAYOUTS.get(data[:1])
    if layout is None:
        refuse_newer("stored customer", data[0] if data else None, ROW_VERSION)
        raise StateVersionError(f"stored customer has {f'row version {data[0]}' if data else 'no bytes'}")
    if len(data) != 1 + layout.itemsize:
        raise StateVersionError(
            f"stored customer of row version {data[0]} has {len(data)} bytes, expected {1 + layout.itemsize}"
        )
    row: np.void = np.frombuffer(data, layout, count=1, offset=1)[0]
    return row if layout is ROW else _carried_over(row, data[0])


def rows_from_bytes(values: Sequence[bytes]) -> Rows:
    """Decode many customers at once: the same as `from_bytes` of each, shape (n,); raises as that does.

    Examples
    --------
    >>> rows_from_bytes(rows_to_bytes(new_rows(2))).tobytes() == new_rows(2).tobytes()
    True
    """
    if {len(value) for value in values} <= {_STORED.itemsize}:
        stored = np.frombuffer(b"".join(values), _STORED)
        if (stored["version"] == ROW_VERSION).all():
            return stored["row"]
    rows = new_rows(len(values))
    for i, value in enumerate(values):
        rows[i] = from_bytes(value)
    return rows


def _carried_over(old: np.void, version: int) -> np.void:
    rows = new_rows(1)
    _CARRY_OVER[version](old, rows[0])
    rows.flags.writeable = False
    row: np.void = rows[0]
    return row


def customer_dict(row: np.void) -> dict[str, Any]:
    """Show one customer as plain readable numbers, for offline recounts and debugging.

    Parameters
    ----------
    row
        One element of a `ROW` array.

    Returns
    -------
    dict
        Field name to int, float or list; per-channel fields as a dict by channel name in lower case.

    Examples
    --------
    >>> customer_dict(new_rows(1)[0])["count"]
    {'order': 0, 'login': 0, 'email_open': 0}
    """
    return {name: _readable(name, row[name]) for name in ROW.names or ()}


def _readable(name: str, value: Any) -> Any:
    if name not in _PER_CHANNEL:
        return value.tolist()
    return dict(zip(_CHANNEL_NAMES, value.tolist(), strict=True))
