"""Sources that are out and the breaker, read from the partitions when Prometheus asks."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.breaker import Breaker
from models.events import Source
from streams.engine.partition import PartitionRows
from streams.feeds import Feeds
from streams.metrics.family import PARTITION, Family, Label
from streams.outages import BREAKER, FEEDS, Outages

STALE = Family(
    "yocho_source_stale_seconds", "gauge",
    "Event time since a source went quiet that is out, 0 = it is not; from the first event of the source on. Its"
    " silence does not count against customers meanwhile: look at the producer.",
    (Label("source", tuple(source.name.lower() for source in Source)), PARTITION),
)  # fmt: skip
IS_OPEN = Family(
    "yocho_breaker_open", "gauge",
    "1 while alerts of a partition are held, as there are too many at once; the log says why. They go when the source"
    " returns, or with `yocho release`.",
    (PARTITION,), unit="0 or 1",
)  # fmt: skip
HELD = Family(
    "yocho_alerts_held", "gauge", "Customers who wait with an alert while the breaker is open.", (PARTITION,),
    unit="customers",
)  # fmt: skip


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
        stale, is_open, held = STALE.gauge(), IS_OPEN.gauge(), HELD.gauge()
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
