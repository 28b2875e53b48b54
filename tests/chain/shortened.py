"""The committed rules in a shortened time: every duration divided by one number, nothing else touched.

A rule that waits five minutes for a symptom to last cannot be watched in a test of a minute. What is shortened: ``for``
and its like, the window of a range or subquery, and an offset, all of them alike, so windows keep their proportions.
What is not: numbers in an expression, seconds or not, because nothing in PromQL says which are times.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_DURATION = r"(?:\d+(?:ms|[smhdwy]))+"
_IN_A_QUERY = re.compile(rf'"[^"]*"|\[({_DURATION})(?::({_DURATION})?)?\]|\boffset\s+(-?)({_DURATION})')
_TIMES = {"for", "keep_firing_for", "interval", "group_wait", "group_interval", "repeat_interval"}


def shortened_duration(text: str, by: float) -> str:
    """Divide a duration as Prometheus writes it; the least is a millisecond.

    Examples
    --------
    >>> [shortened_duration(text, 30) for text in ("1m", "1h30m", "10s", "1d")]
    ['2s', '3m', '333ms', '48m']
    """
    whole_ms = sum(int(n) * _UNITS_MS[unit] for n, unit in re.findall(r"(\d+)(ms|[smhdwy])", text))
    left_ms = max(1, round(whole_ms / by))
    unit = next(unit for unit in ("d", "h", "m", "s", "ms") if left_ms % _UNITS_MS[unit] == 0)
    return f"{left_ms // _UNITS_MS[unit]}{unit}"


def shortened_query(expr: str, by: float) -> str:
    """Divide the windows and offsets of a query.

    Examples
    --------
    >>> shortened_query('rate(x{a="[5m]"}[5m]) > 300 and max_over_time(y[1h:1m] offset 1d) > 0', 30)
    'rate(x{a="[5m]"}[10s]) > 300 and max_over_time(y[2m:2s] offset 48m) > 0'
    """

    def one(found: re.Match[str]) -> str:
        window, step, sign, offset = found.groups()
        if offset:
            return f"offset {sign}{shortened_duration(offset, by)}"
        if window:
            inside = f":{shortened_duration(step, by) if step else ''}" if ":" in found[0] else ""
            return f"[{shortened_duration(window, by)}{inside}]"
        return found[0]

    return _IN_A_QUERY.sub(one, expr)


def shortened(settings: Any, by: float) -> Any:
    """Divide every duration of a rule file, or of Alertmanager's routes, read from YAML."""
    match settings:
        case dict():
            return {key: _value(key, value, by) for key, value in settings.items()}
        case list():
            return [shortened(value, by) for value in settings]
        case _:
            return settings


def _value(key: str, value: Any, by: float) -> Any:
    if key == "expr":
        return shortened_query(value, by)
    return shortened_duration(value, by) if key in _TIMES else shortened(value, by)


def write_shortened(rules: Path, names: Iterable[str], folder: Path, by: float) -> None:
    """Write files of a folder into another one, shortened."""
    for name in names:
        text = yaml.safe_load((rules / name).read_text(encoding="utf-8"))
        (folder / name).write_text(yaml.safe_dump(shortened(text, by), allow_unicode=True), encoding="utf-8")
