"""What is wrong with a record, read a second time by other means than the codec's: every rule it breaks, not the first.

The judge of fuzzed payloads. The standard library's JSON, dates by hand, rules as the documents state them; nothing of
`streams.codec` and `streams.checks` is used.
"""

import contextlib
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from streams.reasons import Reason
from streams.topics import COMMANDS, EMAIL_CLICKS, EMAIL_OPENS, EMAIL_SENDS, INPUTS, LOGINS, ORDERS, InputTopic

DEEPEST = 1_024
EVENT_FIELDS = {"version", "schema_version", "type", "customer_id", "event_id", "occurred_at", "amount", "currency",
                "items", "session_seconds", "campaign_id", "machine"}  # fmt: skip
COMMAND_FIELDS = {"version", "schema_version", "type", "customer_id", "command_id", "issued_at", "kind", "by", "until"}
R = Reason
YEAR_1990_MS, YEAR_2100_MS = 631_152_000_000, 4_102_444_800_000
MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)

Body = dict[str, Any]


class NotJsonError(ValueError):
    """The bytes are no JSON, or one that some reader would take for something else."""


class Pairs(list):
    """An object as it was written: names may stand in it twice."""


def broken(source: InputTopic, key: bytes | None, value: bytes | None, now_ms: int) -> set[R]:
    """Every rule a record breaks; an event or a command breaks none."""
    if value is None:
        return {R.NULL_VALUE}
    found = key_rules(key)
    if len(value) > 64 * 1024:
        return found | {R.OVERSIZED}
    try:
        content = read(value)
    except NotJsonError:
        return found | {R.INVALID_JSON}
    if not isinstance(content, Pairs):
        return found | {R.NOT_AN_OBJECT}
    names = [name for name, _ in content]
    fields = COMMAND_FIELDS if source is COMMANDS else EVENT_FIELDS
    if any(names.count(name) > 1 for name in fields):
        found.add(R.DUPLICATE_FIELD)
    body = dict(content)
    rules = command_rules if source is COMMANDS else event_rules
    return found | envelope_rules(source, body) | rules(source, key, body, now_ms)


def key_rules(key: bytes | None) -> set[R]:
    if key is None:
        return {R.NULL_KEY}
    return set() if 0 < len(key) <= 256 else {R.INVALID_KEY}


def read(value: bytes) -> Any:
    try:
        text = value.decode("utf-8")
        if depth(text) > DEEPEST:
            raise NotJsonError
        with deep_recursion():
            content = json.loads(
                text, object_pairs_hook=Pairs, parse_constant=refuse, parse_float=finite, parse_int=whole_or_float
            )
            json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair cannot be written
    except (ValueError, RecursionError) as error:
        raise NotJsonError from error
    return content


@contextlib.contextmanager
def deep_recursion() -> Iterator[None]:
    """Room for as many calls as brackets may be nested."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 4 * DEEPEST)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def depth(text: str) -> int:
    """How deep brackets go outside of texts."""
    deepest = now = 0
    for bracket in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        now += (bracket in "[{") - (bracket in "]}")
        deepest = max(deepest, now)
    return deepest


def refuse(constant: str) -> None:
    raise NotJsonError(constant)


def finite(text: str) -> float:
    number = float(text)
    return refuse(text) if number in (float("inf"), float("-inf")) else number  # type: ignore[return-value]


def whole_or_float(text: str) -> float:
    """Whole numbers of 64 bits are whole; others are taken as floats."""
    number = int(text) if len(text) < 25 else 2**64
    return number if -(2**63) <= number < 2**64 else finite(text)


def envelope_rules(source: InputTopic, body: Body) -> set[R]:
    found = set()
    for field in ("version", "schema_version"):
        if body.get(field) is not None and (type(body[field]) is not int or body[field] != 1):
            found.add(R.UNKNOWN_VERSION)
    kind = body.get("type")
    if kind is not None and kind != source.event_type:
        known = isinstance(kind, str) and kind in {topic.event_type for topic in INPUTS}
        found.add(R.TYPE_MISMATCH if known else R.UNKNOWN_TYPE)
    return found


def event_rules(source: InputTopic, key: bytes | None, body: Body, now_ms: int) -> set[R]:
    found = owner_rules(key, body) | missing(body, "event_id", "occurred_at")
    found |= unless_null(body, "event_id", is_id, R.INVALID_EVENT_ID)
    if body.get("occurred_at") is not None:
        found |= time_rules(body["occurred_at"], now_ms)
    return found | DETAILS[source](body)


def command_rules(_: InputTopic, key: bytes | None, body: Body, now_ms: int) -> set[R]:
    is_release = body.get("kind") == "release" and body.get("customer_id") is None
    found = missing(body, "command_id", "by", "issued_at")
    found |= unless_null(body, "command_id", is_id, R.INVALID_EVENT_ID) | unless_null(body, "by", is_by, R.INVALID_BY)
    issued = body.get("issued_at")
    if issued is not None:
        found |= time_rules(issued, now_ms)
    if is_release:
        return found
    found |= owner_rules(key, body) | missing(body, "kind")
    found |= unless_null(body, "kind", lambda kind: kind in ("ack", "snooze", "erase"), R.UNKNOWN_COMMAND)
    if body.get("kind") == "snooze" and not is_between(issued, body.get("until"), YEAR_2100_MS):
        found.add(R.INVALID_UNTIL)
    return found


def is_between(first: Any, value: Any, end_ms: int) -> bool:
    """Whether a moment lies at or after another, if that is one, and before the end."""
    first_ms, at_ms = moment_ms(first), moment_ms(value)
    return at_ms is not None and at_ms < end_ms and (first_ms is None or first_ms <= at_ms)


def owner_rules(key: bytes | None, body: Body) -> set[R]:
    found = missing(body, "customer_id") | unless_null(body, "customer_id", is_id, R.INVALID_CUSTOMER_ID)
    owner = body.get("customer_id")
    if key is None or (isinstance(owner, str) and owner.encode() == key):
        return found
    try:
        return found | ({R.KEY_MISMATCH} if is_id(key.decode()) else {R.INVALID_KEY})
    except UnicodeDecodeError:
        return found | {R.INVALID_KEY}


def missing(body: Body, *fields: str) -> set[R]:
    return {R.MISSING_FIELD} if any(body.get(field) is None for field in fields) else set()


def unless_null(body: Body, field: str, rule: Callable[[Any], bool], reason: R) -> set[R]:
    return set() if body.get(field) is None or rule(body[field]) else {reason}


def is_id(value: Any) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value.encode()) <= 256
        and not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value)
    )


def is_by(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= 64
        and value.strip() != ""
        and all(c == "\u3000" or c.isprintable() for c in value)
    )


def is_number(value: Any, least: float, most: float) -> bool:
    return type(value) in (int, float) and least <= value <= most


def moment_ms(value: Any) -> int | None:
    """Epoch milliseconds, rounded down; None for what has not the form of a moment."""
    if type(value) is int:
        return value
    match = MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    *civil, fraction, sign, hours, minutes = match.groups()
    try:
        at = datetime(*map(int, civil), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) + int((fraction or "0")[:3].ljust(3, "0"))
    if sign is None:
        return ms
    if int(hours) > 23 or int(minutes) > 59:
        return None
    return ms - int(sign + "1") * 60_000 * (60 * int(hours) + int(minutes))


def time_rules(value: Any, now_ms: int) -> set[R]:
    at_ms = moment_ms(value)
    if at_ms is None:
        return {R.INVALID_TIME}
    if at_ms > now_ms + 300_000:
        return {R.FUTURE_TIME}
    if at_ms >= YEAR_1990_MS:
        return set()
    in_seconds = type(value) is int and YEAR_1990_MS <= at_ms * 1000 <= YEAR_2100_MS
    return {R.TIME_IN_SECONDS if in_seconds else R.IMPLAUSIBLE_TIME}


def order_rules(body: Body) -> set[R]:
    found = missing(body, "amount") | unless_null(body, "currency", is_currency, R.INVALID_CURRENCY)
    found |= unless_null(body, "items", are_items, R.INVALID_ITEMS)
    amount = body.get("amount")
    if amount is None or is_number(amount, 0, 1e9):
        return found
    if type(amount) not in (int, float):
        return found | {R.INVALID_AMOUNT}
    return found | {R.NEGATIVE_AMOUNT if amount < 0 else R.AMOUNT_TOO_LARGE}


def is_currency(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[A-Z]{3}", value) is not None


def are_items(value: Any) -> bool:
    return type(value) is list and len(value) <= 1_000 and all(map(is_item, value))


def is_item(value: Any) -> bool:
    if not isinstance(value, Pairs):
        return False
    item = dict(value)
    category, quantity, price = item.get("category"), item.get("quantity"), item.get("price")
    return (
        (category is None or is_id(category))
        and (quantity is None or (type(quantity) is int and 1 <= quantity <= 1_000_000))
        and (price is None or is_number(price, 0, 1e9))
    )


def login_rules(body: Body) -> set[R]:
    return unless_null(body, "session_seconds", lambda s: is_number(s, 0, 604_800), R.INVALID_SESSION)


def sent_rules(body: Body) -> set[R]:
    return unless_null(body, "campaign_id", is_id, R.INVALID_CAMPAIGN)


def read_rules(body: Body) -> set[R]:
    return sent_rules(body) | unless_null(body, "machine", lambda m: type(m) is bool, R.INVALID_MACHINE)


DETAILS: dict[InputTopic, Callable[[Body], set[R]]] = {
    ORDERS: order_rules,
    LOGINS: login_rules,
    EMAIL_OPENS: read_rules,
    EMAIL_SENDS: sent_rules,
    EMAIL_CLICKS: read_rules,
}
