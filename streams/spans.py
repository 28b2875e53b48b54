"""What ends with a span of event time on a partition: a census with a quarter of the horizon, a capacity with a day.

Beside the first line. By a census customers are compared, and the new alerts of a day are limited, if they are. Stream
time stops at each end, so that all that was due before is done by then.
"""

from collections.abc import Callable

from models.capacity import Capacity, Share
from models.census import Census
from models.target import Target
from streams.engine.partition import PartitionRows


class Spans:
    """Spans of the partitions of a worker; where they stand is in each partition's memory.

    Parameters
    ----------
    share_of
        What of the shop's capacity falls to a partition; None = any number of alerts.
    """

    def __init__(self, share_of: Callable[[int], Share | None]) -> None:
        self._share_of = share_of

    def census(self, partition: PartitionRows, target: Target) -> Census:
        """By what the customers of a partition are compared."""
        return Census.of(partition.memory, target)

    def capacity(self, partition: PartitionRows) -> Capacity | None:
        """How many new alerts a day has room for; None = any number."""
        share = self._share_of(partition.number)
        return None if share is None else Capacity.of(partition.memory, share)

    def next_end_s(self, partition: PartitionRows, target: Target) -> int | None:
        """Stream time at which the first of them ends, epoch seconds; None before any event."""
        now_s, capacity = partition.stream_time_s, self.capacity(partition)
        ends = (
            self.census(partition, target).next_close_s(now_s),
            None if capacity is None else capacity.next_day_s(now_s),
        )
        return min((end_s for end_s in ends if end_s is not None), default=None)

    def close(self, partition: PartitionRows, target: Target) -> bool:
        """Close what has ended, all that was due before being done; True if anything had."""
        now_s, capacity = partition.stream_time_s, self.capacity(partition)
        is_new_day = capacity is not None and capacity.close(now_s)
        return self.census(partition, target).close(now_s) or is_new_day
