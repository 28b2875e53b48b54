"""The changelog of customers read from outside the workers: partition by partition, to its end.

What a worker does at recovery, for commands that ask about everybody. One partition is in memory at a time.
"""

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.engine.changelog import OwnedRows
from streams.engine.partition import PartitionRows
from streams.model_topic import lone_reader
from streams.settings import Settings
from streams.topics import CHANGELOG

POLL_MS = 500
RECORDS_AT_ONCE = 5_000


async def read_partitions(settings: Settings) -> AsyncIterator[PartitionRows]:
    """Yield every partition as its newest owner last committed it.

    Parameters
    ----------
    settings
        Brokers, group and partition count. The topic exists.

    Yields
    ------
    PartitionRows
        Valid until the next one is asked for. A worker at work goes on meanwhile: what it commits while a partition is
        read may be contained.
    """
    consumer = lone_reader(settings)
    await consumer.start()
    try:
        for number in range(settings.partitions):
            owned = OwnedRows()
            await _read(consumer, TopicPartition(CHANGELOG.topic(settings), number), owned)
            yield owned.partition(number)
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, tp: TopicPartition, owned: OwnedRows) -> None:
    consumer.assign([tp])
    end = (await consumer.end_offsets([tp]))[tp]
    while await consumer.position(tp) < end:
        fetched = await consumer.getmany(tp, timeout_ms=POLL_MS, max_records=RECORDS_AT_ONCE)
        if records := fetched.get(tp):
            owned.apply(tp.partition, records, records[-1].offset)
