"""When each silent customer wants to be looked at again: the due-time index of one partition.

Churn is an event that does not come, so nothing on a topic announces it. Each row carries `due_at`; this index finds
the rows whose time has come without looking at the others. It is a calendar of buckets (Brown 1988, Calendar queues)
with lazy entries: a row whose time moves later keeps its old entry, and is put back when that entry comes up. A row has
one live entry, and leaves a stale one behind each time its due moves earlier; those are dropped once they outnumber the
rows, so memory is bounded by the rows.

Buckets are narrow for the half day at hand and wide beyond it: what lies far away would else fill many buckets with few
rows each, and a bucket costs as much as fifty rows. When its time comes, a wide bucket is divided among narrow ones.
The rows of a narrow one whose time has come are at hand in the order of their seconds: a tick sees only who is due.
"""

import heapq
from array import array

import numpy as np
from numpy.typing import NDArray

from streams.engine.texts import grown

Slots = NDArray[np.intp]
Seconds = NDArray[np.int64]

BUCKET_S = 600
"""Width of a narrow bucket: a day is only 144 of them, and few rows in one are not yet due."""

SPAN = 64
"""Narrow buckets in a wide one, which is 10.7 hours: a year is 821 of them."""

NEVER = np.iinfo(np.uint32).max
"""No bucket: nothing is due, or nothing is known of it here."""
_AT_HAND = NEVER - 1
"""The bucket of those who are at hand: after every other, so that who is scheduled anew leaves it."""


class DueIndex:
    """Slots by due second.

    Examples
    --------
    >>> index = DueIndex()
    >>> index.schedule(np.array([3, 5]), np.array([1000, 90_000]))
    >>> index.pop_before(1001, np.array([0, 0, 0, 1000, 0, 90_000])).tolist()
    [3]
    """

    def __init__(self) -> None:
        self._wide, self._narrow = _Buckets(), _Buckets()
        self._opened = -1
        self._at_hand: Slots = np.empty(0, np.intp)
        self._at_hand_s: Seconds = np.empty(0, np.int64)
        self._entry: NDArray[np.uint32] = np.full(64, NEVER, np.uint32)

    def __len__(self) -> int:
        """Number of entries, stale ones included; at most twice the rows after `schedule`."""
        return self._wide.size + self._narrow.size + len(self._at_hand)

    def schedule(self, slots: Slots, due_at_s: Seconds) -> None:
        """Make sure each slot is looked at no later than its due second; 0 means never.

        Parameters
        ----------
        slots
            Row numbers, shape (n,), each at most once.
        due_at_s
            Epoch seconds, shape (n,); 0 = nothing due.
        """
        if not len(slots):
            return
        self._reserve(int(slots.max()) + 1)
        bucket = np.where(due_at_s > 0, due_at_s // BUCKET_S + 1, NEVER)
        sooner = np.flatnonzero(bucket < self._entry[slots])
        self._entry[slots[sooner]] = bucket[sooner]
        self._put(slots[sooner], bucket[sooner])
        if len(self) > 2 * len(self._entry):
            self._drop_stale()

    def pop_before(self, stream_time_s: int, due_at_s: NDArray[np.integer], limit: int = 1 << 30) -> Slots:
        """Take out the slots that are due strictly before the stream time.

        Strictly, so that an event in the same second is always applied first, however batches were cut.

        Parameters
        ----------
        stream_time_s
            Epoch seconds.
        due_at_s
            The `due_at` column of all rows, shape (rows,); the truth that entries are checked against.
        limit
            Take so many at most, so that timers share the loop with events; the others come first next time.

        Returns
        -------
        ndarray
            Slots whose due second has passed, shape (m,), m <= limit; those of one bucket in the order of their
            seconds. They have no entry any more: schedule them again.
        """
        found: list[Slots] = []
        missing = limit
        while missing:
            n = min(missing, int(np.searchsorted(self._at_hand_s, stream_time_s)))
            if n:
                found.append(self._take_at_hand(n, due_at_s))
                missing -= len(found[-1])
            elif not self._take_buckets(stream_time_s, due_at_s, missing):
                break
        return np.concatenate(found) if found else np.empty(0, np.intp)

    def count_before(self, stream_time_s: int) -> int:
        """Count the entries whose time is before a stream time; of moved ones, some that wait to be put back.

        May be asked from another thread: it only reads.
        """
        at_hand_s, entry = self._at_hand_s, self._entry
        whole = np.count_nonzero(entry <= stream_time_s // BUCKET_S)  # bucket n ends at second n * BUCKET_S
        return int(whole + np.searchsorted(at_hand_s, stream_time_s))

    def _take_at_hand(self, n: int, due_at_s: NDArray[np.integer]) -> Slots:
        """Take the first n who are at hand, but for those who were scheduled anew or have been forgotten."""
        slots, self._at_hand, self._at_hand_s = self._at_hand[:n], self._at_hand[n:], self._at_hand_s[n:]
        slots = slots[self._entry[slots] == _AT_HAND]
        self._entry[slots] = NEVER
        due: Slots = slots[due_at_s[slots] > 0]
        return due

    def _take_buckets(self, stream_time_s: int, due_at_s: NDArray[np.integer], wanted: int) -> bool:
        """Have the earliest buckets that begin before the stream time at hand, until they hold as many as are wanted.

        At once: a replay of a small shop passes thousands of them at a stride. False if there is none.
        """
        last = -(-stream_time_s // BUCKET_S)  # bucket n begins at second (n - 1) * BUCKET_S
        number, n, parts = -1, 0, list[Slots]()
        while n < wanted and (taken := self._take_first(last)) is not None:
            number, entries = taken
            parts.append(entries)
            n += len(entries)
        if not parts:
            return False
        slots = np.unique(np.concatenate(parts))
        slots = slots[self._entry[slots] <= number]
        at_s = due_at_s[slots].astype(np.int64)
        self._leave_who_moved()
        self._entry[slots] = _AT_HAND
        now = np.flatnonzero(at_s < number * BUCKET_S)
        self.schedule(np.delete(slots, now), np.delete(at_s, now))
        slots, at_s = np.concatenate([self._at_hand, slots[now]]), np.concatenate([self._at_hand_s, at_s[now]])
        order = np.argsort(at_s, kind="stable")
        self._at_hand, self._at_hand_s = slots[order], at_s[order]
        return True

    def _take_first(self, last: int) -> tuple[int, Slots] | None:
        """Take the earliest bucket up to a narrow one: its number, if it is wide that of the last narrow one in it."""
        while self._wide.first * SPAN <= min(last, self._narrow.first):
            if (self._wide.first + 1) * SPAN <= min(last, self._narrow.first):
                self._opened, entries = self._wide.take_first()
                return (self._opened + 1) * SPAN - 1, entries
            self._open()
        return self._narrow.take_first() if self._narrow.first <= last else None

    def _leave_who_moved(self) -> None:
        """Let go of who was at hand and has been scheduled anew since."""
        stay = self._entry[self._at_hand] == _AT_HAND
        self._at_hand, self._at_hand_s = self._at_hand[stay], self._at_hand_s[stay]

    def _open(self) -> None:
        """Divide the earliest wide bucket among narrow ones."""
        self._opened, entries = self._wide.take_first()
        slots = np.unique(entries)
        bucket = self._entry[slots].astype(np.int64)
        live = bucket // SPAN == self._opened
        self._narrow.put(slots[live], bucket[live])

    def _put(self, slots: Slots, bucket: NDArray[np.int64]) -> None:
        is_far = bucket // SPAN > self._opened
        self._wide.put(slots[is_far], bucket[is_far] // SPAN)
        self._narrow.put(slots[~is_far], bucket[~is_far])

    def _drop_stale(self) -> None:
        """Keep the live entries only. Costs their number, and comes after at least as many stale ones were made."""
        self._leave_who_moved()
        live = np.flatnonzero(self._entry < _AT_HAND)
        self._wide, self._narrow = _Buckets(), _Buckets()
        self._put(live, self._entry[live].astype(np.int64))

    def _reserve(self, n: int) -> None:
        known = len(self._entry)
        if n > known:
            self._entry = grown(self._entry, n)
            self._entry[known:] = NEVER


class _Buckets:
    """Slots by bucket number, four bytes an entry.

    Attributes
    ----------
    size
        Number of entries.
    """

    def __init__(self) -> None:
        self._slots: dict[int, array[int]] = {}
        self._heap: list[int] = []
        self.size = 0

    @property
    def first(self) -> int:
        """The smallest number, `NEVER` if there is none."""
        return self._heap[0] if self._heap else NEVER

    def put(self, slots: Slots, number: NDArray[np.int64]) -> None:
        """Add entries, shape (n,) each."""
        order = np.argsort(number, kind="stable")
        entries, number = slots[order].astype(np.uint32), number[order]
        begin = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
        for a, b, bucket in zip(begin, [*begin[1:], len(entries)], number[begin].tolist(), strict=False):
            self._bucket(bucket).frombytes(entries[a:b].tobytes())
        self.size += len(entries)

    def take_first(self) -> tuple[int, Slots]:
        """Take out the bucket with the smallest number."""
        number = heapq.heappop(self._heap)
        slots = np.frombuffer(self._slots.pop(number), np.uint32).astype(np.intp)
        self.size -= len(slots)
        return number, slots

    def _bucket(self, number: int) -> "array[int]":
        bucket = self._slots.get(number)
        if bucket is None:
            bucket = self._slots[number] = array("I")
            heapq.heappush(self._heap, number)
        return bucket
