"""Reading a topic from outside all groups: from its beginning, or to its present end, committing nothing."""

from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.security import client_options
from streams.settings import Settings

POLL_MS = 500


def lone_reader(settings: Settings) -> AIOKafkaConsumer:
    """Return a consumer outside all groups that commits nothing and begins at the beginning; not started."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **client_options(settings),
    )


async def batches_to_end(
    consumer: AIOKafkaConsumer, tp: TopicPartition, most: int | None = None
) -> AsyncIterator[list[Any]]:
    """Yield the records of an assigned partition that were there when the first one was asked for, in order.

    Parameters
    ----------
    consumer
        Started, with this partition assigned and no other.
    tp
        The partition.
    most
        Records at once; None = as many as a fetch brings.
    """
    end = (await consumer.end_offsets([tp]))[tp]
    while await consumer.position(tp) < end:
        if records := (await consumer.getmany(tp, timeout_ms=POLL_MS, max_records=most)).get(tp):
            yield records
