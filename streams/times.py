"""Moments as people write them: RFC 3339 with a zone, in and out.

Serves `streams.settings` and the commands, beside `streams.durations`; nothing here knows what the moments are for.
"""

import math
from datetime import UTC, datetime

TIME_FORM = "an RFC 3339 time with its zone, such as 2025-04-01T00:00:00+09:00 or 2025-03-31T15:00:00Z"
LATEST_S = 2**32 - 1
"""2106; seconds in a row have 32 bits."""


def time_s(text: str) -> int:
    """Read a moment.

    Parameters
    ----------
    text
        RFC 3339 with a zone: without one nobody knows which midnight is meant.

    Returns
    -------
    int
        Epoch seconds, rounded up to a whole one, > 0.

    Raises
    ------
    ValueError
        The text has another form or no zone, or lies outside 1970 to 2106.

    Examples
    --------
    >>> time_s("2025-04-01T00:00:00+09:00"), time_s("2025-03-31T14:59:59.2Z")
    (1743433200, 1743433200)
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        at_s = math.ceil(moment.timestamp()) if moment.tzinfo else 0
    except (ValueError, OverflowError):
        at_s = 0
    if not 0 < at_s <= LATEST_S:
        raise ValueError(f"{text!r} is not {TIME_FORM}")
    return at_s


def utc(at_s: int) -> datetime:
    """Return the moment of an epoch second, with its zone.

    Examples
    --------
    >>> utc(1_743_433_200).isoformat()
    '2025-03-31T15:00:00+00:00'
    """
    return datetime.fromtimestamp(at_s, UTC)


def time_text(at_s: int) -> str:
    """Write a moment in UTC; `time_s` gives it back.

    Parameters
    ----------
    at_s
        Epoch seconds.

    Examples
    --------
    >>> time_text(1_743_433_200)
    '2025-03-31T15:00:00Z'
    """
    return f"{utc(at_s):%Y-%m-%dT%H:%M:%SZ}"
