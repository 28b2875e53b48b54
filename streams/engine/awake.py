"""A clock that stands still while its process does.

Whoever waits for an input counts the seconds in which the input could have been heard. A worker that was frozen, or
whose machine was moved, has heard nobody meanwhile: by the monotonic clock it would take every input for idle when it
wakes up, go on without them, and tell alerts that are not true before it learns that its session is over.
"""

from collections.abc import Callable

MOST_S = 2.0
"""What a single pause may count: a large batch, a slow collection of garbage. The line looks many times a second."""


class AwakeClock:
    """Seconds in which somebody asked for the time again and again.

    Parameters
    ----------
    clock
        Monotonic seconds.

    Examples
    --------
    >>> moments = iter([100.0, 100.5, 160.0])
    >>> awake = AwakeClock(lambda: next(moments))
    >>> awake.now_s(), awake.now_s()
    (0.5, 2.5)
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked_at_s = clock()
        self._now_s = 0.0

    def now_s(self) -> float:
        """Seconds awake since the beginning."""
        asked_at_s = self._clock()
        self._now_s += min(MOST_S, asked_at_s - self._asked_at_s)
        self._asked_at_s = asked_at_s
        return self._now_s
