"""One partition's copy on disk: a RocksDB that holds what its changelog says up to an offset, and that offset with it.

Beside the rows, for a warm restart (`streams.engine.warm`). Key = customer id, value = as in the changelog. One more
entry, the head, tells which log this is a copy of, up to where, and what that says of the partition as a whole. It is
in the same write batch as the rows, so the copy is exact at every moment, after a kill -9 too: a batch is in RocksDB's
write-ahead log whole or not at all. That log is not synced: a machine that loses power may come up with an older copy,
which is as exact.

Customers who were deleted are gone from the files once a scrub has run: RocksDB alone would keep their bytes until it
happens to compact them.
"""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from rocksdict import BlockBasedOptions, DBCompressionType, Options, Rdict, WriteBatch

from streams.engine.changelog import read_stretch, restore_rows
from streams.engine.partition import PartitionRows

HEAD_KEY, _SCRUB_KEY = b"\x00head", b"\x00scrub"
_FIRST_ID = b"\x01"
"""Customer ids come after those: none begins with a control character."""
_FORMAT = 1
_LOADED_AT_ONCE = 2_000
_MEMTABLE_BYTES = 4 * 1024 * 1024
"""Up to two of them for each partition."""


@dataclass(frozen=True)
class LogName:
    """Which changelog this is; one that was deleted and made again is another.

    Parameters
    ----------
    cluster_id, topic, topic_id
        As the brokers say; an empty `topic_id` where they give topics none (before Kafka 2.8, and the embedded one).
    """

    cluster_id: str
    topic: str
    topic_id: str


@dataclass(frozen=True)
class Head:
    """What a copy is of.

    Parameters
    ----------
    log, partition
        Of which changelog.
    offset
        The changelog up to and including this offset is contained; -1 = nothing is.
    at_s
        When nothing came after that offset, epoch seconds; 0 = never known: the changelog was not read to its end.
    epoch, stream_time_s, memory, bookmarks
        What the changelog says of the partition as a whole.
    has_remains
        Whether bytes of deleted customers may be in the files still.
    version
        Of this layout.
    """

    log: LogName
    partition: int
    offset: int = -1
    at_s: int = 0
    epoch: int = 0
    stream_time_s: int = 0
    memory: dict[str, Any] = field(default_factory=dict)
    bookmarks: dict[str, Any] = field(default_factory=dict)
    has_remains: bool = False
    version: int = _FORMAT

    @classmethod
    def from_bytes(cls, packed: bytes) -> "Head":
        """Read what `to_bytes` gave; raises TypeError, KeyError or ValueError on anything else."""
        fields = orjson.loads(packed)
        return cls(**fields | {"log": LogName(**fields["log"])})

    def to_bytes(self) -> bytes:
        """Pack as JSON."""
        return orjson.dumps(self)


class WarmStore:
    """The copy of one partition. Everything it raises means that it can be trusted no more.

    Parameters
    ----------
    folder
        Of this copy alone; made if it is not there.
    log, number
        What a new copy is of. `head` tells what this one is of.
    """

    def __init__(self, folder: Path, log: LogName, number: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = Rdict(str(folder), _options())
        packed = self._db.get(HEAD_KEY)
        self.head = Head(log, number) if packed is None else Head.from_bytes(packed)
        self._scrub: Future[None] | None = None
        self._deletes_since_scrub = False

    def load(self) -> PartitionRows:
        """Read the rows into memory."""
        partition = PartitionRows(self.head.partition)
        whole = Head.from_bytes(self.head.to_bytes())  # the partition's own to change
        partition.epoch, partition.stream_time_s = whole.epoch, whole.stream_time_s
        partition.memory, partition.bookmarks = whole.memory, whole.bookmarks
        items = iter(self._db.items(from_key=_FIRST_ID))
        while chunk := list(islice(items, _LOADED_AT_ONCE)):
            customer_ids, values = zip(*chunk, strict=True)
            restore_rows(partition, customer_ids, values)
        return partition

    def follow(self, records: Sequence[Any], after: int, to: int, at_s: int | None) -> bool:
        """Take in the changelog after one offset up to another; False, and nothing done, unless it joins on.

        Parameters
        ----------
        records
            With `key`, `value` and `headers`, in order: all there are in between.
        after, to
            Offsets; `after` has to be the last one contained.
        at_s
            When `to` was the end of the changelog, epoch seconds; None = it may not have been.
        """
        if after != self.head.offset:
            return False
        said = read_stretch(records, self.head.epoch)
        head = dataclasses.replace(
            self.head,
            offset=to,
            at_s=self.head.at_s if at_s is None else at_s,
            epoch=said.epoch,
            stream_time_s=max(self.head.stream_time_s, said.stream_time_s),
            memory=self.head.memory if said.memory is None else said.memory,
            bookmarks=self.head.bookmarks if said.bookmarks is None else said.bookmarks,
            has_remains=self._has_remains() or bool(said.deleted),
        )
        batch = WriteBatch(raw_mode=True)
        for customer_id, value in said.rows.items():
            batch.put(customer_id, value)
        for customer_id in said.deleted:
            batch.delete(customer_id)
        batch.put(HEAD_KEY, head.to_bytes())
        self._db.write(batch)
        self.head = head
        self._deletes_since_scrub |= bool(said.deleted)
        return True

    def scrub(self, executor: Executor) -> None:
        """Begin to remove the remains of deleted customers from the files, beside the work; nothing if under way."""
        if self._scrub is None:
            self._deletes_since_scrub = False
            self._scrub = executor.submit(self._rewrite_files)

    def close(self) -> None:
        """Close the files, once a scrub under way has ended."""
        if self._scrub is not None:
            self._scrub.result()
        self._db.close()

    def _has_remains(self) -> bool:
        if self._scrub is None or not self._scrub.done():
            return self.head.has_remains
        self._scrub.result()
        self._scrub = None
        return self._deletes_since_scrub

    def _rewrite_files(self) -> None:
        self._db.flush()
        self._db.compact_range(None, None)
        # the manifest still tells first and last ids of the files there were: one more change of files makes a new one
        self._db.put(_SCRUB_KEY, b"")
        self._db.flush()


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_compression_type(DBCompressionType.lz4())
    tables = BlockBasedOptions()
    tables.disable_cache()  # a copy is read once, from its beginning to its end
    options.set_block_based_table_factory(tables)
    options.set_write_buffer_size(_MEMTABLE_BYTES)
    options.set_max_background_jobs(1 + 1)  # one flush and one compaction: the cores are the worker's
    options.set_max_manifest_file_size(1)  # a new one each time: it names first and last ids of files long gone
    options.set_keep_log_file_num(1)
    options.set_max_log_file_size(1024 * 1024)
    return options
