"""How many labels of one kind have been learnt, and over what span of stream time.

Second line, in the mixture: tells how much event time lies between groups, and whether an expert has seen enough.
"""

from typing import Any

from models.experts.second_order import finite
from models.target import DAY_S


class Progress:
    """Counts labels of one kind.

    Attributes
    ----------
    n
        Labels learnt.
    first_at_s, last_at_s
        When the first and the newest of them resolved, epoch seconds; 0 = none yet.

    Examples
    --------
    >>> progress = Progress()
    >>> progress.advance(100, 1_000_000_000), progress.advance(50, 1_000_086_400)
    (0.0, 1.0)
    >>> progress.n, progress.span_s
    (150, 86400)
    """

    def __init__(self) -> None:
        self.n = self.first_at_s = self.last_at_s = 0

    def advance(self, n: int, at_s: int) -> float:
        """Count n labels resolved by a moment, and return the days since the newest before; 0 for the first."""
        days = max(at_s - self.last_at_s, 0) / DAY_S if self.last_at_s else 0.0
        self.n += n
        self.first_at_s = self.first_at_s or at_s
        self.last_at_s = max(self.last_at_s, at_s)
        return days

    @property
    def span_s(self) -> int:
        """Stream time from the first to the newest, seconds."""
        return self.last_at_s - self.first_at_s

    def to_dict(self) -> dict[str, Any]:
        """Write everything down as plain numbers."""
        return {"n": self.n, "first_at_s": self.first_at_s, "last_at_s": self.last_at_s}

    def load(self, plain: dict[str, Any]) -> None:
        """Go on from what `to_dict` gave; ValueError when it is damaged."""
        numbers = finite([plain[name] for name in ("n", "first_at_s", "last_at_s")], 3)
        self.n, self.first_at_s, self.last_at_s = map(int, numbers)
