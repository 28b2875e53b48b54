"""Under which offset an event is applied, where events are put in order of event time before they are applied.

A row knows the last offset applied from each source and takes everything up to it for a redelivery. That asks for
rising offsets, and events that arrived out of order are not applied in theirs. So a customer's events get each other's
offsets: the first one applied gets the lowest offset among those of the customer that were delivered and not applied
yet. As records are delivered in the order of their offsets, the n-th applied gets the n-th lowest there is.

After a crash reading goes on at the first record that was not applied (`streams.engine.ledger`). Of a customer's
redelivered records those that had been applied come first in event time, so they get the offsets up to the one the row
knows, and the others get later ones: nothing is lost and nothing counts twice.
"""

from collections import deque
from collections.abc import Hashable


class Places:
    """Offsets of delivered records that are not applied yet, by customer and source partition.

    Examples
    --------
    >>> places = Places()
    >>> for offset in (3, 7, 8):
    ...     places.delivered("c1", offset)
    >>> places.taken("c1"), places.taken("c1")
    (3, 7)
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[int]] = {}

    def delivered(self, whose: Hashable, offset: int) -> None:
        """Note a record that was delivered; offsets come in rising order."""
        self._waiting.setdefault(whose, deque()).append(offset)

    def taken(self, whose: Hashable) -> int:
        """Give the offset under which their next event is applied.

        Raises
        ------
        KeyError
            Nothing of theirs waits.
        """
        waiting = self._waiting[whose]
        offset = waiting.popleft()
        if not waiting:
            del self._waiting[whose]
        return offset

    def clear(self) -> None:
        """Forget everything: reading begins anew."""
        self._waiting.clear()
