"""Kafka's default partitioner: where a key belongs.

The same murmur2 that producers use (kafka-python's and aiokafka's are equal to Java's), so that a record written by
hand to the wrong partition is noticed before it founds a second copy of a customer.
"""

from aiokafka.partitioner import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """Partition of a key.

    Parameters
    ----------
    key
        Record key.
    partitions
        Partition count of the topic, >= 1.

    Examples
    --------
    >>> partition_of(b"00001", 4), partition_of(b"00002", 4)
    (3, 2)
    """
    number: int = (murmur2(key) & 0x7FFFFFFF) % partitions
    return number
