"""The changelog of customers: what is written at commit, and how it becomes rows again.

Records: key = customer id, value = 4 bytes epoch + `models.state` bytes; no value = customer deleted. One more record per
partition, under `META_KEY`, carries the stream time and comes last in each commit.

The epoch counts owners: each adds one to the highest it read. A record of an older owner that arrives after a newer
one's, from a worker that was frozen and woke up, is ignored.
"""

import struct
from collections.abc import Collection, Iterable
from typing import Any

import orjson

from models.state import from_bytes, rows_to_bytes
from streams.engine.partition import PartitionRows

META_KEY = b"\x00partition"
"""No customer id begins with a control character: the codec refuses those."""

Change = tuple[bytes, bytes | None]

_EPOCH = struct.Struct("<I")


class OwnedRows:
    """Rows of the partitions this worker owns, and how far their changelogs are contained in them.

    Attributes
    ----------
    partitions
        By partition number.
    last_offset
        Offset of the last changelog record that was read or written, by partition number.
    ignored_stale
        Records of former owners that came too late.
    """

    def __init__(self) -> None:
        self.partitions: dict[int, PartitionRows] = {}
        self.last_offset: dict[int, int] = {}
        self.ignored_stale = 0

    def partition(self, number: int) -> PartitionRows:
        """Rows of one partition, empty ones if it is new here."""
        if number not in self.partitions:
            self.partitions[number] = PartitionRows(number)
        return self.partitions[number]

    def apply(self, number: int, records: Iterable[Any], last_offset: int) -> None:
        """Apply changelog records (with `key` and `value`) of one partition, in order."""
        partition = self.partition(number)
        for record in records:
            self._apply(partition, record.key, record.value)
        self.last_offset[number] = last_offset

    def written(self, number: int, last_offset: int) -> None:
        """Note the changelog offset of our own last write."""
        self.last_offset[number] = max(last_offset, self.last_offset.get(number, -1))

    def keep_only(self, numbers: Collection[int]) -> None:
        """Drop partitions that were lost, whole, so that nothing of them can come back as a ghost."""
        for number in [n for n in self.partitions if n not in numbers]:
            del self.partitions[number]
            self.last_offset.pop(number, None)

    def _apply(self, partition: PartitionRows, key: bytes, value: bytes | None) -> None:
        if key == META_KEY:
            self._apply_meta(partition, orjson.loads(value or b"{}"))
        elif value is None:
            partition.restore(key, None)
        elif (epoch := _EPOCH.unpack_from(value)[0]) < partition.epoch:
            self.ignored_stale += 1
        else:
            partition.epoch = epoch
            partition.restore(key, from_bytes(value[_EPOCH.size :]))

    def _apply_meta(self, partition: PartitionRows, meta: dict[str, int]) -> None:
        if meta["epoch"] < partition.epoch:
            self.ignored_stale += 1
            return
        partition.epoch = meta["epoch"]
        partition.stream_time_s = max(partition.stream_time_s, meta["stream_time_s"])


def take_changes(partition: PartitionRows) -> list[Change]:
    """Changelog records for everything that changed since the last call, the partition's own record last.

    Nothing changed and no event ever came: no records.

    Examples
    --------
    >>> partition = PartitionRows(0)
    >>> partition.mark_dirty(partition.slots_of([b"c1"]))
    >>> [key for key, _ in take_changes(partition)]
    [b'c1', b'\\x00partition']
    >>> take_changes(partition)
    []
    """
    moved = partition.stream_time_s != partition.written_stream_time_s
    if not partition.dirty_count and not moved:
        return []
    keys, rows, deleted = partition.take_changes()
    partition.written_stream_time_s = partition.stream_time_s
    epoch = _EPOCH.pack(partition.epoch)
    meta = {"epoch": partition.epoch, "stream_time_s": partition.stream_time_s}
    return [
        *((key, epoch + value) for key, value in zip(keys, rows_to_bytes(rows), strict=True)),
        *((key, None) for key in deleted),
        (META_KEY, orjson.dumps(meta)),
    ]
