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

from models.apply import Columns
from models.baskets import category_mask
from models.event_rows import EventLogError, categories_of, event_time, read_rows, singular
from models.events import N_CHANNELS, Channel, Source

CHANNEL_OF = {"order": Channel.ORDER, "login": Channel.LOGIN, "email_open": Channel.EMAIL_OPEN}
SOURCE_OF = {
    "order": Source.ORDERS,
    "login": Source.LOGINS,
    "email_open": Source.EMAIL_OPENS,
    "email_send": Source.EMAIL_SENDS,
    "email_click": Source.EMAIL_CLICKS,
}
NO_CHANNEL = N_CHANNELS
"""Channel of an e-mail sent, which is no engagement."""


@dataclass(frozen=True)
class EventLog:
    """Events of known types, sorted by time; events of one second keep the order of the file.

    Parameters
    ----------
    customers
        Ids in lexical order.
    customer
        Index into `customers`, shape (n,).
    at_s
        Event time, epoch seconds, shape (n,), rising.
    channel
        `Channel` engaged on, shape (n,), u1; `NO_CHANNEL` for an e-mail sent, EMAIL_OPEN for a click.
    amount
        Value of orders, NaN = unknown, shape (n,).
    source
        `Source` it would have come from, shape (n,), u1.
    categories
        What orders hold, as `models.baskets.category_mask` gives it, shape (n,), u4; 0 = not told.
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
    source: NDArray[np.uint8]
    categories: NDArray[np.uint32]
    first_at_s: int
    last_at_s: int
    skipped: dict[str, int]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.at_s)

    def columns(self, which: NDArray[np.integer]) -> Columns:
        """Return some of the events as `models.apply` takes them, in this order; no id, so none is a duplicate."""
        return Columns(
            at_s=self.at_s[which].astype(np.uint32),
            channel=self.channel[which],
            source=self.source[which],
            offset=which.astype(np.int64),  # a place in the file rises like an offset
            amount=self.amount[which],
            id_hash=np.zeros(len(which), np.uint64),
            engaged=np.ones(len(which), np.bool_),
            categories=self.categories[which],
        )


def read_log(path: str | Path, main: Channel, main_name: str) -> EventLog:
    """Read an event log.

    Parameters
    ----------
    path
        CSV file; gzipped if its name ends in ``.gz``.
    main, main_name
        Main channel, and the event type in the file that is it. Other types are known by name (``order``,
        ``login``, ``email_open``, ``email_send``, ``email_click``, also in plural or with a hyphen), unless they
        speak of the main channel, which only clicks may, where `main_name` is an e-mail opened.

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
    known: dict[str, Source | None] = {main_name: Source(main)}
    used: list[tuple[str, int, Source, float, int]] = []
    skipped: Counter[str] = Counter()
    first_at_s, last_at_s = 2**63, 0
    for line, (customer_id, event_type, ts, value, category) in read_rows(Path(path)):
        try:
            at_s, amount = _seconds(ts), float(value) if value else math.nan
        except ValueError as error:
            raise EventLogError(f"{path}, line {line}: {error}") from None
        first_at_s, last_at_s = min(first_at_s, at_s), max(last_at_s, at_s)
        if event_type not in known:
            known[event_type] = _source(event_type, main, main_name)
        source = known[event_type]
        if source is None:
            skipped[event_type] += 1
        else:
            mask = category_mask(categories_of(category)) if source == Source.ORDERS and category else 0
            used.append((customer_id, at_s, source, amount if math.isfinite(amount) else math.nan, mask))
    if not any(source == Source(main) for _, _, source, _, _ in used):
        raise EventLogError(f"{path}: no event of the main type {main_name!r}")
    used.sort(key=itemgetter(1))  # stable: events of one second keep their order
    ids, at, sources, amounts, masks = zip(*used, strict=True)
    customers = tuple(sorted(set(ids)))
    place = {customer_id: index for index, customer_id in enumerate(customers)}
    return EventLog(
        customers=customers,
        customer=np.array([place[customer_id] for customer_id in ids], np.int64),
        at_s=np.array(at, np.int64),
        channel=_CHANNELS[list(sources)],
        amount=np.array(amounts, np.float32),
        source=np.array(sources, np.uint8),
        categories=np.array(masks, np.uint32),
        first_at_s=first_at_s,
        last_at_s=last_at_s,
        skipped=dict(skipped),
    )


def _source(event_type: str, main: Channel, main_name: str) -> Source | None:
    source = SOURCE_OF.get(singular(event_type))
    if source == Source(main):
        return None
    is_implied = source == Source.EMAIL_CLICKS and main == Channel.EMAIL_OPEN
    return None if is_implied and singular(main_name) != "email_open" else source


_CHANNELS = np.array([*Channel, NO_CHANNEL, Channel.EMAIL_OPEN], np.uint8)  # by source


@lru_cache(maxsize=4096)  # logs of dates repeat each one thousands of times
def _seconds(ts: str) -> int:
    seconds = event_time(ts).timestamp()
    if seconds < 1:
        raise ValueError("time is before 1970")
    return math.floor(seconds)
