"""The rows of a partition: bounded by the customers there were at most; every change on its way to the changelog."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pending import phase
from models.state import ROW, new_rows
from streams.engine.partition import FIRST_SIZE, PartitionRows

customers = st.integers(0, 400).map(lambda n: b"c%d" % n)


def partition_of(*keys, due_at=0):
    """A partition with these customers, nothing left to write."""
    partition = PartitionRows(0)
    slots = partition.slots_of(keys)
    partition.rows["count"][slots, 0] = range(1, len(keys) + 1)
    partition.rows["due_at"][slots] = due_at
    partition.take_changes()
    return partition


def count_of(partition, key):
    return int(partition.rows["count"][partition.slot(key), 0])


@given(st.lists(st.one_of(st.lists(customers, max_size=150), customers), max_size=12))
def test_rows_in_use_are_bounded_by_the_customers_there_were_at_most(steps):
    partition, known, most = PartitionRows(0), set(), 0
    for step in steps:
        if isinstance(step, list):
            partition.slots_of(step)
            known |= set(step)
        elif step in known:
            partition.delete(partition.find([step]))
            known.remove(step)
        most = max(most, len(known))
        slots = partition.used_slots().tolist()
        assert partition.bytes_used <= most * ROW.itemsize
        assert partition.capacity <= max(FIRST_SIZE, 2 * most)
        assert set(partition) == known
        assert len(partition) == len(set(slots)) == len(slots)
        assert {partition.customer_id(slot) for slot in slots} == known


def test_room_is_doubled_when_there_is_none():
    partition = PartitionRows(0)
    for n in range(1, 1000):
        partition.slots_of([b"c%d" % n])
        assert n <= partition.capacity <= max(FIRST_SIZE, 2 * n)


def test_growing_keeps_the_rows_and_what_has_to_be_written():
    partition = PartitionRows(0)
    slots = partition.slots_of([b"c1"])
    partition.rows["count"][slots, 0] = 7
    partition.mark_dirty(slots)
    partition.slots_of([b"x%d" % n for n in range(10 * FIRST_SIZE)])
    keys, rows, _ = partition.take_changes()
    assert (keys, rows["count"][:, 0].tolist()) == ([b"c1"], [7])


def test_a_stranger_gets_a_fresh_row_with_a_phase_of_their_own():
    partition = partition_of(b"c1")
    row = partition.rows[partition.slots_of([b"c2"])[0]]
    expected = new_rows(1)[0]
    expected["phase"] = phase(b"c2")
    assert row.tobytes() == expected.tobytes()


def test_a_freed_row_is_used_again_and_nothing_of_the_former_customer_is_left():
    partition = partition_of(b"c1", b"c2")
    slot = partition.slot(b"c1")
    partition.delete(np.array([slot]))
    assert partition.slots_of([b"c3"]).tolist() == [slot]
    assert (count_of(partition, b"c3"), partition.customer_id(slot)) == (0, b"c3")


def test_a_free_row_has_no_customer():
    partition = partition_of(b"c1")
    partition.delete(np.array([0]))
    with pytest.raises(KeyError, match="not in use"):
        partition.customer_id(0)
    assert b"c1" not in partition


def test_a_reset_row_is_as_good_as_new_and_still_theirs():
    partition = partition_of(b"c1")
    partition.reset(np.array([0]))
    fresh = PartitionRows(0)
    fresh.slots_of([b"c1"])
    assert partition.rows[0].tobytes() == fresh.rows[0].tobytes()
    assert partition.slot(b"c1") == 0


def test_who_is_unknown_is_found_nowhere_and_gets_no_row():
    partition = partition_of(b"c1", b"c2")
    assert partition.find([b"c2", b"nobody", b"c1"]).tolist() == [1, -1, 0]
    assert (len(partition), partition.slot(b"nobody")) == (2, None)


def test_customers_met_twice_in_one_batch_get_one_row():
    assert PartitionRows(0).slots_of([b"c1", b"c2", b"c1", b"c2"]).tolist() == [0, 1, 0, 1]


def test_a_change_is_given_once_and_as_it_was_then():
    partition = partition_of(b"c1", b"c2")
    partition.mark_dirty(np.array([1]))
    keys, rows, deleted = partition.take_changes()
    partition.rows["count"][1, 0] = 99
    assert (keys, rows["count"][:, 0].tolist(), deleted) == ([b"c2"], [2], [])
    assert partition.dirty_count == 0


def test_a_deleted_customer_leaves_a_tombstone_and_no_row():
    partition = partition_of(b"c1")
    partition.mark_dirty(np.array([0]))
    partition.delete(np.array([0]))
    assert partition.dirty_count == 1
    keys, _, deleted = partition.take_changes()
    assert (keys, deleted) == ([], [b"c1"])
    assert partition.dirty_count == 0


def test_a_customer_who_is_deleted_and_met_again_is_written_even_if_nothing_else_happens():
    """Otherwise the changelog keeps the old row, and it comes back at the next recovery."""
    partition = partition_of(b"c1")
    partition.delete(np.array([0]))
    partition.slots_of([b"c1"])
    keys, rows, deleted = partition.take_changes()
    assert (keys, rows["count"][:, 0].tolist(), deleted) == ([b"c1"], [0], [])


def test_what_is_restored_is_no_change():
    partition = PartitionRows(0)
    rows = new_rows(2)
    rows["count"][:, 0] = 5
    partition.restore([b"c1", b"c2"], rows)
    partition.remove([b"c2", b"nobody"])
    assert (list(partition), count_of(partition, b"c1"), partition.dirty_count) == ([b"c1"], 5, 0)


def test_who_takes_over_outranks_everybody_before_and_owns_the_rows():
    partition = PartitionRows(0)
    assert not partition.owned
    partition.epoch = 7
    partition.take_over(generation=3)
    assert (partition.epoch, partition.owned) == (8, True)
    partition.take_over(generation=20)
    assert partition.epoch == 20


def test_who_takes_over_looks_at_everybody_when_they_are_due():
    partition = partition_of(b"c1", b"c2", due_at=[5000, 0])
    partition.take_over(generation=1)
    assert partition.due.pop_before(5000, partition.rows["due_at"]).tolist() == []
    assert partition.due.pop_before(5001, partition.rows["due_at"]).tolist() == [0]
