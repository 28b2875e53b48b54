"""Follows a topic from outside all groups: what `yocho alerts` prints.

Reads every partition, commits nothing, disturbs nobody. Order holds within a partition, that is, per customer.
"""

import time
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.cluster import Cluster

POLL_MS = 250
LOOK_AGAIN_S = 0.5
"""How often to look for a topic that does not exist yet."""


class FollowError(RuntimeError):
    """The topic could not be read on; the message says which and why."""


def follow(
    cluster: Cluster, topic: str, *, from_start: bool = False, until_idle_s: float | None = None
) -> Iterator[Any]:
    """Yield the records of a topic, as they come.

    Parameters
    ----------
    cluster
        Where to read.
    topic
        Name in Kafka. It need not exist yet.
    from_start
        Begin with the oldest record there is, else with the next.
    until_idle_s
        End after so many seconds without a new record, >= 0; None never ends.

    Yields
    ------
    ConsumerRecord
        With `value`, `headers`, `partition` and `offset`; tombstones are left out.

    Raises
    ------
    ForbiddenError, FollowError
        We have no right to read it, or the brokers stopped answering.
    """
    try:
        cluster.require_known([topic])
        consumer = cluster.consumer()
        try:
            yield from _records(consumer, topic, from_start, until_idle_s)
        finally:
            consumer.close()
    except KafkaError as error:
        raise FollowError(f"topic {topic}: {error}") from error


def _records(consumer: KafkaConsumer, topic: str, from_start: bool, until_idle_s: float | None) -> Iterator[Any]:
    heard_at = time.monotonic()

    def is_over() -> bool:
        return until_idle_s is not None and time.monotonic() - heard_at > until_idle_s

    while not (partitions := consumer.partitions_for_topic(topic)):
        if is_over():
            return
        time.sleep(LOOK_AGAIN_S)
        from_start = True  # whatever is in a topic that has just appeared is new
    tps = [TopicPartition(topic, partition) for partition in sorted(partitions)]
    consumer.assign(tps)
    (consumer.seek_to_beginning if from_start else consumer.seek_to_end)(*tps)
    for tp in tps:
        consumer.position(tp)  # seeks are lazy; what is published from here on must not be missed
    while not is_over():
        for records in consumer.poll(timeout_ms=POLL_MS).values():
            for record in records:
                if record.value is not None:
                    yield record
                heard_at = time.monotonic()
