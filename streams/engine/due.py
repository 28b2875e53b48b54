"""When each silent customer wants to be looked at again: the due-time index of one partition.

Churn is an event that does not come, so nothing on a topic announces it. Each row carries `due_at`; this index finds
the rows whose time has come without looking at the others. It is a calendar of buckets (Brown 1988, Calendar queues)
with lazy entries: a row whose time moves later keeps its old entry, and is put back when that entry comes up. A row has
one live entry, and leaves a stale one behind each time its due moves earlier; those are dropped once they outnumber the
rows, so memory is bounded by the rows.
"""

import heapq
from collections import deque

import numpy as np
from numpy.typing import NDArray

BUCKET_S = 600
"""Width of a bucket: wide enough that a day is 144 of them, narrow enough that few rows in one are not yet due."""

NEVER = np.iinfo(np.int64).max


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
        self._buckets: dict[int, list[int]] = {}
        self._heap: list[int] = []
        self._entry: NDArray[np.int64] = np.full(64, NEVER, np.int64)
        self._size = 0

    def __len__(self) -> int:
        """Number of entries, stale ones included; at most twice the rows after `schedule`."""
        return self._size

    def schedule(self, slots: NDArray[np.intp], due_at_s: NDArray[np.int64]) -> None:
        """Make sure each slot is looked at no later than its due second; 0 means never.

        Parameters
        ----------
        slots
            Row numbers, shape (n,), each at most once.
        due_at_s
            Epoch seconds, shape (n,); 0 = nothing due.
        """
        self._schedule(slots, due_at_s)
        if self._size > 2 * len(self._entry):
            self._drop_stale()

    def next_at_s(self) -> int:
        """Start of the first bucket that holds entries; nothing is due before it (`NEVER` when empty)."""
        return self._heap[0] * BUCKET_S if self._heap else int(NEVER)

    def pop_before(self, stream_time_s: int, due_at_s: NDArray[np.integer], limit: int = 1 << 30) -> NDArray[np.intp]:
        """Take out the slots that are due strictly before the stream time.

        Strictly, so that an event in the same second is always applied first, however batches were cut.

        Parameters
        ----------
        stream_time_s
            Epoch seconds.
        due_at_s
            The `due_at` column of all rows, shape (rows,); the truth that entries are checked against.
        limit
            Stop after the bucket in which this many were found, so that timers share the loop with events.

        Returns
        -------
        Slots whose due second has passed, shape (m,), in the order of their buckets. They have no entry any more:
        schedule them again.
        """
        due: list[NDArray[np.intp]] = []
        passed = self._passed(stream_time_s)
        while passed and sum(map(len, due)) < limit:
            number = passed.popleft()
            entries = self._buckets.pop(number)
            self._size -= len(entries)
            slots = np.unique(np.array(entries, np.intp))
            slots = slots[self._entry[slots] == number]
            self._entry[slots] = NEVER
            at = due_at_s[slots].astype(np.int64)
            is_due = (at > 0) & (at < stream_time_s)
            self._schedule(slots[~is_due], at[~is_due])
            due.append(slots[is_due])
        for number in passed:
            heapq.heappush(self._heap, number)
        return np.concatenate(due) if due else np.empty(0, np.intp)

    def _schedule(self, slots: NDArray[np.intp], due_at_s: NDArray[np.int64]) -> None:
        if not len(slots):
            return
        self._reserve(int(slots.max()) + 1)
        bucket = np.where(due_at_s > 0, due_at_s // BUCKET_S, NEVER)
        sooner = bucket < self._entry[slots]
        slots, bucket = slots[sooner], bucket[sooner]
        self._entry[slots] = bucket
        for slot, number in zip(slots.tolist(), bucket.tolist(), strict=True):
            self._put(slot, number)

    def _passed(self, stream_time_s: int) -> deque[int]:
        """Numbers of the buckets that begin before the stream time, taken off the heap at once.

        At once, because what is put back may land in the bucket the stream time is in, and must not be met again.
        """
        numbers: deque[int] = deque()
        while self._heap and self._heap[0] * BUCKET_S < stream_time_s:
            numbers.append(heapq.heappop(self._heap))
        return numbers

    def _drop_stale(self) -> None:
        """Keep the live entries only. Costs their number, and comes after at least as many stale ones were made."""
        live = np.flatnonzero(self._entry != NEVER)
        self._buckets, self._heap, self._size = {}, [], 0
        for slot, number in zip(live.tolist(), self._entry[live].tolist(), strict=True):
            self._put(slot, number)

    def _put(self, slot: int, number: int) -> None:
        self._size += 1
        bucket = self._buckets.get(number)
        if bucket is None:
            self._buckets[number] = [slot]
            heapq.heappush(self._heap, number)
        else:
            bucket.append(slot)

    def _reserve(self, n: int) -> None:
        if n > len(self._entry):
            grown = np.full(max(n, len(self._entry) * 5 // 4), NEVER, np.int64)
            grown[: len(self._entry)] = self._entry
            self._entry = grown
