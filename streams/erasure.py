"""Who was erased on a partition, and what of theirs is passed over since: `yocho erase` on the first line.

Admission asks before anything else is judged, so that nothing of an erased customer becomes a dead letter; the pipeline
asks what to do with an erasure when its turn comes. An erasure is a record among the customer's others: it takes its
turn in event time and carries stream time on, as any command does, but it is never too late.

Everything the partition had seen of the customer when the turn came is gone, so a redelivery of it must not come back
either: an erasure that comes late covers what came before it. An erasure of what is covered already is done; said or
delivered a second time it leaves alone whoever has come back since.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.erased import PART, Erased
from streams.engine.ids import UNKNOWN
from streams.engine.partition import PartitionRows
from streams.engine.texts import Slots

Seconds = NDArray[np.int64]


class Erasures:
    """Erasures of the partitions of a worker; what is known of them is in each partition's memory.

    Parameters
    ----------
    keep_s
        How long one is remembered, seconds: as long as any state.

    Examples
    --------
    >>> erasures, partition = Erasures(keep_s=10_000), PartitionRows(0)
    >>> partition.stream_time_s = 1_000
    >>> erasures.erase(partition, [b"c1"], 990, lambda slots, until_s: None).tolist()
    []
    >>> erasures.cover(partition, b"c1", 1_000), erasures.cover(partition, b"c1", 1_001)
    (True, False)
    """

    def __init__(self, keep_s: int) -> None:
        self._keep_s = keep_s

    def of(self, partition: PartitionRows) -> Erased:
        """Return who was erased on a partition."""
        return Erased.of(partition.memory, self._keep_s)

    def latest_s(self, partition: PartitionRows) -> int:
        """Second after which nothing is passed over, whoever it is about; 0 = nothing ever."""
        return self.of(partition).latest_s if PART in partition.memory else 0

    def cover(self, partition: PartitionRows, key: bytes | None, at_s: int) -> bool:
        """Whether something about a customer, of a second, is to be passed over."""
        return key is not None and PART in partition.memory and self.of(partition).covers(key, at_s)

    def erase(
        self, partition: PartitionRows, keys: Sequence[bytes], at_s: int, look_until: Callable[[Slots, Seconds], None]
    ) -> Slots:
        """Leave nothing of customers but tombstones in the changelog, and the note that nothing is left.

        Parameters
        ----------
        partition, keys, at_s
            Where, who, each once, and the second the erasures speak of.
        look_until
            Takes the looks at these rows up to these seconds: what silence has brought about by then was true.

        Returns
        -------
        ndarray
            The rows that they had.
        """
        found = partition.find(keys)
        slots: Slots = found[found != UNKNOWN]
        look_until(slots, np.full(len(slots), max(at_s, partition.stream_time_s - 1)))
        partition.erase(keys)
        self.of(partition).add(keys, max(at_s, partition.stream_time_s))
        return slots
