"""Which model is in effect at which stream time.

A version takes effect at a stream time it names; a partition that has not come there yet switches at that very event,
so a replay can score with the recorded versions. Learning is asynchronous: at full speed a partition may be past that
time when the version arrives, and switches at once. A pinned book (`YOCHO_LEARN=off`) holds one model for good.
"""

import bisect
from typing import Any

from models.scorer import Scorer
from models.snapshot import SnapshotError


class ModelBook:
    """Scorers by the stream time they take effect at.

    Parameters
    ----------
    cold
        Scorer before any snapshot; in effect from the beginning of time.
    pinned
        Keep to the newest scorer known when first asked, and never switch.
    """

    def __init__(self, cold: Scorer, *, pinned: bool) -> None:
        self.pinned = pinned
        self.target = cold.target
        self._scorers = [cold]
        self._kept: Scorer | None = None

    def add(self, scorer: Scorer) -> None:
        """Enter a version; one that is known already changes nothing."""
        if all(known.version != scorer.version for known in self._scorers):
            bisect.insort(self._scorers, scorer, key=lambda known: (known.effective_at_s, known.n_labels))

    def enter(self, key: bytes, snapshot: dict[str, Any]) -> None:
        """Add a published snapshot.

        Raises
        ------
        SnapshotError
            It cannot be used, or was trained for another target; the book stays as it is.
        """
        scorer = Scorer.from_snapshot(snapshot)
        if scorer.target != self.target:
            raise SnapshotError(f"model {key!r} predicts {scorer.target}, this worker {self.target}")
        self.add(scorer)

    @property
    def newest(self) -> Scorer:
        """The version that takes effect last."""
        return self._scorers[-1]

    def in_effect(self, stream_time_s: int) -> Scorer:
        """The version to score with at a stream time."""
        if self.pinned:
            self._kept = self._kept or self.newest
            return self._kept
        return [scorer for scorer in self._scorers if scorer.effective_at_s <= stream_time_s][-1]

    def following(self, scorer: Scorer) -> Scorer | None:
        """The version that comes after this one, None when it is the last or the book is pinned."""
        if self.pinned:
            return None
        later = [s for s in self._scorers if (s.effective_at_s, s.n_labels) > (scorer.effective_at_s, scorer.n_labels)]
        return later[0] if later else None
