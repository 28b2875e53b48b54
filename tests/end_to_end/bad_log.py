"""Logs with bad input in them: every kind the codec refuses, and what only the engine can find, among good events."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import orjson

from streams.partitioner import partition_of
from streams.reasons import Reason
from streams.topics import COMMANDS
from tests.bad_input import BAD_INPUT, KEY, Bad
from tests.end_to_end.cluster import PARTITIONS, Outbound
from tests.end_to_end.log import START_MS, TOPICS, event_log

Event = tuple[str, bytes, bytes]
"""Topic, key and value of a good record."""


class Item(NamedTuple):
    """A record and what should become of it: None for an event to apply, a reason, or "duplicate"."""

    record: Outbound
    fate: str | None = None


def home(key: bytes | None) -> int:
    """Partition of a key; of the customer the table is about, where there is no key."""
    return partition_of(KEY if key is None else key, PARTITIONS)


def good(event: Event) -> Item:
    topic, key, value = event
    return Item(Outbound(topic, home(key), key, value))


def order(customer_id: str, at_ms: int, event_id: str) -> Event:
    body = {"event_id": event_id, "customer_id": customer_id, "occurred_at": at_ms, "amount": 9}
    return TOPICS[0], customer_id.encode(), orjson.dumps(body)


def named_log(n_events: int, n_customers: int, days: int) -> list[Event]:
    """Events of many customers; two of them carry the names that the table of bad input uses."""
    names = {f"c{number:05d}".encode(): f"c{number}".encode() for number in (1, 2)}
    return [
        (topic, names[key], value.replace(b'"%b"' % key, b'"%b"' % names[key])) if key in names else (topic, key, value)
        for topic, key, value in event_log(n_events, n_customers, days)
    ]


def spoilt(log: Sequence[Event], each: int, seed: int = 11) -> Iterator[Item]:
    """The log with so many of each kind of bad record in it: half of them scattered, half in one burst.

    What is refused for what it says may stand on any partition, so the kinds go round.
    """
    rng = np.random.default_rng(seed)
    bad: dict[int, list[Item]] = {}

    def place(maker, first: int) -> None:
        scattered = rng.integers(first, len(log), each - each // 2).tolist()
        burst = [int(rng.integers(first, len(log)))] * (each // 2)
        for number, at in enumerate(scattered + burst):
            bad.setdefault(at, []).append(maker(number, log[at]))

    for kind in BAD_INPUT:
        place(lambda number, _, kind=kind: refused(kind, number), 0)
    for maker in (stray, stranger, nobody):
        place(maker, 0)
    for maker in (late, latecomer):
        place(maker, len(log) * 3 // 4)  # by then the first day is long past
    for at, event in enumerate(log):
        yield from bad.get(at, ())
        yield good(event)


KINDS = len(BAD_INPUT) + 5
"""How many kinds `spoilt` knows."""


def refused(kind: Bad, number: int) -> Item:
    return Item(Outbound(kind.source.key, number % PARTITIONS, kind.key, kind.value), str(kind.reason))


def late(number: int, _: Event) -> Item:
    """Of a customer with state."""
    return Item(good(order("c1", START_MS, f"late-{number}")).record, str(Reason.LATE))


def latecomer(number: int, _: Event) -> Item:
    """Of somebody nobody has met."""
    return Item(good(order(f"latecomer-{number}", START_MS, "late")).record, str(Reason.LATE))


def stray(number: int, near: Event) -> Item:
    """Of a customer with state, on a partition that is not theirs."""
    return _elsewhere("c1", f"stray-{number}", near)


def stranger(number: int, near: Event) -> Item:
    """Of somebody nobody has met, on a partition that is not theirs."""
    return _elsewhere(f"stranger-{number}", "stray", near)


def nobody(number: int, near: Event) -> Item:
    """A command about somebody nobody has met."""
    customer_id = f"nobody-{number}"
    said = {"command_id": f"k{number}", "customer_id": customer_id, "kind": "ack", "by": "Sato", "issued_at": _ms(near)}
    key = customer_id.encode()
    return Item(Outbound(COMMANDS.key, home(key), key, orjson.dumps(said)), str(Reason.UNKNOWN_CUSTOMER))


def _elsewhere(customer_id: str, event_id: str, near: Event) -> Item:
    topic, key, value = order(customer_id, _ms(near), event_id)
    return Item(Outbound(topic, (home(key) + 1) % PARTITIONS, key, value), str(Reason.WRONG_PARTITION))


def _ms(event: Event) -> int:
    return orjson.loads(event[2])["occurred_at"]
