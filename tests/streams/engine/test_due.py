"""The due-time index finds exactly the rows whose second has passed, and looks at no others."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.due import BUCKET_S, SPAN, DueIndex

N_SLOTS = 12
slot = st.integers(0, N_SLOTS - 1)
WIDE_S = SPAN * BUCKET_S
FAR_S = 1 << 32
second = st.one_of(
    st.integers(1, 10 * BUCKET_S),
    st.integers(0, 10).map(lambda n: n * BUCKET_S + 1),
    st.integers(0, 5 * WIDE_S),
    st.tuples(st.integers(1, 4), st.integers(-1, 1)).map(lambda at: at[0] * WIDE_S + at[1]),
)


class Rows:
    """The `due_at` column and what the caller of the index promises: every change is scheduled."""

    def __init__(self, n=N_SLOTS):
        self.due_at, self.index = np.zeros(n, np.int64), DueIndex()
        self.looked_at = []

    def schedule(self, *slots_and_seconds):
        slots, seconds = np.array(slots_and_seconds).reshape(-1, 2).T
        self.due_at[slots] = seconds
        self.index.schedule(slots, seconds)

    def forget(self, slot):
        self.due_at[slot] = 0

    def pop(self, now_s, limit=1 << 30):
        popped = self.index.pop_before(now_s, self, limit).tolist()
        self.due_at[popped] = 0
        return popped

    def due(self, now_s):
        return set(np.flatnonzero((self.due_at > 0) & (self.due_at < now_s)).tolist())

    def __getitem__(self, slots):
        self.looked_at += slots.tolist()
        return self.due_at[slots]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("schedule"), slot, second),
            st.tuples(st.just("forget"), slot),
            st.tuples(st.just("pop"), second, st.one_of(st.just(1 << 30), st.integers(1, 4))),
        ),
        max_size=60,
    )
)
def test_whatever_moves_earlier_or_later_a_pop_gives_exactly_what_is_due(steps):
    rows = Rows()
    for name, *args in steps:
        if name == "pop":
            due, popped = rows.due(args[0]), rows.pop(*args)
            assert len(popped) == len(set(popped))
            assert set(popped) <= due
            assert len(popped) == min(args[1], len(due))
        else:
            getattr(rows, name)(*args if name == "forget" else [args])
    everything = set(np.flatnonzero(rows.due_at).tolist())
    assert set(rows.pop(FAR_S)) == everything
    assert len(rows.index) == 0


def test_the_second_itself_is_not_over_so_that_its_events_come_first():
    rows = Rows()
    rows.schedule((3, 1000))
    assert rows.pop(1000) == []
    assert rows.pop(1001) == [3]


def test_a_popped_row_is_not_given_twice():
    rows = Rows()
    rows.schedule((3, 1000))
    assert rows.index.pop_before(2000, rows).tolist() == [3]
    assert rows.index.pop_before(2000, rows).tolist() == []


def test_zero_means_never():
    rows = Rows()
    rows.schedule((3, 0))
    assert len(rows.index) == 0
    assert rows.pop(FAR_S) == []


def test_a_row_that_moved_later_comes_up_then_and_not_before():
    rows = Rows()
    rows.schedule((3, 1000))
    rows.schedule((3, 50_000))
    assert rows.pop(50_000) == []
    assert rows.pop(50_001) == [3]


def test_a_row_that_moved_earlier_comes_up_once():
    rows = Rows()
    rows.schedule((3, 50_000))
    rows.schedule((3, 1000))
    assert rows.pop(1001) == [3]
    assert rows.pop(60_000) == []


@pytest.mark.parametrize("apart_s", [0, 1, BUCKET_S, WIDE_S])
def test_a_limit_is_kept_to_the_last_one_and_the_rest_comes_next(apart_s):
    """Ten thousand may fall due in one second: they come in portions, with events in between."""
    rows = Rows(100)
    rows.schedule(*((n, 1000 + n * apart_s) for n in range(100)))
    portions = []
    while portions == [] or portions[-1]:
        portions.append(rows.pop(101 * WIDE_S, limit=30))
    assert [len(portion) for portion in portions] == [30, 30, 30, 10, 0]
    assert list(itertools.chain(*portions)) == list(range(100)), "who was due first comes first"


def test_who_moves_while_waiting_for_the_next_portion_comes_when_they_are_due_then():
    rows = Rows(10)
    rows.schedule(*((n, 1000) for n in range(10)))
    assert rows.pop(2000, limit=2) == [0, 1]
    rows.schedule((3, 5000), (4, 1500))
    rows.forget(5)
    assert sorted(rows.pop(2000)) == [2, 4, 6, 7, 8, 9]
    assert rows.pop(5001) == [3]


def test_who_is_due_later_in_the_same_minutes_costs_a_tick_nothing():
    rows = Rows(10_000)
    rows.schedule(*((n, 300) for n in range(10_000)))
    assert rows.pop(100) == []
    rows.looked_at.clear()
    rows.schedule((7, 150))
    assert [rows.pop(now_s) for now_s in (110, 150, 151, 200)] == [[], [], [7], []]
    assert set(rows.looked_at) == {7}
    assert sorted(rows.pop(301)) == [n for n in range(10_000) if n != 7]


def test_rows_that_are_not_due_are_not_looked_at():
    """The work of a tick is the work that is due, at a thousand customers as at ten million."""
    rows = Rows(10_000)
    rows.schedule(*((n, 10 * BUCKET_S + n) for n in range(10_000)))
    rows.schedule((7, 5))
    assert rows.pop(BUCKET_S) == [7]
    assert set(rows.looked_at) == {7}


@pytest.mark.parametrize("n", [1, 50, 1000])
def test_rows_that_move_to_and_fro_do_not_make_the_index_grow(n):
    rows = Rows(n)
    for turn in range(100):
        rows.schedule(*((slot, (1000 - turn) * BUCKET_S) for slot in range(n)))
        assert len(rows.index) <= 2 * max(64, 1.25 * n + 1)
    assert sorted(rows.pop(FAR_S)) == list(range(n))
