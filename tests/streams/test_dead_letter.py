"""A dead letter is the original, byte for byte, and why it was set aside."""

from streams.codec import Reason, Reject, decode
from streams.dead_letter import MAX_ORIGINAL_BYTES, MAX_ORIGINAL_HEADERS, DeadLetter
from tests.bad_input import BAD_INPUT
from tests.builders import Record, consumed, order

LATE = Reject(Reason.LATE, "too late")


def letter(record, reject=LATE):
    key, value, headers = DeadLetter.of(record, reject, "0.1.0").to_record()
    return key, value, dict(headers)


def test_key_and_bytes_go_through_untouched_and_headers_tell_where_from_and_why():
    record = consumed(order("c1"), offset=41, partition=3)
    key, value, headers = letter(record)
    assert (key, value) == (record.key, record.value)
    assert headers == {
        "x-id": b"orders-3-41",
        "x-reason": b"late",
        "x-detail": b"too late",
        "x-error-class": b"Reject",
        "x-topic": b"orders",
        "x-partition": b"3",
        "x-offset": b"41",
        "x-app-version": b"0.1.0",
    }


def test_every_kind_of_bad_input_makes_a_letter_with_its_own_bytes():
    for offset, bad in enumerate(BAD_INPUT):
        reject = decode(bad.source, bad.key, bad.value, now_ms=1_800_000_000_000)
        key, value, headers = letter(Record("orders", 0, offset, 0, bad.key, bad.value), reject)
        assert (key, value, headers["x-reason"]) == (bad.key, bad.value, bad.reason.encode())


def test_the_same_record_set_aside_twice_is_recognisable():
    record = consumed(order(), offset=5)
    assert DeadLetter.of(record, LATE, "0.1.0").id == DeadLetter.of(record, LATE, "0.2.0").id


def test_the_records_own_headers_are_kept_and_cannot_pass_for_ours():
    record = consumed(order(), headers=[("x-reason", b"forged"), ("trace", b"\xff\x00"), ("none", None)])
    headers = letter(record)[2]
    assert headers["x-reason"] == b"late"
    assert headers["original.x-reason"] == b"forged"
    assert headers["original.trace"] == b"\xff\x00"
    assert headers["original.none"] == b""


def test_a_repeated_header_is_kept_as_often_as_it_was():
    record = consumed(order(), headers=[("a", b"1"), ("a", b"2")])
    headers = DeadLetter.of(record, LATE, "0.1.0").to_record()[2]
    assert [pair for pair in headers if pair[0] == "original.a"] == [("original.a", b"1"), ("original.a", b"2")]


def test_header_garbage_is_bounded_and_the_rest_counted():
    many = consumed(order(), headers=[(f"h{n}", b"") for n in range(MAX_ORIGINAL_HEADERS + 5)])
    assert letter(many)[2]["x-headers-dropped"] == b"5"
    huge = consumed(order(), headers=[("small", b"1"), ("huge", b"x" * MAX_ORIGINAL_BYTES), ("after", b"2")])
    headers = letter(huge)[2]
    assert headers["original.small"] == b"1"
    assert headers["x-headers-dropped"] == b"2"
