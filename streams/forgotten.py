"""What a partition still knows of the customers it has forgotten: that their records have had their effect.

A row knows the last offset that was applied from each source, and goes when its customer is forgotten. If a worker
falls between writing that down and committing offsets, what the customer did comes again; by then it is late, and
without its row it looks like something that never had its turn. So the partition keeps the highest offset that any of
the forgotten rows had seen, source by source, in its own record. Admission asks for it before it calls a record late.

That is exact where records are applied in the order of their offsets: whatever lies before one that was applied had its
turn. Where records are put in order first it would prove nothing, so nobody asks; a letter too many loses nothing.
"""

import numpy as np

from models.events import N_SOURCES
from streams.engine.partition import PartitionRows
from streams.engine.texts import Slots

PART = "forgotten"
"""In the partition's memory: an offset by source, -1 = none."""


def note(partition: PartitionRows, slots: Slots) -> None:
    """Keep what the rows of customers say about offsets, before they are forgotten."""
    if len(slots):
        highest = np.maximum(partition.rows["applied"][slots].max(axis=0), _known(partition))
        partition.memory[PART] = highest.tolist()


def had_its_turn(partition: PartitionRows, source: int, offset: int) -> bool:
    """Whether a record is no later than one that a forgotten customer's row had seen.

    Examples
    --------
    >>> partition = PartitionRows(0)
    >>> slots = partition.slots_of([b"c1"])
    >>> partition.rows["applied"][slots, 1] = 7
    >>> note(partition, slots)
    >>> had_its_turn(partition, 1, 7), had_its_turn(partition, 1, 8), had_its_turn(partition, 0, 0)
    (True, False, False)
    """
    return offset <= _known(partition)[source]


def _known(partition: PartitionRows) -> list[int]:
    known: list[int] = partition.memory.get(PART, [])
    return known + [-1] * (N_SOURCES - len(known))  # an older release knew fewer sources
