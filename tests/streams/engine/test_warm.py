"""A copy on disk is used where it is surely right, and dropped with one line where it is not."""

import asyncio
import dataclasses
import logging
from types import SimpleNamespace

import numpy as np
import pytest
from aiokafka.errors import KafkaTimeoutError
from faust.types import TP

from models.row_v2 import ROW_V2
from models.state import ROW
from streams.engine import warm as warm_module
from streams.engine.store import RowStore
from streams.engine.warm import KEPT_S
from streams.topics import COMPACTED
from tests.logged import logged, text_of
from tests.streams.engine.fakes import CHANGELOG, Written
from tests.streams.engine.faust_app import NotingEngine, app_with
from tests.streams.engine.warm_world import NAME, Disk, change, cold, commit, lived, start, taken_up, told


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path)


def test_a_worker_reads_on_from_its_copy(disk, caplog):
    log = lived(disk)
    caplog.set_level(logging.INFO)
    assert start(disk, log) == 2
    assert logged(caplog.records) == [("state from disk", {"partition": 0, "customers": 2, "offset": 2, "end": 3})]


@pytest.mark.parametrize("field", ["cluster_id", "topic", "topic_id"])
def test_a_copy_of_another_log_is_dropped_and_the_next_one_kept(disk, field, caplog):
    """A topic that was deleted and made again has another id, and offsets that mean something else."""
    log = lived(disk)
    assert start(disk, log, dataclasses.replace(NAME, **{field: "other"})) == -1
    about = {"partition": 0, "why": "it is of another cluster or topic"}
    assert logged(caplog.records) == [("the copy on disk is dropped; the changelog has everything", about)]


def test_a_copy_that_knows_more_than_the_log_is_dropped(disk, caplog):
    log = lived(disk)
    assert start(disk, log[:2]) == -1
    assert "it ends at offset 2, the changelog goes from 0 to 1" in text_of(caplog.records)


def test_a_copy_that_ends_before_the_log_begins_is_dropped(disk, caplog):
    """In between a tombstone may have been."""
    log = [*lived(disk), *[Written(b"c1", None, [])] * 3]
    copies = disk.copies()
    assert taken_up(copies, log, begin=4).from_disk == -1
    copies.close()
    assert "it ends at offset 2, the changelog goes from 4 to 5" in text_of(caplog.records)


@pytest.mark.parametrize(("later_s", "kept"), [(KEPT_S, True), (KEPT_S + 1, False), (-30, True), (-90, False)])
def test_a_copy_from_before_tombstones_may_have_gone_is_dropped(disk, later_s, kept):
    log = lived(disk)
    disk.now_s = int(disk.now_s) + later_s
    assert start(disk, log) == (2 if kept else -1)


def test_tombstones_stay_in_the_changelog_for_much_longer_than_a_copy_is_used():
    assert int(COMPACTED["delete.retention.ms"]) >= 2 * KEPT_S * 1000


def test_a_copy_that_never_reached_the_end_of_the_log_is_dropped(disk):
    """Tombstones further on may be old: nobody knows how long they stay."""
    log = lived(Disk(disk.folder.parent / "elsewhere"))
    copies = disk.copies()
    taken_up(copies, log)
    copies.close()
    assert start(disk, log) == -1


def test_rows_of_an_earlier_version_are_carried_over_as_at_recovery(disk):
    old = np.zeros(1, ROW_V2)
    old["applied"], old["level"], old["episode"] = 7, 1, 3
    log = [Written(b"old", b"\1\0\0\0\2" + old.tobytes(), [])]
    copies = disk.copies()
    owned = taken_up(copies, log)
    owned.partition(0).take_over(1)
    commit(owned, log)
    copies.close()
    assert start(disk, log) == 1


def test_rows_of_a_later_version_are_dropped_and_left_to_recovery_to_refuse(disk, caplog):
    log = lived(disk)
    folder = disk.folder / "0"
    store = warm_module.WarmStore(folder, NAME, 0)
    store._db[b"c1"] = b"\1\0\0\0\x63" + bytes(ROW.itemsize)
    store.close()
    assert start(disk, log) == -1
    assert "stored customer has version 99" in text_of(caplog.records)


def test_without_the_brokers_saying_which_changelog_it_is_nothing_is_taken_from_disk(disk, caplog):
    def nobody_answers():
        raise ConnectionError("no broker answers")

    log = lived(disk)
    copies = warm_module.WarmCopies(disk.folder, nobody_answers)
    assert taken_up(copies, log).from_disk == -1
    copies.close()
    ((event, about),) = logged(caplog.records)
    assert event.startswith("which changelog this is cannot be learnt")
    assert about == {"why": "no broker answers"}


def test_others_writes_stop_a_copy_and_not_the_worker(disk, caplog):
    log, copies = lived(disk), disk.copies()
    owned = taken_up(copies, log)
    owned.partition(0).take_over(2)
    log.append(Written(b"c1", None, []))
    change(owned.partition(0), b"c2", 7)
    commit(owned, log)
    copies.close()
    assert logged(caplog.records) == [
        ("others wrote to the changelog; its copy on disk stays where it was", {"partition": 0})
    ]
    assert start(disk, log) == 2


class TestAssignment:
    """What Faust's table does with the copies."""

    def test_lost_partitions_are_closed_and_those_that_come_back_are_read_on_from(self, disk):
        log = lived(disk)
        table = app_with(NotingEngine()).Table("customers", partitions=4)
        table.rows.copies = disk.copies()
        ends = {0: len(log), 1: 0}

        async def asked(*tps, what=None):
            return {tp: what[tp.partition] for tp in tps}

        table.app._consumer = SimpleNamespace(
            earliest_offsets=lambda *tps: asked(*tps, what={0: 0, 1: 0}),
            highwaters=lambda *tps: asked(*tps, what=ends),
        )
        restored = []
        table.rows.on_restored = lambda origin, n: restored.append((origin, n))

        async def assign(*numbers):
            await table.on_rebalance({TP(CHANGELOG, n) for n in numbers}, set(), set())

        asyncio.run(assign(0, 1))
        assert (table.persisted_offset(TP(CHANGELOG, 0)), table.persisted_offset(TP(CHANGELOG, 1))) == (2, None)
        assert told(table.rows.partition(0)) == told(cold(log))
        asyncio.run(assign(1))
        assert table.persisted_offset(TP(CHANGELOG, 0)) is None
        asyncio.run(assign(0))
        assert table.persisted_offset(TP(CHANGELOG, 0)) == 2
        assert restored == [("disk", 2), ("disk", 2)]
        table.rows.copies.close()

    def test_when_nobody_says_where_the_log_ends_it_is_read_from_its_beginning(self, disk, caplog):
        async def no_answer(*tps):
            raise KafkaTimeoutError

        lived(disk)
        table = app_with(NotingEngine()).Table("customers", partitions=4)
        table.rows.copies = disk.copies()
        table.app._consumer = SimpleNamespace(earliest_offsets=no_answer)
        asyncio.run(table.on_rebalance({TP(CHANGELOG, 0)}, set(), set()))
        assert table.persisted_offset(TP(CHANGELOG, 0)) is None
        assert "copies are not used" in caplog.text
        table.rows.copies.close()

    def test_without_copies_the_brokers_are_not_asked(self):
        table = app_with(NotingEngine()).Table("customers", partitions=4)
        store = table._new_store()
        assert isinstance(store, RowStore)
        asyncio.run(store.on_rebalance({TP(CHANGELOG, 0)}, set(), set()))


def test_what_is_written_after_a_partition_was_lost_is_not_copied(disk):
    log, copies = lived(disk), disk.copies()
    owned = taken_up(copies, log)
    owned.keep_only(())
    owned.written(0, 3, [(b"c1", None, [])])
    copies.close()
    assert start(disk, log) == 2


def test_the_copy_does_not_share_what_the_line_changes(disk):
    log, copies = lived(disk), disk.copies()
    owned = taken_up(copies, log)
    owned.partition(0).memory["rates"] = 1
    owned.apply(0, [Written(b"c3", None, [])], len(log))
    log.append(Written(b"c3", None, []))
    copies.close()
    assert start(disk, log) == 3
