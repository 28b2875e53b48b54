"""What one setting is: its variable, default, unit, meaning, and the rule that reads and checks its value.

Under `streams.settings`, which lists them all.
"""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.events import Channel
from models.experts import NAMES as EXPERT_NAMES
from models.levels import ALERT_LEVELS, LEVELS
from models.policy import Policy
from streams.durations import DURATION_FORM, UNITS_S, duration_s
from streams.secret import Secret
from streams.times import LATEST_S, TIME_FORM, time_s

DAY_S = UNITS_S["d"]
_LEVEL_NAMES = [title.name for title in LEVELS if title.level in ALERT_LEVELS]
Thresholds = tuple[tuple[float, float, float], tuple[float, float, float]]


class SettingsError(ValueError):
    """A variable holds a value that is not allowed; the message names both."""


@dataclass(frozen=True)
class Rule:
    """How a text becomes a value and which values are allowed; a refusal of a secret does not repeat it."""

    read: Callable[[str], Any]
    holds: Callable[[Any], bool]
    allowed: str
    is_secret: bool = False


@dataclass(frozen=True)
class Setting:
    """One row of `SETTINGS`: what a person who configures Yochō sees.

    Parameters
    ----------
    variable, default, unit, meaning
        Name in the environment; text used when it is absent or empty; unit, "" where there is none; one
        sentence.
    rule
        Which values are allowed.
    field
        Attribute of `Settings`.
    """

    variable: str
    default: str
    unit: str
    meaning: str
    rule: Rule
    field: str = ""

    def value(self, text: str) -> Any:
        """Read and check a text.

        Raises
        ------
        SettingsError
            The text is not allowed.
        """
        try:
            value = self.rule.read(text)
        except (ValueError, KeyError):
            raise self._refusal(text) from None
        if not self.rule.holds(value):
            raise self._refusal(text)
        return value

    def check(self, value: Any) -> None:
        """Raise `SettingsError` unless the rule holds for a value."""
        if not self.rule.holds(value):
            raise self._refusal(value)

    def _refusal(self, given: Any) -> SettingsError:
        shown = "" if self.rule.is_secret else f"={given!r}"
        return SettingsError(f"{self.variable}{shown}: must be {self.rule.allowed}")


def declare(variable: str, default: str, unit: str, meaning: str, rule: Rule) -> Any:
    """Declare a field of a settings class; see `Setting`."""
    declared = Setting(variable, default, unit, meaning, rule)
    return dataclasses.field(default=declared.value(default), metadata={"setting": declared})


def number(kind: type[int] | type[float], low: float, high: float) -> Rule:
    """Allow an int or a float from `low` to `high`."""
    name = "a whole number" if kind is int else "a number"
    return Rule(kind, lambda v: low <= v <= high, f"{name} from {low:,} to {high:,}")


def choice(*values: str) -> Rule:
    """Allow one of some words."""
    return Rule(str, values.__contains__, " or ".join(values))


def _name(pattern: str, allowed: str) -> Rule:
    return Rule(str, lambda v: re.fullmatch(pattern, v) is not None, allowed)


def _duration(low_s: int, high_days: int, allowed: str) -> Rule:
    return Rule(duration_s, lambda v: low_s <= v <= high_days * DAY_S, f"{DURATION_FORM}, {allowed}")


def or_empty(rule: Rule) -> Rule:
    """Allow nothing, which is None, beside what the rule allows."""
    return Rule(
        lambda text: rule.read(text) if text else None,
        lambda v: v is None or rule.holds(v),
        f"empty, or {rule.allowed}",
        rule.is_secret,
    )


def or_zero(rule: Rule) -> Rule:
    """Allow 0, which switches something off, beside what the rule allows."""
    return Rule(rule.read, lambda v: v == 0 or rule.holds(v), f"0, or {rule.allowed}")


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _is_address(text: str) -> bool:
    match = re.fullmatch(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})", text)
    return match is not None and 0 < int(match[2]) < 65_536


def _thresholds(text: str) -> Thresholds:
    parts = [part.strip().split("=") for part in text.split(",")]
    pairs = {name: tuple(map(float, pair.split("/"))) for name, pair in parts}
    (watch, at_risk, critical), surplus = (pairs.pop(name) for name in _LEVEL_NAMES), pairs
    if surplus or len(parts) != len(_LEVEL_NAMES):
        raise ValueError("each alert level once")
    (w_in, w_out), (r_in, r_out), (c_in, c_out) = watch, at_risk, critical
    return (w_in, r_in, c_in), (w_out, r_out, c_out)


def _are_thresholds(value: Thresholds) -> bool:
    try:
        Policy(dwell_s=0, expire_s=1, enter=value[0], exit=value[1])
    except ValueError:
        return False
    return True


BROKERS = Rule(_words, lambda v: bool(v) and all(map(_is_address, v)), "host:port[,host:port...]")
MAIN = Rule(lambda text: Channel[text.upper()], lambda v: isinstance(v, Channel), "order, login or email_open")
EXPERTS = Rule(
    _words,
    lambda v: bool(v) and set(v) <= set(EXPERT_NAMES) and len(set(v)) == len(v),
    f"some of {', '.join(EXPERT_NAMES)}, each once, separated by commas",
)
LEVEL_THRESHOLDS = Rule(
    _thresholds,
    _are_thresholds,
    "level=enter/exit for watch, at_risk and critical, probabilities in (0, 1) that rise, exit below enter",
)
LONGEST_DAYS = 3_650
HORIZON = _duration(DAY_S, LONGEST_DAYS, "from 1d to 3650d")
SPAN = _duration(0, LONGEST_DAYS, "up to 3650d")
MEMORY_DAYS = number(float, 1, LONGEST_DAYS)
MOMENT = Rule(time_s, lambda v: 0 < v <= LATEST_S, TIME_FORM)
NAME = _name(r"[A-Za-z0-9._-]{1,100}", "1 to 100 letters, digits, dots, dashes or underscores")
PREFIX = _name(r"[A-Za-z0-9._-]{0,100}", "up to 100 letters, digits, dots, dashes or underscores")
FOLDER = Rule(Path, lambda v: isinstance(v, Path) and v.is_absolute(), "an absolute path")
HOST = _name(r"[A-Za-z0-9.:_-]{1,253}", "a host name or an IP address")
FILE = _name(r"[^\x00-\x1f]{1,1000}", "the name of a file")
USER = _name(r"[!-+\--<>-~]{1,200}", "1 to 200 printable ASCII characters without blank, comma or =")
"""kafka-python does not escape the two characters that mean something in SCRAM (RFC 5802)."""
SECRET = Rule(
    Secret,
    lambda v: isinstance(v, Secret) and re.fullmatch(r"[^\x00-\x1f\x7f]{1,4000}", v.reveal()) is not None,
    "1 to 4,000 characters without control characters",
    is_secret=True,
)
