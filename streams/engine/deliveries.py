"""When the records of an input that wait were delivered: one entry for each fetch, however many records it brought."""

from bisect import bisect_left
from typing import NamedTuple


class Delivery(NamedTuple):
    """When a fetch was handed over, and when it was decoded."""

    arrived_s: float
    decoded_s: float


class Deliveries:
    """Moments of delivery by offset.

    Examples
    --------
    >>> deliveries = Deliveries()
    >>> deliveries.delivered(9, Delivery(1.0, 1.5)), deliveries.delivered(12, Delivery(2.0, 2.5))
    (None, None)
    >>> deliveries.of(9).decoded_s, deliveries.of(10).decoded_s
    (1.5, 2.5)
    """

    def __init__(self) -> None:
        self._last: list[int] = []
        self._deliveries: list[Delivery] = []

    def delivered(self, last: int, delivery: Delivery) -> None:
        """Note a fetch by the offset of its last record; they come in rising order."""
        self._last.append(last)
        self._deliveries.append(delivery)

    def of(self, offset: int) -> Delivery:
        """Tell with which fetch the record at an offset came."""
        return self._deliveries[bisect_left(self._last, offset)]

    def applied_to(self, offset: int) -> None:
        """Forget fetches whose records are all before an offset: nobody asks for them again."""
        n = bisect_left(self._last, offset)
        del self._last[:n], self._deliveries[:n]
