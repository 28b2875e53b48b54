"""Categories of orders: which ever, which lately, and what orders that tell nothing must not do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.apply import Columns, apply_round
from models.baskets import BITS, GENERATION, breadth, category_mask, dropped
from models.events import Channel
from models.state import new_rows
from models.target import DAY_S, Target

TARGET = Target(Channel.ORDER, 91 * DAY_S)
START_S = 852_076_800  # 1997-01-01
TEA, COFFEE, CAKE = 1 << 3, 1 << 7, 1 << 31
MASKS = st.one_of(st.just(0), st.integers(0, BITS - 1).map(lambda bit: 1 << bit), st.integers(0, 2**BITS - 1))


def buy(rows, mask, *, day=0, offset=0, id_hash=0, channel=Channel.ORDER):
    """Apply one order that tells its categories to a single customer."""
    fields = (START_S + day * DAY_S, channel, channel, offset, np.nan, id_hash, True, mask)
    dtypes = ("u4", "u1", "u1", "i8", "f4", "u8", "?", "u4")
    return apply_round(
        rows, Columns(*(np.array([field], dtype) for field, dtype in zip(fields, dtypes, strict=True))), TARGET
    )


def buyer(masks, first_offset=0):
    rows = new_rows(1)
    for n, mask in enumerate(masks):
        buy(rows, mask, day=n, offset=first_offset + n)
    return rows


def lately(rows):
    return int(rows["cats_now"][0] | rows["cats_before"][0])


def test_a_category_has_the_same_bit_in_every_process_and_release():
    """Bits are kept for years: another hash would make a stranger of every category."""
    assert [category_mask([name]) for name in ("tea", "お茶", "")] == [1 << 0, 1 << 30, 1 << 2]


@given(st.lists(st.text(max_size=20), max_size=8))
def test_a_mask_has_at_most_one_bit_for_each_category_whatever_their_order(categories):
    mask = category_mask(categories)
    assert mask.bit_count() <= len(set(categories))
    assert mask == category_mask(reversed(categories))
    assert 0 <= mask < 2**BITS


@given(st.lists(MASKS, max_size=30))
def test_the_sketch_of_all_orders_is_what_was_ever_bought(masks):
    rows = buyer(masks)
    assert rows["cats_ever"][0] == np.bitwise_or.reduce(np.array([0, *masks], np.uint32))
    assert lately(rows) & ~int(rows["cats_ever"][0]) == 0
    assert breadth(rows)[0] - dropped(rows)[0] == lately(rows).bit_count()


@given(st.lists(MASKS.filter(bool), min_size=1, max_size=30))
def test_lately_holds_the_last_four_orders_and_nothing_older_than_eight(masks):
    recent = lately(buyer(masks))
    last_four, last_eight = (
        np.bitwise_or.reduce(np.array(masks[-n:], np.uint32)) for n in (GENERATION, 2 * GENERATION)
    )
    assert recent & last_four == last_four
    assert recent & ~int(last_eight) == 0


def test_a_category_not_bought_for_eight_orders_is_dropped():
    rows = buyer([TEA] + [COFFEE] * 8)
    assert (breadth(rows).tolist(), dropped(rows).tolist()) == ([2], [1])
    buy(rows, TEA, day=20, offset=20)
    assert dropped(rows).tolist() == [0]


@given(st.lists(MASKS, max_size=12), st.integers(1, 40))
def test_orders_that_tell_no_category_drop_none(masks, silent):
    """A shop that stops telling categories has not lost the interest of its customers."""
    rows = buyer(masks)
    before = [int(rows[name][0]) for name in ("cats_ever", "cats_now", "cats_before")]
    for n in range(silent):
        buy(rows, 0, day=50 + n, offset=50 + n)
    assert [int(rows[name][0]) for name in ("cats_ever", "cats_now", "cats_before")] == before


def test_a_late_order_counts_as_it_arrives():
    rows = buyer([TEA, TEA])
    buy(rows, CAKE, day=-5, offset=2)
    assert rows["cats_ever"].tolist() == rows["cats_now"].tolist() == [TEA | CAKE]


@pytest.mark.parametrize(("offset", "id_hash"), [(0, 0), (1, 7)])
def test_a_repeated_order_changes_no_sketch(offset, id_hash):
    rows = new_rows(1)
    buy(rows, TEA, offset=0, id_hash=7)
    buy(rows, CAKE, offset=offset, id_hash=id_hash)
    assert (rows["cats_ever"].tolist(), rows["cats_now"].tolist()) == ([TEA], [TEA])


def test_only_orders_have_categories():
    rows = new_rows(1)
    buy(rows, TEA, channel=Channel.LOGIN)
    assert breadth(rows).tolist() == [0]
