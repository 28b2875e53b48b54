"""The changelog of customers: what is written at commit, and how it becomes rows again.

Records: key = customer id, value = 4 bytes epoch + `models.state` bytes; no value = customer deleted, the epoch is then
in a header. One more record per partition, under `META_KEY`, carries the stream time and what the parts of the line
remember of the partition as a whole; it comes last in each commit. Where records are put in order, one under
`BOOKMARKS_KEY` comes first (`streams.engine.turns`).

The epoch rises with each owner: one more than the highest it read, and no less than the group's generation. A record of
an older owner that arrives after a newer one's, from a worker that was frozen and woke up, is ignored.
"""

import struct
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import orjson

from models.newer import refuse_newer
from models.state import rows_from_bytes, rows_to_bytes
from streams.engine.outbox import Headers, Record
from streams.engine.partition import PartitionRows

META_KEY = b"\x00partition"
"""No customer id begins with a control character: the codec refuses those."""

BOOKMARKS_KEY = b"\x00bookmarks"
_OWN_KEYS = {META_KEY, BOOKMARKS_KEY}
OWN_VERSION = 1
"""Of the partition's own records. A field more does not raise it; what an older worker must not pass over does."""

EPOCH_HEADER = "epoch"

_EPOCH = struct.Struct("<I")
_UNSAID = -1


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
        """Apply changelog records (with `key`, `value` and `headers`) of one partition, in order.

        Raises
        ------
        NewerVersionError
            A newer release wrote one of them; the rows are as they were or incomplete, and must not be used.
        """
        partition, batch = self.partition(number), list(records)
        epochs = np.fromiter(map(_epoch_of, batch), np.int64, len(batch))
        highest = np.maximum.accumulate(np.maximum(epochs, partition.epoch))
        is_stale = (epochs < highest) & (epochs != _UNSAID)
        self.ignored_stale += int(np.count_nonzero(is_stale))
        if batch:
            partition.epoch = int(highest[-1])
        _restore(partition, [batch[i] for i in np.flatnonzero(~is_stale).tolist()])
        self.last_offset[number] = last_offset

    def written(self, number: int, last_offset: int) -> None:
        """Note the changelog offset of our own last write, unless the partition has been lost meanwhile."""
        if number in self.partitions:
            self.last_offset[number] = max(last_offset, self.last_offset.get(number, -1))

    def keep_only(self, numbers: Collection[int]) -> None:
        """Drop partitions that were lost, whole, so that nothing of them can come back as a ghost."""
        for number in [n for n in self.partitions if n not in numbers]:
            del self.partitions[number]
            self.last_offset.pop(number, None)


def _epoch_of(record: Any) -> int:
    """Epoch of the owner who wrote a record; `_UNSAID` for a tombstone that no worker wrote."""
    if record.key in _OWN_KEYS:
        own = orjson.loads(record.value)
        refuse_newer("the partition's own record", own.get("version"), OWN_VERSION)  # the first ones said none
        return int(own["epoch"])
    packed = record.value if record.value is not None else dict(record.headers).get(EPOCH_HEADER)
    return _UNSAID if packed is None else int.from_bytes(packed[: _EPOCH.size], "little")


def _restore(partition: PartitionRows, records: list[Any]) -> None:
    """Put what records say into the partition; of several about one customer the last counts."""
    latest = {record.key: record.value for record in records}
    if ahead := latest.pop(BOOKMARKS_KEY, None):
        partition.bookmarks = orjson.loads(ahead)["bookmarks"]
    for meta in (orjson.loads(record.value) for record in records if record.key == META_KEY):
        partition.stream_time_s = max(partition.stream_time_s, meta["stream_time_s"])
        partition.memory = meta.get("memory", {})  # older records have none
    latest.pop(META_KEY, None)
    kept = {key: value[_EPOCH.size :] for key, value in latest.items() if value is not None}
    partition.restore(list(kept), rows_from_bytes(list(kept.values())))
    partition.remove([key for key, value in latest.items() if value is None])


def take_changes(partition: PartitionRows) -> list[Record]:
    r"""Changelog records for everything that changed since the last call, the partition's own record last.

    Nothing changed: no records, once this owner has made itself known by the partition's own.

    Examples
    --------
    >>> partition = PartitionRows(0)
    >>> partition.mark_dirty(partition.slots_of([b"c1"]))
    >>> [key for key, _, _ in take_changes(partition)]
    [b'c1', b'\x00partition']
    >>> take_changes(partition)
    []
    """
    meta, ahead = _meta(partition), _bookmarks(partition)
    if not partition.dirty_count and meta == partition.written and not ahead:
        return []
    keys, rows, deleted = partition.take_changes()
    partition.written = meta
    epoch = _EPOCH.pack(partition.epoch)
    none: Headers = []
    return [
        *ahead,
        *((key, epoch + value, none) for key, value in zip(keys, rows_to_bytes(rows), strict=True)),
        *((key, None, [(EPOCH_HEADER, epoch)]) for key in deleted),
        (META_KEY, meta, none),
    ]


def _bookmarks(partition: PartitionRows) -> list[Record]:
    """The record that goes ahead of all others, if bookmarks changed."""
    if partition.bookmarks == partition.written_bookmarks:
        return []
    partition.written_bookmarks = partition.bookmarks
    value = orjson.dumps({"version": OWN_VERSION, "epoch": partition.epoch, "bookmarks": partition.bookmarks})
    return [(BOOKMARKS_KEY, value, [])]


def _meta(partition: PartitionRows) -> bytes:
    """The partition's own record; equal contents give equal bytes."""
    meta = {
        "version": OWN_VERSION,
        "epoch": partition.epoch,
        "stream_time_s": partition.stream_time_s,
        "memory": partition.memory,
    }
    return orjson.dumps(meta, default=lambda part: part.to_dict(), option=orjson.OPT_SORT_KEYS)
