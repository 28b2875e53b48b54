"""Which model is in effect at which stream time.

A version takes effect at a stream time it names; a partition that has not come there yet switches at that very event,
so a replay can score with the recorded versions. Learning is asynchronous: at full speed a partition may be past that
time when the version arrives, and switches at once. A pinned book (`YOCHO_LEARN=off`) holds one model for good.
"""

import bisect

from models import snapshot as snapshots
from models.scorer import Scorer
from models.snapshot import SnapshotError


class ModelBook:
    """Scorers by the stream time they take effect at.

    Of two that name the same second the one with more labels comes last; with as many, the one that arrived later,
    which has learnt more steps.

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
        self._known = {cold.version}
        self._forgotten = (-1, -1)
        self._kept: Scorer | None = None

    def add(self, scorer: Scorer) -> bool:
        """Enter a version; False when it was known already, which changes nothing."""
        if scorer.version in self._known or _rank(scorer) < self._forgotten:
            return False
        self._known.add(scorer.version)
        bisect.insort(self._scorers, scorer, key=_rank)
        return True

    def forget_before(self, stream_time_s: int) -> None:
        """Let go of what nobody needs who is at a stream time or past it, cold scorer included.

        Who asks for an earlier time all the same gets the oldest version there is.
        """
        n = bisect.bisect_right(self._scorers, stream_time_s, key=lambda known: known.effective_at_s) - 1
        if n > 0:
            self._known.difference_update(scorer.version for scorer in self._scorers[:n])
            del self._scorers[:n]
            self._forgotten = _rank(self._scorers[0])

    def __len__(self) -> int:
        return len(self._scorers)

    def enter(self, key: bytes, value: bytes) -> Scorer | None:
        """Add a published snapshot.

        Parameters
        ----------
        key, value
            Of its record.

        Returns
        -------
        Scorer or None
            The scorer that is ready now; None when it was known already.

        Raises
        ------
        NewerVersionError
            A newer release published it; the book stays as it is.
        SnapshotError
            It cannot be used, or was trained for another target; the book stays as it is.
        """
        scorer = Scorer.of(snapshots.decode(value))
        if scorer.target != self.target:
            raise SnapshotError(f"model {key!r} predicts {scorer.target}, this worker {self.target}")
        return scorer if self.add(scorer) else None

    @property
    def newest(self) -> Scorer:
        """The version that takes effect last."""
        return self._scorers[-1]

    def in_effect(self, stream_time_s: int) -> Scorer:
        """The version to score with at a stream time."""
        if self.pinned:
            self._kept = self._kept or self.newest
            return self._kept
        place = bisect.bisect_right(self._scorers, stream_time_s, key=lambda known: known.effective_at_s)
        return self._scorers[max(place - 1, 0)]

    def following(self, scorer: Scorer) -> Scorer | None:
        """The version that comes after this one, None when it is the last or the book is pinned."""
        if self.pinned:
            return None
        place = bisect.bisect_left(self._scorers, _rank(scorer), key=_rank)
        ties = self._scorers[place : bisect.bisect_right(self._scorers, _rank(scorer), key=_rank)]
        for tie in ties:
            place += 1
            if tie.version == scorer.version:
                break
        return self._scorers[place] if place < len(self._scorers) else None


def _rank(scorer: Scorer) -> tuple[int, int]:
    return scorer.effective_at_s, scorer.n_labels
