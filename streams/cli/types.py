"""Kinds of arguments the commands share: durations, speeds, times, and who and whom a command is about."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import click

from models.commands import MAX_BY_CHARACTERS
from streams.checks import MAX_ID_BYTES, check_identifier, check_time_of
from streams.commands import check_by
from streams.durations import DURATION_FORM, SPEED_FORM, duration_s, speed
from streams.reasons import Reason, RejectedError

T = TypeVar("T")


class _Text(click.ParamType):
    """A text with a reader of its own, which raises ValueError with the form it wants."""

    def __init__(self, name: str, read: Callable[[str], Any], form: str) -> None:
        self.name = name
        self._read = read
        self._form = form

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError:
            self.fail(f"{value!r} is not {self._form}", param, ctx)


DURATION_S = _Text("duration", duration_s, DURATION_FORM)
"""``91d`` as seconds."""
SPEED = _Text("speed", speed, SPEED_FORM)
"""``86400x`` or ``max`` as seconds of event time per second."""


def _checked(check: Callable[[str], T]) -> Callable[[str], T]:
    """Turn a check of records into a reader of arguments."""

    def read(text: str) -> T:
        try:
            return check(text)
        except RejectedError as error:
            raise ValueError(str(error)) from error

    return read


_time_ms = _checked(check_time_of)


def _until(text: str) -> timedelta | int:
    try:
        return timedelta(seconds=duration_s(text))
    except ValueError:
        return _time_ms(text)


TIME_FORM = "a time with an offset, as RFC 3339 writes it, such as 2026-04-25T09:00:00+09:00"
TIME_MS = _Text("time", _time_ms, TIME_FORM)
"""An RFC 3339 time as epoch milliseconds."""
UNTIL = _Text("until", _until, f"{DURATION_FORM}, or {TIME_FORM}")
"""``14d`` as a `timedelta`, a time as epoch milliseconds."""
CUSTOMER = _Text(
    "id",
    _checked(lambda text: check_identifier(text, Reason.INVALID_CUSTOMER_ID)),
    f"an id: 1 to {MAX_ID_BYTES} bytes without control characters",
)
BY = _Text("name", _checked(check_by), f"a name: 1 to {MAX_BY_CHARACTERS} printable characters")
"""Who says something."""
