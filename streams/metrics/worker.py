"""The collectors that read a worker's partitions at each scrape, put together in one place."""

from collections.abc import Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry

from streams.engine.partition import PartitionRows
from streams.metrics.census import CustomerCount
from streams.metrics.model_in_effect import ModelGauges
from streams.metrics.outages import OutageGauges
from streams.metrics.partitions import LagGauges, PartitionGauges
from streams.outages import Outages
from streams.watches import Watches


class Owner(Protocol):
    """Who owns partitions; `streams.engine.engine.Engine` is the one."""

    def partitions(self) -> Iterable[PartitionRows]:
        """Those that are owned at present."""

    def lags(self) -> Iterable[tuple[str, int, int]]:
        """Topic, partition and records that are not applied yet, of what is being read."""


def show_partitions(registry: CollectorRegistry, owner: Owner, outages: Outages, watches: Watches) -> CustomerCount:
    """Register everything that is read from partitions; gives the count of customers, which somebody has to run."""
    count = CustomerCount(owner.partitions, watches.book.target)
    for collector in (
        PartitionGauges(owner.partitions),
        LagGauges(owner.lags),
        ModelGauges(owner.partitions, watches.scorers),
        OutageGauges(outages, owner.partitions),
        count,
    ):
        registry.register(collector)
    return count
