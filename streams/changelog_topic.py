"""The changelog of customers read from outside the workers: partition by partition, to its end.

What a worker does at recovery, for commands that ask about everybody. One partition is in memory at a time.
"""

from collections.abc import AsyncIterator

from aiokafka import TopicPartition

from models.newer import NewerVersionError
from streams.engine.changelog import OwnedRows
from streams.engine.partition import PartitionRows
from streams.lone_reader import batches_to_end, lone_reader
from streams.settings import Settings
from streams.topics import CHANGELOG

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

    Raises
    ------
    NewerVersionError
        A newer release wrote one of them.
    """
    consumer = lone_reader(settings)
    await consumer.start()
    try:
        for number in range(settings.partitions):
            owned, tp = OwnedRows(), TopicPartition(CHANGELOG.topic(settings), number)
            consumer.assign([tp])
            async for records in batches_to_end(consumer, tp, RECORDS_AT_ONCE):
                try:
                    owned.apply(number, records, records[-1].offset)
                except NewerVersionError as error:
                    raise NewerVersionError(f"{tp.topic} partition {number}: {error}") from None
            yield owned.partition(number)
    finally:
        await consumer.stop()
