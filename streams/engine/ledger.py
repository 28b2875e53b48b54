"""Which fetched records have been applied, and therefore how far a source partition may be committed.

A fetched batch is a span of offsets. Offsets inside a span may have holes (compaction, transaction markers), so spans
are tracked as fetched, and records as delivered, never as ranges that must be complete. Records may be applied in
another order than that of their offsets (`streams.engine.merge` puts them in order of event time). Faust's own
book-keeping is not used: it forgets gaps after offset 0, and commits past messages in flight (upstream issues 502 and
606).

Guarantee: `committable` never passes a record that was fetched and not applied, and it reaches the end of everything
applied as soon as that is contiguous.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
_NONE = np.empty(0, np.int64)


class LedgerError(RuntimeError):
    """The order of fetch, delivery and application was broken; going on could skip records."""


class Ledger:
    """Fetched, delivered and applied offsets of one source partition.

    Parameters
    ----------
    begin
        Where reading begins.

    Attributes
    ----------
    committable
        Offset to commit (the next one to read), or None while nothing may be.
    latest_ms
        Latest event time of all records before `committable`, epoch milliseconds; what reading on from there has to
        know (`streams.engine.merge.Merge.start_at`).

    Examples
    --------
    >>> ledger = Ledger()
    >>> ledger.fetched(0, 2)
    >>> ledger.delivered([0, 1, 2], np.array([10, 30, 30]))
    >>> ledger.applied([2, 0])
    >>> ledger.committable, ledger.latest_ms
    (1, 10)
    >>> ledger.applied([1])
    >>> ledger.committable, ledger.latest_ms
    (3, 30)
    """

    def __init__(self, begin: int = 0) -> None:
        self._begin = begin
        self.committable: int | None = None
        self.latest_ms = 0
        self._in_flight: deque[tuple[int, int]] = deque()
        self._last_fetched = -1
        self._offsets, self._latest_ms, self._done = _NONE, _NONE, np.empty(0, np.bool_)

    def fetched(self, first: int, last: int) -> None:
        """Note a span that left the consumer; spans come in rising order.

        Raises
        ------
        LedgerError
            The span overlaps an earlier one, so a seek went unnoticed.
        """
        if first <= self._last_fetched or last < first:
            raise LedgerError(f"fetched {first}..{last} after {self._last_fetched}")
        self._in_flight.append((first, last))
        self._last_fetched = last

    def delivered(self, offsets: Sequence[int], latest_ms: Numbers) -> None:
        """Note that a span reached the partition task.

        Parameters
        ----------
        offsets
            Of its records, rising, shape (n,).
        latest_ms
            Latest event time up to and including each of them, epoch milliseconds, shape (n,).

        Raises
        ------
        LedgerError
            An earlier span was fetched and never arrived: committing past it would lose it.
        """
        span = offsets[0], offsets[-1]
        if not self._in_flight or self._in_flight[0] != span:
            head = self._in_flight[0] if self._in_flight else None
            raise LedgerError(f"delivered {span[0]}..{span[1]}, expected {head}")
        self._in_flight.popleft()
        self._offsets = np.concatenate([self._offsets, np.asarray(offsets, np.int64)])
        self._latest_ms = np.concatenate([self._latest_ms, latest_ms])
        self._done = np.concatenate([self._done, np.zeros(len(offsets), np.bool_)])

    def applied(self, offsets: Sequence[int]) -> None:
        """Note that these delivered records have had their effect.

        Raises
        ------
        LedgerError
            One was not delivered, or was applied before.
        """
        wanted = np.asarray(offsets, np.int64)
        places = np.searchsorted(self._offsets, wanted)
        known = places < len(self._offsets)
        known[known] = (self._offsets[places[known]] == wanted[known]) & ~self._done[places[known]]
        if not known.all() or len(set(offsets)) < len(offsets):
            raise LedgerError(f"applied {wanted[~known].tolist()[:3]}, not delivered or applied before")
        self._done[places] = True
        n = len(self._done) if self._done.all() else int(self._done.argmin())
        if n:
            self.committable, self.latest_ms = int(self._offsets[n - 1]) + 1, int(self._latest_ms[n - 1])
            self._offsets, self._latest_ms, self._done = self._offsets[n:], self._latest_ms[n:], self._done[n:]

    @property
    def position(self) -> int:
        """The first offset that has not had its effect."""
        return self._begin if self.committable is None else self.committable

    @property
    def n_waiting(self) -> int:
        """Records that were delivered and have not had their effect."""
        return len(self._done) - int(np.count_nonzero(self._done))

    @property
    def unapplied(self) -> bool:
        """Whether something was fetched and has not had its effect yet."""
        return bool(self._in_flight) or len(self._offsets) > 0
