"""The inputs of a partition as one sequence in event time.

Kafka keeps order within a partition of one topic, not between topics. As Kafka Streams' PartitionGroup does (KIP-353,
KIP-695), records are taken from the input whose next record is earliest, and an input that is empty holds the others
back while the broker still has something for it. An input that has nothing to fetch is waited for only if it spoke
within the last `wait_s` seconds, so a dead feed costs nothing. No input is waited for longer than `PATIENCE_S`: a log
may end in markers that never become records, and a partition must not stick on them.

The order is that of (running maximum of the input's event time, input number, offset). It does not depend on how
records were cut into fetches, so a replay at full speed and live processing see the same sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
FAR = np.iinfo(np.int64).max

PATIENCE_S = 30.0
"""Longest wait for an input whose log seems to hold more: ten times a broker's pause, shorter than an SLO window."""


@dataclass
class _Input(Generic[T]):
    """What one input has delivered and not given away yet."""

    items: list[T] = field(default_factory=list)
    times_ms: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    last_time_ms: int = 0
    next_offset: int = 0
    end_offset: int | None = None
    spoke_at_s: float = float("-inf")
    quiet_since_s: float | None = None

    @property
    def has_more(self) -> bool:
        """Whether the broker holds records that have not been delivered; unknown counts as yes."""
        return self.end_offset is None or self.next_offset < self.end_offset

    def push(self, items: Sequence[tuple[int, T]]) -> None:
        """Add records with the running maximum of their times."""
        times_ms = np.fromiter((time_ms for time_ms, _ in items), np.int64, len(items))
        times_ms = np.maximum.accumulate(np.maximum(times_ms, self.last_time_ms))
        self.times_ms = np.concatenate([self.times_ms, times_ms])
        self.items.extend(item for _, item in items)
        self.last_time_ms = int(times_ms[-1])

    def pop(self, n: int) -> list[T]:
        """Take out the first n records."""
        taken = self.items[:n]
        del self.items[:n]
        self.times_ms = self.times_ms[n:]
        return taken

    def may_speak(self, now_s: float, wait_s: float) -> bool:
        """Whether the others have to wait for what this input delivers next."""
        if now_s - self.spoke_at_s < wait_s:
            return True
        if not self.has_more:
            self.quiet_since_s = None
            return False
        if self.quiet_since_s is None or self.items:
            self.quiet_since_s = now_s
        return now_s - self.quiet_since_s < PATIENCE_S


class Merge(Generic[T]):
    """Merges `n_inputs` sequences of (event time, record).

    Parameters
    ----------
    n_inputs
        Number of inputs, >= 1; earlier inputs win ties.
    wait_s
        Seconds an empty input that has just spoken is waited for, >= 0.

    Examples
    --------
    >>> merge = Merge(n_inputs=2, wait_s=0.0)
    >>> merge.push(0, [(10, "a"), (30, "c")], next_offset=2, now_s=0.0)
    >>> merge.push(1, [(20, "b")], next_offset=1, now_s=0.0)
    >>> merge.saw_end(0, 2)
    >>> merge.saw_end(1, 5)
    >>> merge.take(10, now_s=0.0)
    [(0, 'a'), (1, 'b')]
    >>> merge.saw_end(1, 1)
    >>> merge.take(10, now_s=0.0)
    [(0, 'c')]
    """

    def __init__(self, n_inputs: int, wait_s: float) -> None:
        self.wait_s = wait_s
        self._inputs: list[_Input[T]] = [_Input() for _ in range(n_inputs)]

    def push(self, number: int, items: Sequence[tuple[int, T]], next_offset: int, now_s: float) -> None:
        """Add what an input delivered.

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
        """
        source = self._inputs[number]
        source.push(items)
        source.next_offset = next_offset
        source.spoke_at_s = now_s
        source.quiet_since_s = None

    def saw_end(self, number: int, end_offset: int | None) -> None:
        """Note where the broker's log of an input ends (exclusive); None = not known yet."""
        self._inputs[number].end_offset = end_offset

    def start_at(self, number: int, offset: int) -> None:
        """Note where reading of an input begins."""
        self._inputs[number].next_offset = offset

    def buffered(self, number: int) -> int:
        """Records of one input that wait here."""
        return len(self._inputs[number].items)

    @property
    def caught_up(self) -> bool:
        """Nothing waits here and nothing is left to fetch on any input."""
        return all(not source.items and not source.has_more for source in self._inputs)

    def next_time_ms(self) -> int:
        """Running-maximum event time of the earliest waiting record, `FAR` when none waits."""
        return min((int(source.times_ms[0]) for source in self._inputs if source.items), default=int(FAR))

    def has_reached(self, time_ms: int, now_s: float) -> bool:
        """Whether a record at or after `time_ms` waits, and none before it waits or is still to come."""
        return time_ms <= self.next_time_ms() < FAR and time_ms <= self._frontier(now_s)[0]

    def take(self, limit: int, now_s: float, until_ms: int = int(FAR)) -> list[tuple[int, T]]:
        """Take up to `limit` records that no record still to come can precede: (input number, record).

        Records at or after `until_ms` stay: the caller has something to do at that time first.
        """
        times, numbers = self._candidates(limit)
        order = np.lexsort((numbers, times))[:limit]
        before_time, before_number = self._frontier(now_s)
        times, numbers = times[order], numbers[order]
        safe = (times < before_time) | ((times == before_time) & (numbers <= before_number))
        safe &= times < until_ms
        n_safe = len(safe) if safe.all() else int(np.argmin(safe))
        taken = numbers[:n_safe]
        counts = np.bincount(taken, minlength=len(self._inputs)).tolist()
        sequences = [iter(source.pop(count)) for source, count in zip(self._inputs, counts, strict=True)]
        return [(number, next(sequences[number])) for number in taken.tolist()]

    def _candidates(self, limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        times = [source.times_ms[:limit] for source in self._inputs]
        numbers = [np.full(len(part), number, np.int64) for number, part in enumerate(times)]
        return np.concatenate(times), np.concatenate(numbers)

    def _frontier(self, now_s: float) -> tuple[int, int]:
        """(time, input) that no record still to come can precede, as each input's running maximum only rises."""
        frontiers = [
            (source.last_time_ms, number)
            for number, source in enumerate(self._inputs)
            if source.may_speak(now_s, self.wait_s)
        ]
        return min(frontiers, default=(int(FAR), len(self._inputs)))
