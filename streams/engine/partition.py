"""The rows of one partition and the index from customer id to row.

One structured array holds every customer of the partition; freed rows are used again before the array grows, and it
doubles when it does, so that copying stays rare. A row that nobody has used yet takes address space and no memory: it
is written when it gets its customer.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from models.pending import phase
from models.state import Rows, new_rows
from streams.engine.due import DueIndex
from streams.engine.ids import UNKNOWN, Ids
from streams.engine.texts import Slots, grown
from streams.engine.turns import Bookmark

FIRST_SIZE = 64
_EMPTY = new_rows(1)[0]


class PartitionRows:
    """Rows by customer id, with what has changed since the last commit.

    Attributes
    ----------
    rows
        Structured array of `models.state.ROW`, shape (capacity,); a row that nobody has used yet holds anything.
    due
        Due-time index over the rows.
    number
        Which partition of the topics this is.
    stream_time_s
        How far event time has come on this partition, epoch seconds; 0 = no event yet.
    memory
        What the parts of the line remember of the partition as a whole, by the name of the part: JSON-able, or an
        object whose `to_dict` gives that. It is written with the stream time and comes back as plain JSON. No NaN.
    bookmarks
        By topic, what reading on from committed offsets has to know; only where records are put in order
        (`streams.engine.turns`).
    written, written_bookmarks
        The partition's own record and the bookmarks as the changelog has them from this owner, empty = none yet.
    epoch
        Rises with each owner of the partition (see `streams.engine.changelog`).
    owned
        Whether the rows are complete and ours to write. During recovery they are neither.
    is_live
        Whether nothing was left to fetch once since this owner began to read.

    Examples
    --------
    >>> partition = PartitionRows(0)
    >>> partition.slots_of([b"c1", b"c2", b"c1"]).tolist()
    [0, 1, 0]
    >>> len(partition), partition.customer_id(1)
    (2, b'c2')
    >>> partition.delete(np.array([0]))
    >>> partition.slots_of([b"c3"]).tolist()
    [0]
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.rows: Rows = new_rows(FIRST_SIZE)
        self.due = DueIndex()
        self.stream_time_s = 0
        self.memory: dict[str, Any] = {}
        self.bookmarks: dict[str, list[Bookmark]] = {}
        self.written = b""
        self.written_bookmarks: dict[str, list[Bookmark]] = {}
        self.epoch = 0
        self.owned = False
        self.is_live = False
        self._ids = Ids()
        self._dirty = np.zeros(FIRST_SIZE, bool)
        self._deleted: set[bytes] = set()

    def __len__(self) -> int:
        """Number of customers."""
        return len(self._ids)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.customer_ids(self.used_slots()))

    @property
    def capacity(self) -> int:
        """Rows allocated."""
        return len(self.rows)

    @property
    def bytes_used(self) -> int:
        """Bytes of rows that have ever had a customer: those that take memory."""
        return self._ids.n_slots * self.rows.itemsize

    @property
    def dirty_count(self) -> int:
        """Customers whose state is ahead of the changelog."""
        return int(np.count_nonzero(self._dirty)) + len(self._deleted)

    def slot(self, customer_id: bytes) -> int | None:
        """Row number of a customer, or None."""
        slot = int(self.find([customer_id])[0])
        return None if slot == UNKNOWN else slot

    def find(self, customer_ids: Sequence[bytes]) -> Slots:
        """Row numbers of customers, shape (n,); `UNKNOWN` for who has none."""
        return self._ids.find(customer_ids)

    def slots_of(self, customer_ids: Sequence[bytes]) -> Slots:
        """Row numbers of customers, shape (n,); an unknown customer gets a fresh row."""
        slots = self.find(customer_ids)
        unknown = np.flatnonzero(slots == UNKNOWN).tolist()
        if unknown:
            new = list(dict.fromkeys(customer_ids[i] for i in unknown))
            slot_of = dict(zip(new, self._add(new).tolist(), strict=True))
            slots[unknown] = [slot_of[customer_ids[i]] for i in unknown]
        return slots

    def customer_id(self, slot: int) -> bytes:
        """Id of the customer in a used row."""
        if not self._ids.is_used(slot):
            raise KeyError(f"row {slot} is not in use")
        return self.customer_ids(np.array([slot]))[0]

    def customer_ids(self, slots: Slots) -> list[bytes]:
        """Ids of the customers in used rows, in their order."""
        return self._ids.get(slots)

    def used_slots(self) -> Slots:
        """Row numbers in use, rising, shape (customers,)."""
        return self._ids.used()

    def mark_dirty(self, slots: Slots) -> None:
        """Say that these rows must be written to the changelog before the next offsets."""
        self._dirty[slots] = True

    def delete(self, slots: Slots) -> None:
        """Forget customers: their rows are free again and tombstones go to the changelog."""
        self._deleted.update(self.customer_ids(slots))
        self._drop(slots)

    def erase(self, customer_ids: Sequence[bytes]) -> None:
        """Forget customers, each given once: tombstones go to the changelog also for who has no row here.

        A copy that a former owner wrote too late may be the latest record in it, though no owner reads it.
        """
        self.remove(customer_ids)
        self._deleted.update(customer_ids)

    def reset(self, slots: Slots) -> None:
        """Make customers' rows as good as new, as deleting and meeting the customers again would."""
        self._clear(slots, self.customer_ids(slots))

    def take_changes(self) -> tuple[list[bytes], Rows, list[bytes]]:
        """What changed since last time, copied: ids and rows of changed customers, ids of deleted ones."""
        slots = np.flatnonzero(self._dirty)
        self._dirty[slots] = False
        deleted, self._deleted = sorted(self._deleted), set()
        return self.customer_ids(slots), self.rows[slots], deleted

    def restore(self, customer_ids: Sequence[bytes], rows: Rows) -> None:
        """Put rows read from the changelog, each customer given once. Not a change."""
        slots = self.find(customer_ids)
        unknown = np.flatnonzero(slots == UNKNOWN)
        slots[unknown] = self._new_slots([customer_ids[i] for i in unknown.tolist()])
        self.rows[slots] = rows

    def remove(self, customer_ids: Sequence[bytes]) -> None:
        """Drop customers whose deletion was read from the changelog, each given once. Not a change."""
        slots = self.find(customer_ids)
        self._drop(slots[slots != UNKNOWN])

    def take_over(self, generation: int) -> None:
        """Begin to own the partition, now that its rows are complete: a new epoch, and due times indexed again.

        Parameters
        ----------
        generation
            Of the consumer group. The epoch is at least that, so that an owner who never wrote is outranked too.
        """
        self.epoch = max(self.epoch + 1, generation)
        self.written, self.written_bookmarks = b"", {}
        self.owned = True
        self.due = DueIndex()
        slots = self.used_slots()
        self.due.schedule(slots, self.rows["due_at"][slots].astype(np.int64))

    def _add(self, customer_ids: list[bytes]) -> Slots:
        slots = self._new_slots(customer_ids)
        self._clear(slots, customer_ids)
        if self._deleted:  # the changelog still holds the old row: the new one must replace it
            again = [customer_id in self._deleted for customer_id in customer_ids]
            self._dirty[slots[again]] = True
            self._deleted.difference_update(customer_ids)
        return slots

    def _new_slots(self, customer_ids: Sequence[bytes]) -> Slots:
        slots = self._ids.add(customer_ids)
        if self._ids.n_slots > self.capacity:
            known, wanted = self.capacity, max(self._ids.n_slots, 2 * self.capacity)
            self.rows, self._dirty = grown(self.rows, wanted), grown(self._dirty, wanted)
            self._dirty[known:] = False
        return slots

    def _clear(self, slots: Slots, customer_ids: Sequence[bytes]) -> None:
        self.rows[slots] = _EMPTY
        self.rows["phase"][slots] = [phase(customer_id) for customer_id in customer_ids]

    def _drop(self, slots: Slots) -> None:
        self._ids.remove(slots)
        self.rows[slots] = _EMPTY  # nothing is due for nobody, and nothing of a deleted customer stays in memory
        self._dirty[slots] = False
