"""Durations and speeds as people write them: ``91d``, ``12h``, ``86400x``.

Serves `streams.settings` and the commands; nothing here knows what the numbers are for.
"""

import math
import re

UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
DURATION_FORM = "a whole number with a unit s, m, h, d or w, such as 91d or 12h"
SPEED_FORM = "max, or how many times faster than real time, such as 86400x or 1x"

_DURATION = re.compile(r"([0-9]{1,9})([smhdw])")
_SPEED = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)x")


def duration_s(text: str) -> int:
    """Read a duration.

    Parameters
    ----------
    text
        A whole number and one unit: s, m, h, d or w.

    Returns
    -------
    int
        Seconds, >= 0.

    Raises
    ------
    ValueError
        The text has another form.

    Examples
    --------
    >>> duration_s("91d"), duration_s("12h"), duration_s("0s")
    (7862400, 43200, 0)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not {DURATION_FORM}")
    return int(match[1]) * UNITS_S[match[2]]


def duration_text(seconds: int) -> str:
    """Write a duration in the largest unit up to days that keeps it whole; the inverse of `duration_s`.

    Examples
    --------
    >>> duration_text(7_862_400), duration_text(302_400), duration_text(90), duration_text(0)
    ('91d', '84h', '90s', '0s')
    """
    unit = next((u for u in "dhm" if seconds and seconds % UNITS_S[u] == 0), "s")
    return f"{seconds // UNITS_S[unit]}{unit}"


def speed(text: str) -> float:
    """Read a replay speed.

    Parameters
    ----------
    text
        ``max``, or a positive number and ``x``.

    Returns
    -------
    float
        Seconds of event time per second, > 0; `math.inf` for ``max``.

    Raises
    ------
    ValueError
        The text has another form, or the speed is zero.

    Examples
    --------
    >>> speed("86400x"), speed("0.5x"), speed("max")
    (86400.0, 0.5, inf)
    """
    if text.strip() == "max":
        return math.inf
    match = _SPEED.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"{text!r} is not {SPEED_FORM}")
    return float(match[1])
