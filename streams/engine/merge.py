"""The inputs of a partition as one sequence in event time.

Kafka keeps order within a partition of one topic, not between topics. As Kafka Streams' PartitionGroup does (KIP-353,
KIP-695), records are taken from the input whose next record is earliest, and an input that is empty holds the others
back while the broker still has something for it. An input that has nothing to fetch is waited for only if it spoke, or
reading of it began, within the last `wait_s` seconds, so a dead feed costs nothing. No input is waited for longer than
`turns.PATIENCE_S`: what its log still holds may never come, and a partition must not stick on it. The markers that
transactions leave behind are no records: who tells a merge where logs end leaves them out (`BatchConsumer.end_of`).

Records of one input may arrive out of order by as much as `disorder_ms` and are put in order. The order is that of
(turn, input number, offset); `streams.engine.turns` says what a turn is. It does not depend on how records were cut
into fetches, nor, within the bound, on the order they arrived in. So a replay at full speed and live processing see the
same sequence. With a bound of 0 the turn is the running maximum of the input's event times, and nothing waits. With a
bound nobody can tell an idle input from a tardy one, so the latest records wait until others, or the wall clock, are
past them by the bound.

References
----------
.. [1] Akidau et al. (2015), The Dataflow Model: watermarks. Flink calls this one "bounded out-of-orderness".
"""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from streams.engine.turns import Bookmark, Turns

T = TypeVar("T")
FAR = np.iinfo(np.int64).max


class Merge(Generic[T]):
    """Merges `n_inputs` sequences of (event time, record).

    Parameters
    ----------
    n_inputs
        Number of inputs, >= 1; earlier inputs win ties.
    wait_s
        Seconds an empty input that has just spoken is waited for, >= 0.
    disorder_ms
        How much earlier than the latest record before it a record may be and still be put in order, >= 0.

    Examples
    --------
    >>> merge = Merge(n_inputs=2, wait_s=0.0)
    >>> merge.push(0, [(10, "a"), (30, "c")], next_offset=2, now_s=0.0).tolist()
    [10, 30]
    >>> merge.push(1, [(20, "b")], next_offset=1, now_s=0.0).tolist()
    [20]
    >>> merge.saw_end(0, 2)
    >>> merge.saw_end(1, 5)
    >>> merge.take(10, now_s=0.0)
    [(0, 'a'), (1, 'b')]
    >>> merge.saw_end(1, 1)
    >>> merge.take(10, now_s=0.0)
    [(0, 'c')]
    """

    def __init__(self, n_inputs: int, wait_s: float, disorder_ms: int = 0) -> None:
        self.wait_s = wait_s
        self.disorder_ms = disorder_ms
        self._inputs: list[Turns[T]] = [Turns(disorder_ms) for _ in range(n_inputs)]
        self._last_ends: list[int | None] = [None] * n_inputs

    def push(
        self,
        number: int,
        items: Sequence[tuple[int, T]],
        next_offset: int,
        now_s: float,
        offsets: Sequence[int] = (),
    ) -> NDArray[np.int64]:
        """Add what an input delivered; gives the latest event time up to each record, epoch ms, shape (n,).

        Parameters
        ----------
        number
            Input number.
        items
            (event time in epoch ms, record) in offset order; a record without a usable time has 0 and stays in place.
        next_offset
            Offset after the last delivered one.
        now_s
            Monotonic clock, seconds.
        offsets
            Of the records, where they may be read again after a crash.
        """
        source = self._inputs[number]
        latest_ms = source.push(items, next_offset, offsets)
        source.spoke_at_s = now_s
        source.quiet_since_s = None
        return latest_ms

    def saw_end(self, number: int, end_offset: int | None) -> None:
        """Note where the broker's log of an input ends (exclusive); None = not known yet."""
        self._inputs[number].end_offset = end_offset
        if end_offset is not None:
            self._last_ends[number] = end_offset

    def last_end(self, number: int) -> int | None:
        """Where the broker's log of an input ended (exclusive) when that was last known; None = never yet."""
        return self._last_ends[number]

    def start_at(self, number: int, offset: int, bookmarks: Iterable[Bookmark] = (), now_s: float = -np.inf) -> None:
        """Note where reading of an input begins, and what was known when it was read before.

        At `now_s`, monotonic seconds, it counts as having just spoken: who has spoken to a former reader may go on.
        """
        self._inputs[number].start_at(offset, bookmarks)
        self._inputs[number].spoke_at_s = now_s

    def commit(self, number: int, offset: int, latest_ms: int) -> list[Bookmark]:
        """Note what is about to be committed of an input; gives the bookmarks to write (`Turns.commit`)."""
        return self._inputs[number].commit(offset, latest_ms)

    def bookmarks(self, number: int) -> list[Bookmark]:
        """Return what reading an input again has to know (`Turns.bookmarks`)."""
        return list(self._inputs[number].bookmarks)

    def buffered(self, number: int) -> int:
        """Records of one input that wait here for others, or for somebody to take them; not those to be put in order.

        The latter are as many as come within the bound, and holding the input back would not bring their turn.
        """
        source = self._inputs[number]
        return int(np.searchsorted(source.turns_ms, source.latest_ms - self.disorder_ms, side="right"))

    @property
    def caught_up(self) -> bool:
        """Nothing is left to fetch on any input, and what waits here only waits for its time."""
        return not any(source.has_more for source in self._inputs) and (
            self.disorder_ms > 0 or not any(source.items for source in self._inputs)
        )

    def next_time_ms(self) -> int:
        """Turn of the earliest waiting record, `FAR` when none waits."""
        return min((int(source.turns_ms[0]) for source in self._inputs if source.items), default=int(FAR))

    def has_reached(self, time_ms: int, now_s: float, wall_ms: int = 0) -> bool:
        """Whether a record at or after `time_ms` waits, and none before it waits or is still to come."""
        return time_ms <= self.next_time_ms() < FAR and time_ms <= self._frontier(now_s, wall_ms)[0]

    def take(self, limit: int, now_s: float, until_ms: int = int(FAR), wall_ms: int = 0) -> list[tuple[int, T]]:
        """Take up to `limit` records that no record still to come can precede: (input number, record).

        Parameters
        ----------
        limit
            Most records to take.
        now_s
            Monotonic clock, seconds.
        until_ms
            Records at or after it stay: the caller has something to do at that time first.
        wall_ms
            The wall clock where it counts, else 0: once caught up, nothing is still to come from further back than
            the bound.
        """
        times, numbers = self._candidates(limit)
        order = np.lexsort((numbers, times))[:limit]
        before_time, before_number = self._frontier(now_s, wall_ms)
        times, numbers = times[order], numbers[order]
        safe = (times < before_time) | ((times == before_time) & (numbers <= before_number))
        safe &= times < until_ms
        n_safe = len(safe) if safe.all() else int(np.argmin(safe))
        taken = numbers[:n_safe]
        counts = np.bincount(taken, minlength=len(self._inputs)).tolist()
        sequences = [iter(source.pop(count)) for source, count in zip(self._inputs, counts, strict=True)]
        return [(number, next(sequences[number])) for number in taken.tolist()]

    def _candidates(self, limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        times = [source.turns_ms[:limit] for source in self._inputs]
        numbers = [np.full(len(part), number, np.int64) for number, part in enumerate(times)]
        return np.concatenate(times), np.concatenate(numbers)

    def _frontier(self, now_s: float, wall_ms: int) -> tuple[int, int]:
        """(turn, input) that no record still to come can precede, as what each input has come to only rises."""
        speakers = [source.may_speak(now_s, self.wait_s) for source in self._inputs]
        if self.disorder_ms:
            self._raise_idle(speakers, wall_ms)
            speakers = [True] * len(speakers)
        frontiers = [
            (source.latest_ms - self.disorder_ms, number)
            for number, (source, speaks) in enumerate(zip(self._inputs, speakers, strict=True))
            if speaks
        ]
        return min(frontiers, default=(int(FAR), len(self._inputs)))

    def _raise_idle(self, speakers: list[bool], wall_ms: int) -> None:
        """Take idle inputs along with the furthest, or once caught up with the wall clock."""
        latest_ms = max(source.latest_ms for source in self._inputs)
        believed_ms = max(latest_ms, wall_ms) if self.caught_up else latest_ms
        for source, speaks in zip(self._inputs, speakers, strict=True):
            if not speaks:
                source.raise_to(believed_ms)
