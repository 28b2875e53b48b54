"""The changelog of customers: what is written at commit, and how it becomes rows again.

Records: key = customer id, value = 4 bytes epoch + `models.state` bytes; no value = customer deleted, the epoch is then
in a header. One more record per partition, under `META_KEY`, carries the stream time and what the parts of the line
remember of the partition as a whole; it comes last in each commit. Where records are put in order, one under
`BOOKMARKS_KEY` comes first (`streams.engine.turns`).

The epoch rises with each owner: one more than the highest it read, and no less than the group's generation. A record of
an older owner that arrives after a newer one's, from a worker that was frozen and woke up, is ignored.
"""

import itertools
import struct
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import orjson

from models.newer import refuse_newer
from models.state import Rows, rows_from_bytes, rows_to_bytes
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

PORTION = 8_192
"""Records of a commit that are on their way at once, of all partitions together: some 20 MiB. It bounds what a commit
takes up beside the snapshot, however much has changed."""
ENCODED_AT_ONCE = 512


class Stretch(NamedTuple):
    """What a stretch of the changelog says without its stale records; of several about one customer the last counts.

    Parameters
    ----------
    epoch
        The highest up to here.
    n_stale
        Records of former owners that came too late.
    rows
        Changelog value, epoch included, by customer.
    deleted
        Customers who were deleted.
    stream_time_s, memory, bookmarks
        Of the partition as a whole; 0 and None where nothing is said of it.
    """

    epoch: int
    n_stale: int
    rows: dict[bytes, bytes]
    deleted: list[bytes]
    stream_time_s: int
    memory: dict[str, Any] | None
    bookmarks: dict[str, Any] | None


class Copies(Protocol):
    """A second place that follows the changelog; `streams.engine.warm.WarmCopies` is the one."""

    def follow(self, number: int, records: Sequence[Any], after: int, to: int, *, ours: bool) -> None:
        """Take in the records of a partition after one offset up to another."""

    def keep_only(self, numbers: Collection[int]) -> None:
        """Let go of partitions that were lost."""

    def take_up(self, logs: dict[int, tuple[int, int]]) -> AsyncIterator[tuple[PartitionRows, int]]:
        """Yield rows and the offset they reflect, of partitions whose logs begin and end there."""


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
    copies
        Follows what is read and written, if there is one.
    on_restored
        Told where state came from, ``changelog`` or ``disk``, and how many records it was.
    """

    def __init__(self) -> None:
        self.partitions: dict[int, PartitionRows] = {}
        self.last_offset: dict[int, int] = {}
        self._overtaken: set[int] = set()
        self._doubtful: set[int] = set()
        self.ignored_stale = 0
        self.copies: Copies | None = None
        self.on_restored: Callable[[str, int], None] | None = None

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
        said = read_stretch(batch, partition.epoch)
        self.ignored_stale += said.n_stale
        partition.epoch = said.epoch
        _restore(partition, said)
        after, self.last_offset[number] = self.last_offset.get(number, -1), last_offset
        if self.copies is not None:
            self.copies.follow(number, batch, after, last_offset, ours=False)
        if self.on_restored is not None:
            self.on_restored("changelog", len(batch))

    def adopt(self, partition: PartitionRows, last_offset: int) -> None:
        """Own rows that hold the changelog up to an offset already."""
        self.partitions[partition.number] = partition
        self.last_offset[partition.number] = last_offset
        if self.on_restored is not None:
            self.on_restored("disk", len(partition))

    def written(self, number: int, last_offset: int, records: Sequence[Record] = ()) -> None:
        """Note the changelog offset of our own last write, unless the partition has been lost meanwhile.

        Where somebody else wrote in between, one of us has lost the partition and does not know it yet. Then all rows
        are written once more, as compaction keeps the last record of a customer, whoever wrote it; and whatever is
        assigned next is read from the changelog anew.
        """
        if number in self.partitions:
            known = self.last_offset.get(number, -1)
            if records and last_offset - len(records) > known:
                self._overtaken.add(number)
                self.partitions[number].mark_dirty(self.partitions[number].used_slots())
            self.last_offset[number] = max(last_offset, known)
            if self.copies is not None:
                batch = [_Written(*record) for record in records]
                self.copies.follow(number, batch, last_offset - len(batch), last_offset, ours=True)

    def doubt(self, numbers: Collection[int], *, is_over: bool) -> None:
        """Note that offsets of partitions were not taken by the group, or, once `is_over`, that they were.

        They may be somebody else's by now, who does the same work from the offsets before. Then the rows here are ahead
        of the state that goes with the group's offsets, and may not be kept over an assignment.
        """
        if is_over:
            self._doubtful.difference_update(numbers)
        else:
            self._doubtful.update(numbers)

    def keep_only(self, numbers: Collection[int]) -> None:
        """Drop partitions that were lost, whole, so that nothing of them can come back as a ghost.

        And those in whose changelog others wrote meanwhile, as what they wrote is not in the rows, or may have done so.
        """
        anew = self._overtaken | self._doubtful
        for number in [n for n in self.partitions if n not in numbers or n in anew]:
            del self.partitions[number]
            self.last_offset.pop(number, None)
        self._overtaken.clear()
        self._doubtful.clear()
        if self.copies is not None:
            self.copies.keep_only(numbers)


class _Written(NamedTuple):
    key: bytes | None
    value: bytes | None
    headers: Headers


def read_stretch(records: Sequence[Any], epoch: int) -> Stretch:
    """Read changelog records, in order, that follow on ones whose highest epoch is given."""
    epochs = np.fromiter(map(_epoch_of, records), np.int64, len(records))
    highest = np.maximum.accumulate(np.maximum(epochs, epoch))
    is_stale = (epochs < highest) & (epochs != _UNSAID)
    valid = [records[i] for i in np.flatnonzero(~is_stale).tolist()]
    latest = {record.key: record.value for record in valid}
    ahead = latest.pop(BOOKMARKS_KEY, None)
    latest.pop(META_KEY, None)
    metas = [orjson.loads(record.value) for record in valid if record.key == META_KEY]
    return Stretch(
        int(highest[-1]) if len(records) else epoch,
        int(np.count_nonzero(is_stale)),
        {key: value for key, value in latest.items() if value is not None},
        [key for key, value in latest.items() if value is None],
        max((meta["stream_time_s"] for meta in metas), default=0),
        metas[-1].get("memory", {}) if metas else None,  # older records have none
        orjson.loads(ahead)["bookmarks"] if ahead else None,
    )


def _epoch_of(record: Any) -> int:
    """Epoch of the owner who wrote a record; `_UNSAID` for a tombstone that no worker wrote."""
    if record.key in _OWN_KEYS:
        own = orjson.loads(record.value)
        refuse_newer("the partition's own record", own.get("version"), OWN_VERSION)  # the first ones said none
        return int(own["epoch"])
    packed = record.value if record.value is not None else dict(record.headers).get(EPOCH_HEADER)
    return _UNSAID if packed is None else int.from_bytes(packed[: _EPOCH.size], "little")


def _restore(partition: PartitionRows, said: Stretch) -> None:
    """Put what a stretch says into the partition."""
    partition.stream_time_s = max(partition.stream_time_s, said.stream_time_s)
    if said.memory is not None:
        partition.memory = said.memory
    if said.bookmarks is not None:
        partition.bookmarks = said.bookmarks
    restore_rows(partition, list(said.rows), list(said.rows.values()))
    partition.remove(said.deleted)


def restore_rows(partition: PartitionRows, customer_ids: Sequence[bytes], values: Iterable[bytes]) -> None:
    """Put customers into the partition from their changelog values, each given once."""
    partition.restore(customer_ids, rows_from_bytes([value[_EPOCH.size :] for value in values]))


def take_changes(partition: PartitionRows) -> Iterator[Record]:
    r"""Changelog records for everything that changed since the last call, the partition's own record last.

    What they say is of this call; each is made when it is asked for, as a record takes several times the memory of the
    row it is made of. Nothing changed: no records, once this owner has made itself known by the partition's own.

    Examples
    --------
    >>> partition = PartitionRows(0)
    >>> partition.mark_dirty(partition.slots_of([b"c1"]))
    >>> [key for key, _, _ in take_changes(partition)]
    [b'c1', b'\x00partition']
    >>> list(take_changes(partition))
    []
    """
    meta, ahead = _meta(partition), _bookmarks(partition)
    if not partition.dirty_count and meta == partition.written and not ahead:
        return iter(())
    partition.written = meta
    epoch = _EPOCH.pack(partition.epoch)
    none: Headers = []
    keys, rows, deleted = partition.take_changes()
    return itertools.chain(
        ahead,
        ((key, epoch + value, none) for key, value in zip(keys, _values(rows), strict=True)),
        ((key, None, [(EPOCH_HEADER, epoch)]) for key in deleted),
        [(META_KEY, meta, none)],
    )


def _values(rows: Rows) -> Iterator[bytes]:
    """Rows as bytes, encoded some at a time."""
    for begin in range(0, len(rows), ENCODED_AT_ONCE):
        yield from rows_to_bytes(rows[begin : begin + ENCODED_AT_ONCE])


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
