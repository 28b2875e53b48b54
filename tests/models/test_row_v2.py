"""Customers of version 2 of the row: an upgrade loses nothing, and open episodes get their outcome."""

import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.row_v2 import ROW_V2
from models.state import ROW, from_bytes, new_rows

TOLD = {"told", "outcome_at", "outcome_anchor", "outcome_episode", "outcome_level"}


def read(content):
    rows = new_rows(1)
    rows[0] = from_bytes(bytes([2]) + content)
    return rows


def test_the_old_layout_never_changes():
    assert (ROW_V2.itemsize, zlib.crc32(repr(ROW_V2.descr).encode())) == (320, 3716676101)


@given(st.binary(min_size=ROW_V2.itemsize, max_size=ROW_V2.itemsize))
def test_every_field_keeps_its_value_and_what_is_new_is_as_of_a_new_customer(content):
    old = np.frombuffer(content, ROW_V2)
    rows, fresh = read(content), new_rows(1)
    for name in set(ROW_V2.names) - {"applied"}:
        assert rows[name].tobytes() == old[name].tobytes()
    assert rows["applied"][0].tolist() == [*old["applied"][0].tolist(), -1]
    for name in set(ROW.names) - set(ROW_V2.names) - TOLD:
        assert rows[name].tobytes() == fresh[name].tobytes()


def test_an_open_episode_has_been_told_and_waits_for_its_outcome():
    old = np.zeros(1, ROW_V2)
    old["level"], old["step"], old["episode"], old["opened_at"], old["anchor_at"] = 1, 3, 7, 86_400, 43_200
    rows = read(old.tobytes())
    assert rows["told"].tolist() == [1]
    awaited = ("outcome_at", "outcome_anchor", "outcome_episode", "outcome_level")
    assert [rows[name][0].tolist() for name in awaited] == [
        [86_400, 0],
        [43_200, 0],
        [7, 0],
        [3, 0],
    ]


def test_of_a_healthy_customer_no_outcome_is_awaited():
    old = np.zeros(1, ROW_V2)
    old["step"], old["episode"], old["opened_at"] = 5, 1, 86_400
    rows = read(old.tobytes())
    assert (rows["told"].tolist(), rows["outcome_at"][0].tolist()) == ([0], [0, 0])
