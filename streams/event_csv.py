"""An event log on disk, row by row, as the records a shop would send: what `yocho produce` replays.

`models.event_rows` says what the file looks like. ``value`` is the amount of an order, the seconds of a login or
nothing, and for an e-mail open or click ``machine`` when a machine did it (a number there says nothing, nor for an
e-mail sent). A row that cannot be read so is an error that names the line. Whether a well-formed row makes sense, a
refund for one, is for the worker to judge: it may become a dead letter.
"""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import orjson

from models.event_rows import EventLogError, categories_of, event_time, read_rows, singular
from models.events import Channel
from streams.topics import INPUTS, ORDERS, READABLE, InputTopic, input_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class Outgoing(NamedTuple):
    """A record to be sent: its topic, key, value (None of a tombstone), and event time in epoch milliseconds."""

    source: InputTopic
    key: bytes
    value: bytes | None
    at_ms: int


def read_records(path: Path, main: Channel, main_name: str | None = None) -> Iterator[Outgoing]:
    """Read a file as records, in its order.

    Parameters
    ----------
    path
        CSV file; gzipped if its name ends in ``.gz``.
    main
        Main channel.
    main_name
        Event type in the file that is the main channel; None where the file speaks of order, login, email_open,
        email_send and email_click (plural and hyphen are understood).

    Yields
    ------
    Outgoing
        With an event id made of type, customer, time and line, so the same file always gives the same ids.

    Raises
    ------
    EventLogError
        Columns are missing, an event type is unknown, or a row cannot be read.
    OSError
        The file cannot be read.
    """
    sources = {main_name: _SOURCE_OF[main]} if main_name else {}
    for line, (customer_id, event_type, ts, value, category) in read_rows(path):
        try:
            source = sources.get(event_type) or sources.setdefault(event_type, _source(event_type))
            if not customer_id:
                raise ValueError("no customer_id")
            at_ms = _epoch_ms(ts)
            body = {
                "event_id": f"{source.event_type}-{customer_id}-{at_ms}-{line}",
                "customer_id": customer_id,
                "occurred_at": at_ms,
                **_DETAILS[source.event_type](value),
            }
            if source is ORDERS and (categories := categories_of(category)):
                body["items"] = [{"category": name} for name in categories]
        except ValueError as error:
            raise EventLogError(f"{path}, line {line}: {error}") from None
        yield Outgoing(source, customer_id.encode(), orjson.dumps(body), at_ms)


def _source(event_type: str) -> InputTopic:
    try:
        return input_of(singular(event_type))
    except KeyError:
        known = ", ".join(topic.event_type for topic in READABLE)
        raise ValueError(f"unknown event type {event_type!r}; known are {known}, and --main names another") from None


@lru_cache(maxsize=4096)  # logs of dates repeat each one thousands of times
def _epoch_ms(ts: str) -> int:
    return (event_time(ts) - _EPOCH) // _MS


def _number(text: str, what: str) -> float | int:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{what} is no number: {text!r}")
    return number


def _order(value: str) -> dict[str, object]:
    return {"amount": _number(value, "the value of an order")}


def _login(value: str) -> dict[str, object]:
    return {"session_seconds": _number(value, "the value of a login")} if value else {}


def _email_sent(value: str) -> dict[str, object]:
    if value:
        _number(value, "the value of an e-mail sent")
    return {}


def _email_read(value: str) -> dict[str, object]:
    if value and value != "machine":
        _number(value, "the value of an e-mail open or click, if not 'machine',")
    return {"machine": value == "machine"}


_DETAILS: dict[str, Callable[[str], dict[str, object]]] = {
    "order": _order,
    "login": _login,
    "email_open": _email_read,
    "email_send": _email_sent,
    "email_click": _email_read,
}
_SOURCE_OF = {topic.channel: topic for topic in INPUTS if topic.channel is not None}
