"""Gauges of outages and of the breaker, read from the partitions when Prometheus asks.

=====================================  ==========================================================================
``yocho_source_stale_seconds``         event time since a source went quiet that is out, 0 = it is not; by source
                                       and partition, from the first event of the source on
``yocho_breaker_open``                 1 while alerts of a partition are held, by partition
``yocho_alerts_held``                  customers who wait with an alert while it is, by partition
=====================================  ==========================================================================
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.breaker import Breaker
from streams.engine.partition import PartitionRows
from streams.feeds import Feeds
from streams.outages import BREAKER, FEEDS, Outages


class OutageGauges(Collector):
    """What `streams.outages` knows of the partitions a worker owns.

    Parameters
    ----------
    outages
        Outages and breakers.
    partitions
        Gives the partitions that are owned at present.
    """

    def __init__(self, outages: Outages, partitions: Callable[[], Iterable[PartitionRows]]) -> None:
        self._outages = outages
        self._partitions = partitions

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []  # families are known by name; nothing may be read before the worker owns partitions

    def collect(self) -> Iterator[GaugeMetricFamily]:
        stale = GaugeMetricFamily(
            "yocho_source_stale_seconds", "Event time since a source went quiet that is out; 0 = it is not.",
            labels=["source", "partition"],
        )  # fmt: skip
        is_open = GaugeMetricFamily("yocho_breaker_open", "1 while alerts are held.", labels=["partition"])
        held = GaugeMetricFamily("yocho_alerts_held", "Customers who wait with an alert.", labels=["partition"])
        for partition in list(self._partitions()):
            number = str(partition.number)
            # Whoever scrapes runs in a thread of its own: it looks at what the line has made, and makes nothing.
            feeds, breaker = partition.memory.get(FEEDS), partition.memory.get(BREAKER)
            if isinstance(feeds, Feeds):
                for source, quiet_s in feeds.quiet_s(partition.stream_time_s).items():
                    stale.add_metric([source.name.lower(), number], quiet_s)
            if isinstance(breaker, Breaker):
                is_open.add_metric([number], float(breaker.is_open))
                held.add_metric([number], self._outages.held(partition.number))
        yield from (stale, is_open, held)
