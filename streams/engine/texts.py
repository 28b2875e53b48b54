"""Short byte strings by number, in one block of memory: the ids of a partition's customers.

Beside the rows. A `bytes` object costs 33 bytes and a pointer before its first letter; here a text costs its letters
and six bytes. Texts are compared eight bytes at a time, for a whole batch at once.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)
Slots = NDArray[np.intp]
Bytes = NDArray[np.uint8]

MAX_BYTES = 0xFFFE
_NONE = 0xFFFF
_WORD = 8
_FIRST_BYTES = 1024
_BLOCK = 4096
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(_WORD + 1)], np.uint64)
"""By number of bytes, those bytes of a little-endian word."""


@dataclass(frozen=True)
class Batch:
    """Texts one after the other.

    Parameters
    ----------
    data
        Their bytes, and a word of padding.
    start, length
        Of each, in bytes, shape (n,).
    """

    data: Bytes
    start: NDArray[np.int64]
    length: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[bytes]) -> "Batch":
        """Join texts."""
        length = np.fromiter(map(len, texts), np.int64, len(texts))
        data = np.frombuffer(b"".join([*texts, bytes(_WORD)]), np.uint8)
        return cls(data, np.cumsum(length) - length, length)


class Texts:
    """Texts by slot.

    Examples
    --------
    >>> texts = Texts()
    >>> texts.put(np.array([0, 1]), Batch.of([b"c1", b"customer-2"]))
    >>> texts.get(np.array([1, 0]))
    [b'customer-2', b'c1']
    >>> texts.same(np.array([0, 1]), Batch.of([b"c1", b"customer-3"]), np.array([0, 1])).tolist()
    [True, False]
    """

    def __init__(self) -> None:
        self._data: Bytes = np.empty(_FIRST_BYTES, np.uint8)
        self._end = 0
        self._live = 0
        self._start = np.empty(0, np.uint32)
        self._length = np.empty(0, np.uint16)

    def is_used(self, slot: int) -> bool:
        """Whether there is a text."""
        return 0 <= slot < len(self._length) and self._length[slot] != _NONE

    def used(self) -> Slots:
        """Slots with a text, rising."""
        return np.flatnonzero(self._length != _NONE)

    def put(self, slots: Slots, batch: Batch) -> None:
        """Set the texts of slots that have none, shape (n,) each.

        Raises
        ------
        ValueError
            A text is longer than `MAX_BYTES`.
        """
        if len(slots) and batch.length.max() > MAX_BYTES:
            raise ValueError(f"a text may have {MAX_BYTES} bytes at most")
        self._reserve(int(slots.max(initial=-1)) + 1)
        self._append(slots, batch)

    def remove(self, slots: Slots) -> None:
        """Forget texts; their place is used again when room is needed."""
        self._live -= int(self._length[slots].sum(dtype=np.int64))
        self._length[slots] = _NONE

    def get(self, slots: Slots) -> list[bytes]:
        """Texts of used slots, in their order."""
        end = np.cumsum(self._length[slots], dtype=np.int64).tolist()
        data = _gather(self._data, self._start[slots], self._length[slots]).tobytes()
        return [data[a:b] for a, b in itertools.pairwise([0, *end])]

    def same(self, slots: Slots, batch: Batch, which: Slots) -> NDArray[np.bool_]:
        """Whether the texts of used slots are equal, byte by byte, to these of the batch; shape (n,) each."""
        length, start = batch.length[which], batch.start[which]
        equal: NDArray[np.bool_] = self._length[slots] == length
        ours, theirs = _words(self._data), _words(batch.data)
        left = np.flatnonzero(equal)
        mine, other, rest = self._start[slots][left].astype(np.int64), start[left], length[left]
        while left.size:
            differs = ((ours[mine] ^ theirs[other]) & _MASKS[np.minimum(rest, _WORD)]) != 0
            equal[left[differs]] = False
            goes_on = np.flatnonzero(rest > _WORD)
            left, rest = left[goes_on], rest[goes_on] - _WORD
            mine, other = mine[goes_on] + _WORD, other[goes_on] + _WORD
        return equal

    def _append(self, slots: Slots, batch: Batch) -> None:
        size = int(batch.length.sum())
        self._make_room(size)
        self._data[self._end : self._end + size] = batch.data[:size]
        self._start[slots] = self._end + batch.start
        self._length[slots] = batch.length
        self._end += size
        self._live += size

    def _make_room(self, size: int) -> None:
        needed = self._end + size + _WORD
        if needed <= len(self._data):
            return
        if self._end - self._live > self._live // 4:
            self._compact(size)
        else:
            self._data = grown(self._data, needed)

    def _compact(self, size: int) -> None:
        """Close the gaps that removed texts left, so many texts at a time."""
        used, data, end = self.used(), self._data, 0
        self._data = np.empty(max(_FIRST_BYTES, (self._live + size) * 5 // 4 + _WORD), np.uint8)
        for begin in range(0, len(used), _BLOCK):
            slots = used[begin : begin + _BLOCK]
            texts = _gather(data, self._start[slots], self._length[slots])
            length = self._length[slots].astype(np.int64)
            self._data[end : end + len(texts)] = texts
            self._start[slots] = end + np.cumsum(length) - length
            end += len(texts)
        self._end = end

    def _reserve(self, n: int) -> None:
        known = len(self._length)
        if n > known:
            self._start, self._length = grown(self._start, n), grown(self._length, n)
            self._length[known:] = _NONE


def _gather(data: Bytes, start: NDArray[np.uint32], length: NDArray[np.uint16]) -> Bytes:
    """Texts that lie anywhere, one after the other."""
    end = np.cumsum(length, dtype=np.int64)
    first = start - (end - length)
    texts: Bytes = data[np.repeat(first, length) + np.arange(end[-1] if end.size else 0)]
    return texts


def grown(array: NDArray[T], n: int) -> NDArray[T]:
    """Give a longer copy, by a quarter at least; what is new in it takes no memory until it is written."""
    longer: NDArray[T] = np.empty(max(n, len(array) * 5 // 4), array.dtype)
    longer[: len(array)] = array
    return longer


def _words(data: Bytes) -> NDArray[np.uint64]:
    """The eight bytes that begin at each byte."""
    return np.ndarray((len(data) - _WORD + 1,), "<u8", data, strides=(1,))
