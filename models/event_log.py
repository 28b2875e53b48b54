"""An event log on disk, as columns sorted by time: what `models.evaluate` walks through.

`models.event_rows` says what the file looks like. It is the same form that ``yocho produce`` replays.
"""

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.event_rows import EventLogError, event_time, read_rows, singular
from models.events import Channel

CHANNEL_OF = {"order": Channel.ORDER, "login": Channel.LOGIN, "email_open": Channel.EMAIL_OPEN}


@dataclass(frozen=True)
class EventLog:
    """Events of known channels, sorted by time; events of one second keep the order of the file.

    Parameters
    ----------
    customers
        Ids in lexical order.
    customer
        Index into `customers`, shape (n,).
    at_s
        Event time, epoch seconds, shape (n,), rising.
    channel
        Shape (n,), u1.
    amount
        Value of orders, NaN = unknown, shape (n,).
    first_at_s, last_at_s
        Range of all events in the file, skipped ones included, epoch seconds.
    skipped
        Event types that were not used, and how often each occurred.
    """

    customers: tuple[str, ...]
    customer: NDArray[np.int64]
    at_s: NDArray[np.int64]
    channel: NDArray[np.uint8]
    amount: NDArray[np.float32]
    first_at_s: int
    last_at_s: int
    skipped: dict[str, int]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.at_s)


def read_log(path: str | Path, main: Channel, main_name: str) -> EventLog:
    """Read an event log.

    Parameters
    ----------
    path
        CSV file; gzipped if its name ends in ``.gz``.
    main, main_name
        Main channel, and the event type in the file that is it. Other types go to their own channel by name
        (``order``, ``login``, ``email_open``, also in plural or with a hyphen), unless that is the main one.

    Returns
    -------
    EventLog
        With at least one event.

    Raises
    ------
    EventLogError
        Columns are missing, a line cannot be read, or no event of the main type is there.
    OSError
        The file cannot be read.
    """
    known: dict[str, Channel | None] = {main_name: main}
    used: list[tuple[str, int, int, float]] = []
    skipped: Counter[str] = Counter()
    first_at_s, last_at_s = 2**63, 0
    for line, (customer_id, event_type, ts, value) in read_rows(Path(path)):
        try:
            at_s, amount = _seconds(ts), float(value) if value else math.nan
        except ValueError as error:
            raise EventLogError(f"{path}, line {line}: {error}") from None
        first_at_s, last_at_s = min(first_at_s, at_s), max(last_at_s, at_s)
        if event_type not in known:
            known[event_type] = _channel(event_type, main)
        channel = known[event_type]
        if channel is None:
            skipped[event_type] += 1
        else:
            used.append((customer_id, at_s, channel, amount if math.isfinite(amount) else math.nan))
    if not any(channel == main for _, _, channel, _ in used):
        raise EventLogError(f"{path}: no event of the main type {main_name!r}")
    used.sort(key=itemgetter(1))  # stable: events of one second keep their order
    ids, at, channels, amounts = zip(*used, strict=True)
    customers = tuple(sorted(set(ids)))
    place = {customer_id: index for index, customer_id in enumerate(customers)}
    return EventLog(
        customers=customers,
        customer=np.array([place[customer_id] for customer_id in ids], np.int64),
        at_s=np.array(at, np.int64),
        channel=np.array(channels, np.uint8),
        amount=np.array(amounts, np.float32),
        first_at_s=first_at_s,
        last_at_s=last_at_s,
        skipped=dict(skipped),
    )


def _channel(event_type: str, main: Channel) -> Channel | None:
    channel = CHANNEL_OF.get(singular(event_type))
    return None if channel == main else channel


@lru_cache(maxsize=4096)  # logs of dates repeat each one thousands of times
def _seconds(ts: str) -> int:
    seconds = event_time(ts).timestamp()
    if seconds < 1:
        raise ValueError("time is before 1970")
    return math.floor(seconds)
