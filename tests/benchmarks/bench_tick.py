"""What time costs: a tick with nothing due, and the pauses between events while ten thousand fall due in one second.

A tick is `Pipeline.advance` of a partition by one second. The pauses are the turns of a partition task that has a
steady flow of events before it: in each it applies a batch and serves timers, and nothing else runs in between. Seconds
are those of this process's own work.
"""

import time

import numpy as np

from models.crossing import next_crossing
from models.target import DAY_S
from streams.topics import ALERTS
from tests.benchmarks.populations import fill
from tests.builders import at_ms, login, order
from tests.streams.harness import FirstLine

N_CUSTOMERS = (1_000, 1_000_000)
N_DUE = 10_000
BATCH = 200
H_S = 91 * DAY_S


def tick_s(n_customers: int) -> list[float]:
    """Seconds that each of a thousand ticks takes, nobody being due for a week; a model has just taken effect."""
    line = FirstLine(horizon_s=H_S, pinned=False)
    line.take(order("first"))
    now_s = at_ms("+1d") // 1000
    fill(line.partition, n_customers, due_from_s=now_s + 7 * DAY_S, due_until_s=now_s + 180 * DAY_S)
    line.partition.rows["phase"] = 65_535
    line.restart()
    line.pipeline.advance(line.partition, now_s, 1_000)
    taken = []
    for n in range(1_000):
        started = time.process_time()
        line.pipeline.advance(line.partition, now_s + n, 1_000)
        taken.append(time.process_time() - started)
    return taken


def turn_s(*, crosses: bool) -> tuple[list[float], list[float], int]:
    """Seconds of each turn before anybody is due and after `N_DUE` have fallen due, and how many alerts there were."""
    line = FirstLine(horizon_s=H_S, max_batch=BATCH)
    line.take(*[order(f"silent-{n}", at="+0s") for n in range(N_DUE)])
    slots, due_at_s = line.partition.used_slots(), at_ms("+20d") // 1000
    if crosses:
        row = line.partition.rows[slots[:1]]
        due_at_s = int(next_crossing(line.book.newest, row, at_ms("+1d") // 1000, at_ms("+90d") // 1000, 0.7)[0])
    line.pass_time((due_at_s - 10) * 1000)
    line.partition.rows["due_at"][slots] = due_at_s
    line.partition.due.schedule(slots, np.full(len(slots), due_at_s))
    flow = [login(f"active-{n % 500}", at=(due_at_s - 9) * 1000 + n * 20_000 // 12_000) for n in range(12_000)]
    told = len(line.out)
    line.deliver(line.send(*flow))
    before, after, more = [], [], True
    while more:
        started = time.process_time()
        more = line.turn()
        taken = time.process_time() - started
        (before if line.partition.stream_time_s <= due_at_s else after).append(taken)
    assert (line.partition.rows["due_at"][slots] != due_at_s).all(), "somebody was left out"
    return before, after, sum(out.topic == ALERTS.topic(line.settings) for out in line.out[told:])


def run() -> None:
    """Print the table."""
    print("ticks of one partition, nobody due, a model switch in progress")
    base = 0.0
    for n in N_CUSTOMERS:
        taken = tick_s(n)
        median = float(np.median(taken))
        base = base or median
        print(
            f"  {n:>9,} customers   median {median * 1e3:.3f} ms, worst {max(taken) * 1e3:.2f} ms (bar: 1 ms)"
            f"   {median / base:.2f} of a thousand customers' tick"
        )
    print(f"turns of {BATCH} events while {N_DUE:,} customers fall due in one second")
    for crosses, what in ((False, "nobody crosses"), (True, "everybody crosses")):
        before, after, alerts = turn_s(crosses=crosses)
        usual, p99, worst = np.median(before), np.percentile(after, 99), max(after)
        print(
            f"  {what:17} {alerts:>6,} alerts   usual turn {usual * 1e3:.0f} ms, then p99 {p99 * 1e3:.0f} ms, worst"
            f" {worst * 1e3:.0f} ms   worst / usual {worst / usual:.1f}"
        )
