"""Kinds of arguments the commands share: durations, moments, speeds, and who and whom a command is about."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import click

from models.commands import MAX_BY_CHARACTERS
from streams.checks import MAX_ID_BYTES, check_identifier
from streams.commands import check_by
from streams.dead_letter import partition_in
from streams.durations import DURATION_FORM, SPEED_FORM, duration_s, speed
from streams.reasons import Reason, RejectedError
from streams.times import TIME_FORM, time_s

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
TIME_S = _Text("time", time_s, TIME_FORM)
"""``2025-04-01T00:00:00+09:00`` as epoch seconds."""
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


def _until(text: str) -> timedelta | int:
    try:
        return timedelta(seconds=duration_s(text))
    except ValueError:
        return time_s(text)


def _letter(text: str) -> str:
    partition_in(text)
    return text


UNTIL = _Text("until", _until, f"{DURATION_FORM}, or {TIME_FORM}")
"""``14d`` as a `timedelta`, a time as epoch seconds."""
CUSTOMER = _Text(
    "id",
    _checked(lambda text: check_identifier(text, Reason.INVALID_CUSTOMER_ID)),
    f"an id: 1 to {MAX_ID_BYTES} bytes without control characters",
)
LETTER = _Text("id", _letter, "an id of a dead letter: topic-partition-offset, as in orders-3-41")
BY = _Text("name", _checked(check_by), f"a name: 1 to {MAX_BY_CHARACTERS} printable characters")
"""Who says something."""


def _role_user(text: str) -> tuple[str, str]:
    role, sign, user = text.partition("=")
    if not (role and sign and user):
        raise ValueError
    return role, user


ROLE_USER = _Text("role=user", _role_user, "ROLE=USER, such as worker=User:churn")
"""Who has a role, as a pair."""


def _issued_at_ms(context: click.Context, parameter: click.Parameter, at_s: int | None) -> int:
    return int(time.time() * 1000) if at_s is None else at_s * 1000


SAID_AT = click.option(
    "--at", "issued_at_ms", type=TIME_S, callback=_issued_at_ms,
    help="When it was said, in a replayed history.  [default: now]",
)  # fmt: skip
"""The option of everything people say; gives epoch milliseconds."""
