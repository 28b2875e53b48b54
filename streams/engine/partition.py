"""The rows of one partition and the index from customer id to row.

One structured array holds every customer of the partition; freed rows are used again before the array grows, and it
grows by a quarter at a time, so that neither memory nor copying exceeds what the customers need by more than that.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.pending import phase
from models.state import ROW, new_rows
from streams.engine.due import DueIndex

FIRST_SIZE = 64
_EMPTY = new_rows(1)[0]


class PartitionRows:
    """Rows by customer id, with what has changed since the last commit.

    Attributes
    ----------
    rows
        Structured array of `models.state.ROW`, shape (capacity,); unused rows are fresh.
    due
        Due-time index over the rows.
    number
        Which partition of the topics this is.
    stream_time_s
        How far event time has come on this partition, epoch seconds; 0 = no event yet.
    memory
        What the parts of the line remember of the partition as a whole, by the name of the part: JSON-able, or an
        object whose `to_dict` gives that. It is written with the stream time and comes back as plain JSON. No NaN.
    written
        The partition's own record as the changelog has it from this owner, empty = none yet.
    epoch
        Rises with each owner of the partition (see `streams.engine.changelog`).
    owned
        Whether the rows are complete and ours to write. During recovery they are neither.

    Examples
    --------
    >>> partition = PartitionRows(0)
    >>> partition.slots_of([b"c1", b"c2", b"c1"]).tolist()
    [0, 1, 0]
    >>> len(partition), partition.customer_id(1)
    (2, b'c2')
    >>> partition.delete(0)
    >>> partition.slots_of([b"c3"]).tolist()
    [0]
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.rows: NDArray[np.void] = new_rows(FIRST_SIZE)
        self.due = DueIndex()
        self.stream_time_s = 0
        self.memory: dict[str, Any] = {}
        self.written = b""
        self.epoch = 0
        self.owned = False
        self._slot_of: dict[bytes, int] = {}
        self._ids: list[bytes | None] = []
        self._free: list[int] = []
        self._dirty = np.zeros(FIRST_SIZE, bool)
        self._deleted: set[bytes] = set()

    def __len__(self) -> int:
        """Number of customers."""
        return len(self._slot_of)

    def __contains__(self, customer_id: bytes) -> bool:
        return customer_id in self._slot_of

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._slot_of)

    @property
    def capacity(self) -> int:
        """Rows allocated."""
        return len(self.rows)

    @property
    def dirty_count(self) -> int:
        """Customers whose state is ahead of the changelog."""
        return int(np.count_nonzero(self._dirty)) + len(self._deleted)

    def slot(self, customer_id: bytes) -> int | None:
        """Row number of a customer, or None."""
        return self._slot_of.get(customer_id)

    def slots_of(self, customer_ids: Sequence[bytes]) -> NDArray[np.intp]:
        """Row numbers of customers, shape (n,); an unknown customer gets a fresh row."""
        get, add = self._slot_of.get, self._add
        slots = [slot if (slot := get(key)) is not None else add(key) for key in customer_ids]
        return np.array(slots, np.intp)

    def customer_id(self, slot: int) -> bytes:
        """Id of the customer in a used row."""
        key = self._ids[slot]
        if key is None:
            raise KeyError(f"row {slot} is not in use")
        return key

    def used_slots(self) -> NDArray[np.intp]:
        """Row numbers in use, shape (customers,)."""
        return np.fromiter(self._slot_of.values(), np.intp, len(self._slot_of))

    def mark_dirty(self, slots: NDArray[np.intp]) -> None:
        """Say that these rows must be written to the changelog before the next offsets."""
        self._dirty[slots] = True

    def delete(self, slot: int) -> None:
        """Forget a customer: the row is free again and a tombstone goes to the changelog."""
        key = self.customer_id(slot)
        self._drop(key, slot)
        self._deleted.add(key)

    def reset(self, slot: int) -> None:
        """Make a customer's row as good as new, as deleting and meeting the customer again would."""
        self.rows[slot] = _EMPTY
        self.rows["phase"][slot] = phase(self.customer_id(slot))

    def take_changes(self) -> tuple[list[bytes], NDArray[np.void], list[bytes]]:
        """What changed since last time, copied: ids and rows of changed customers, ids of deleted ones."""
        slots = np.flatnonzero(self._dirty)
        self._dirty[slots] = False
        deleted, self._deleted = sorted(self._deleted), set()
        return [self.customer_id(slot) for slot in slots.tolist()], self.rows[slots], deleted

    def restore(self, customer_id: bytes, row: np.void | None) -> None:
        """Put a row read from the changelog; None removes the customer. Not a change."""
        slot = self._slot_of.get(customer_id)
        if row is None:
            if slot is not None:
                self._drop(customer_id, slot)
            return
        if slot is None:
            slot = self._add(customer_id)
        self.rows[slot] = row

    def take_over(self, generation: int) -> None:
        """Begin to own the partition, now that its rows are complete: a new epoch, and due times indexed again.

        Parameters
        ----------
        generation
            Of the consumer group. The epoch is at least that, so that an owner who never wrote is outranked too.
        """
        self.epoch = max(self.epoch + 1, generation)
        self.written = b""
        self.owned = True
        self.due = DueIndex()
        slots = self.used_slots()
        self.due.schedule(slots, self.rows["due_at"][slots].astype(np.int64))

    def _add(self, key: bytes) -> int:
        slot = self._free.pop() if self._free else len(self._ids)
        if slot == len(self._ids):
            self._ids.append(key)
            self._grow_to(slot + 1)
        else:
            self._ids[slot] = key
        self._slot_of[key] = slot
        self.rows["phase"][slot] = phase(key)  # all else is fresh: nobody used the row, or it was cleared
        if key in self._deleted:  # the changelog still holds the old row: the new one must replace it
            self._deleted.remove(key)
            self._dirty[slot] = True
        return slot

    def _drop(self, key: bytes, slot: int) -> None:
        del self._slot_of[key]
        self._ids[slot] = None
        self.rows[slot] = _EMPTY
        self._dirty[slot] = False
        self._free.append(slot)

    def _grow_to(self, n: int) -> None:
        if n <= self.capacity:
            return
        more = max(n, self.capacity * 5 // 4) - self.capacity
        self.rows = np.concatenate([self.rows, new_rows(more)]).astype(ROW, copy=False)
        self._dirty = np.concatenate([self._dirty, np.zeros(more, bool)])
