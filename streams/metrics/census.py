"""Customers by level and by segment, counted beside the work.

Nobody keeps these counts: a segment follows from a whole row, and an event may change it. So the rows are gone through
slice by slice, between batches, in the loop that changes them; a slice costs a few milliseconds and there are few a
second. What is shown is the last full round: seconds old for a small shop, two minutes or so for a million customers.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.census import Census
from models.levels import ALERT_LEVELS, LEVELS, Level
from models.pending import FROZEN
from models.segments import SEGMENTS, segments_of
from models.state import Rows
from models.target import Target
from streams.engine.partition import PartitionRows
from streams.metrics.family import Family, Label

CUSTOMERS = Family(
    "yocho_census_customers", "gauge",
    "Customers by level and segment, of all partitions of this worker together; shown after a first full count, from"
    " then on as old as a count takes. Critical VIPs are who a retention team has to reach first.",
    (Label("level", tuple(title.name for title in LEVELS)), Label("segment", tuple(title.name for title in SEGMENTS))),
)  # fmt: skip
EPISODES = Family(
    "yocho_open_episodes", "gauge",
    "Open episodes that people have been told of, by level now, from the same count: a retention team's work.",
    (Label("level", tuple(LEVELS[level].name for level in ALERT_LEVELS)),),
    unit="episodes",
)  # fmt: skip
EXAMPLES = Family(
    "yocho_pending_examples", "gauge",
    "Examples frozen that wait for their outcome, from the same count: labels to come. None at all while there are"
    " customers means that the trainer will have nothing to learn from.",
    unit="examples",
)  # fmt: skip

Counts = NDArray[np.int64]

SLICE = 2_048
"""Customers counted at once: two milliseconds, and with the pause between them 1 % of the time."""

PAUSE_S, ROUND_S = 0.25, 5.0
"""Between slices, and at least between the beginnings of two rounds."""


class CustomerCount(Collector):
    """Counts the customers of the partitions a worker owns, again and again.

    Parameters
    ----------
    partitions
        Gives the partitions that are owned at present.
    target
        Main channel and horizon, for segments.
    """

    def __init__(self, partitions: Callable[[], Iterable[PartitionRows]], target: Target) -> None:
        self._partitions = partitions
        self._target = target
        self._counted: list[PartitionRows] = []
        self._tally = _Tally()

    async def run(self) -> None:
        """Count until cancelled."""
        while True:
            began_s = time.monotonic()
            for _ in self.round():
                await asyncio.sleep(PAUSE_S)
            await asyncio.sleep(max(PAUSE_S, began_s + ROUND_S - time.monotonic()))

    def round(self) -> Iterator[None]:
        """Count everybody once, a slice a step; customers who come or change meanwhile count in the next round."""
        partitions, tally = list(self._partitions()), _Tally()
        for partition in partitions:
            slots = partition.used_slots()
            for begin in range(0, len(slots), SLICE):
                rows = partition.rows[slots[begin : begin + SLICE]]
                tally.count(rows, segments_of(rows, Census.of(partition.memory, self._target), self._target))
                yield
        self._counted, self._tally = partitions, tally

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return [family.gauge() for family in (CUSTOMERS, EPISODES, EXAMPLES)]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        customers, episodes, examples = CUSTOMERS.gauge(), EPISODES.gauge(), EXAMPLES.gauge()
        counted, tally = self._counted, self._tally
        if counted and counted == list(self._partitions()):  # what is said of others' customers, others say
            for values, n in zip(CUSTOMERS.combinations(), tally.customers.ravel().tolist(), strict=True):
                customers.add_metric(values, n)
            for values, n in zip(EPISODES.combinations(), tally.episodes.tolist(), strict=True):
                episodes.add_metric(values, n)
            examples.add_metric([], tally.examples)
        yield from (customers, episodes, examples)


class _Tally:
    """What a round has found so far; `customers` by level and segment, `episodes` by alert level."""

    def __init__(self) -> None:
        self.customers: Counts = np.zeros((len(LEVELS), len(SEGMENTS)), np.int64)
        self.episodes: Counts = np.zeros(len(ALERT_LEVELS), np.int64)
        self.examples = 0

    def count(self, rows: Rows, segments: NDArray[np.uint8]) -> None:
        """Add n customers, shape (n,) each."""
        levels = rows["level"].astype(np.int64)
        shown = np.where(rows["expired"] > 0, Level.CHURNED, levels)
        cells = np.bincount(shown * len(SEGMENTS) + segments, minlength=self.customers.size)
        self.customers += cells.reshape(self.customers.shape)
        told = np.bincount(levels[rows["told"] > 0], minlength=len(LEVELS))
        self.episodes += told[list(ALERT_LEVELS)]
        self.examples += int(np.count_nonzero(rows["example_frozen"] >= FROZEN))
