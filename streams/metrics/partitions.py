"""What each partition holds and how far it is, read when Prometheus asks.

Whoever scrapes runs in a thread of its own: it looks at what the line has made, and makes nothing. Nothing here goes
through customers one by one; twelve partitions of a million customers are read in a few milliseconds.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.engine.partition import PartitionRows
from streams.metrics.family import PARTITION, TOPIC, Family

LAG = Family(
    "yocho_stream_time_lag_seconds", "gauge",
    "Wall clock minus stream time; rises while an input is stuck or events wait, and alerts are late by as much. Years"
    " while history is read.",
    (PARTITION,),
)  # fmt: skip
CUSTOMERS = Family(
    "yocho_customers", "gauge",
    "Customers in state; a partition far above the others has keys that are not spread.",
    (PARTITION,),
)  # fmt: skip
DUE_TIMERS = Family(
    "yocho_due_timers", "gauge",
    "Entries in the due-time index, moved ones included: at most two for each customer.",
    (PARTITION,),
)  # fmt: skip
OVERDUE_TIMERS = Family(
    "yocho_overdue_timers", "gauge",
    "Entries whose time has come in stream time and that were not served yet; if it stays above 0, timers do not keep"
    " up, and alerts of silent customers are late.",
    (PARTITION,),
)  # fmt: skip
STATE_BYTES = Family(
    "yocho_state_bytes", "gauge", "Bytes of rows in use; what memory to give a worker follows from it.", (PARTITION,)
)
DIRTY = Family(
    "yocho_dirty_customers", "gauge",
    "Customers whose state is ahead of the changelog: what the next commit writes. It falls at each commit; if it only"
    " rises, commits are stuck.",
    (PARTITION,),
)  # fmt: skip
CONSUMER_LAG = Family(
    "yocho_consumer_lag_records", "gauge",
    "From what has been applied to the end of the log, as the brokers told it last. If it grows, this worker is too"
    " slow or stuck; yocho_stage_seconds says where.",
    (TOPIC, PARTITION),
)  # fmt: skip


class PartitionGauges(Collector):
    """Gauges of the partitions a worker owns.

    Parameters
    ----------
    partitions
        Gives those that are owned at present.
    """

    def __init__(self, partitions: Callable[[], Iterable[PartitionRows]]) -> None:
        self._partitions = partitions

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []  # families are known by name; nothing may be read before the worker owns partitions

    def collect(self) -> Iterator[GaugeMetricFamily]:
        lag = LAG.gauge()
        held = [family.gauge() for family in (CUSTOMERS, DUE_TIMERS, OVERDUE_TIMERS, STATE_BYTES, DIRTY)]
        for partition in list(self._partitions()):
            label = [str(partition.number)]
            if partition.stream_time_s:
                lag.add_metric(label, time.time() - partition.stream_time_s)
            due = partition.due
            numbers = (
                len(partition),
                len(due),
                due.count_before(partition.stream_time_s),
                partition.bytes_used,
                partition.dirty_count,
            )
            for family, number in zip(held, numbers, strict=True):
                family.add_metric(label, number)
        yield from (lag, *held)


class LagGauges(Collector):
    """How many records of each input are not applied yet.

    Parameters
    ----------
    lags
        Gives topic, partition and lag, of what is being read.
    """

    def __init__(self, lags: Callable[[], Iterable[tuple[str, int, int]]]) -> None:
        self._lags = lags

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        shown = CONSUMER_LAG.gauge()
        for topic, partition, lag in self._lags():
            shown.add_metric([topic, str(partition)], lag)
        yield shown
