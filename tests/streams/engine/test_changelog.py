"""What is written at a commit becomes the same rows again, and writes of former owners change nothing."""

from types import SimpleNamespace

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.newer import NewerVersionError
from models.state import ROW
from streams.engine.changelog import BOOKMARKS_KEY, META_KEY, OWN_VERSION, OwnedRows, take_changes
from streams.engine.partition import PartitionRows
from tests.streams.engine.fakes import Written

keys = st.binary(min_size=1, max_size=12).filter(lambda key: key[0] >= 32)


def changes_of(partition):
    return [Written(*change) for change in take_changes(partition)]


def recovered(*logs):
    """Rows as a new owner of partition 0 reads them."""
    owned = OwnedRows()
    for log in logs:
        owned.apply(0, log, last_offset=len(log) - 1)
    return owned.partition(0)


def owner(generation, key=b"c1", count=0, stream_time_s=0):
    """A partition taken over in this generation, with one changed customer."""
    partition = PartitionRows(0)
    partition.take_over(generation)
    slots = partition.slots_of([key])
    partition.rows["count"][slots, 0] = count
    partition.mark_dirty(slots)
    partition.stream_time_s = stream_time_s
    return partition


def count_of(partition, key=b"c1"):
    return int(partition.rows["count"][partition.slot(key), 0])


@given(st.dictionaries(keys, st.binary(min_size=ROW.itemsize, max_size=ROW.itemsize), min_size=1), st.data())
def test_recovered_rows_are_equal_to_the_last_bit(contents, data):
    partition = PartitionRows(0)
    partition.take_over(1)
    slots = partition.slots_of(list(contents))
    partition.rows[slots] = np.frombuffer(b"".join(contents.values()), ROW)
    partition.mark_dirty(slots)
    log = changes_of(partition)
    gone = data.draw(st.sampled_from(sorted(contents)))
    partition.delete(partition.find([gone]))
    log += changes_of(partition)
    again = recovered(log)
    assert {key: again.rows[again.slot(key)].tobytes() for key in again} == {
        key: content for key, content in contents.items() if key != gone
    }


def test_stream_time_and_epoch_come_back():
    partition = owner(4, stream_time_s=852_076_800)
    again = recovered(changes_of(partition))
    assert (again.stream_time_s, again.epoch) == (852_076_800, 4)


def test_the_partitions_own_record_is_the_last_of_a_commit():
    partition = owner(1)
    partition.delete(partition.slots_of([b"c2"]))
    assert [change.key for change in changes_of(partition)] == [b"c1", b"c2", META_KEY]


def test_a_deleted_customer_is_a_tombstone_that_tells_who_deleted():
    partition = owner(3)
    take_changes(partition)
    partition.delete(np.array([0]))
    assert changes_of(partition)[0] == (b"c1", None, [("epoch", b"\x03\0\0\0")])


def test_a_commit_says_what_was_when_it_began_however_late_it_is_written():
    partition = owner(1, count=1, stream_time_s=10)
    said, late = recovered(changes_of(owner(1, count=1, stream_time_s=10))), take_changes(partition)
    partition.rows["due_at"] += 9
    partition.stream_time_s = 11
    partition.delete(np.array([0]))
    again = recovered([Written(*change) for change in late])
    assert (again.rows.tobytes(), again.stream_time_s, [*again]) == (said.rows.tobytes(), 10, [b"c1"])


def test_nothing_new_writes_nothing():
    partition = owner(1)
    take_changes(partition)
    assert list(take_changes(partition)) == []


def test_stream_time_alone_is_worth_a_record():
    partition = owner(1)
    take_changes(partition)
    partition.stream_time_s = 5
    assert [change.key for change in changes_of(partition)] == [META_KEY]


class TestMemory:
    """What the line remembers of a partition as a whole is as durable as its customers."""

    def test_it_comes_back_as_plain_json(self):
        partition = owner(1)
        partition.memory = {"rates": {"orders": [0.1, 2]}, "breaker": SimpleNamespace(to_dict=lambda: {"open": True})}
        again = recovered(changes_of(partition))
        assert again.memory == {"rates": {"orders": [0.1, 2]}, "breaker": {"open": True}}

    def test_it_is_written_when_it_changed_and_only_then(self):
        partition = owner(1)
        partition.memory = {"rates": {"orders": 1, "logins": 2}}
        take_changes(partition)
        partition.memory = {"rates": {"logins": 2, "orders": 1}}
        assert list(take_changes(partition)) == []
        partition.memory["rates"]["orders"] = 3
        assert [change.key for change in changes_of(partition)] == [META_KEY]

    def test_a_record_from_before_there_was_memory_is_read(self):
        meta = Written(META_KEY, b'{"epoch":1,"stream_time_s":7}', [])
        again = recovered([meta])
        assert (again.stream_time_s, again.memory) == (7, {})

    def test_a_former_owner_that_wakes_up_does_not_overwrite_it(self):
        late, now = owner(1), owner(2)
        late.memory, now.memory = {"rates": 1}, {"rates": 2}
        assert recovered([*changes_of(now), *changes_of(late)]).memory == {"rates": 2}


def test_an_owner_makes_itself_known_before_anything_changed():
    """Its epoch would otherwise be unknown to the next owner, who could then be outranked by its late writes."""
    partition = owner(1, stream_time_s=5)
    log = changes_of(partition)
    partition.take_over(generation=1)
    partition.take_over(generation=1)
    log += changes_of(partition)
    assert recovered(log).epoch == 3


@pytest.mark.parametrize("deletes", [False, True], ids=["row", "tombstone"])
def test_a_former_owner_that_wakes_up_changes_nothing(deletes):
    late = owner(1, count=1, stream_time_s=999)
    if deletes:
        take_changes(late)
        late.delete(np.array([0]))
    log = [*changes_of(owner(2, count=2, stream_time_s=100)), *changes_of(late)]
    partition = recovered(log)
    assert (count_of(partition), partition.stream_time_s, partition.epoch) == (2, 100, 2)


def test_what_was_ignored_is_counted():
    owned = OwnedRows()
    owned.apply(0, changes_of(owner(2)) + changes_of(owner(1)), 3)
    assert owned.ignored_stale == 2


def test_a_tombstone_that_no_worker_wrote_is_obeyed():
    assert list(recovered(changes_of(owner(5)), [Written(b"c1", None, [])])) == []


def test_stream_time_never_goes_back():
    partition = owner(1, stream_time_s=100)
    log = changes_of(partition)
    partition.stream_time_s = 50
    assert recovered(log, changes_of(partition)).stream_time_s == 100


def test_a_customer_of_a_newer_version_is_refused():
    with pytest.raises(NewerVersionError, match="stored customer has version 99, this code reads versions 1 to 3"):
        recovered([Written(b"c1", b"\1\0\0\0" + bytes([99]) + bytes(ROW.itemsize), [])])


@pytest.mark.parametrize("key", [META_KEY, BOOKMARKS_KEY])
def test_the_partitions_own_record_of_a_newer_version_is_refused(key):
    body = {"version": OWN_VERSION + 1, "epoch": 1, "stream_time_s": 7, "bookmarks": {}}
    with pytest.raises(NewerVersionError, match="own record has version 2, this code reads version 1"):
        recovered([Written(key, orjson.dumps(body), [])])


def test_the_partitions_own_record_says_its_version_and_the_first_ones_said_none():
    (*_, meta) = changes_of(owner(1))
    assert orjson.loads(meta.value)["version"] == OWN_VERSION
    recovered([Written(META_KEY, b'{"epoch":1,"stream_time_s":7}', [])])


def test_a_lost_partition_is_dropped_whole_and_read_from_the_start_when_it_comes_back():
    owned = OwnedRows()
    owned.apply(0, changes_of(owner(1)), 1)
    owned.apply(1, changes_of(owner(1)), 1)
    owned.keep_only({1})
    assert (set(owned.partitions), owned.last_offset) == ({1}, {1: 1})


def test_a_write_that_ends_after_the_partition_was_lost_is_not_remembered():
    """Or the partition would count as contained when it comes back, and be served without its rows."""
    owned = OwnedRows()
    owned.partition(0)
    owned.written(0, 10)
    owned.written(0, 5)
    owned.keep_only(())
    owned.written(0, 20)
    assert owned.last_offset == {}


def test_reading_goes_on_after_the_last_record_read_or_written():
    owned = OwnedRows()
    owned.apply(0, [SimpleNamespace(key=b"c1", value=None, headers=())], last_offset=41)
    owned.written(0, 43)
    assert owned.last_offset == {0: 43}


def test_where_somebody_else_wrote_in_between_every_row_is_written_again_and_read_anew_when_assigned_next():
    """A worker that was frozen and wakes up may write once more before it knows that its partitions are another's."""
    owned, changes = OwnedRows(), changes_of(owner(1))
    owned.apply(0, changes, len(changes) - 1)
    partition = owned.partitions[0]
    own = list(take_changes(partition))
    owned.written(0, len(changes) - 1 + len(own), own)
    assert partition.dirty_count == 0
    owned.written(0, owned.last_offset[0] + 2, own[:1])
    assert partition.dirty_count == len(partition) > 0
    owned.keep_only({0})
    assert (owned.partitions, owned.last_offset) == ({}, {})


def test_rows_whose_offsets_the_group_did_not_take_are_read_anew_when_assigned_next():
    """Others may have owned the partition since, and gone on from the offsets before."""
    owned = OwnedRows()
    for number in (0, 1, 2):
        owned.apply(number, changes_of(owner(1)), 1)
    owned.doubt({0, 1}, is_over=False)
    owned.doubt({1}, is_over=True)
    owned.keep_only({0, 1, 2})
    assert (set(owned.partitions), owned.last_offset) == ({1, 2}, {1: 1, 2: 1})
    owned.apply(0, changes_of(owner(1)), 1)
    owned.keep_only({0, 1, 2})
    assert set(owned.partitions) == {0, 1, 2}, "read anew they are what counts"
