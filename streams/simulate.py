"""Sends a simulated shop into the input topics: event to JSON record, and the pace at which records go out.

Stands before the line from event to alert, where a real shop's systems would be. The sender is handed in; nothing
here knows how to reach a broker.
"""

import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import orjson

from models.events import Channel, Event
from models.simulator import campaign_id
from streams.event_csv import Outgoing
from streams.topics import INPUTS

CATEGORIES = ("skin-care", "make-up", "hair-care", "tea", "sweets", "supplements")
CHUNK_EVENTS = 2_000
CHUNK_SPAN_MS = 2 * 86_400_000  # the inputs are at most a chunk apart: well inside a lateness of a week
TICK_S = 0.1


class Takes(Protocol):
    """What takes records: `streams.produce.Sender`, or a list in a test."""

    def send(self, record: Outgoing) -> None:
        """Hand over a record."""

    def flush(self) -> None:
        """Wait until all of them are acknowledged."""


class Pace:
    """When an event may go out: at full speed first, then at a given speed, and never before it happens.

    Parameters
    ----------
    speed
        Seconds of event time per second, > 0; `math.inf` does not wait.
    from_s
        Event time from which on the speed holds, epoch seconds; before it there is no waiting.

    Raises
    ------
    ValueError
        The speed is not positive.

    Examples
    --------
    >>> pace = Pace(speed=86_400, from_s=1_000_000)
    >>> [pace.wait_s(at_s, now_s=5_000_000.0) for at_s in (900_000, 1_000_000, 1_043_200)]
    [0.0, 0.0, 0.5]
    >>> Pace(speed=math.inf).wait_s(5_000_060, now_s=5_000_000.0)
    60.0
    """

    def __init__(self, speed: float, from_s: float = 0.0) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be positive, got {speed}")
        self.speed = speed
        self.from_s = from_s
        self._anchor_s: float | None = None

    def wait_s(self, at_s: float, now_s: float) -> float:
        """Tell how long an event at `at_s` still has to wait at `now_s`, in seconds, >= 0.

        The first event asked about past `from_s` goes out at once and starts the count.
        """
        due_s = at_s  # what has not happened yet is not sent: when simulated time reaches now, it is real time
        if at_s >= self.from_s and math.isfinite(self.speed):
            if self._anchor_s is None:
                self._anchor_s = now_s - at_s / self.speed
            due_s = max(due_s, self._anchor_s + at_s / self.speed)
        return max(0.0, due_s - now_s)


def chunks(
    events: Iterable[Event], pace: Pace, *, now: Callable[[], float], wait: Callable[[float], bool]
) -> Iterator[list[Event]]:
    """Cut a stream of events into chunks that may go out now, waiting where the pace says so.

    Parameters
    ----------
    events
        In time order.
    pace
        When they may go out.
    now
        Wall clock, epoch seconds.
    wait
        Sleeps for some seconds; True means stop.

    Yields
    ------
    list of Event
        At most 2,000 events spanning at most two days of event time, never empty.
    """
    chunk: list[Event] = []
    for event in events:
        wait_s = pace.wait_s(event.occurred_at_ms / 1000, now())
        if chunk and (wait_s > 0 or _is_full(chunk, event)):
            yield chunk
            chunk = []
        while wait_s > 0:
            # Whole ticks, so that a fast pace sends a chunk a tick and not a chunk an event.
            if wait(min(max(wait_s, TICK_S), 1.0)):
                return
            wait_s = pace.wait_s(event.occurred_at_ms / 1000, now())
        chunk.append(event)
    if chunk:
        yield chunk


def send(chunk: Sequence[Event], sender: Takes) -> None:
    """Put a chunk into the topics and wait until the broker has it all.

    Waiting keeps the three inputs together: none is ever more than a chunk ahead of the others.

    Parameters
    ----------
    chunk
        Events in time order.
    sender
        Takes the records; its errors pass through.
    """
    for event in chunk:
        source = _SOURCES[event.channel]
        sender.send(Outgoing(source, event.customer_id.encode(), to_json(event), event.occurred_at_ms))
    sender.flush()


def to_json(event: Event) -> bytes:
    """Write an event the way a shop's systems would.

    Parameters
    ----------
    event
        From `models.simulator.Shop`.

    Returns
    -------
    bytes
        The record's value; its key is the customer id.

    Examples
    --------
    >>> to_json(Event("c0000001", "c0000001-4", Channel.LOGIN, 1_700_000_000_000, amount=180.0))
    b'{"event_id":"c0000001-4","customer_id":"c0000001","occurred_at":1700000000000,"session_seconds":180}'
    """
    head = {"event_id": event.event_id, "customer_id": event.customer_id, "occurred_at": event.occurred_at_ms}
    return orjson.dumps(head | _DETAILS[event.channel](event))


def _is_full(chunk: Sequence[Event], following: Event) -> bool:
    return len(chunk) >= CHUNK_EVENTS or following.occurred_at_ms - chunk[0].occurred_at_ms > CHUNK_SPAN_MS


def _order(event: Event) -> dict[str, object]:
    return {"amount": event.amount, "currency": "JPY", "items": _basket(event)}


def _login(event: Event) -> dict[str, object]:
    return {"session_seconds": int(event.amount)}


def _email_open(event: Event) -> dict[str, object]:
    return {"campaign_id": campaign_id(event), "machine": not event.engaged}


_SOURCES = {source.channel: source for source in INPUTS}
_DETAILS: Mapping[Channel, Callable[[Event], dict[str, object]]] = {
    Channel.ORDER: _order,
    Channel.LOGIN: _login,
    Channel.EMAIL_OPEN: _email_open,
}


def _basket(event: Event) -> list[dict[str, object]]:
    """Split an order into one to three items; about two in three are of the customer's favourite category."""
    favourite = zlib.crc32(event.customer_id.encode())
    dice = zlib.crc32(event.event_id.encode())
    n = 1 + dice % 3
    price = event.amount // n
    return [
        {
            "category": CATEGORIES[(favourite if (dice >> place) % 3 else dice >> place) % len(CATEGORIES)],
            "quantity": 1,
            "price": event.amount - price * (n - 1) if place == 0 else price,
        }
        for place in range(n)
    ]
