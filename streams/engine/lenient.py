"""Record batches in which a header's name is not UTF-8, read all the same.

To Kafka a header's name is bytes, and brokers do not look at it. aiokafka decodes it while it reads a batch, before
anybody has seen the record, and raises: such a record would end every worker that meets its partition, and each one
started in its place. Here the batch is read once more by aiokafka's parser in Python, with the names escaped. Headers
mean nothing to the first line, so the record is judged by its key and value like any other.

Guarantee: a batch whose names are UTF-8 is read as ever, at the cost of a generator; no record is left out or doubled.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH = struct.Struct(">8xi")
"""What every record batch begins with: its first offset, and the bytes that follow."""


class LenientRecords:
    """Stands in for aiokafka's `MemoryRecords`: the record batches of one fetched partition.

    Parameters
    ----------
    data
        Bytes of the batches, one after the other; the last may be cut off.
    """

    def __init__(self, data: bytes) -> None:
        self._records = MemoryRecords(data)
        self._data = memoryview(data)

    def size_in_bytes(self) -> int:
        """Bytes, those of a batch that was cut off included."""
        size: int = self._records.size_in_bytes()
        return size

    def has_next(self) -> bool:
        """Whether a whole batch is left."""
        found: bool = self._records.has_next()
        return found

    def next_batch(self) -> Any:
        """Next batch, or None."""
        batch = self._records.next_batch()
        if batch is None:
            return None
        end = _LENGTH.size + _LENGTH.unpack_from(self._data)[0]
        content, self._data = self._data[:end], self._data[end:]
        return LenientBatch(batch, content)


class LenientBatch:
    """One record batch; gives what aiokafka's gives, and its records whatever their headers are called."""

    def __init__(self, batch: Any, content: memoryview) -> None:
        self._batch = batch
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        count = 0
        try:
            for count, record in enumerate(self._batch, 1):  # noqa: B007 - how far we got is read below
                yield record
        except UnicodeDecodeError:
            yield from islice(_EscapingBatch(self._content), count, None)


class _EscapingBatch(_DefaultRecordBatchPy):
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Escaping(self._buffer)


class _Escaping(bytearray):
    """Bytes whose slices turn into text without fail: what is not UTF-8 is escaped."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return found if isinstance(found, int) else _Escaping(found)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


def install() -> None:
    """Let every aiokafka consumer of this process read through `LenientRecords`."""
    fetcher.MemoryRecords = LenientRecords
