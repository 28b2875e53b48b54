"""A changelog as a list, its owners, and a disk that outlives them: what the copies on disk are held against."""

import asyncio
import itertools
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from models.state import ROW
from streams.engine.changelog import OwnedRows, take_changes
from streams.engine.partition import PartitionRows
from streams.engine.warm import WarmCopies
from streams.engine.warm_store import LogName
from tests.streams.engine.fakes import Written
from tests.streams.engine.state_hash import state_hash

NAME = LogName("cluster", "yocho-customers-changelog", "id")
AT_ONCE = 3


class Disk:
    """A folder for copies, which a kill -9 leaves as it is at that moment."""

    def __init__(self, root: Path) -> None:
        self._root, self._images = root, itertools.count()
        self.folder = root / "0"
        self.now_s = time.time()  # as files carry it

    def copies(self, name: LogName = NAME) -> WarmCopies:
        return WarmCopies(self.folder, lambda: name, lambda: self.now_s)

    def kill(self, copies: WarmCopies) -> None:
        """What is on disk now is what the next process finds; closing in order comes too late.

        Copying files takes longer than a kill: it is done while no scrub runs, and again if RocksDB deleted one.
        """
        copies._executor.submit(int).result()
        image = self._root / str(next(self._images) + 1)
        for _ in range(100):
            try:
                shutil.copytree(self.folder, image)
                break
            except shutil.Error:
                shutil.rmtree(image)
        copies.close()
        self.folder = image


class Recovered(OwnedRows):
    """Rows, and the offset that the copy on disk reached."""

    from_disk = -1


def taken_up(copies: WarmCopies, log: list[Written], begin: int = 0) -> Recovered:
    """State of partition 0 as a worker with copies recovers it: what is on disk, and the rest of the log in batches."""
    owned = Recovered()
    owned.copies = copies

    async def from_disk() -> None:
        async for partition, offset in copies.take_up({0: (begin, len(log))}):
            owned.adopt(partition, offset)

    asyncio.run(from_disk())
    owned.from_disk = owned.last_offset.get(0, -1)
    for first in range(owned.last_offset.get(0, begin - 1) + 1, len(log), AT_ONCE):
        batch = log[first : first + AT_ONCE]
        owned.apply(0, batch, first + len(batch) - 1)
    return owned


def cold(log: list[Written]) -> PartitionRows:
    """State as a worker without copies recovers it."""
    owned = OwnedRows()
    owned.apply(0, log, len(log) - 1)
    return owned.partition(0)


def told(partition: PartitionRows) -> tuple[str, int]:
    """Everything that recovery brings back."""
    return state_hash(partition), partition.epoch


def commit(owned: OwnedRows, log: list[Written], *, copied: bool = True, twice: bool = False) -> None:
    """Write what changed; `twice` is a batch that was sent again as its acknowledgement got lost."""
    records = list(take_changes(owned.partition(0)))
    log += [Written(*record) for record in records] * (1 + twice)
    if copied and records:
        owned.written(0, len(log) - 1, records)


def change(partition: PartitionRows, key: bytes, seed: int, **fields: Any) -> None:
    """Give a customer any row at all."""
    slots = partition.slots_of([key])
    partition.rows[slots] = np.frombuffer(np.random.default_rng(seed).bytes(ROW.itemsize), ROW)
    for name, value in fields.items():
        partition.rows[name][slots] = value
    partition.mark_dirty(slots)


def delete(partition: PartitionRows, key: bytes) -> None:
    if (slot := partition.slot(key)) is not None:
        partition.delete(np.array([slot]))


def lived(disk: Disk, *keys: bytes) -> list[Written]:
    """A worker has lived on this disk, seen these customers, and stopped; gives its changelog."""
    log, copies = [], disk.copies()
    owned = taken_up(copies, log)
    owned.partition(0).take_over(1)
    for number, key in enumerate(keys or (b"c1", b"c2")):
        change(owned.partition(0), key, number)
    commit(owned, log)
    copies.close()
    return log


def start(disk: Disk, log: list[Written], name=NAME, begin=0) -> int:
    """Start on this disk: the state has to be that of the changelog. Gives the offset that was on disk."""
    copies = disk.copies(name)
    owned = taken_up(copies, log, begin)
    copies.close()
    assert told(owned.partition(0)) == told(cold(log))
    return owned.from_disk
