"""A customer is a row: the versioned structured dtype, its bytes and back.

Third word of the line from event to alert (per-customer state). A partition's customers are one NumPy array
of `ROW`; `models.apply` says what an event changes in it, `models.labels` what becomes of the pending
example, `models.policy` what becomes of the episode. This module only knows the layout.

Layout: little-endian and packed, widest fields first, so every field is aligned without a padding byte. Times
are whole epoch seconds in ``<u4`` (1970 to 2106) with 0 = never; offsets are ``<i8`` with -1 = none; ``(3,)``
is one column per source or per `models.events.Channel`.

=====================  ======================================================================================
``applied (3,)``       last applied offset per source (orders, logins, email-opens)
``recent_ids (6,)``    ring of event-id fingerprints, 0 = empty; ``recent_next`` is the slot written next
``first_at``           first engaged event on any channel; ``main_first_at`` the same on the main channel
``due_at``             when the partition's clock looks at this customer again, 0 = nothing due
``last_at (3,)``       latest event time per channel; ``count (3,)`` engaged events ever
``short, long (3,)``   decayed event counts as of ``last_at``, half-lives `SHORT_DAYS` and `LONG_DAYS`
``gap_* (3,)``         rhythm: forgetting weight, mean and sum of squared deviations of log gap, gaps in days
``main_occasions``     distinct days (UTC) with a main event, late events not counted, at most 65,535
``amount_*``           order value: decayed means and their weights as of ``last_at[ORDER]``; lifetime sum
``phase``              place of the first freeze within H/4, in 1/65536 of it (`models.labels.phase`)
``example_*``          the one pending example, scheduled (frozen 0) or frozen (frozen 1): `models.labels`
``level .. expired``   the alert episode: `models.policy`
=====================  ======================================================================================

Memory, measured: a row is 312 bytes. A customer with its index (``dict[bytes, int]``, list of ids, row) is
470 bytes: growth of the resident set of CPython 3.11 on x86-64 while 200,000 customers with 17-byte ids are
made, divided by their number; the garbage collector is off meanwhile. Ids and index are the other 158.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.events import N_CHANNELS, Channel

ROW_VERSION = 1
N_FEATURES = 24
N_SOURCES = 3
N_RECENT = 6
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
        ("example_at", "<u4"),
        ("example_p", "<f4"),
        ("example_x", "<f4", (N_FEATURES,)),
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

Rows = NDArray[np.void]
"""Array of `ROW`, one element per customer."""

_VERSION_BYTE = bytes([ROW_VERSION])
_CHANNEL_NAMES = [channel.name.lower() for channel in Channel]
_PER_CHANNEL = frozenset(
    ["last_at", "count", "short", "long", "gap_weight", "gap_mean", "gap_m2"],
)


class StateVersionError(ValueError):
    """A stored customer was written by another version of the row, or is damaged."""


def new_rows(n: int) -> Rows:
    """Make `n` customers of whom nothing is known yet.

    Parameters
    ----------
    n
        How many, >= 0.

    Returns
    -------
    Rows
        Shape (n,). No offset applied (-1); amount means, example probability and features NaN; all else zero.

    Examples
    --------
    >>> row = new_rows(1)[0]
    >>> row["applied"].tolist(), int(row["last_at"].sum()), bool(np.isnan(row["amount_long"]))
    ([-1, -1, -1], 0, True)
    """
    rows = np.zeros(n, ROW)
    rows["applied"] = -1
    for name in ("amount_short", "amount_long", "example_p", "example_x"):
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
    (313, 1, True)
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
        What `to_bytes` gave.

    Returns
    -------
    numpy.void
        A read-only view of one `ROW`; assigning it to an element of a `ROW` array copies it.

    Raises
    ------
    StateVersionError
        The version byte is unknown or the length is wrong. The message holds neither id nor content.

    Examples
    --------
    >>> from_bytes(bytes([99]) + bytes(312))
    Traceback (most recent call last):
    models.state.StateVersionError: stored customer has row version 99, this code reads version 1
    """
    if data[:1] != _VERSION_BYTE:
        found = f"row version {data[0]}" if data else "no bytes"
        raise StateVersionError(f"stored customer has {found}, this code reads version {ROW_VERSION}")
    if len(data) != 1 + ROW.itemsize:
        raise StateVersionError(
            f"stored customer of row version {ROW_VERSION} has {len(data)} bytes, expected {1 + ROW.itemsize}"
        )
    row: np.void = np.frombuffer(data, ROW, count=1, offset=1)[0]
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
