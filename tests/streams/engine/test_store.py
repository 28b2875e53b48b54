"""What Faust sees of the customers: a table that it recovers and assigns, and neither keeps nor writes."""

from types import SimpleNamespace

import pytest
from faust.types import TP

from models.newer import NewerVersionError
from streams.engine.changelog import take_changes
from streams.engine.partition import PartitionRows
from tests.streams.engine.fakes import CHANGELOG, Written
from tests.streams.engine.faust_app import NotingEngine, app_with


@pytest.fixture
def table():
    return app_with(NotingEngine()).Table("customers", partitions=4)


def changelog_event(partition, *records, last_offset):
    """A batch of one changelog partition, as the consumer makes it."""
    message = SimpleNamespace(partition=partition, value=list(records), offset=last_offset)
    return SimpleNamespace(message=message)


def one_customer(number=0):
    rows = PartitionRows(number)
    rows.mark_dirty(rows.slots_of([b"c1"]))
    return [Written(*change) for change in take_changes(rows)]


def recover(table, *events):
    table.apply_changelog_batch(events)


def test_the_changelog_is_named_as_the_topic_table_says(table):
    assert table.changelog_topic_name == CHANGELOG


def test_batches_of_changelog_records_become_rows_of_their_partitions(table):
    recover(table, changelog_event(2, *one_customer(), last_offset=1), changelog_event(3, last_offset=8))
    assert list(table.rows.partitions[2]) == [b"c1"]
    assert table.rows.last_offset == {2: 1, 3: 8}


def test_a_partition_kept_over_a_rebalance_is_read_on_and_not_again(table):
    recover(table, changelog_event(2, *one_customer(), last_offset=1))
    assert table.persisted_offset(TP(CHANGELOG, 2)) == 1
    assert table.persisted_offset(TP(CHANGELOG, 3)) is None


async def rebalance(table, assigned):
    await table.on_rebalance(assigned, set(), set())


def test_a_partition_that_was_lost_is_dropped_whole(table):
    recover(table, changelog_event(2, *one_customer(), last_offset=1), changelog_event(3, last_offset=8))
    run(rebalance(table, {TP("orders", 3), TP(CHANGELOG, 3)}))
    assert set(table.rows.partitions) == {3}
    assert table.app.engine.sensor.assignment.notes == ["recovery began"]
    assert table.persisted_offset(TP(CHANGELOG, 2)) is None


def test_a_changelog_record_that_cannot_be_read_ends_the_worker(table):
    """Faust would warn, go on, and serve customers whose state is missing."""
    with pytest.raises(ValueError, match="row version"):
        recover(table, changelog_event(2, Written(b"c1", b"\0\0\0\0\0", []), last_offset=0))
    assert table.app.engine.notes == ["a changelog record cannot be read"]


def test_a_changelog_record_of_a_newer_release_ends_the_worker_with_topic_partition_and_versions(table):
    with pytest.raises(NewerVersionError):
        recover(table, changelog_event(2, Written(b"c1", b"\0\0\0\0\x09", []), last_offset=0))
    ((_, said),) = table.app.engine.notes
    assert said == f"{CHANGELOG} partition 2: stored customer has version 9, this code reads versions 1 to 3"


def test_customers_cannot_be_changed_behind_the_back_of_the_rows(table):
    with pytest.raises(TypeError, match="PartitionRows"):
        table.on_key_set(b"c1", b"row")
    with pytest.raises(TypeError, match="PartitionRows"):
        table.on_key_del(b"c1")


def test_changelog_batches_pass_through_faust_undecoded(table):
    schema = table.changelog_topic.schema
    message = SimpleNamespace(key=b"\xff", value=[b"\xff"])
    assert schema.loads_key(table.app, message) is None
    assert schema.loads_value(table.app, message) is message.value


def run(coroutine):
    """Run a coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        coroutine.send(None)
