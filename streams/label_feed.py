"""All partitions of the labels as one sequence, in the order in which the labels resolved.

Second line, before the trainer. Kafka hands over one partition after the other, thousands of records at a time; learnt
like that, months of one half of the customers would come before the same months of the other half. So labels are merged
by the time they resolved, as events are (`streams.engine.merge`, whose rules of waiting these are).
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from aiokafka import TopicPartition

from models.labels import Label
from models.newer import NewerVersionError
from models.open_group import LAST_SECOND
from streams import label_record
from streams.engine.merge import Merge
from streams.lone_reader import lone_reader
from streams.settings import Settings
from streams.topics import LABELS

LABELS_PER_TURN = 256
"""Labels handed over before events get the loop again: a group, some 20 ms."""
READ_AHEAD = 4_000
"""Labels of one partition that may wait for the others, 3 MB."""
WAIT_S = 1.0
"""How long a partition that has just spoken is waited for; nobody waits for what is learnt."""


class Received(NamedTuple):
    """A record of the labels' topic.

    Parameters
    ----------
    partition, offset
        Its place.
    label
        What it says, or why it says nothing; None of a tombstone, which follows the labels of somebody erased.
    """

    partition: int
    offset: int
    label: Label | msgspec.DecodeError | None


class LabelFeed:
    """Reads labels from given positions on; use as a context manager.

    Parameters
    ----------
    settings
        Brokers, topic and its partitions.
    positions
        Next offset to read by partition; absent = from the beginning.
    """

    def __init__(self, settings: Settings, positions: Mapping[int, int]) -> None:
        self._tps = [TopicPartition(LABELS.topic(settings), number) for number in range(settings.partitions)]
        self._positions = dict(positions)
        self._consumer = lone_reader(settings)
        self._merge: Merge[Received] = Merge(len(self._tps), WAIT_S)
        self._begins: dict[int, int] = {}

    async def __aenter__(self) -> "LabelFeed":
        await self._consumer.start()
        self._consumer.assign(self._tps)
        for tp in self._tps:
            if tp.partition in self._positions:
                self._consumer.seek(tp, self._positions[tp.partition])
            self._begins[tp.partition] = begin = await self._consumer.position(tp)
            self._merge.start_at(tp.partition, begin)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def take(self) -> list[Received]:
        """Return the next records, at most `LABELS_PER_TURN`; none when a second brought nothing.

        Raises
        ------
        NewerVersionError
            A newer release writes labels. To pass over them would lose them, also for the trainer that can read them.
        """
        if ready := self._merge.take(LABELS_PER_TURN, time.monotonic()):
            await asyncio.sleep(0)
            return [received for _, received in ready]
        hungry = [tp for tp in self._tps if self._merge.buffered(tp.partition) < READ_AHEAD]
        batches = await self._consumer.getmany(*hungry, timeout_ms=1000, max_records=READ_AHEAD)
        now_s = time.monotonic()
        for tp, records in batches.items():
            items = [self._timed(record) for record in records]
            self._merge.push(tp.partition, items, records[-1].offset + 1, now_s)
        for tp in self._tps:
            self._merge.saw_end(tp.partition, self._consumer.highwater(tp))
        return [received for _, received in self._merge.take(LABELS_PER_TURN, now_s)]

    def pending(self, positions: Mapping[int, int]) -> int:
        """How many records there are after these positions, as far as the ends of the partitions are known."""
        return sum(
            max(0, end - positions.get(number, begin))
            for number, begin in self._begins.items()
            if (end := self._merge.last_end(number)) is not None
        )

    def _timed(self, record: Any) -> tuple[int, Received]:
        """The record and when it resolved, in ms; 0 keeps one without a usable time in its place."""
        if record.value is None:
            return 0, Received(record.partition, record.offset, None)
        try:
            label: Label | msgspec.DecodeError = label_record.decode(record.value, record.headers)
        except NewerVersionError as error:
            place = f"{record.topic} partition {record.partition} offset {record.offset}"
            raise NewerVersionError(f"label at {place}: {error}") from None
        except msgspec.DecodeError as error:
            label = error
        at_s = label.resolved_at_s if isinstance(label, Label) and 0 <= label.resolved_at_s <= LAST_SECOND else 0
        return at_s * 1000, Received(record.partition, record.offset, label)
