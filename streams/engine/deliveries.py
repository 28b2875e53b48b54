"""When the records of an input that wait were delivered: one entry for each fetch, however many records it brought."""

from bisect import bisect_left


class Deliveries:
    """Moments of delivery by offset.

    Examples
    --------
    >>> deliveries = Deliveries()
    >>> deliveries.delivered(last=9, at_s=1.5), deliveries.delivered(last=12, at_s=2.5)
    (None, None)
    >>> deliveries.delivered_s(9), deliveries.delivered_s(10)
    (1.5, 2.5)
    """

    def __init__(self) -> None:
        self._last: list[int] = []
        self._at_s: list[float] = []

    def delivered(self, last: int, at_s: float) -> None:
        """Note a fetch by the offset of its last record; they come in rising order."""
        self._last.append(last)
        self._at_s.append(at_s)

    def delivered_s(self, offset: int) -> float:
        """When the record at an offset was delivered, on the clock of `delivered`."""
        return self._at_s[bisect_left(self._last, offset)]

    def applied_to(self, offset: int) -> None:
        """Forget fetches whose records are all before an offset: nobody asks for them again."""
        n = bisect_left(self._last, offset)
        del self._last[:n], self._at_s[:n]
