"""Damage, a full disk, a second worker, a customer to be erased: what may happen to copies on disk."""

import asyncio
import resource
import shutil

import pytest

from streams.engine import warm as warm_module
from streams.engine.warm import KEPT_S, StateFolderError
from tests.logged import logged, text_of
from tests.streams.engine.warm_world import NAME, Disk, change, commit, delete, lived, start, taken_up

SECRET = b"customer-to-be-erased"


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path)


@pytest.mark.parametrize("harm", ["no CURRENT", "changed rows", "changed head"])
def test_a_damaged_copy_is_dropped_with_one_line(disk, harm, caplog):
    log = lived(disk)
    folder = disk.folder / "0"
    if harm == "changed head":
        store = warm_module.WarmStore(folder, NAME, 0)
        store._db[b"\x00head"] = b'{"log": {}}'
        store.close()
    else:
        store = warm_module.WarmStore(folder, NAME, 0)
        store._rewrite_files()
        store.close()
        if harm == "no CURRENT":
            (folder / "CURRENT").unlink()
        else:
            for table in folder.glob("*.sst"):
                content = bytearray(table.read_bytes())
                content[20] ^= 0xFF
                table.write_bytes(content)
    assert start(disk, log) == -1
    ((event, about),) = logged(caplog.records)
    assert event.startswith("the copy on disk is dropped")
    assert about["partition"] == 0
    assert "c1" not in text_of(caplog.records)


def test_a_copy_that_cannot_be_made_is_gone_without(disk, caplog):
    log = lived(disk)
    shutil.rmtree(disk.folder / "0")
    (disk.folder / "0").write_text("a file, not a folder")
    assert start(disk, log) == -1
    assert "[Errno 17] File exists: " in logged(caplog.records)[0][1]["why"]


def test_two_workers_on_one_folder_are_one_too_many(disk):
    copies = disk.copies()
    with pytest.raises(StateFolderError, match=r"another worker uses .*: each needs a YOCHO_STATE_DIR of its own"):
        disk.copies()
    copies.close()
    disk.copies().close()


def test_a_folder_that_cannot_be_made_is_an_error_at_once(disk):
    disk.folder.write_text("a file")
    with pytest.raises(StateFolderError, match="cannot be used for state: File exists"):
        disk.copies()


def test_a_copy_that_another_process_has_open_is_not_deleted(disk, caplog):
    """On a network disk the folder's lock may not reach; RocksDB's own may."""
    log = lived(disk)
    other = warm_module.WarmStore(disk.folder / "0", NAME, 0)
    copies = disk.copies()
    assert taken_up(copies, log).from_disk == -1
    copies.close()
    other.close()
    assert "lock" in text_of(caplog.records)
    assert start(disk, log) == 2


def test_a_full_disk_costs_the_copy_and_nothing_else(disk, caplog):
    log, copies = lived(disk), disk.copies()
    owned = taken_up(copies, log)
    owned.partition(0).take_over(2)
    for number in range(2_000):
        change(owned.partition(0), b"c%d" % number, number)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))  # no file may grow beyond it
    try:
        commit(owned, log)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    change(owned.partition(0), b"c1", 5)
    commit(owned, log)
    copies.close()
    assert logged(caplog.records)[0][1]["why"].startswith("IO error: ")
    assert not (disk.folder / "0").exists()
    assert start(disk, log) == -1


class TestErasure:
    def bytes_on_disk(self, disk) -> bytes:
        return b"".join(path.read_bytes() for path in disk.folder.rglob("*") if path.is_file())

    def test_nothing_of_a_deleted_customer_is_left_in_any_file(self, disk):
        log = lived(disk, b"aa", SECRET, b"zz")
        assert SECRET in self.bytes_on_disk(disk)
        copies = disk.copies()
        owned = taken_up(copies, log)
        owned.partition(0).take_over(2)
        delete(owned.partition(0), SECRET)
        commit(owned, log)
        copies.close()
        assert SECRET not in self.bytes_on_disk(disk)
        assert start(disk, log) == len(log) - 1

    def test_remains_are_looked_for_again_after_a_kill(self, disk, monkeypatch):
        log = lived(disk, b"aa", SECRET, b"zz")
        copies = disk.copies()
        owned = taken_up(copies, log)
        owned.partition(0).take_over(2)
        delete(owned.partition(0), SECRET)
        with monkeypatch.context() as patched:
            patched.setattr(warm_module, "SCRUB_EVERY_S", float("inf"))
            commit(owned, log)
        disk.kill(copies)
        assert SECRET in self.bytes_on_disk(disk)
        copies = disk.copies()
        owned = taken_up(copies, log)
        owned.partition(0).take_over(3)
        commit(owned, log)
        copies.close()
        assert SECRET not in self.bytes_on_disk(disk)

    def test_copies_of_partitions_that_went_elsewhere_are_deleted_in_time(self, disk):
        lived(disk)
        copies = disk.copies()
        asyncio.run(_nothing(copies))
        assert (disk.folder / "0").exists()
        disk.now_s += KEPT_S + 60
        asyncio.run(_nothing(copies))
        assert not (disk.folder / "0").exists()
        copies.close()


async def _nothing(copies):
    async for _ in copies.take_up({}):
        raise AssertionError("nothing was asked for")
