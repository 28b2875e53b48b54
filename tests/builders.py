"""Builders with defaults: what a shop's systems would send, as bytes and as the event the codec should make of it.

order("c1", at="+3d", amount=20)      one order, three days after START_MS
login("c1"), email_open("c1", machine=True), email_send("c1"), email_click("c1")
ack("c1"), snooze("c1", until="+14d") what people say about c1
erase("c1"), erase_tombstone("c1")    that c1 is to be erased, and the record that follows it
consumed(order("c1"), offset=7)       the same as a consumed Kafka record
"""

import itertools
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from models.commands import Command, CommandKind
from models.events import Channel, Event
from streams.durations import duration_s
from streams.topics import COMMANDS, EMAIL_CLICKS, EMAIL_OPENS, EMAIL_SENDS, LOGINS, ORDERS, InputTopic

START_MS = 1_704_067_200_000  # 2024-01-01 UTC
NOW_MS = START_MS + 365 * 86_400_000
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Sample:
    """One input record: JSON body, the bytes it travels as, and the event it means."""

    source: InputTopic
    body: dict[str, Any]
    event: Event
    key: bytes = field(init=False)
    value: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.event.customer_id.encode())
        object.__setattr__(self, "value", orjson.dumps(self.body))


class Record(NamedTuple):
    """A consumed record, as aiokafka and kafka-python give it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def at_ms(at: str | int) -> int:
    """Epoch ms: "+3d" and "+12h" count from START_MS, a number is taken as it is."""
    return at if isinstance(at, int) else START_MS + 1000 * duration_s(at.removeprefix("+"))


def order(customer_id="c1", at="+0s", amount=20.0, event_id=None, **fields) -> Sample:
    body = _head(customer_id, at, event_id, "o") | {"amount": amount} | fields
    return Sample(ORDERS, body, _event(body, Channel.ORDER, float(amount)))


def login(customer_id="c1", at="+0s", session_seconds=180, event_id=None, **fields) -> Sample:
    body = _head(customer_id, at, event_id, "l") | {"session_seconds": session_seconds} | fields
    return Sample(LOGINS, body, _event(body, Channel.LOGIN, float(session_seconds)))


def email_open(customer_id="c1", at="+0s", machine=False, event_id=None, **fields) -> Sample:
    body = _head(customer_id, at, event_id, "e") | {"campaign_id": "k1", "machine": machine} | fields
    return Sample(EMAIL_OPENS, body, _event(body, Channel.EMAIL_OPEN, float("nan"), engaged=not machine))


def email_send(customer_id="c1", at="+0s", event_id=None, **fields) -> Sample:
    body = _head(customer_id, at, event_id, "s") | {"campaign_id": "k1"} | fields
    return Sample(EMAIL_SENDS, body, _event(body, Channel.EMAIL_OPEN, float("nan")))


def email_click(customer_id="c1", at="+0s", machine=False, event_id=None, **fields) -> Sample:
    body = _head(customer_id, at, event_id, "k") | {"campaign_id": "k1", "machine": machine} | fields
    return Sample(EMAIL_CLICKS, body, _event(body, Channel.EMAIL_OPEN, float("nan"), engaged=not machine))


def ack(customer_id="c1", at="+0s", by="Sato", command_id=None, **fields) -> Sample:
    command_id = command_id or f"k-{customer_id}-{next(_numbers)}"
    return _said(Command.of(customer_id, command_id, at_ms(at), kind=CommandKind.ACK, by=by), fields)


def snooze(customer_id="c1", at="+0s", *, until, by="Sato", command_id=None, **fields) -> Sample:
    command_id = command_id or f"k-{customer_id}-{next(_numbers)}"
    until_s = at_ms(until) // 1000
    command = Command.of(customer_id, command_id, at_ms(at), kind=CommandKind.SNOOZE, by=by, until_s=until_s)
    return _said(command, {"until": at_ms(until)} | fields)


def erase(customer_id="c1", at="+0s", by="Sato", command_id=None, event_id=None, **fields) -> Sample:
    command_id = command_id or event_id or f"k-{customer_id}-{next(_numbers)}"
    body = {"command_id": command_id, "customer_id": customer_id, "issued_at": at_ms(at), "kind": "erase", "by": by}
    return Sample(COMMANDS, body | fields, Event(customer_id, command_id, Channel.ORDER, at_ms(at), engaged=False))


def erase_tombstone(customer_id="c1", at="+0s") -> Record:
    return Record(COMMANDS.key, 0, 0, at_ms(at), customer_id.encode(), None)


def _said(command: Command, fields) -> Sample:
    head = {"command_id": command.event_id, "customer_id": command.customer_id, "issued_at": command.occurred_at_ms}
    return Sample(COMMANDS, head | {"kind": command.kind, "by": command.by} | fields, command)


def consumed(sample: Sample, offset=0, partition=0, headers=()) -> Record:
    return Record(
        sample.source.key, partition, offset, sample.event.occurred_at_ms, sample.key, sample.value, tuple(headers)
    )


def _head(customer_id, at, event_id, letter):
    return {
        "event_id": event_id or f"{letter}-{customer_id}-{next(_numbers)}",
        "customer_id": customer_id,
        "occurred_at": at_ms(at),
    }


def _event(body, channel, amount, *, engaged=True):
    return Event(body["customer_id"], body["event_id"], channel, body["occurred_at"], amount, engaged)
