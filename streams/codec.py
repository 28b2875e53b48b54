"""Raw bytes in, `Event` or `Reject` out: decode/validate on the line from event to alert.

Never raises on any input, and never looks at record headers. Checks come in this order, and the first that
fails names the reason: null and oversized value, key, JSON, doubled fields, version, type, ids, time, and the
fields of the event. Unknown fields are tolerated and left behind; null counts as absent.

Version: field ``version`` or ``schema_version``; absent means 1. There is nothing older to read, and newer is
refused, because a field may have changed its meaning. Type: field ``type``, when present, must fit the topic.

Doubled fields: JSON does not say which one counts and orjson silently takes the last, so a second
``customer_id`` could carry one person's order to another. A record that holds a known field twice at its top
level is refused.
"""

from collections.abc import Callable

import orjson

from models.commands import Command, CommandKind
from models.events import Channel, Event
from streams.checks import (
    MAX_ID_BYTES,
    check_amount,
    check_campaign,
    check_currency,
    check_identifier,
    check_items,
    check_machine,
    check_session_s,
    check_time_ms,
)
from streams.commands import ERASE, RELEASE, Erase, Release, Tombstone, check_by, check_kind, check_until_s
from streams.commands import FIELDS as COMMAND_FIELDS
from streams.doubled import has_doubled
from streams.reasons import Reason, Reject, RejectedError
from streams.topics import COMMANDS, INPUTS, InputTopic

__all__ = ["MAX_BYTES", "Event", "Reason", "Reject", "decode"]

MAX_BYTES = 64 * 1024
"""Larger values are refused unread, which bounds the time a record can take; a large order is 2 KiB."""
VERSION = 1

Body = dict[str, object]
Details = tuple[float, bool] | tuple[float, bool, int]
"""Amount of the event, whether a person did it, and the categories of an order."""

_FIELDS = tuple(
    f'"{field}"'.encode()
    for field in (
        "version", "schema_version", "type", "customer_id", "event_id", "occurred_at", "amount", "currency",
        "items", "session_seconds", "campaign_id", "machine",
    )
)  # fmt: skip
_COMMAND_FIELDS = tuple(f'"{field}"'.encode() for field in COMMAND_FIELDS)


# Looking a member up in its enum class costs 0.2 us in Python 3.11, a tenth of decoding a record.
_CUSTOMER_ID, _EVENT_ID = Reason.INVALID_CUSTOMER_ID, Reason.INVALID_EVENT_ID


Content = Event | Release | Erase | Tombstone
"""What a record may say."""


def decode(source: InputTopic, key: bytes | None, value: bytes | None, *, now_ms: int) -> Content | Reject:
    """Read one record.

    Parameters
    ----------
    source
        The readable input topic it came from.
    key, value
        As Kafka delivered them.
    now_ms
        Wall clock, epoch milliseconds; only a time beyond it is judged by it.

    Returns
    -------
    Event, Release, Erase, Tombstone or Reject
        What the customer did or, a `models.commands.Command`, what somebody said; that somebody releases the breaker,
        or erases the customer of the key; a null value behind that; or why this is nothing of all that.

    Examples
    --------
    >>> from streams.topics import LOGINS
    >>> value = b'{"event_id":"l1","customer_id":"c1","occurred_at":852076800000,"theme":"dark"}'
    >>> decode(LOGINS, b"c1", value, now_ms=1_700_000_000_000).channel
    <Channel.LOGIN: 1>
    >>> decode(LOGINS, b"c2", value, now_ms=1_700_000_000_000).reason
    <Reason.KEY_MISMATCH: 'key_mismatch'>
    """
    try:
        if value is None and source is COMMANDS:
            return Tombstone()
        if value is None:
            raise RejectedError(Reason.NULL_VALUE, "a tombstone is no event")
        if len(value) > MAX_BYTES:
            raise RejectedError(Reason.OVERSIZED, f"the value exceeds {MAX_BYTES} bytes")
        if key is None:
            raise RejectedError(Reason.NULL_KEY, "the key must be the customer id")
        if not 0 < len(key) <= MAX_ID_BYTES:
            raise RejectedError(Reason.INVALID_KEY, f"the key must have 1 to {MAX_ID_BYTES} bytes")
        body = orjson.loads(value)
        if type(body) is not dict:
            raise RejectedError(Reason.NOT_AN_OBJECT, "the value must be a JSON object")
        is_command = source is COMMANDS
        if has_doubled(value, body, _COMMAND_FIELDS if is_command else _FIELDS):
            raise RejectedError(Reason.DUPLICATE_FIELD, "a field is given twice")
        return _command(key, body, now_ms) if is_command else _event(source, key, body, now_ms)
    except RejectedError as error:
        return error.reject
    except orjson.JSONDecodeError as error:
        # `error.doc` is the whole payload: nothing of it may get into a header or a log.
        return Reject(Reason.INVALID_JSON, "the value is not JSON", type(error).__name__)


def _event(source: InputTopic, key: bytes, body: Body, now_ms: int) -> Event:
    get = body.get
    if "version" in body or "schema_version" in body:
        _check_version(body)
    kind = get("type")
    if kind is not None and kind != source.event_type:
        raise _wrong_type(kind)
    customer_id, event_id, occurred_at = get("customer_id"), get("event_id"), get("occurred_at")
    if customer_id is None or event_id is None or occurred_at is None:
        raise RejectedError(Reason.MISSING_FIELD, "customer_id, event_id and occurred_at must be given")
    customer_id = check_identifier(customer_id, _CUSTOMER_ID)
    if customer_id.encode() != key:
        raise _wrong_key(key)
    event_id = check_identifier(event_id, _EVENT_ID)
    occurred_at_ms = check_time_ms(occurred_at, now_ms)
    channel, details = _DECODERS[source.event_type]
    return Event(customer_id, event_id, channel, occurred_at_ms, *details(body))


def _command(key: bytes, body: Body, now_ms: int) -> Command | Release | Erase:
    get = body.get
    _check_version(body)
    declared = get("type")
    if declared is not None and declared != COMMANDS.event_type:
        raise _wrong_type(declared)
    if get("kind") == RELEASE and get("customer_id") is None:
        return _release(body, now_ms)
    if any(get(field) is None for field in ("customer_id", "command_id", "kind", "by", "issued_at")):
        raise RejectedError(Reason.MISSING_FIELD, "customer_id, command_id, kind, by and issued_at must be given")
    customer_id = check_identifier(get("customer_id"), _CUSTOMER_ID)
    if customer_id.encode() != key:
        raise _wrong_key(key)
    command_id = check_identifier(get("command_id"), _EVENT_ID)
    issued_at_ms = check_time_ms(get("issued_at"), now_ms)
    if get("kind") == ERASE:
        check_by(get("by"))
        return Erase(issued_at_ms)
    kind = check_kind(get("kind"))
    until_s = check_until_s(get("until"), issued_at_ms) if kind == CommandKind.SNOOZE else 0
    return Command.of(customer_id, command_id, issued_at_ms, kind=kind, by=check_by(get("by")), until_s=until_s)


def _release(body: Body, now_ms: int) -> Release:
    get = body.get
    if any(get(field) is None for field in ("command_id", "by", "issued_at")):
        raise RejectedError(Reason.MISSING_FIELD, "command_id, by and issued_at must be given")
    check_identifier(get("command_id"), _EVENT_ID)
    check_by(get("by"))
    return Release(check_time_ms(get("issued_at"), now_ms))


def _check_version(body: Body) -> None:
    for field in ("version", "schema_version"):
        version = body.get(field)
        if version is None:
            continue
        if type(version) is not int or version != VERSION:
            raise RejectedError(Reason.UNKNOWN_VERSION, f"{field} must be {VERSION}")


def _wrong_type(kind: object) -> RejectedError:
    if type(kind) is str and kind in _KNOWN_TYPES:
        return RejectedError(Reason.TYPE_MISMATCH, "type is that of another topic")
    return RejectedError(Reason.UNKNOWN_TYPE, "type is not one of ours")


def _wrong_key(key: bytes) -> RejectedError:
    try:
        check_identifier(key.decode(), Reason.INVALID_KEY)
    except UnicodeDecodeError:
        return RejectedError(Reason.INVALID_KEY, "the key is not UTF-8")
    except RejectedError as error:
        return error
    return RejectedError(Reason.KEY_MISMATCH, "the key is not the customer_id of the body")


def _order(body: Body) -> Details:
    amount = body.get("amount")
    if amount is None:
        raise RejectedError(Reason.MISSING_FIELD, "an order must have an amount")
    check_currency(body.get("currency"))
    categories = check_items(body.get("items"))
    return check_amount(amount), True, categories


def _login(body: Body) -> Details:
    return check_session_s(body.get("session_seconds")), True


def _email_sent(body: Body) -> Details:
    check_campaign(body.get("campaign_id"))
    return _NAN, True


def _email_read(body: Body) -> Details:
    check_campaign(body.get("campaign_id"))
    return _NAN, not check_machine(body.get("machine"))


_NAN = float("nan")
_DECODERS: dict[str, tuple[Channel, Callable[[Body], Details]]] = {
    "order": (Channel.ORDER, _order),
    "login": (Channel.LOGIN, _login),
    "email_open": (Channel.EMAIL_OPEN, _email_read),
    "email_send": (Channel.EMAIL_OPEN, _email_sent),
    "email_click": (Channel.EMAIL_OPEN, _email_read),
}
"""Channel and decoder of each readable input, by event type."""
_KNOWN_TYPES = frozenset(topic.event_type for topic in INPUTS)
