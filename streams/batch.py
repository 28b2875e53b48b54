"""Admitted events on their way through the first line: columns, and who does what in which round."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.apply import Columns
from streams.arrivals import Arrival
from streams.engine.texts import Slots
from streams.origins import Origins


@dataclass(frozen=True)
class Batch:
    """Admitted events as columns, in the order of their turns, with the row of each customer.

    Parameters
    ----------
    slots
        Row of each event's customer, shape (n,).
    columns
        The events.
    turn_s
        Stream time when the turn came to each event, before it, shape (n,). Beyond the event's own time if it is late.
    origins
        The records they were, n of them.
    commands
        Those of the events that are commands, by their place.
    """

    slots: Slots
    columns: Columns
    turn_s: NDArray[np.int64]
    origins: Origins
    commands: Mapping[int, Arrival] = field(default_factory=dict)

    def part(self, begin: int, end: int) -> "Batch":
        """Return the events from one turn to another."""
        if (begin, end) == (0, len(self.slots)):
            return self
        return Batch(
            self.slots[begin:end],
            self.columns.at(np.arange(begin, end)),
            self.turn_s[begin:end],
            self.origins.at(slice(begin, end)),
            {place - begin: command for place, command in self.commands.items() if begin <= place < end},
        )

    def rounds(self) -> Iterator[Slots]:
        """Indices of everybody's first event, then everybody's second, and so on."""
        by_slot = np.argsort(self.slots, kind="stable")
        ordered = self.slots[by_slot]
        first = np.r_[True, ordered[1:] != ordered[:-1]]
        begin = np.maximum.accumulate(np.where(first, np.arange(len(ordered)), 0))
        rank = np.empty(len(ordered), np.intp)
        rank[by_slot] = np.arange(len(ordered)) - begin
        by_rank = np.argsort(rank, kind="stable")
        yield from np.split(by_rank, np.flatnonzero(np.diff(rank[by_rank])) + 1)
