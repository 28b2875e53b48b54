"""What a bad message costs, as a multiple of a good order: decoding alone, and in the first line with its dead letter.

Who can write to an input topic can send bad records at will; none may cost much more than the good event it could have
been. Each kind's time is the least of several runs; ratios compare runs in one process.
"""

import time
from collections.abc import Callable, Sequence
from statistics import median

from streams.codec import decode
from streams.topics import ORDERS
from tests.bad_input import BAD_INPUT, KEY, body
from tests.builders import NOW_MS, START_MS, Record, order
from tests.chaos.fuzzed import HOSTILE, Payload
from tests.streams.harness import FirstLine

REPEATS, TIMES = 5, 50


def least_us(work: Callable[[], object], times: int, repeats: int = REPEATS) -> float:
    """Processor time of one call, the least mean of several runs, microseconds."""
    best = float("inf")
    for _ in range(repeats):
        began_s = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began_s) / times * 1e6)
    return best


def decoding_us(one: Payload, times: int = TIMES) -> float:
    return least_us(lambda: decode(*one, now_ms=NOW_MS), times)


def in_line_us(payloads: Sequence[Payload]) -> float:
    """A record's share of a fetch of many in the first line: decoded, set aside or applied."""
    records = [Record(one.source.key, 0, 0, START_MS, one.key, one.value) for one in payloads]
    lines = [FirstLine() for _ in range(REPEATS)]  # a second time, good ones would be duplicates
    for line in lines:
        line.take(order("first"))  # before it there is no stream time, and records go one by one
    return min(least_us(lambda line=line: line.take(*records), 1, repeats=1) for line in lines) / len(records)


def run() -> None:
    """Print the table."""
    good_us = decoding_us(Payload(ORDERS, KEY, body()), 5_000)
    kinds = {bad.name: decoding_us(Payload(bad.source, bad.key, bad.value)) for bad in BAD_INPUT}
    hostile = {name: decoding_us(Payload(ORDERS, KEY, value), 10) for name, value in HOSTILE.items()}
    print(f"bad input, in process: a good order is decoded in {good_us:.1f} us")
    print(f"  {len(kinds)} kinds: median {median(kinds.values()) / good_us:.1f} times that, the three dearest:")
    tell(kinds, good_us, 3)
    print("  made to cost time, up to 64 KiB and beyond:")
    tell(hostile, good_us, 5)
    small = [Payload(bad.source, bad.key, bad.value) for bad in BAD_INPUT if len(bad.value or b"") < 4_096]
    orders = [Payload(ORDERS, b"c%d" % n, body(customer_id=f"c{n}", event_id=f"o{n}")) for n in range(len(small) * 10)]
    bad_us, event_us = in_line_us(small * 10), in_line_us(orders)
    print(f"  in the first line: {bad_us:.1f} us a bad record with its dead letter, {event_us:.1f} us a good order:"
          f" {bad_us / event_us:.2f}")  # fmt: skip


def tell(costs: dict[str, float], good_us: float, most: int) -> None:
    for name, cost_us in sorted(costs.items(), key=lambda item: -item[1])[:most]:
        print(f"    {cost_us / good_us:>8,.1f} times ({cost_us:,.0f} us)  {name}")
