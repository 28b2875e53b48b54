"""After a switch of models, everybody's next look is reconsidered, each customer at a second of their own.

Serves the first line. A look is planned with the model of its day; when another takes effect at second s, some
crossings come sooner than planned. To solve them all at once would hold the events back, so each customer is revisited
(`models.watch.Watch.revisit`) at s plus an offset, up to a tolerance, that the hash in their row names. The second is
part of the customer's history like any look: before it their old plan stands, and what is found does not depend on
batches. An alert comes at most one tolerance after the second at which the new model, asked at s, would have raised it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.pending import PHASES
from models.watch import NEVER
from streams.engine.partition import PartitionRows
from streams.engine.texts import Slots

Seconds = NDArray[np.int64]

PART = "model"
"""Name under which a partition remembers which model it follows."""


class Replan:
    """Who on a partition has still to be revisited after its last switch, nobody at first.

    Parameters
    ----------
    version
        The model that the partition follows.
    begin_s
        When it took effect there, epoch seconds of stream time.
    spread_s
        Time over which revisits are spread, seconds.

    Attributes
    ----------
    reached_s
        All revisits before this second are done.

    Examples
    --------
    >>> replan = Replan("n000001", begin_s=1000, spread_s=100)
    >>> replan.plan(np.array([0, 1, 2]), np.array([0, 65_535, 32_768]))
    >>> replan.at(np.array([0, 1, 2])).tolist()
    [1000, 1099, 1050]
    >>> replan.pop_before(1051, limit=5).tolist(), replan.reached_s
    ([0, 2], 1051)
    """

    def __init__(self, version: str, begin_s: int, spread_s: int) -> None:
        self.version = version
        self.begin_s = begin_s
        self.spread_s = spread_s
        self.reached_s = begin_s
        self._order = np.empty(0, np.uint32)
        self._at = np.empty(0, np.uint32)

    @classmethod
    def switched(cls, partition: PartitionRows, version: str, begin_s: int, spread_s: int) -> "Replan":
        """A model takes effect now: everybody is revisited."""
        replan = cls(version, begin_s, spread_s)
        replan.plan(*_customers(partition))
        partition.memory[PART] = replan
        return replan

    @classmethod
    def resumed(cls, partition: PartitionRows, version: str, effective_at_s: int, spread_s: int) -> "Replan":
        """Go on where the partition stands, with the model in effect there.

        If that is another model than the partition followed, it takes effect now; if nothing is remembered, it did when
        it said. Who is revisited twice for that, is planned with the same model twice.
        """
        known = _remembered(partition)
        if known is None:
            known = {"version": version, "begin_s": effective_at_s, "reached_s": partition.stream_time_s}
        if known["version"] != version:
            return cls.switched(partition, version, partition.stream_time_s, spread_s)
        replan = cls(version, known["begin_s"], spread_s)
        replan.reached_s = max(known["reached_s"], replan.begin_s)
        replan.plan(*_customers(partition))
        partition.memory[PART] = replan
        return replan

    def to_dict(self) -> dict[str, Any]:
        """What the partition remembers; exact as long as versions come at least a spread apart."""
        return {"version": self.version, "begin_s": self.begin_s, "reached_s": self.reached_s}

    def plan(self, slots: Slots, phases: NDArray[np.integer]) -> None:
        """Name these customers' seconds, as far as they are still ahead; shape (n,) each, each customer once."""
        at_s = self.begin_s + phases.astype(np.int64) * self.spread_s // PHASES
        ahead = np.flatnonzero(at_s >= self.reached_s)
        self._order = slots[ahead[np.argsort(phases[ahead], kind="stable")]].astype(np.uint32)
        self._at = np.zeros(int(self._order.max()) + 1 if len(self._order) else 0, np.uint32)
        self._at[slots[ahead]] = at_s[ahead]

    def at(self, slots: Slots) -> Seconds:
        """When customers are revisited, epoch seconds, shape (n,); `NEVER` for who is not."""
        at_s = np.full(len(slots), NEVER, np.int64)
        known = np.flatnonzero(slots < len(self._at))
        planned = self._at[slots[known]].astype(np.int64)
        at_s[known] = np.where(planned > 0, planned, NEVER)
        return at_s

    def done(self, slots: Slots) -> None:
        """These have been revisited, or are gone."""
        self._at[slots[slots < len(self._at)]] = 0

    def pop_before(self, stream_time_s: int, limit: int) -> Slots:
        """Take out up to `limit` customers whose second has passed; they are to be revisited now."""
        if not len(self._order):
            self._at = np.empty(0, np.uint32)  # all are done: no memory until the next switch
        found: list[Slots] = []
        missing = limit
        while missing and len(self._order):
            slots = self._order[:missing].astype(np.intp)
            at_s = self._at[slots]
            ahead = np.flatnonzero(at_s >= stream_time_s)
            n = int(ahead[0]) if ahead.size else len(slots)
            found.append(slots[:n][at_s[:n] > 0])
            self._order = self._order[n:]
            missing -= len(found[-1])
            if ahead.size:
                break
        is_complete = missing or not len(self._order)
        self.reached_s = max(self.reached_s, stream_time_s if is_complete else int(self._at[found[-1][-1:]].max()))
        return np.concatenate(found) if found else np.empty(0, np.intp)


def _customers(partition: PartitionRows) -> tuple[Slots, NDArray[np.integer]]:
    slots = partition.used_slots()
    return slots, partition.rows["phase"][slots]


def _remembered(partition: PartitionRows) -> Mapping[str, Any] | None:
    known = partition.memory.get(PART)
    return known.to_dict() if isinstance(known, Replan) else known
