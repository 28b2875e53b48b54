"""Kinds of arguments the commands share: durations, moments and speeds."""

from collections.abc import Callable
from typing import Any

import click

from streams.durations import DURATION_FORM, SPEED_FORM, duration_s, speed
from streams.times import TIME_FORM, time_s


class _Text(click.ParamType):
    """A text with a reader of its own, which raises ValueError with the form it wants."""

    def __init__(self, name: str, read: Callable[[str], float], form: str) -> None:
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
