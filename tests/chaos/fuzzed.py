"""Payloads nobody would write: good and bad records changed at random, each from its own seed.

`payload(seed, 1234)` is the same record on every machine, so a failure is named by two numbers.
"""

import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from streams.topics import INPUTS, READABLE, InputTopic
from tests.bad_input import BAD_INPUT, BODIES, FAR_FUTURE_MS, KEY, body
from tests.builders import START_MS


class Payload(NamedTuple):
    source: InputTopic
    key: bytes | None
    value: bytes | None


SMALL = 4_096
SEEDS = [
    *[Payload(source, KEY, body(source)) for source in READABLE for _ in range(24)],
    *[Payload(bad.source, bad.key, bad.value) for bad in BAD_INPUT if bad.value and len(bad.value) < SMALL],
]
PIECES = [
    b'"', b"\\", b",", b":", b"{", b"}", b"[", b"]", b"\x00", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf",
    b"\n", b" ", b"\\ud800", b"\\u0000", b"\\u0061", b"NaN", b"-Infinity", b"1e400", b"-0", b"00", b"1e-400", b"null",
    b"true", b'"customer_id":"c2",', b'"amount":1,', b'"\\u0061mount":2,', b',"until":0', b"\xe2\x80\xa8",
    b"\xf0\x9f\x92\xa9", b"[" * 64, b'{"":' * 40, b"9" * 400, b"\x1b[2J", b"/*", b"'",
]  # fmt: skip
TEXTS = [
    "", "c1", "c2", "顧客", "c\x00", "c\n", "\u2028", "\u202e", "\x85", "\u3000", "a" * 256, "a" * 257, "客" * 85,
    "客" * 86, "erase", "JPY", "jpy", "order", "login", "command", "teleport", "ack", "snooze", "release",
    "2024-01-01T00:00:00Z", "2024-01-01", "2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z",
    "2024-01-01T00:00:00+00:60",
    "2024-01-01t00:00:00.123456789-23:59", "2024-01-01 00:00:00+24:00", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "1989-12-31T23:59:59.999Z", "２０２４-01-01T00:00:00Z", "\U0001f6d2",
]  # fmt: skip
NUMBERS = [
    0, -1, 1, 2, 1.0, 1.5, -0.0, 1e9, 1_000_000_000, 1_000_000_001, 1e300, 5e-324, 604_800, 604_801, START_MS,
    START_MS // 1000, START_MS * 1000, START_MS + 1, FAR_FUTURE_MS, 2**31, 2**53 + 1, 2**63, -(2**63), 2**64 - 1, 2**64,
    10**30, 631_152_000_000, 631_151_999_999, 631_152_000, 4_102_444_800, 4_102_444_801,
]  # fmt: skip
NAMES = sorted({name for fields in BODIES.values() for name in fields} | {
    "version", "schema_version", "type", "currency", "items", "machine", "note", "", "Amount"})  # fmt: skip


def payload(seed: int, number: int) -> Payload:
    """One of endlessly many."""
    rng = random.Random(f"{seed}-{number}")
    source, key, value = rng.choice(SEEDS)
    if rng.random() < 0.05:
        source = rng.choice(READABLE)
    if rng.random() < 0.6:
        value = restructured(rng, value)
    if rng.random() < 0.4:
        value = damaged(rng, value)
    return Payload(source, rekeyed(rng, key, value), value)


def restructured(rng: random.Random, value: bytes) -> bytes:
    """Change fields of an object and write it anew, with whatever spaces and escapes."""
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError):
        return value
    if not isinstance(fields, dict):
        return value
    pairs = [*fields.items()]
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        rng.choice((_set, _set, _set, _drop, _double))(rng, pairs)
    if rng.random() < 0.3:
        rng.shuffle(pairs)
    colon, comma = rng.choice((":", ": ", "\t:\r\n")), rng.choice((",", ", ", "\n,"))
    text = comma.join(_written(rng, name) + colon + _written(rng, one) for name, one in pairs)
    return b"{" + text.encode("utf-8", "surrogatepass") + b"}"


def damaged(rng: random.Random, value: bytes) -> bytes:
    """Change bytes."""
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        value = rng.choice(DAMAGES)(rng, value)[: 2 * 65_536]
    return value


def rekeyed(rng: random.Random, key: bytes | None, value: bytes) -> bytes | None:
    """Mostly the customer's id, so that some of it is good; else the old key, none, or anything."""
    chance = rng.random()
    if chance < 0.8:
        try:
            return json.loads(value)["customer_id"].encode()
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            return key
    if chance < 0.9:
        return key
    return rng.choice((None, b"", b"c2", b"c1 ", b"\xff", b"c" * 257, rng.randbytes(rng.randrange(300))))


def _set(rng: random.Random, pairs: list[tuple[str, Any]]) -> None:
    at = rng.randrange(len(pairs) + 1)
    name = pairs[at][0] if at < len(pairs) and rng.random() < 0.7 else rng.choice(NAMES)
    pairs[at : at + 1] = [(name, _anything(rng, 3))]


def _drop(rng: random.Random, pairs: list[tuple[str, Any]]) -> None:
    if pairs:
        del pairs[rng.randrange(len(pairs))]


def _double(rng: random.Random, pairs: list[tuple[str, Any]]) -> None:
    if pairs:
        pairs.insert(rng.randrange(len(pairs) + 1), rng.choice(pairs))


def _anything(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(10)
    if kind < 4:
        return rng.choice(TEXTS)
    if kind < 8:
        return rng.choice(NUMBERS)
    if kind == 8 or not depth:
        return rng.choice((None, True, False, [], {}))
    some = [_anything(rng, depth - 1) for _ in range(rng.randrange(4))]
    return some if rng.random() < 0.5 else [{rng.choice(ITEM_NAMES): one for one in some}]


ITEM_NAMES = ("category", "quantity", "price", "amount", "x:y")


def _written(rng: random.Random, value: Any) -> str:
    text = json.dumps(value, ensure_ascii=rng.random() < 0.3)
    if isinstance(value, str) and value and rng.random() < 0.1:
        return f'"\\u{ord(value[0]) & 0xFFFF:04x}{text[2:]}'  # the first character escaped; half a pair, of an emoji
    return text


def _flip(rng: random.Random, value: bytes) -> bytes:
    at = rng.randrange(len(value) + 1)
    return value[:at] + bytes(byte ^ (1 << rng.randrange(8)) for byte in value[at : at + 1]) + value[at + 1 :]


def _insert(rng: random.Random, value: bytes) -> bytes:
    at = rng.randrange(len(value) + 1)
    return value[:at] + rng.choice(PIECES) + value[at:]


def _remove(rng: random.Random, value: bytes) -> bytes:
    at = rng.randrange(len(value) + 1)
    return value[:at] + value[at + rng.choice((1, 1, 2, 8, 64)) :]


def _repeat(rng: random.Random, value: bytes) -> bytes:
    begin, end = sorted((rng.randrange(len(value) + 1), rng.randrange(len(value) + 1)))
    times = rng.choice((1, 1, 1, 2, 8)) if rng.random() < 0.99 else 2_000
    return value[:end] + value[begin:end] * times + value[end:]


def _splice(rng: random.Random, value: bytes) -> bytes:
    other = rng.choice(SEEDS).value or b""
    return value[: rng.randrange(len(value) + 1)] + other[rng.randrange(len(other) + 1) :]


def _noise(rng: random.Random, value: bytes) -> bytes:
    at = rng.randrange(len(value) + 1)
    return value[:at] + rng.randbytes(rng.randrange(1, 9)) + value[at:]


DAMAGES: list[Callable[[random.Random, bytes], bytes]] = [_flip, _insert, _insert, _remove, _repeat, _splice, _noise]

MIB = 1024 * 1024
FULL = 64 * 1024
"""The most that is read."""
HOSTILE: dict[str, bytes] = {
    "a MiB of brackets": b"[" * MIB,
    "as many brackets as are read": b"[" * FULL,
    "nested objects": b'{"a":' * (FULL // 5),
    "a million digits": b'{"amount":' + b"9" * 1_000_000 + b"}",
    "as many digits as are read": body().replace(b"20.0", b"9" * (FULL - 200)),
    "as many decimals as are read": body().replace(b"20.0", b"0." + b"3" * (FULL - 200)),
    "a long exponent": body().replace(b"20.0", b"1e" + b"0" * (FULL - 200) + b"1"),
    "a MiB of text": body(note="x" * MIB),
    "as much text as is read": body(note="x" * (FULL - 200)),
    "nothing but escapes": body()[:-1] + b',"note":"' + b"\\u0061" * 10_800 + b'"}',
    "escaped quotes": body()[:-1] + b',"note":"' + b'\\"' * 32_000 + b'"}',
    "a quote that never ends": body()[:-1] + b',"note":"' + b"\\\\" * 32_000,
    "as many fields as fit": b'{"customer_id":"c1",' + b",".join(b'"%d":0' % n for n in range(6_500)) + b"}",
    "one field over and over": b"{" + b'"amount":1,' * 5_000 + b'"amount":1}',
    "one unknown field over and over, escaped": body()[:-1] + b',"\\u006eote":1' * 4_500 + b"}",
    "colons": body(note=":" * (FULL - 200)),
    "items of nothing": body()[:-1] + b',"items":[' + b"{}," * 20_000 + b"{}]}",
    "a thousand categories": body(items=[{"category": f"category {n}"} for n in range(1_000)]),
    "as deep as is read": body()[:-1] + b',"note":' + b"[" * 1_023 + b"]" * 1_023 + b"}",
    "a long id": body(customer_id="c" * (FULL - 300)),
    "a long time": body(occurred_at="2024-01-01T00:00:00." + "0" * (FULL - 300) + "Z"),
    "a long who": body(INPUTS[5], by="x" * (FULL - 300)),
    "zeros": b"\x00" * FULL,
    "spaces": b" " * (FULL - 1) + b"1",
}
