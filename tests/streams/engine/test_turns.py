"""Records of one input at their turns, and the same turns again when they are read a second time."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.merge import Merge
from streams.engine.turns import Turns

BOUND_MS = 10
times = st.lists(st.integers(0, 60), min_size=1, max_size=15)


def pushed(turns, times_ms, first=0):
    offsets = range(first, first + len(times_ms))
    return turns.push([(ms, at) for ms, at in zip(times_ms, offsets, strict=True)], offsets[-1] + 1, offsets)


@given(times)
def test_within_the_bound_records_are_in_order_of_time_and_beyond_it_never_before_what_was_believed(times_ms):
    turns = Turns(BOUND_MS)
    latest_ms = pushed(turns, times_ms)
    for place, at in enumerate(turns.items):
        assert turns.turns_ms[place] == max(times_ms[at], latest_ms[at] - BOUND_MS)
    assert turns.turns_ms.tolist() == sorted(turns.turns_ms)


@given(times)
def test_without_a_bound_records_keep_the_order_of_their_offsets(times_ms):
    turns = Turns(0)
    pushed(turns, times_ms)
    assert turns.items == list(range(len(times_ms)))
    assert turns.turns_ms.tolist() == np.maximum.accumulate(times_ms).tolist()


@given(st.lists(times, min_size=1, max_size=5), st.lists(st.integers(0, 90), min_size=5, max_size=5), st.data())
def test_a_record_that_is_read_again_gets_the_same_turn(parts, raised_ms, data):
    """The records before the commit are not read again, and the idle times between the others do not come back."""
    turns, first, seen = Turns(BOUND_MS), 0, {}
    turns.start_at(0, ())
    for part, idle_until_ms in zip(parts, raised_ms, strict=False):
        latest_ms = pushed(turns, part, first)
        seen |= {
            first + n: max(ms, latest - BOUND_MS) for n, (ms, latest) in enumerate(zip(part, latest_ms, strict=True))
        }
        first += len(part)
        turns.raise_to(idle_until_ms)
    offset = data.draw(st.integers(0, first - 1))
    flat = [ms for part in parts for ms in part]
    before_ms = seen_before(flat, turns.bookmarks, offset)
    bookmarks = turns.commit(offset, before_ms)
    again = Turns(BOUND_MS)
    again.start_at(offset, bookmarks)
    pushed(again, flat[offset:], offset)
    assert dict(zip(again.items, again.turns_ms.tolist(), strict=True)) == {
        at: turn for at, turn in seen.items() if at >= offset
    }


def seen_before(times_ms, bookmarks, offset):
    """How far the records before an offset had brought the input, idle times among them included."""
    return max([0, *times_ms[:offset], *(ms for at, ms in bookmarks if at < offset)])


def test_bookmarks_do_not_pile_up():
    turns = Turns(BOUND_MS)
    turns.start_at(0, ())
    for n in range(100):
        pushed(turns, [n * 10], n)
        turns.raise_to(n * 10 + 5)
        bookmarks = turns.commit(n + 1, n * 10 + 5)
    assert len(bookmarks) < 20


# -- several inputs


def given_away(arrivals, cuts, *, live):
    """The sequence that a merge of two inputs makes of (input, time) delivered in pieces, to the end of time.

    Live, there is nothing more to fetch after each piece.
    """
    merge, taken, offsets = Merge(2, 0.0, BOUND_MS), [], [0, 0]
    totals = [sum(number == which for which, _ in arrivals) for number in (0, 1)]
    for begin, end in itertools.pairwise([0, *cuts, len(arrivals)]):
        for number in (0, 1):
            piece = [ms for which, ms in arrivals[begin:end] if which == number]
            if piece:
                offsets[number] += len(piece)
                merge.push(number, [(ms, ms) for ms in piece], offsets[number], 0.0)
            merge.saw_end(number, offsets[number] if live else totals[number])
        taken += merge.take(1000, 0.0)
    return taken + merge.take(1000, 0.0, wall_ms=10_000)


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 1), st.floats(0, 1)),
        min_size=1,
        max_size=30,
        unique_by=lambda e: e[0],
    ),
    st.lists(st.integers(0, 30), max_size=4),
    st.booleans(),
)
def test_arrival_in_any_order_within_the_bound_gives_the_same_sequence(events, cuts, live):
    arrivals = [(number, ms) for ms, number, _ in sorted(events, key=lambda event: event[0] + event[2] * BOUND_MS)]
    cuts = sorted(min(cut, len(arrivals)) for cut in cuts)
    assert given_away(arrivals, cuts, live=live) == [(number, ms) for ms, number, _ in sorted(events)]


def test_an_idle_input_goes_with_the_others():
    merge = Merge(2, 0.0, BOUND_MS)
    merge.push(0, [(100, "a"), (120, "b")], 2, 0.0)
    merge.saw_end(0, 2)
    merge.saw_end(1, 0)
    assert merge.take(10, 0.0) == [(0, "a")]


def test_the_latest_records_wait_for_the_wall_clock_where_it_counts():
    merge = Merge(1, 0.0, BOUND_MS)
    merge.push(0, [(100, "a")], 1, 0.0)
    merge.saw_end(0, 1)
    assert merge.take(10, 0.0) == []
    assert merge.take(10, 0.0, wall_ms=109) == []
    assert merge.take(10, 0.0, wall_ms=110) == [(0, "a")]


def test_what_waits_to_be_put_in_order_does_not_hold_the_input_back():
    merge = Merge(1, 0.0, BOUND_MS)
    merge.push(0, [(ms, ms) for ms in (100, 101, 102, 115)], 4, 0.0)
    assert merge.buffered(0) == 3, "up to 105: these wait for nobody else"
