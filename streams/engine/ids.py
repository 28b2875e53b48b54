"""Which row belongs to which customer id: a hash table in arrays, asked by whole batches.

Beside the rows. A `dict` of a million ids costs 157 bytes each and is asked one by one; this table costs the letters of
the id and about 22 bytes. Open addressing with linear probing [1]_: an entry holds 32 bits of the id's hash above the
slot's number, and an id is looked for from the place its hash names up to the first empty one. Equal hashes prove
nothing: the ids themselves are compared. The hash is Python's, keyed anew in each process, so nobody can choose ids
that collide; where an entry stands therefore differs between processes, but which slot an id gets does not.

References
----------
.. [1] D. E. Knuth (1998), The Art of Computer Programming 3, 2nd ed., section 6.4, algorithm L.
"""

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams.engine.texts import Batch, Slots, Texts

Hashes = NDArray[np.uint64]

UNKNOWN = -1
_EMPTY, _GONE = np.uint64(0), np.uint64(0xFFFF_FFFF)
"""Neither is an id's entry: those have a hash above zero in their upper half."""
_HALF = np.uint64(32)
_FIRST_PLACES = 64
_ABREAST = np.arange(8)
"""Places looked at in one go: in a table two thirds full two such strides nearly always suffice."""


class Ids:
    """Slots by customer id; a freed slot is given away again before a new one is.

    Examples
    --------
    >>> ids = Ids()
    >>> ids.add([b"c1", b"c2"]).tolist()
    [0, 1]
    >>> ids.find([b"c2", b"c3"]).tolist()
    [1, -1]
    >>> ids.remove(np.array([0]))
    >>> ids.add([b"c3"]).tolist(), ids.get(np.array([0, 1])), len(ids)
    ([0], [b'c3', b'c2'], 2)
    """

    def __init__(self) -> None:
        self._texts = Texts()
        self._table: Hashes = np.zeros(_FIRST_PLACES, np.uint64)
        self._filled = 0
        self._slots = 0
        self._free = array("I")

    def __len__(self) -> int:
        """Number of ids."""
        return self._slots - len(self._free)

    @property
    def n_slots(self) -> int:
        """Slots ever given away; all are below this number."""
        return self._slots

    def used(self) -> Slots:
        """Slots in use, rising."""
        return self._texts.used()

    def is_used(self, slot: int) -> bool:
        """Whether a slot has an id."""
        return self._texts.is_used(slot)

    def get(self, slots: Slots) -> list[bytes]:
        """Ids of slots in use, in their order."""
        return self._texts.get(slots)

    def find(self, ids: Sequence[bytes]) -> Slots:
        """Slot of each id, shape (n,); `UNKNOWN` where it has none."""
        slots = np.full(len(ids), UNKNOWN, np.intp)
        batch, hashes = Batch.of(ids), _hashes(ids)
        left, place = np.arange(len(ids)), self._home(hashes)
        while left.size:
            found, place = self._probe(hashes[left], place)
            known = np.flatnonzero(found != UNKNOWN)
            same = self._texts.same(found[known], batch, left[known])
            slots[left[known[same]]] = found[known[same]]
            other = known[~same]
            left, place = left[other], self._next(place[other])
        return slots

    def add(self, ids: Sequence[bytes]) -> Slots:
        """Give slots to ids that have none, each given once; in their order."""
        slots = self._new_slots(len(ids))
        self._texts.put(slots, Batch.of(ids))
        if 3 * (self._filled + len(ids)) > 2 * len(self._table):
            self._rebuild(len(self) * 9 // 4)
        self._insert(self._entries(ids, slots))
        return slots

    def remove(self, slots: Slots) -> None:
        """Free slots in use, each given once."""
        entries = self._entries(self.get(slots), slots)
        place = self._home(entries >> _HALF)
        while (other := np.flatnonzero(self._table[place] != entries)).size:
            place[other] = self._next(place[other])
        self._table[place] = _GONE
        self._texts.remove(slots)
        self._free.extend(slots.tolist())

    def _new_slots(self, n: int) -> Slots:
        again = [self._free.pop() for _ in range(min(n, len(self._free)))]
        fresh = np.arange(self._slots, self._slots + n - len(again))
        self._slots += len(fresh)
        return np.concatenate([np.array(again, np.intp), fresh])

    def _entries(self, ids: Sequence[bytes], slots: Slots) -> Hashes:
        return _hashes(ids) << _HALF | (slots + 1).astype(np.uint64)

    def _home(self, hashes: Hashes) -> Slots:
        """Where to look first: the hash scaled to the table."""
        return (hashes * np.uint64(len(self._table)) >> _HALF).astype(np.intp)

    def _next(self, place: Slots) -> Slots:
        place = place + 1
        place[place == len(self._table)] = 0
        return place

    def _probe(self, hashes: Hashes, place: Slots) -> tuple[Slots, Slots]:
        """Slot and place of the first entry with this hash, from `place` on; `UNKNOWN` at the first empty place."""
        slots, places = np.full(len(hashes), UNKNOWN, np.intp), place.copy()
        left = np.arange(len(hashes))
        while left.size:
            entries = self._table.take(place[:, None] + _ABREAST, mode="wrap")
            ends = (entries >> _HALF == hashes[:, None]) | (entries == _EMPTY)
            first = ends.argmax(axis=1)
            entry = entries[np.arange(len(first)), first]
            hit = np.flatnonzero(entry >> _HALF == hashes)
            slots[left[hit]] = (entry[hit] & _GONE).astype(np.intp) - 1
            places[left[hit]] = place[hit] + first[hit]
            goes_on = np.flatnonzero((entry >> _HALF != hashes) & (entry != _EMPTY))
            left, hashes, place = left[goes_on], hashes[goes_on], place[goes_on] + len(_ABREAST)
        return slots, places % len(self._table)

    def _insert(self, entries: Hashes) -> None:
        self._filled += len(entries)
        place = self._home(entries >> _HALF)
        while entries.size:
            free = self._table[place] == _EMPTY
            self._table[place[free]] = entries[free]  # of several that want one place, one gets it
            left = np.flatnonzero(self._table[place] != entries)
            entries, place = entries[left], self._next(place[left])

    def _rebuild(self, places: int) -> None:
        """Make the table anew without those who have gone: less than half full, so that it is rarely done."""
        entries = self._table[self._table > _GONE]
        self._table, self._filled = np.zeros(max(_FIRST_PLACES, places), np.uint64), 0
        self._insert(entries)


def _hashes(ids: Sequence[bytes]) -> Hashes:
    """32 bits of the hash of each id, shape (n,), above zero."""
    hashes: Hashes = np.fromiter(map(hash, ids), np.int64, len(ids)).view(np.uint64) >> _HALF
    return np.maximum(hashes, np.uint64(1), out=hashes)
