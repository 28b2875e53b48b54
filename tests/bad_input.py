"""Every kind of bad input, one row each: (name, source, key, value, reason).

`tests/streams/test_codec.py` holds the codec to it; the end-to-end test sends each row through a real worker and
expects exactly one dead letter with this reason, these bytes, and nothing else changed. All rows hold whatever the
wall clock says.
"""

from typing import NamedTuple

import orjson

from streams.codec import MAX_BYTES, Reason
from streams.topics import COMMANDS, EMAIL_CLICKS, EMAIL_OPENS, EMAIL_SENDS, LOGINS, ORDERS, InputTopic
from tests.builders import START_MS

KEY = b"c1"
FAR_FUTURE_MS = 32_503_680_000_000  # year 3000


class Bad(NamedTuple):
    name: str
    source: InputTopic
    key: bytes | None
    value: bytes | None
    reason: Reason


BODIES = {
    ORDERS: {"event_id": "o1", "customer_id": "c1", "occurred_at": START_MS, "amount": 20.0},
    LOGINS: {"event_id": "l1", "customer_id": "c1", "occurred_at": START_MS, "session_seconds": 180},
    EMAIL_OPENS: {"event_id": "e1", "customer_id": "c1", "occurred_at": START_MS, "campaign_id": "k1"},
    EMAIL_SENDS: {"event_id": "s1", "customer_id": "c1", "occurred_at": START_MS, "campaign_id": "k1"},
    EMAIL_CLICKS: {"event_id": "k1", "customer_id": "c1", "occurred_at": START_MS, "campaign_id": "k1"},
    COMMANDS: {
        "command_id": "k1",
        "customer_id": "c1",
        "kind": "snooze",
        "by": "Sato",
        "issued_at": START_MS,
        "until": START_MS + 1_209_600_000,
    },
}
ABSENT = object()


def body(source: InputTopic = ORDERS, **changes: object) -> bytes:
    """A good body with some fields changed, or taken out with ABSENT."""
    fields = BODIES[source] | changes
    return orjson.dumps({name: value for name, value in fields.items() if value is not ABSENT})


def text(**literals: str) -> bytes:
    """A good order with some values replaced by literal JSON text, which orjson itself would never write."""
    fields = {name: orjson.dumps(value).decode() for name, value in BODIES[ORDERS].items()} | literals
    return b"{" + b",".join(f'"{name}":{value}'.encode() for name, value in fields.items()) + b"}"


def keyed(customer_id: str) -> tuple[bytes, bytes]:
    """Key and body that agree on an id."""
    return customer_id.encode(), body(customer_id=customer_id)


R = Reason
GOOD = body()

RECORD = [
    ("null value", KEY, None, R.NULL_VALUE),
    ("empty value", KEY, b"", R.INVALID_JSON),
    ("blank value", KEY, b" \n ", R.INVALID_JSON),
    ("value over 64 KiB", KEY, body(note="x" * MAX_BYTES), R.OVERSIZED),
    ("100 KiB of brackets", KEY, b"[" * 102_400, R.OVERSIZED),
    ("null key", None, GOOD, R.NULL_KEY),
    ("empty key", b"", GOOD, R.INVALID_KEY),
    ("key over 256 bytes", b"c" * 257, body(customer_id="c" * 257), R.INVALID_KEY),
    ("key not UTF-8", b"c\xff1", GOOD, R.INVALID_KEY),
    ("key with a control character", b"c\n1", GOOD, R.INVALID_KEY),
]
JSON = [
    ("not JSON at all", KEY, b"customer c1 bought tea", R.INVALID_JSON),
    ("cut off", KEY, GOOD[:-1], R.INVALID_JSON),
    ("trailing data", KEY, GOOD + b"{}", R.INVALID_JSON),
    ("trailing comma", KEY, GOOD[:-1] + b",}", R.INVALID_JSON),
    ("single quotes", KEY, GOOD.replace(b'"', b"'"), R.INVALID_JSON),
    ("byte order mark", KEY, b"\xef\xbb\xbf" + GOOD, R.INVALID_JSON),
    ("UTF-16", KEY, GOOD.decode().encode("utf-16"), R.INVALID_JSON),
    ("invalid UTF-8", KEY, GOOD.replace(b"o1", b"o\xff"), R.INVALID_JSON),
    ("overlong UTF-8", KEY, GOOD.replace(b"o1", b"o\xc0\xaf"), R.INVALID_JSON),
    ("lone surrogate", KEY, text(event_id='"\\ud800"'), R.INVALID_JSON),
    ("raw control character in a text", KEY, GOOD.replace(b"o1", b"o\x01"), R.INVALID_JSON),
    ("NaN", KEY, text(amount="NaN"), R.INVALID_JSON),
    ("Infinity", KEY, text(amount="Infinity"), R.INVALID_JSON),
    ("1e400", KEY, text(amount="1e400"), R.INVALID_JSON),
    ("leading zero", KEY, text(amount="011"), R.INVALID_JSON),
    ("deeper than 1024", KEY, b"[" * 1_500 + b"]" * 1_500, R.INVALID_JSON),
    ("60,000-digit number", KEY, text(amount="9" * 60_000), R.INVALID_JSON),
    ("null", KEY, b"null", R.NOT_AN_OBJECT),
    ("a number", KEY, b"42", R.NOT_AN_OBJECT),
    ("a text", KEY, b'"c1"', R.NOT_AN_OBJECT),
    ("a list of events", KEY, b"[" + GOOD + b"]", R.NOT_AN_OBJECT),
    ("customer_id twice", KEY, GOOD[:-1] + b',"customer_id":"c1"}', R.DUPLICATE_FIELD),
    ("customer_id twice, once for another", KEY, b'{"customer_id":"c2",' + GOOD[1:], R.DUPLICATE_FIELD),
    ("amount twice", KEY, GOOD[:-1] + b', "amount" : 1}', R.DUPLICATE_FIELD),
    ("amount twice, once escaped", KEY, GOOD[:-1] + b',"\\u0061mount":1}', R.DUPLICATE_FIELD),
]
ENVELOPE = [
    ("empty object", KEY, b"{}", R.MISSING_FIELD),
    ("newer version", KEY, body(version=2), R.UNKNOWN_VERSION),
    ("newer schema_version", KEY, body(schema_version=2), R.UNKNOWN_VERSION),
    ("version zero", KEY, body(version=0), R.UNKNOWN_VERSION),
    ("version as text", KEY, body(version="1"), R.UNKNOWN_VERSION),
    ("version true", KEY, body(version=True), R.UNKNOWN_VERSION),
    ("unknown type", KEY, body(type="teleport"), R.UNKNOWN_TYPE),
    ("type a list", KEY, body(type=["order"]), R.UNKNOWN_TYPE),
    ("a login among orders", KEY, body(type="login"), R.TYPE_MISMATCH),
    ("no customer_id", KEY, body(customer_id=ABSENT), R.MISSING_FIELD),
    ("null customer_id", KEY, body(customer_id=None), R.MISSING_FIELD),
    ("no event_id", KEY, body(event_id=ABSENT), R.MISSING_FIELD),
    ("no amount", KEY, body(amount=ABSENT), R.MISSING_FIELD),
    ("null amount", KEY, body(amount=None), R.MISSING_FIELD),
    ("customer_id a number", b"1", body(customer_id=1), R.INVALID_CUSTOMER_ID),
    ("customer_id empty", KEY, body(customer_id=""), R.INVALID_CUSTOMER_ID),
    ("customer_id over 256 bytes", KEY, body(customer_id="c" * 257), R.INVALID_CUSTOMER_ID),
    ("customer_id over 256 bytes of kanji", KEY, body(customer_id="客" * 86), R.INVALID_CUSTOMER_ID),
    ("customer_id with NUL", *keyed("c\x001"), R.INVALID_CUSTOMER_ID),
    ("customer_id with a line feed", *keyed("c1\n"), R.INVALID_CUSTOMER_ID),
    ("customer_id with a C1 control", *keyed("c\x851"), R.INVALID_CUSTOMER_ID),
    ("customer_id with a line separator", *keyed("c\u20281"), R.INVALID_CUSTOMER_ID),
    ("key of another customer", b"c2", GOOD, R.KEY_MISMATCH),
    ("key in another case", b"C1", GOOD, R.KEY_MISMATCH),
    ("key with a space behind", b"c1 ", GOOD, R.KEY_MISMATCH),
    ("event_id a number", KEY, body(event_id=7), R.INVALID_EVENT_ID),
    ("event_id empty", KEY, body(event_id=""), R.INVALID_EVENT_ID),
    ("event_id over 256 bytes", KEY, body(event_id="o" * 257), R.INVALID_EVENT_ID),
    ("event_id with NUL", KEY, body(event_id="o\x001"), R.INVALID_EVENT_ID),
    ("event_id an object", KEY, body(event_id={"id": 1}), R.INVALID_EVENT_ID),
]
TIME = [
    ("no time", KEY, body(occurred_at=ABSENT), R.MISSING_FIELD),
    ("null time", KEY, body(occurred_at=None), R.MISSING_FIELD),
    ("time in seconds", KEY, body(occurred_at=START_MS // 1000), R.TIME_IN_SECONDS),
    ("time in microseconds", KEY, body(occurred_at=START_MS * 1000), R.FUTURE_TIME),
    ("time in the year 3000", KEY, body(occurred_at=FAR_FUTURE_MS), R.FUTURE_TIME),
    ("time above 2^63", KEY, body(occurred_at=2**63), R.FUTURE_TIME),
    ("time above 2^64", KEY, text(occurred_at=str(2**64)), R.INVALID_TIME),
    ("time zero", KEY, body(occurred_at=0), R.IMPLAUSIBLE_TIME),
    ("time negative", KEY, body(occurred_at=-START_MS), R.IMPLAUSIBLE_TIME),
    ("time in 1980", KEY, body(occurred_at="1980-01-01T00:00:00Z"), R.IMPLAUSIBLE_TIME),
    ("time a float", KEY, body(occurred_at=float(START_MS)), R.INVALID_TIME),
    ("time true", KEY, body(occurred_at=True), R.INVALID_TIME),
    ("time a number in a text", KEY, body(occurred_at=str(START_MS)), R.INVALID_TIME),
    ("time without an offset", KEY, body(occurred_at="2024-01-01T00:00:00"), R.INVALID_TIME),
    ("time a date alone", KEY, body(occurred_at="2024-01-01"), R.INVALID_TIME),
    ("time in basic format", KEY, body(occurred_at="20240101T000000Z"), R.INVALID_TIME),
    ("time in full-width digits", KEY, body(occurred_at="２０２４-01-01T00:00:00Z"), R.INVALID_TIME),
    ("time on 30 February", KEY, body(occurred_at="2024-02-30T00:00:00Z"), R.INVALID_TIME),
    ("leap second", KEY, body(occurred_at="2016-12-31T23:59:60Z"), R.INVALID_TIME),
    ("time with an offset of 25 hours", KEY, body(occurred_at="2024-01-01T00:00:00+25:00"), R.INVALID_TIME),
    ("time with an offset of 60 minutes", KEY, body(occurred_at="2024-01-01T00:00:00+00:60"), R.INVALID_TIME),
    ("24 o'clock", KEY, body(occurred_at="2024-01-01T24:00:00Z"), R.INVALID_TIME),
    ("time in the year 0", KEY, body(occurred_at="0000-01-01T00:00:00Z"), R.INVALID_TIME),
    ("time in words", KEY, body(occurred_at="yesterday"), R.INVALID_TIME),
    ("time an object", KEY, body(occurred_at={"s": 1}), R.INVALID_TIME),
]
ORDER = [
    ("amount a text", KEY, body(amount="20"), R.INVALID_AMOUNT),
    ("amount true", KEY, body(amount=True), R.INVALID_AMOUNT),
    ("amount a list", KEY, body(amount=[20]), R.INVALID_AMOUNT),
    ("refund", KEY, body(amount=-20.0), R.NEGATIVE_AMOUNT),
    ("amount over the cap", KEY, body(amount=1_000_000_001), R.AMOUNT_TOO_LARGE),
    ("amount above 2^64", KEY, text(amount=str(2**64)), R.AMOUNT_TOO_LARGE),
    ("amount 1e300", KEY, body(amount=1e300), R.AMOUNT_TOO_LARGE),
    ("currency in small letters", KEY, body(currency="jpy"), R.INVALID_CURRENCY),
    ("currency a sign", KEY, body(currency="¥"), R.INVALID_CURRENCY),
    ("currency of four letters", KEY, body(currency="EURO"), R.INVALID_CURRENCY),
    ("currency in full-width letters", KEY, body(currency="ＪＰＹ"), R.INVALID_CURRENCY),
    ("currency a number", KEY, body(currency=392), R.INVALID_CURRENCY),
    ("items an object", KEY, body(items={"category": "tea"}), R.INVALID_ITEMS),
    ("items of texts", KEY, body(items=["tea"]), R.INVALID_ITEMS),
    ("items deeply nested", KEY, text(items="[" * 900 + "]" * 900), R.INVALID_ITEMS),
    ("over 1,000 items", KEY, body(items=[{}] * 1_001), R.INVALID_ITEMS),
    ("item without a name", KEY, body(items=[{"category": ""}]), R.INVALID_ITEMS),
    ("item category a number", KEY, body(items=[{"category": 5}]), R.INVALID_ITEMS),
    ("item quantity zero", KEY, body(items=[{"quantity": 0}]), R.INVALID_ITEMS),
    ("item quantity a fraction", KEY, body(items=[{"quantity": 1.5}]), R.INVALID_ITEMS),
    ("item price negative", KEY, body(items=[{"price": -1}]), R.INVALID_ITEMS),
    ("item price true", KEY, body(items=[{"price": True}]), R.INVALID_ITEMS),
]
LOGIN = [
    ("session a text", KEY, body(LOGINS, session_seconds="180"), R.INVALID_SESSION),
    ("session true", KEY, body(LOGINS, session_seconds=True), R.INVALID_SESSION),
    ("session negative", KEY, body(LOGINS, session_seconds=-1), R.INVALID_SESSION),
    ("session over a week", KEY, body(LOGINS, session_seconds=604_801), R.INVALID_SESSION),
    ("an order among logins", KEY, body(LOGINS, type="order"), R.TYPE_MISMATCH),
]
EMAIL_OPEN = [
    ("machine a number", KEY, body(EMAIL_OPENS, machine=1), R.INVALID_MACHINE),
    ("machine a text", KEY, body(EMAIL_OPENS, machine="true"), R.INVALID_MACHINE),
    ("campaign a number", KEY, body(EMAIL_OPENS, campaign_id=5), R.INVALID_CAMPAIGN),
    ("campaign empty", KEY, body(EMAIL_OPENS, campaign_id=""), R.INVALID_CAMPAIGN),
    ("campaign with an escape sequence", KEY, body(EMAIL_OPENS, campaign_id="k\x1b[2J"), R.INVALID_CAMPAIGN),
]
COMMAND = [
    ("no kind", KEY, body(COMMANDS, kind=ABSENT), R.MISSING_FIELD),
    ("no command_id", KEY, body(COMMANDS, command_id=ABSENT), R.MISSING_FIELD),
    ("nobody says it", KEY, body(COMMANDS, by=None), R.MISSING_FIELD),
    ("unknown kind", KEY, body(COMMANDS, kind="erase"), R.UNKNOWN_COMMAND),
    ("kind a list", KEY, body(COMMANDS, kind=["ack"]), R.UNKNOWN_COMMAND),
    ("an order among commands", KEY, body(COMMANDS, type="order"), R.TYPE_MISMATCH),
    ("a command of a newer version", KEY, body(COMMANDS, version=2), R.UNKNOWN_VERSION),
    ("a command about another customer", b"c2", body(COMMANDS), R.KEY_MISMATCH),
    ("command_id with NUL", KEY, body(COMMANDS, command_id="k\x001"), R.INVALID_EVENT_ID),
    ("issued in the year 3000", KEY, body(COMMANDS, issued_at=FAR_FUTURE_MS, until=FAR_FUTURE_MS), R.FUTURE_TIME),
    ("until twice", KEY, body(COMMANDS)[:-1] + b',"until":1}', R.DUPLICATE_FIELD),
    ("by empty", KEY, body(COMMANDS, by=""), R.INVALID_BY),
    ("by blank", KEY, body(COMMANDS, by="  "), R.INVALID_BY),
    ("by of 65 characters", KEY, body(COMMANDS, by="x" * 65), R.INVALID_BY),
    ("by a number", KEY, body(COMMANDS, by=7), R.INVALID_BY),
    ("by with an escape sequence", KEY, body(COMMANDS, by="\x1b[2J"), R.INVALID_BY),
    ("by that turns the line around", KEY, body(COMMANDS, by="\u202eotas"), R.INVALID_BY),
    ("a snooze without an end", KEY, body(COMMANDS, until=ABSENT), R.INVALID_UNTIL),
    ("a snooze that ends before it begins", KEY, body(COMMANDS, until=START_MS - 1), R.INVALID_UNTIL),
    ("until in words", KEY, body(COMMANDS, until="tomorrow"), R.INVALID_UNTIL),
    ("until a century ahead", KEY, body(COMMANDS, until="2100-01-01T00:00:00Z"), R.INVALID_UNTIL),
]

BAD_INPUT: list[Bad] = [
    Bad(name, source, key, value, reason)
    for source, rows in (
        (ORDERS, RECORD + JSON + ENVELOPE + TIME + ORDER),
        (LOGINS, LOGIN),
        (EMAIL_OPENS, EMAIL_OPEN),
        (COMMANDS, COMMAND),
    )
    for name, key, value, reason in rows
]
