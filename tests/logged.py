"""What was logged, with the fields that stand beside each event."""

import logging
from collections.abc import Iterable
from typing import Any

_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime"}


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What an event is about."""
    return {name: value for name, value in vars(record).items() if name not in _USUAL}


def logged(records: Iterable[logging.LogRecord], of: str = "streams") -> list[tuple[str, dict[str, Any]]]:
    """Events of our own modules, or of one, with their fields."""
    return [(record.getMessage(), fields_of(record)) for record in records if record.name.startswith(of)]


def text_of(records: Iterable[logging.LogRecord]) -> str:
    """Everything that would be written, to look for what must not be."""
    return "\n".join(f"{record.getMessage()} {fields_of(record)} {record.exc_text or ''}" for record in records)
