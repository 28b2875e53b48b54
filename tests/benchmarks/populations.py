"""Partitions full of customers, made without an event for each."""

import uuid

import numpy as np
from numpy.typing import NDArray

from models.target import DAY_S
from streams.engine.partition import PartitionRows

__all__ = ["BATCH", "DAY_S", "IDS", "fill", "meet"]

BATCH = 1_000
_SCATTER = 0x9E3779B97F4A7C15F39CC0605CEDC835


def plain_ids(begin: int, end: int) -> list[bytes]:
    """Ids of 17 bytes."""
    return [b"customer-%08d" % n for n in range(begin, end)]


def uuids(begin: int, end: int) -> list[bytes]:
    """Ids of 36 bytes."""
    return [str(uuid.UUID(int=n * _SCATTER % (1 << 128))).encode() for n in range(begin, end)]


IDS = {"plain": plain_ids, "uuid": uuids}


def meet(partition: PartitionRows, ids: list[bytes], due_at_s: NDArray[np.int64]) -> None:
    """Add customers who ordered once, with the seconds at which they are looked at, shape (n,)."""
    slots = partition.slots_of(ids)
    partition.rows["last_at"][slots, 0] = due_at_s - DAY_S
    partition.rows["due_at"][slots] = due_at_s
    partition.due.schedule(slots, due_at_s)


def fill(partition: PartitionRows, n: int, due_from_s: int, due_until_s: int) -> None:
    """Add n customers, whose looks are spread evenly over a time."""
    rng = np.random.default_rng(partition.number)
    for begin in range(0, n, BATCH):
        ids = plain_ids(begin, min(n, begin + BATCH))
        meet(partition, ids, rng.integers(due_from_s, due_until_s, len(ids)))
