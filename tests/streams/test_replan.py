"""After a switch everybody is revisited once, at their own second and in portions, restarts or not."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.pending import PHASES
from models.watch import NEVER
from streams.engine.partition import PartitionRows
from streams.replan import PART, Replan

SPREAD_S = 100
PHASE = st.integers(0, PHASES - 1)


def partition_with(*phases, stream_time_s=0):
    partition = PartitionRows(0)
    slots = partition.slots_of([b"c%d" % n for n in range(len(phases))])
    partition.rows["phase"][slots] = phases
    partition.stream_time_s = stream_time_s
    return partition


def switched(partition, begin_s=1000):
    return Replan.switched(partition, "new", begin_s, SPREAD_S)


@given(st.lists(PHASE, max_size=30), st.lists(st.tuples(st.integers(990, 1110), st.integers(1, 5)), max_size=20))
def test_everybody_is_given_out_once_when_their_second_has_passed_and_never_more_than_asked_for(phases, pops):
    replan = switched(partition_with(*phases))
    at_s = {n: 1000 + phase * SPREAD_S // PHASES for n, phase in enumerate(phases)}
    given_out = []
    for now_s, limit in pops:
        portion = replan.pop_before(now_s, limit).tolist()
        passed = {n for n in at_s if at_s[n] < now_s} - set(given_out)
        assert set(portion) <= passed
        assert len(portion) == min(limit, len(passed))
        given_out += portion
        left = set(at_s) - set(given_out)
        assert all(at_s[n] >= replan.reached_s for n in left), "a restart would pass them over"
    assert sorted(given_out + replan.pop_before(2000, 100).tolist()) == sorted(at_s)


@given(st.lists(PHASE, min_size=1, max_size=30), st.integers(990, 1110), st.integers(1, 40))
def test_who_takes_over_goes_on_with_those_whose_second_is_ahead(phases, now_s, limit):
    partition = partition_with(*phases, stream_time_s=now_s)
    before = switched(partition)
    popped = before.pop_before(now_s, limit)
    before.done(popped)
    slots = partition.used_slots()
    expected = before.at(slots)
    partition.memory = {PART: before.to_dict()}
    again = Replan.resumed(partition, "new", 1000, SPREAD_S).at(slots)
    same_second = before.reached_s  # of several in the second a portion ended in, some come twice
    assert again[expected != NEVER].tolist() == expected[expected != NEVER].tolist()
    assert set(again[again != expected].tolist()) <= {same_second}


def test_who_was_reached_early_or_is_gone_is_not_given_out():
    replan = switched(partition_with(0, 30_000, 60_000))
    replan.done(np.array([1]))
    assert replan.at(np.array([0, 1, 2, 3])).tolist() == [1000, NEVER, 1091, NEVER]
    assert replan.pop_before(2000, 10).tolist() == [0, 2]


def test_another_model_than_the_partition_followed_takes_effect_where_the_partition_stands():
    """It came while nobody owned the partition."""
    partition = partition_with(0, 60_000, stream_time_s=5_000)
    partition.memory = {PART: {"version": "old", "begin_s": 1000, "reached_s": 1100}}
    replan = Replan.resumed(partition, "new", 4_000, SPREAD_S)
    assert replan.at(np.array([0, 1])).tolist() == [5_000, 5_091]
    assert partition.memory[PART].to_dict() == {"version": "new", "begin_s": 5_000, "reached_s": 5_000}


def test_a_partition_that_remembers_nothing_revisits_those_whose_second_is_ahead():
    partition = partition_with(0, 60_000, stream_time_s=1_050)
    assert Replan.resumed(partition, "new", 1_000, SPREAD_S).at(np.array([0, 1])).tolist() == [NEVER, 1_091]


def test_a_customer_who_came_after_the_switch_is_not_revisited():
    partition = partition_with(0)
    replan = switched(partition)
    late = partition.slots_of([b"x%d" % n for n in range(100)])
    assert set(replan.at(late).tolist()) == {NEVER}
    replan.done(late)


def test_those_whose_second_is_ahead_stay_where_they_are():
    replan = switched(partition_with(*([40_000] * 2_000)))
    left = len(replan._order)
    assert replan.pop_before(1_050, 1_000).size == 0
    assert len(replan._order) == left
