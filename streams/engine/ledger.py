"""Which fetched records have been applied, and therefore how far a source partition may be committed.

A fetched batch is a span of offsets. Offsets inside a span may have holes (compaction, transaction markers), so spans
are tracked as fetched, never as ranges that must be complete. Faust's own book-keeping is not used: it forgets gaps
after offset 0, and commits past messages in flight (upstream issues 502 and 606).

Guarantee: `committable` never passes a record that was fetched and not applied, and it reaches the end of everything
applied as soon as that is contiguous.
"""

from collections import deque


class LedgerError(RuntimeError):
    """The order of fetch, delivery and application was broken; going on could skip records."""


class Ledger:
    """Fetched, delivered and applied offsets of one source partition.

    Examples
    --------
    >>> ledger = Ledger()
    >>> ledger.fetched(0, 9)
    >>> ledger.delivered(0, 9)
    >>> ledger.applied(4)
    >>> ledger.committable
    5
    >>> ledger.applied(9)
    >>> ledger.committable
    10
    """

    def __init__(self) -> None:
        self._in_flight: deque[tuple[int, int]] = deque()
        self._last_fetched = -1
        self._last_delivered = -1
        self._last_applied = -1

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

    def delivered(self, first: int, last: int) -> None:
        """Note that the span reached the partition task.

        Raises
        ------
        LedgerError
            An earlier span was fetched and never arrived: committing past it would lose it.
        """
        if not self._in_flight or self._in_flight[0] != (first, last):
            head = self._in_flight[0] if self._in_flight else None
            raise LedgerError(f"delivered {first}..{last}, expected {head}")
        self._in_flight.popleft()
        self._last_delivered = last

    def applied(self, offset: int) -> None:
        """Note that every delivered record up to and including this offset has had its effect.

        Raises
        ------
        LedgerError
            The offset was not delivered, or was applied before.
        """
        if not self._last_applied < offset <= self._last_delivered:
            raise LedgerError(f"applied {offset}, expected one in ({self._last_applied}, {self._last_delivered}]")
        self._last_applied = offset

    @property
    def committable(self) -> int | None:
        """Offset to commit (the next one to read), or None while nothing has been applied."""
        return self._last_applied + 1 if self._last_applied >= 0 else None

    @property
    def unapplied(self) -> bool:
        """Whether something was fetched and has not had its effect yet."""
        return self._last_fetched > self._last_applied
