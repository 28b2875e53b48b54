"""The row's layout and its bytes: what the changelog holds is the customer, bit for bit."""

import json
import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import models.state
from models.events import N_SOURCES
from models.newer import NewerVersionError
from models.state import (
    ROW,
    ROW_VERSION,
    StateVersionError,
    customer_dict,
    from_bytes,
    new_rows,
    rows_to_bytes,
    to_bytes,
)

SECRET = b"customer-0815"


def test_a_row_is_packed_aligned_little_endian_and_within_its_budget():
    widths = []
    for dtype, offset in (field[:2] for field in ROW.fields.values()):
        assert offset % dtype.base.itemsize == 0
        assert dtype.base.str[0] in "<|"
        widths.append(dtype.itemsize)
    assert sum(widths) == ROW.itemsize <= 360
    assert ROW.itemsize % 8 == 0, "the next row of an array would be misaligned"


def test_the_table_of_the_layout_accounts_for_every_byte():
    told = [int(size) for size in re.findall(r"^``.*?``.*?\s(\d+)  ", models.state.__doc__, re.MULTILINE)]
    assert sum(told) == ROW.itemsize


def test_the_layout_of_this_version_never_changes():
    """A changed layout under an old version number would read stored customers as garbage."""
    layout = zlib.crc32(repr(ROW.descr).encode())
    assert (ROW_VERSION, layout) == (3, 2582627348), "another layout needs another version"


def test_of_a_new_customer_nothing_is_known():
    row = customer_dict(new_rows(3)[2])
    unknown = {"amount_short", "amount_long", "example_p", "example_x", "example_experts"}
    assert row["applied"] == [-1] * N_SOURCES
    assert all(np.isnan(row[name]).all() for name in unknown)
    rest = new_rows(1)
    for name in (*unknown, "applied"):
        rest[name] = 0
    assert rest.tobytes() == bytes(ROW.itemsize)


@given(st.binary(min_size=ROW.itemsize, max_size=ROW.itemsize))
def test_bytes_and_back_is_the_identity_for_every_bit_pattern(content):
    """NaN payloads and negative zeros included: the row is copied, never interpreted."""
    row = np.frombuffer(content, ROW)[0]
    value = to_bytes(row)
    rows = new_rows(2)
    rows[1] = from_bytes(value)
    assert value == bytes([ROW_VERSION]) + content
    assert rows[1].tobytes() == content


@given(st.lists(st.binary(min_size=ROW.itemsize, max_size=ROW.itemsize), max_size=5))
def test_many_rows_encode_as_each_of_them_does(contents):
    rows = np.frombuffer(b"".join(contents), ROW)
    assert rows_to_bytes(rows) == [to_bytes(row) for row in rows]


def test_rows_picked_out_of_a_larger_array_encode_like_copies_of_them():
    rows = new_rows(6)
    rows["due_at"] = np.arange(6)
    assert rows_to_bytes(rows[::2]) == rows_to_bytes(rows[::2].copy())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no bytes"),
        (bytes([0]) + bytes(ROW.itemsize), "row version 0"),
        (bytes([1]) + bytes(ROW.itemsize), f"row version 1 has {1 + ROW.itemsize} bytes, expected 313"),
        (bytes([ROW_VERSION]), f"has 1 bytes, expected {1 + ROW.itemsize}"),
        (bytes([ROW_VERSION]) + SECRET, f"has 14 bytes, expected {1 + ROW.itemsize}"),
        (bytes([ROW_VERSION]) + bytes(ROW.itemsize + 1), f"has {2 + ROW.itemsize} bytes"),
    ],
)
def test_no_version_or_another_length_is_refused_without_showing_the_customer(data, message):
    with pytest.raises(StateVersionError, match=re.escape(message)) as refusal:
        from_bytes(data)
    assert SECRET.decode() not in str(refusal.value)


@pytest.mark.parametrize("data", [bytes([ROW_VERSION + 1]) + bytes(ROW.itemsize), bytes([ROW_VERSION + 1]) + SECRET])
def test_a_newer_version_is_told_apart_from_damage_and_shows_no_customer(data):
    with pytest.raises(
        NewerVersionError, match=f"^stored customer has version {ROW_VERSION + 1}, this code"
    ) as refusal:
        from_bytes(data)
    assert SECRET.decode() not in str(refusal.value)


def test_a_decoded_row_cannot_be_edited_in_place():
    """A stored value is replaced, never edited: its changelog would miss the edit."""
    row = from_bytes(to_bytes(new_rows(1)[0]))
    with pytest.raises(ValueError, match="read-only"):
        row["level"] = 1


def test_a_customer_is_shown_as_plain_numbers_with_named_channels():
    rows = new_rows(1)
    rows["count"][0] = [3, 5, 8]
    rows["recent_ids"][0, 0] = 2**64 - 1
    shown = json.loads(json.dumps(customer_dict(rows[0])))
    assert list(shown) == list(ROW.names)
    assert shown["count"] == {"order": 3, "login": 5, "email_open": 8}
    assert shown["recent_ids"][0] == 2**64 - 1
