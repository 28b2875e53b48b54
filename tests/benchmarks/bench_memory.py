"""Bytes per customer, all included: how much a process grows when a million customers come into its twelve partitions.

Included are rows, ids, table, due times with what is stale among them, and the revisits after a switch of models. Each
kind of id is measured in a process of its own, from after the imports until everything stands.
"""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson

from models.state import ROW
from streams.engine.partition import PartitionRows
from streams.replan import Replan
from tests.benchmarks.populations import BATCH, DAY_S, IDS, meet

N_CUSTOMERS = 1_000_000
N_PARTITIONS = 12
NOW_S = 1_700_006_400
BAR = 500


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def grow(kind: str) -> dict[str, float]:
    """Let a million customers come; everybody is looked at after the dwell, and a third sooner than planned first."""
    partitions, rng = [PartitionRows(number) for number in range(N_PARTITIONS)], np.random.default_rng(1)
    before, imported = _rss_bytes(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for n, begin in enumerate(range(0, N_CUSTOMERS, BATCH)):
        meet(partitions[n % N_PARTITIONS], IDS[kind](begin, begin + BATCH), rng.integers(NOW_S, NOW_S + DAY_S, BATCH))
    for partition in partitions:
        due_at = partition.rows["due_at"]
        due = partition.due.pop_before(NOW_S + 2 * DAY_S, due_at)
        for slots, within in ((due, 180), (due[::3], 20)):
            due_at[slots] = rng.integers(NOW_S + 2 * DAY_S, NOW_S + within * DAY_S, len(slots))
            partition.due.schedule(slots, due_at[slots].astype(np.int64))
        Replan.switched(partition, "n000001", NOW_S + 2 * DAY_S, 3_600)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"grown": _rss_bytes() - before, "peak": peak - imported, "rss": _rss_bytes()}


def run() -> None:
    """Print bytes of a row and of a customer, by kind of id."""
    print(f"memory, {N_CUSTOMERS:,} customers in {N_PARTITIONS} partitions of one process; a row is {ROW.itemsize} B")
    for kind in IDS:
        command = [sys.executable, "-m", "tests.benchmarks.bench_memory", kind]
        figures = orjson.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        each, peak = figures["grown"] / N_CUSTOMERS, figures["peak"] / N_CUSTOMERS
        print(
            f"  {kind:6} customer {each:.0f} B (bar: {BAR}), {each / ROW.itemsize:.2f} of a row,"
            f" at the peak {peak:.0f} B;   resident set {figures['rss'] / 2**20:.0f} MiB"
        )


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(grow(sys.argv[1])))
