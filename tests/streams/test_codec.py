"""Bytes in, event or reject out. The kinds of bad input stand in `tests/bad_input.py`."""

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.baskets import category_mask
from models.commands import Command
from models.events import Channel, Event
from streams.checks import FUTURE_MS
from streams.codec import Reason, Reject, decode
from streams.commands import Tombstone
from streams.settings import Settings
from streams.topics import EMAIL_CLICKS, EMAIL_OPENS, EMAIL_SENDS, INPUTS, LOGINS, ORDERS, READABLE, event_inputs
from tests.bad_input import BAD_INPUT, BODIES, FAR_FUTURE_MS, KEY, body, text
from tests.builders import NOW_MS, START_MS, email_click, email_open, email_send, login, order

FOUND_BY_THE_ENGINE = {
    Reason.LATE,
    Reason.WRONG_PARTITION,
    Reason.UNKNOWN_CUSTOMER,
    Reason.PROCESSING_FAILED,
    Reason.OVERSIZED_ROW,
}


def read(value, source=ORDERS, key=KEY, now_ms=NOW_MS):
    return decode(source, key, value, now_ms=now_ms)


@pytest.mark.parametrize("bad", BAD_INPUT, ids=lambda bad: bad.name)
def test_each_kind_of_bad_input_is_one_reject_with_its_reason(bad):
    reject = decode(bad.source, bad.key, bad.value, now_ms=NOW_MS)
    assert isinstance(reject, Reject)
    assert reject.reason is bad.reason


def test_the_table_holds_every_reason_the_codec_can_give():
    assert len(BAD_INPUT) >= 60
    assert len({bad.name for bad in BAD_INPUT}) == len(BAD_INPUT)
    assert {bad.reason for bad in BAD_INPUT} == set(Reason) - FOUND_BY_THE_ENGINE


@pytest.mark.parametrize("bad", BAD_INPUT, ids=lambda bad: bad.name)
def test_a_reject_quotes_nothing_of_the_record(bad):
    reject = decode(bad.source, bad.key, bad.value, now_ms=NOW_MS)
    assert "c1" not in reject.detail
    assert "\n" not in reject.detail
    assert reject.error_class in ("Reject", "JSONDecodeError")


SAMPLES = [
    order(), login(), email_open(), email_open(machine=True), email_send(), email_click(), email_click(machine=True),
]  # fmt: skip


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_a_shop_sends_becomes_the_event_it_means(sample):
    event = decode(sample.source, sample.key, sample.value, now_ms=NOW_MS)
    assert repr(event) == repr(sample.event)


GOOD_ORDERS = {
    "unknown fields": body(theme="dark", customer={"customer_id": "x", "amount": -5}, tags=["a:b", "c"]),
    "a known name twice inside an unknown field": body(log=[{"amount": 1}, {"amount": 2}]),
    "an unknown field twice": body()[:-1] + b',"note":1,"note":2}',
    "spaces and line feeds": orjson.dumps(BODIES[ORDERS], option=orjson.OPT_INDENT_2),
    "escaped slashes and letters": body()[:-1] + b',"url":"http:\\/\\/x\\u002fcustomer_id"}',
    "braces and quotes in a text": body(note='{"amount":1,"amount":2}'),
    "deep unknown field": text(extra="[" * 900 + "]" * 900),
    "version 1": body(version=1),
    "schema_version 1": body(schema_version=1),
    "null version": body(version=None),
    "its own type": body(type="order"),
    "currency": body(currency="JPY"),
    "null currency": body(currency=None),
    "items without categories": body(items=[{"quantity": 2, "price": 5.5, "sku": 7}, {}]),
    "no items": body(items=[]),
}


@pytest.mark.parametrize("value", GOOD_ORDERS.values(), ids=GOOD_ORDERS.keys())
def test_what_is_not_ours_or_optional_is_tolerated(value):
    assert read(value) == Event("c1", "o1", Channel.ORDER, START_MS, 20.0)


@pytest.mark.parametrize(
    ("items", "categories"),
    [
        ([{"category": "緑茶", "quantity": 2}, {"category": "tea"}, {"price": 1}], ["tea", "緑茶"]),
        ([{"category": "tea"}, {"category": "tea"}], ["tea"]),
        ([{"category": None}], []),
        (None, []),
    ],
)
def test_an_order_brings_the_categories_of_its_items(items, categories):
    assert read(body(items=items)).categories == category_mask(categories)


@pytest.mark.parametrize(
    ("value", "amount"),
    [(0, 0.0), (0.0, 0.0), (-0.0, 0.0), (20, 20.0), (11.77, 11.77), (1_000_000_000, 1e9)],
)
def test_amounts_from_zero_to_the_cap_are_taken(value, amount):
    assert read(body(amount=value)).amount == amount


@pytest.mark.parametrize(
    ("given_time", "expected_ms"),
    [
        ("2024-01-01T00:00:00Z", START_MS),
        ("2024-01-01t00:00:00z", START_MS),
        ("2024-01-01 00:00:00Z", START_MS),
        ("2024-01-01T09:00:00+09:00", START_MS),
        ("2023-12-31T19:00:00-05:00", START_MS),
        ("2024-01-01T00:00:00.1Z", START_MS + 100),
        ("2024-01-01T00:00:00.123999999Z", START_MS + 123),
        ("1997-01-01T00:00:00Z", 852_076_800_000),
        (631_152_000_000, 631_152_000_000),
        (NOW_MS + FUTURE_MS, NOW_MS + FUTURE_MS),
    ],
)
def test_times_are_epoch_milliseconds_or_rfc_3339(given_time, expected_ms):
    assert read(body(occurred_at=given_time)).occurred_at_ms == expected_ms


def test_a_clock_may_run_five_minutes_ahead_and_not_a_millisecond_more():
    assert read(body(occurred_at=NOW_MS + FUTURE_MS + 1)).reason is Reason.FUTURE_TIME


def test_an_event_from_the_future_becomes_good_once_its_time_has_come():
    assert isinstance(read(body(occurred_at=FAR_FUTURE_MS), now_ms=FAR_FUTURE_MS), Event)


def test_ids_may_hold_any_script_up_to_256_bytes():
    for customer_id in ("顧客-０１", "emoji 🛒", "c" * 256, "客" * 85, "a b", "Ω:1"):
        event = read(body(customer_id=customer_id, event_id=customer_id), key=customer_id.encode())
        assert (event.customer_id, event.event_id) == (customer_id, customer_id)


def test_a_login_may_leave_its_length_untold():
    event = read(b'{"event_id":"l1","customer_id":"c1","occurred_at":1704067200000}', LOGINS)
    assert math.isnan(event.amount)
    assert event.engaged


def test_a_machine_open_is_an_event_without_engagement_and_an_untold_one_is_human():
    assert not read(body(EMAIL_OPENS, machine=True), EMAIL_OPENS).engaged
    assert read(body(EMAIL_OPENS, machine=False), EMAIL_OPENS).engaged
    assert read(body(EMAIL_OPENS), EMAIL_OPENS).engaged


def test_a_machine_that_follows_links_is_told_apart_as_one_that_opens():
    assert not read(body(EMAIL_CLICKS, machine=True), EMAIL_CLICKS).engaged
    assert read(body(EMAIL_CLICKS, machine="yes"), EMAIL_CLICKS).reason is Reason.INVALID_MACHINE
    assert read(body(EMAIL_SENDS, campaign_id=7), EMAIL_SENDS).reason is Reason.INVALID_CAMPAIGN


def test_every_readable_input_has_a_decoder_for_its_channel():
    for source in event_inputs(Settings(email_sends_topic="sends", email_clicks_topic="clicks")):
        assert read(body(source), source).channel is (Channel.EMAIL_OPEN if source.channel is None else source.channel)
    assert [source.source for source in INPUTS] == list(range(len(INPUTS)))


MAYBE_KEYS = st.none() | st.just(KEY) | st.binary(max_size=300)
SOURCES = st.sampled_from(READABLE)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from([*dict.fromkeys(name for fields in BODIES.values() for name in fields), "version", "type",
                          "currency", "items", "machine"])  # fmt: skip


@given(SOURCES, MAYBE_KEYS, st.none() | st.binary(max_size=2_000))
def test_no_bytes_whatever_make_the_codec_raise(source, key, value):
    result = decode(source, key, value, now_ms=NOW_MS)
    assert isinstance(result, Event | Reject) or (isinstance(result, Tombstone) and value is None)


@given(SOURCES, st.dictionaries(FIELDS, JSON, max_size=6))
def test_no_json_whatever_makes_it_raise_or_lets_an_event_out_of_bounds(source, changes):
    result = read(body(source, **changes), source)
    assert isinstance(result, Event | Reject)
    if isinstance(result, Event):
        assert math.isnan(result.amount) or 0 <= result.amount <= 1e9
        if isinstance(result, Command):
            assert 0 < len(result.by) <= 64
            assert result.until_s == 0 or result.at_s <= result.until_s < 2**32
        assert 0 < len(result.event_id.encode()) <= 256
        assert result.customer_id == "c1"
        assert 0 <= result.categories < 2**32
        assert 631_152_000_000 <= result.occurred_at_ms <= NOW_MS + FUTURE_MS


@given(st.integers(0, len(body()) - 1), st.integers(0, 255))
def test_one_damaged_byte_never_makes_it_raise(position, byte):
    value = bytearray(body())
    value[position] = byte
    assert isinstance(read(bytes(value)), Event | Reject)


@given(st.lists(st.tuples(st.sampled_from(["amount", "items", "note", "x:y"]), JSON), max_size=5))
def test_a_field_is_doubled_exactly_when_a_known_name_stands_twice_at_the_top(pairs):
    more = b"".join(b"," + orjson.dumps(name) + b" : " + orjson.dumps(value) for name, value in pairs)
    names = [name for name, _ in pairs if name not in {"note", "x:y"}] + ["amount"]
    result = read(body()[:-1] + more + b"}")
    doubled = isinstance(result, Reject) and result.reason is Reason.DUPLICATE_FIELD
    assert doubled == (len(set(names)) < len(names))
