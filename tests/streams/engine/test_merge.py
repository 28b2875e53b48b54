"""Three inputs become one sequence in event time, the same however they were cut into fetches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.merge import FAR, Merge
from streams.engine.turns import PATIENCE_S

times = st.lists(st.integers(0, 12), max_size=12)
LIMIT = 1 << 20


def merge_of(*inputs, wait_s=0.0, now_s=0.0):
    """A merge to which each input has delivered these times, and whose logs end there."""
    merge = Merge(len(inputs), wait_s)
    for number, input_times in enumerate(inputs):
        if input_times:
            items = [(time_ms, (number, offset)) for offset, time_ms in enumerate(input_times)]
            merge.push(number, items, next_offset=len(items), now_s=now_s)
        merge.saw_end(number, len(input_times))
    return merge


def in_event_time(*inputs):
    """The order that is promised: running maximum of the input's times, input, offset."""
    keys = [
        (max(input_times[: offset + 1]), number, offset)
        for number, input_times in enumerate(inputs)
        for offset in range(len(input_times))
    ]
    return [(number, (number, offset)) for _, number, offset in sorted(keys)]


@given(st.tuples(times, times, times), st.data())
def test_the_order_does_not_depend_on_how_fetches_were_cut(inputs, data):
    merge, delivered, taken = Merge(3, wait_s=0.0), [0, 0, 0], []
    for number, input_times in enumerate(inputs):
        merge.saw_end(number, len(input_times))
    while delivered != [len(input_times) for input_times in inputs]:
        number = data.draw(st.sampled_from([n for n in range(3) if delivered[n] < len(inputs[n])]))
        start = delivered[number]
        end = delivered[number] = data.draw(st.integers(start + 1, len(inputs[number])))
        items = [(inputs[number][offset], (number, offset)) for offset in range(start, end)]
        merge.push(number, items, next_offset=end, now_s=0.0)
        taken += merge.take(data.draw(st.integers(0, 5)), now_s=0.0)
    while chunk := merge.take(data.draw(st.integers(1, 5)), now_s=0.0):
        taken += chunk
    assert taken == in_event_time(*inputs)
    assert merge.caught_up


@given(st.tuples(times, times), st.integers(0, 13))
def test_records_at_or_after_a_limit_in_time_stay(inputs, until_ms):
    merge = merge_of(*inputs)
    before = merge.take(LIMIT, 0.0, until_ms)
    reached = merge.has_reached(until_ms, 0.0)
    after = merge.take(LIMIT, 0.0)
    assert before + after == in_event_time(*inputs)
    assert reached == bool(after)
    assert all(max(inputs[number][: offset + 1]) < until_ms for number, (_, offset) in before)
    assert all(max(inputs[number][: offset + 1]) >= until_ms for number, (_, offset) in after)


def test_an_earlier_input_wins_a_tie():
    assert merge_of([5], [5], [5]).take(LIMIT, 0.0) == [(0, (0, 0)), (1, (1, 0)), (2, (2, 0))]


def test_a_late_record_keeps_its_place_in_its_input():
    assert merge_of([10, 3], [5, 12]).take(LIMIT, 0.0) == [(1, (1, 0)), (0, (0, 0)), (0, (0, 1)), (1, (1, 1))]


def test_no_more_is_taken_than_was_asked_for():
    merge = merge_of([1, 2, 3], [1, 2, 3])
    assert [len(merge.take(4, 0.0)), len(merge.take(4, 0.0))] == [4, 2]


@pytest.mark.parametrize("end", [1, None], ids=["has more", "end unknown"])
def test_an_input_with_more_to_fetch_is_waited_for(end):
    merge = merge_of([10], [])
    merge.saw_end(1, end)
    assert merge.take(LIMIT, 0.0) == []
    assert not merge.caught_up


def test_while_one_input_lags_the_others_go_as_far_as_it_has_come():
    merge = merge_of([10, 20, 30], [20])
    merge.saw_end(1, 2)
    assert merge.take(LIMIT, 0.0) == [(0, (0, 0)), (0, (0, 1)), (1, (1, 0))]
    assert merge.take(LIMIT, 0.0) == []


def test_an_input_that_has_just_spoken_is_waited_for_and_an_idle_one_is_not():
    merge = merge_of([10, 30], [20], wait_s=0.25, now_s=100.0)
    assert len(merge.take(LIMIT, 100.2)) == 2
    assert merge.take(LIMIT, 100.25) == [(0, (0, 1))]


def test_an_input_that_never_spoke_and_has_nothing_costs_nothing():
    assert merge_of([10], [], wait_s=0.25).take(LIMIT, 0.25) == [(0, (0, 0))]


def test_nobody_is_waited_for_for_ever():
    """A log may end in transaction markers that never become records; a partition must not stick on them."""
    merge = merge_of([10], [])
    merge.saw_end(1, 1)
    assert merge.take(LIMIT, now_s=100.0) == []
    assert merge.take(LIMIT, now_s=99.9 + PATIENCE_S) == []
    assert merge.take(LIMIT, now_s=100.0 + PATIENCE_S) == [(0, (0, 0))]


def test_patience_begins_anew_when_the_input_speaks():
    merge = merge_of([10, 20], [])
    merge.saw_end(1, 2)
    assert merge.take(LIMIT, now_s=0.0) == []
    merge.push(1, [(15, "late")], next_offset=1, now_s=PATIENCE_S - 1)
    assert merge.take(LIMIT, now_s=PATIENCE_S) == [(0, (0, 0)), (1, "late")]
    assert merge.take(LIMIT, now_s=2 * PATIENCE_S - 1) == []
    assert merge.take(LIMIT, now_s=2 * PATIENCE_S) == [(0, (0, 1))]


def test_reading_that_begins_at_the_end_of_a_log_has_nothing_to_wait_for():
    merge = merge_of([10], [])
    merge.start_at(1, 500)
    merge.saw_end(1, 500)
    assert merge.take(LIMIT, 0.0) == [(0, (0, 0))]
    assert merge.caught_up


def test_a_time_is_reached_when_a_record_waits_behind_it_and_none_can_come_before():
    merge = merge_of([10, 20], [12])
    merge.saw_end(1, 2)
    merge.take(LIMIT, 0.0)
    assert not merge.has_reached(15, 0.0), "the second input may still bring 13"
    merge.push(1, [(15, "x")], next_offset=2, now_s=0.0)
    assert merge.has_reached(15, 0.0)
    assert not merge.has_reached(16, 0.0)


def test_without_a_record_no_time_is_reached():
    assert not merge_of([], []).has_reached(1, 0.0)
    assert merge_of([], []).next_time_ms() == FAR


def test_the_earliest_waiting_record_tells_the_next_time():
    assert merge_of([30], [20, 10]).next_time_ms() == 20


def test_an_input_whose_reading_has_just_begun_is_waited_for_as_one_that_has_just_spoken():
    """Its former reader may have been at its end, and what comes next may be on its way."""
    merge = Merge(n_inputs=2, wait_s=5.0)
    merge.start_at(1, 7, now_s=100.0)
    merge.saw_end(1, 7)
    merge.push(0, [(10, "a")], next_offset=1, now_s=101.0)
    merge.saw_end(0, 1)
    assert merge.take(10, now_s=104.9) == []
    assert merge.take(10, now_s=106.1) == [(0, "a")]
