"""Customers of version 1 of the row: an upgrade loses nothing that was known about them."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import Channel
from models.pending import FROZEN, IN_HORIZON, SCHEDULED, next_label_at, resolve
from models.row_v1 import ROW_V1
from models.state import ROW, from_bytes, new_rows
from models.target import DAY_S, Target

TARGET = Target(Channel.ORDER, 91 * DAY_S)
FROZEN_S = 852_076_801
TOLD = {"told", "outcome_at", "outcome_anchor", "outcome_episode", "outcome_level"}
SAME = [name for name in ROW_V1.names if name not in {"applied", "example_x", "example_frozen"}]


def stored(**fields):
    """A customer as a changelog of an earlier release holds it."""
    old = np.zeros(1, ROW_V1)
    old["example_x"] = np.nan
    for name, value in fields.items():
        old[name] = value
    return bytes([1]) + old.tobytes()


def read(value):
    rows = new_rows(1)
    rows[0] = from_bytes(value)
    return rows


def test_the_old_layout_never_changes():
    assert (ROW_V1.itemsize, zlib.crc32(repr(ROW_V1.descr).encode())) == (312, 2150736991)


@given(st.binary(min_size=ROW_V1.itemsize, max_size=ROW_V1.itemsize))
def test_every_field_keeps_its_value_and_what_is_new_is_as_of_a_new_customer(content):
    old = np.frombuffer(content, ROW_V1)
    rows, fresh = read(bytes([1]) + content), new_rows(1)
    for name in SAME:
        assert rows[name].tobytes() == old[name].tobytes()
    assert rows["applied"][0].tolist() == [*old["applied"][0].tolist(), -1, -1, -1]
    for name in set(ROW.names) - set(ROW_V1.names) - TOLD:
        assert rows[name].tobytes() == fresh[name].tobytes()


def test_a_frozen_example_gives_its_horizon_label_at_its_time_and_no_step_label():
    """Version 1 did not note whether a return fell into the step: a step label could only be guessed."""
    x = np.linspace(-80, 80, 24)
    rows = read(stored(example_at=FROZEN_S, example_frozen=1, example_p=0.25, example_x=x, example_returned=1))
    assert next_label_at(rows, TARGET).tolist() == [FROZEN_S + TARGET.horizon_s]
    label = resolve(rows, TARGET)
    assert (label.is_step.tolist(), label.churned.tolist(), label.probability.tolist()) == ([False], [False], [0.25])
    assert np.allclose(label.x[0, :24], x, rtol=2**-11)
    assert np.isnan(label.x[0, 24:]).all()
    assert np.isnan(label.experts).all()


def test_a_scheduled_example_stays_scheduled():
    rows = read(stored(example_at=FROZEN_S, example_frozen=0))
    assert rows["example_frozen"].tolist() == [SCHEDULED]
    assert next_label_at(rows, TARGET).tolist() == [FROZEN_S]


@pytest.mark.parametrize(("returned", "kept"), [(0, 0), (1, IN_HORIZON)])
def test_a_return_stays_one(returned, kept):
    rows = read(stored(example_at=FROZEN_S, example_frozen=FROZEN, example_returned=returned))
    assert rows["example_returned"].tolist() == [kept]


def test_features_beyond_half_precision_are_clipped_and_unknown_ones_stay_unknown():
    x = np.full(24, np.nan, np.float32)
    x[:3] = 1e30, -1e30, 0.5
    kept = read(stored(example_x=x))["example_x"][0]
    assert kept[:3].tolist() == [65_504, -65_504, 0.5]
    assert np.isnan(kept[3:]).all()


def test_a_customer_carried_over_cannot_be_edited_in_place():
    with pytest.raises(ValueError, match="read-only"):
        from_bytes(stored())["level"] = 1
