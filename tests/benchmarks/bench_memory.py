"""Bytes per customer, index included: how much a process grows when 200,000 customers come into one partition."""

import resource
from pathlib import Path

import numpy as np

from models.state import ROW
from streams.engine.partition import PartitionRows

N_CUSTOMERS = 200_000


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def run() -> None:
    """Print bytes of a row, and of a customer with row, index and due time."""
    partition = PartitionRows(0)
    before = _rss_bytes()
    for start in range(0, N_CUSTOMERS, 1000):
        slots = partition.slots_of([f"customer-{n:08d}".encode() for n in range(start, start + 1000)])
        partition.due.schedule(slots, np.arange(1, 1001, dtype=np.int64) * 3600)
    grown = _rss_bytes() - before
    print(f"memory, {N_CUSTOMERS:,} customers in one partition")
    print(f"  row {ROW.itemsize} B, customer with index and due time {grown / N_CUSTOMERS:.0f} B")
    print(f"  customer / row {grown / N_CUSTOMERS / ROW.itemsize:.2f}")
