"""One input of a partition: what it has delivered and not given away yet, each record at its turn.

An input is believed to have come as far as its latest event time, less the disorder that is allowed. A record's *turn*
is its event time, but not before that. An idle input is believed to go with the others, or with the wall clock, so that
nobody waits for it; it is *raised*.

The turns decide in which order and under which offsets (`streams.engine.places`) a customer's events are applied, so
whoever reads a record again must give it the same turn, although neither the records before it nor the idle time come
again. Therefore each input keeps *bookmarks*: (offset, how far the input had come before the record at it), for the
last commits and for each time it was raised since. They are written ahead of the state that was made with them
(`streams.engine.changelog`); a crash between the two, or a commit of offsets that fails, leaves an earlier commit.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Bookmark = tuple[int, int]
"""Offset, epoch milliseconds of event time."""

_COMMITS = 8  # one may fail, and a second after it; more than that ends the worker

PATIENCE_S = 45.0
"""Longest wait for an input whose log seems to hold more: a fetch whose answer is lost is asked for again after 30 s
(`streams.app.REQUEST_TIMEOUT_S`); shorter than an SLO window."""


@dataclass
class Turns(Generic[T]):
    """What one input has delivered and not given away yet.

    Parameters
    ----------
    disorder_ms
        How much earlier than the latest before it a record may be and still be put in order.

    Attributes
    ----------
    items, turns_ms
        Waiting records and their turns, rising.
    latest_ms
        How far the input has come, before the disorder is taken off.
    bookmarks
        What reading from a committed offset on has to know.

    Examples
    --------
    >>> turns = Turns(disorder_ms=10)
    >>> turns.push([(100, "a"), (95, "b"), (80, "late")], next_offset=3).tolist()
    [100, 100, 100]
    >>> turns.items, turns.turns_ms.tolist()
    (['late', 'b', 'a'], [90, 95, 100])
    """

    disorder_ms: int
    items: list[T] = field(default_factory=list)
    turns_ms: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    latest_ms: int = 0
    next_offset: int = 0
    end_offset: int | None = None
    spoke_at_s: float = float("-inf")
    quiet_since_s: float | None = None
    bookmarks: list[Bookmark] = field(default_factory=list)
    _committed: deque[int] = field(default_factory=lambda: deque([0], _COMMITS))

    @property
    def has_more(self) -> bool:
        """Whether the broker holds records that have not been delivered; unknown counts as yes."""
        return self.end_offset is None or self.next_offset < self.end_offset

    def start_at(self, offset: int, bookmarks: Iterable[Bookmark]) -> None:
        """Read from an offset on, with what was known when it was read before."""
        known = [(at, latest_ms) for at, latest_ms in bookmarks]
        self.next_offset = offset
        self._committed = deque([offset], _COMMITS)
        self.latest_ms = max((latest_ms for at, latest_ms in known if at <= offset), default=0)
        self.bookmarks = [(offset, self.latest_ms), *((at, latest_ms) for at, latest_ms in known if at > offset)]

    def push(self, items: Sequence[tuple[int, T]], next_offset: int, offsets: Sequence[int] = ()) -> NDArray[np.int64]:
        """Put (event time in ms, record) at their turns; gives how far the input had come with each, shape (n,)."""
        event_ms = np.fromiter((time_ms for time_ms, _ in items), np.int64, len(items))
        latest_ms = np.maximum.accumulate(np.maximum(event_ms, self._known_before(offsets, len(items))))
        self.latest_ms, self.next_offset = int(latest_ms[-1]), next_offset
        self.turns_ms = np.concatenate([self.turns_ms, np.maximum(event_ms, latest_ms - self.disorder_ms)])
        self.items.extend(item for _, item in items)
        if self.disorder_ms:
            order = np.argsort(self.turns_ms, kind="stable")
            self.turns_ms = self.turns_ms[order]
            self.items = [self.items[place] for place in order.tolist()]
        return latest_ms

    def pop(self, n: int) -> list[T]:
        """Take out the first n records."""
        taken = self.items[:n]
        del self.items[:n]
        self.turns_ms = self.turns_ms[n:]
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

    def raise_to(self, latest_ms: int) -> None:
        """Believe that the input has come this far, as it is idle."""
        if latest_ms > self.latest_ms:
            self.latest_ms = latest_ms
            self.bookmarks = [mark for mark in self.bookmarks if mark[0] != self.next_offset]
            self.bookmarks.append((self.next_offset, latest_ms))

    def commit(self, offset: int, latest_ms: int) -> list[Bookmark]:
        """Note what is about to be committed, and how far the records before it had brought the input.

        Returns
        -------
        list of (offset, epoch ms)
            Bookmarks from the last commits on, rising.
        """
        kept = {at: ms for at, ms in self.bookmarks if at >= self._committed[0]}
        kept[offset] = max(latest_ms, kept.get(offset, 0))
        self.bookmarks = sorted(kept.items())
        if offset > self._committed[-1]:
            self._committed.append(offset)
        return list(self.bookmarks)

    def _known_before(self, offsets: Sequence[int], n: int) -> NDArray[np.int64]:
        """How far the input was known to have come before each record, for records that are read again."""
        known = np.full(n, self.latest_ms, np.int64)
        for at, latest_ms in self.bookmarks:
            if offsets and self.next_offset <= at <= offsets[-1]:  # one before is in `latest_ms` already
                later = known[np.searchsorted(np.asarray(offsets), at) :]
                np.maximum(later, latest_ms, out=later)
        return known
