"""100,000 payloads nobody would write, through the codec and through a worker's first line: `python -m ... [N [SEED]]`.

Each is an event or one reject, as a second reading by other means says (`tests/chaos/second_reading.py`); in the first
line it is applied or leaves one dead letter, while time and customers come from events alone; and none takes long, not
even those made to (`HOSTILE`). `tests/streams/test_codec_fuzzed.py` does the same with fewer, without the clock.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from models.events import Event
from streams.codec import decode
from streams.commands import Erase, Release
from streams.reasons import Reason, Reject
from streams.topics import EMAIL_CLICKS, EMAIL_SENDS, READABLE
from tests.bad_input import KEY
from tests.builders import NOW_MS, START_MS, Record
from tests.chaos.fuzzed import HOSTILE, Payload, payload
from tests.chaos.second_reading import broken
from tests.streams.harness import FirstLine

N_PAYLOADS, SEED, IN_A_LINE = 100_000, 1, 500
MOST_CPU_S = 0.25
"""Of one payload: fifty times what the worst known one takes, so that only a blow-up fails, not a busy machine."""
OF_THE_ENGINE = {Reason.LATE, Reason.UNKNOWN_CUSTOMER, Reason.INVALID_UNTIL}
"""Reasons an event can be set aside for, on a line of one partition; the last is a snooze's that is too long."""


def misread(one: Payload, rules: set[Reason]) -> tuple[str, str | None]:
    """How the codec reads a payload that breaks these rules, and what is wrong with that; None if nothing is."""
    result = decode(*one, now_ms=NOW_MS)
    if isinstance(result, Reject):
        wrong = result.reason not in rules
        return str(result.reason), f"{result.reason}, but what is broken is {sorted(rules)}" if wrong else None
    if not isinstance(result, Event | Release | Erase):
        return "neither", f"gave a {type(result).__name__}"
    return "event", f"taken, but it breaks {sorted(rules)}" if rules else None


def astray(payloads: Sequence[Payload]) -> list[str]:
    """What a first line does with payloads that it should not; a line each.

    Without those that erase somebody: what comes of that customer later leaves no dead letter.
    """
    now_ms = int(time.time() * 1000)  # the clock that a first line judges by
    payloads = [one for one in payloads if not isinstance(decode(*one, now_ms=now_ms), Erase)]
    line = FirstLine(email_sends_topic=EMAIL_SENDS.key, email_clicks_topic=EMAIL_CLICKS.key, horizon_s=91 * 86_400)
    sent = line.take(*[Record(p.source.key, 0, 0, START_MS, p.key, p.value) for p in payloads])
    letters: dict[tuple[str, int], Reason] = {}
    problems = []
    for letter in line.dead_letters():
        headers = {name: value.decode() for name, value in letter.headers}
        place = headers["x-topic"], int(headers["x-offset"])
        if place in letters:
            problems.append(f"two dead letters for {place}")
        letters[place] = Reason(headers["x-reason"])
    events: list[Event] = []
    for one, (_, record) in zip(payloads, sent, strict=True):
        result = decode(*one, now_ms=now_ms)
        reason = letters.get((record.topic, record.offset))
        may_be = {result.reason} if isinstance(result, Reject) else {None, *OF_THE_ENGINE}
        if reason not in may_be:
            problems.append(f"{record.topic}-{record.offset}: {reason}, but the codec says {result}")
        if isinstance(result, Event):
            events.append(result)
    if line.partition.stream_time_s != max((event.at_s for event in events), default=0):
        problems.append("stream time is not that of the latest event")
    if not set(line.partition) <= {event.customer_id.encode() for event in events}:
        problems.append("a customer nobody has had an event of")
    return problems


def fuzz(numbers: Iterable[int], seed: int) -> tuple[Counter[str], list[str]]:
    """Read payloads twice; gives how they were read, and what went wrong, each by its number."""
    readings: Counter[str] = Counter()
    problems = []
    for number in numbers:
        one = payload(seed, number)
        reading, problem = misread(one, broken(*one, NOW_MS))
        readings[reading] += 1
        if problem:
            problems.append(f"payload({seed}, {number}): {problem}")
    return readings, problems


def cost_s(one: Payload) -> float:
    """Processor time to read a payload, seconds: the least of three, as a collector may run in any of them."""

    def once() -> float:
        began_s = time.thread_time()
        decode(*one, now_ms=NOW_MS)
        return time.thread_time() - began_s

    return min(once() for _ in range(3))


def main() -> None:
    n, seed = (*map(int, sys.argv[1:]), *(N_PAYLOADS, SEED)[len(sys.argv) - 1 :])
    began_s = time.monotonic()
    readings, problems = fuzz(range(n), seed)
    for begin in range(0, n, IN_A_LINE):
        numbers = range(begin, min(begin + IN_A_LINE, n))
        problems += [f"{numbers}: {problem}" for problem in astray([payload(seed, number) for number in numbers])]
    costs_s = {f"{name} in {source.key}": cost_s(Payload(source, KEY, value))
               for name, value in HOSTILE.items() for source in READABLE}  # fmt: skip
    worst = max(costs_s, key=costs_s.__getitem__)
    problems += [f"{name}: took {took_s:.2f} s" for name, took_s in costs_s.items() if took_s > MOST_CPU_S]
    print(f"fuzzed {n:,} payloads, seed {seed}, in {time.monotonic() - began_s:.0f} s: {len(problems)} problems")
    print("  " + ", ".join(f"{reading} {count:,}" for reading, count in readings.most_common()))
    print(f"  of {len(costs_s)} made to cost time the worst took {costs_s[worst] * 1000:.1f} ms: {worst}")
    sys.exit("\n".join(problems[:20]) or 0)


if __name__ == "__main__":
    main()
