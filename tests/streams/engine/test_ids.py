"""The table of ids does what a `dict` would do, for batches and in a fraction of the memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine import ids as module
from streams.engine.ids import UNKNOWN, Ids
from streams.engine.texts import MAX_BYTES

KEYS = st.one_of(
    st.integers(0, 300).map(lambda n: b"c%d" % n),
    st.binary(min_size=1, max_size=20),
    st.sampled_from([b"a" * n for n in range(1, 40)]),  # equal but for their length, over words and parts of words
    st.sampled_from([b"c" * n + b"\0" for n in (1, 6, 7, 8, 15, 16)]),
)
BATCHES = st.lists(KEYS, max_size=80, unique=True)
STEPS = st.lists(st.one_of(BATCHES, st.tuples(st.just("remove"), st.integers(0, 400), st.integers(1, 30))), max_size=20)


def check(steps):
    ids, known = Ids(), {}
    for step in steps:
        if isinstance(step, list):
            new = [key for key in step if key not in known]
            slots = ids.add(new).tolist()
            assert not set(slots) & set(known.values()), "a slot in use was given away"
            known |= dict(zip(new, slots, strict=True))
        elif known:
            gone = sorted(known)[step[1] % len(known) :][: step[2]]
            ids.remove(np.array([known.pop(key) for key in gone]))
        assert len(ids) == len(known)
        assert ids.used().tolist() == sorted(known.values())
        asked = [*known, *(step if isinstance(step, list) else []), b"nobody", b""]
        assert ids.find(asked).tolist() == [known.get(key, UNKNOWN) for key in asked]
    assert ids.get(np.array(list(known.values()), np.intp)) == list(known)
    return ids


@given(STEPS)
def test_it_knows_who_was_added_and_not_removed_and_gives_nobody_anothers_slot(steps):
    check(steps)


@given(STEPS)
def test_ids_whose_hashes_are_all_equal_are_told_apart_by_their_bytes(steps):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_hashes", lambda ids: np.full(len(ids), 7 << 28, np.uint64))
        check(steps)


@given(STEPS)
def test_ids_that_want_the_last_places_of_the_table_find_room_at_its_beginning(steps):
    with pytest.MonkeyPatch.context() as patch:
        high = (1 << 32) - 1
        patch.setattr(module, "_hashes", lambda ids: np.array([high - len(key) % 2 for key in ids], np.uint64))
        check(steps)


def test_freed_slots_are_used_before_new_ones_and_slots_stay_below_the_number_given_away():
    ids = Ids()
    ids.add([b"%d" % n for n in range(100)])
    ids.remove(np.array([7, 3]))
    assert ids.add([b"x", b"y", b"z"]).tolist() == [3, 7, 100]
    assert ids.n_slots == 101


def test_a_hundred_thousand_come_and_go_without_the_memory_growing():
    ids = Ids()
    for begin in range(0, 100_000, 500):
        slots = ids.add([b"customer-%08d" % n for n in range(begin, begin + 500)])
        ids.remove(slots)
    assert (len(ids), ids.n_slots) == (0, 500)
    assert len(ids._table) <= 4 * 500
    assert len(ids._texts._data) <= 4 * 500 * len("customer-00000000")


def test_a_million_bytes_of_ids_are_found_again_after_every_growth():
    ids, keys = Ids(), [b"%d:" % n + bytes([65 + n % 26]) * (n % 60) for n in range(30_000)]
    for begin in range(0, len(keys), 777):
        ids.add(keys[begin : begin + 777])
    assert ids.find(keys).tolist() == list(range(len(keys)))
    assert ids.get(ids.used()) == keys
    assert (ids.find([key + b"." for key in keys]) == UNKNOWN).all()


def test_an_id_that_is_too_long_to_be_kept_is_refused():
    with pytest.raises(ValueError, match="bytes at most"):
        Ids().add([bytes(MAX_BYTES + 1)])
    assert Ids().add([bytes(MAX_BYTES)]).tolist() == [0]
