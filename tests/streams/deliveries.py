"""One history of a few customers, delivered to workers in every way that Kafka may deliver it.

    log = history(seed)
    told(live(log, 4))  ==  told(at_once(log, 12))  ==  told(shuffled(log, 1, seed))

Each partition is a worker's first line on its own clock. Live, a record is appended when it happens (or is late by less
than `DISORDER_S`), and the wall clock goes on between records. At once, the whole log waits when the worker starts, at
the end of the history: what it does is a replay at full speed, and the cut-over to live.
"""

import itertools
import random
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from models.labels import Label
from models.scorer import Scorer
from models.target import DAY_S
from models.trainer import Trainer
from streams.engine import task as task_module
from streams.partitioner import partition_of
from streams.topics import LABELS
from tests.builders import START_MS, Sample, ack, email_open, erase, login, order, snooze
from tests.streams.harness import FirstLine, Sent, in_pieces

H_S = 14 * DAY_S
DISORDER_S = 6 * 3_600
DAYS = 70
END_S = START_MS // 1000 + (DAYS + 60) * DAY_S
STEP_S, SHORT_STEP_S = DAY_S, 3_000
"""How far the wall clock goes at most between two looks at it; a model takes effect an hour or two after its labels."""


class Arrival(NamedTuple):
    """A record and when it is appended to its topic, epoch seconds."""

    at_s: float
    sample: Sample


class Clock:
    """The wall clock and the monotonic clock of a worker, in the hands of a test; its stop-watch is a real one."""

    perf_counter = staticmethod(time.perf_counter)

    def __init__(self) -> None:
        self.now_s = 0.0

    def time(self) -> float:
        return self.now_s

    monotonic = time


def history(seed: int) -> list[Sample]:
    """Six customers of different habits who come, fade, vanish and return; in order of event time."""
    chance = random.Random(seed)
    samples = [sample for n in range(6) for sample in _life(chance, f"c{n}")]
    by_time = {sample.event.occurred_at_ms: sample for sample in samples}  # no two in one millisecond
    return [sample for _, sample in sorted(by_time.items())]


def _life(chance: random.Random, customer_id: str) -> Iterable[Sample]:
    day, gap_days = chance.uniform(0, 20), chance.uniform(1, 9)
    while day < DAYS:
        make = chance.choices([order, login, email_open], [5, 3, 2])[0]
        yield make(customer_id, at=_ms(day), **({"amount": chance.uniform(5, 200)} if make is order else {}))
        if chance.random() < 0.1:
            gap_days *= chance.choice([0.4, 1.0, 2.5])
        if chance.random() < 0.06:
            yield ack(customer_id, at=_ms(day + 15))
        if chance.random() < 0.02:
            yield erase(customer_id, at=_ms(day + chance.uniform(0, 20)))
        if chance.random() < 0.06:
            yield snooze(customer_id, at=_ms(day + 13), until=_ms(day + 22))
        day += chance.expovariate(1 / gap_days) + (30 if chance.random() < 0.05 else 0.01)


def _ms(day: float) -> int:
    return START_MS + round(day * DAY_S * 1000)


# -- how it arrives


def on_time(log: list[Sample]) -> list[Arrival]:
    """Each record arrives as it happens."""
    return [Arrival(_at_s(sample), sample) for sample in log]


def shuffled(log: list[Sample], seed: int) -> list[Arrival]:
    """Each record is late by up to the bound, so that many change places, also those of one customer."""
    chance = random.Random(seed)
    late = [Arrival(_at_s(sample) + chance.random() * (DISORDER_S - 1), sample) for sample in log]
    return sorted(late, key=lambda arrival: arrival.at_s)


def doubled(log: list[Sample], seed: int) -> list[Arrival]:
    """A third of the records are sent again, some soon and some days later."""
    chance = random.Random(seed)
    again = [sample for sample in log if chance.random() < 1 / 3]
    repeats = [Arrival(_at_s(sample) + chance.choice([1, 600, DISORDER_S / 2]), sample) for sample in again]
    return sorted([*on_time(log), *repeats], key=lambda arrival: arrival.at_s)


def _at_s(sample: Sample) -> float:
    return sample.event.occurred_at_ms / 1000


# -- how it is read


class Shop:
    """The workers of a shop with so many partitions, each with a partition of its own."""

    def __init__(self, monkeypatch: Any, partitions: int, **options: Any) -> None:
        self.clock = Clock()
        monkeypatch.setattr(task_module, "time", self.clock)
        options = {"clock": "wall", "horizon_s": H_S, "disorder_s": DISORDER_S, "partitions": partitions} | options
        self.lines = [FirstLine(number=number, **options) for number in range(partitions)]

    def live(self, arrivals: list[Arrival], learn: Callable[[], None] | None = None) -> "Shop":
        """Read each record when it arrives; the clock does not stand still in between, nor does a trainer."""
        for at_s, sample in arrivals:
            self._wait_until(at_s, learn)
            line = self._line_of(sample)
            line.fetch(line.send(sample))
        self._wait_until(END_S, learn)
        return self

    def at_once(self, arrivals: list[Arrival], seed: int) -> "Shop":
        """Find everything there at the end of the history, and fetch it in pieces of any size."""
        chance = random.Random(seed)
        self.clock.now_s = END_S
        for line in self.lines:
            sent = line.send(*(sample for _, sample in arrivals if self._line_of(sample) is line))
            for number in range(line.n_inputs):
                of_input = [one for one in sent if one.number == number]
                self._fetch_pieces(line, of_input, chance)
            line.work()
        return self

    def _fetch_pieces(self, line: FirstLine, sent: list[Sent], chance: random.Random) -> None:
        for piece in in_pieces(sent, [chance.randrange(len(sent) + 1) for _ in range(chance.randrange(6))]):
            if piece:
                line.fetch(piece)

    def _line_of(self, sample: Sample) -> FirstLine:
        return self.lines[partition_of(sample.key, len(self.lines))]

    def _wait_until(self, at_s: float, learn: Callable[[], None] | None) -> None:
        step_s = SHORT_STEP_S if learn else STEP_S
        while self.clock.now_s < at_s:
            self.clock.now_s = min(self.clock.now_s + step_s, at_s) if self.clock.now_s else at_s
            for line in self.lines:
                line.work()
            if learn:
                learn()

    def told(self) -> list[tuple[Any, ...]]:
        """Everything people and mailers were told: which news, of whom, at which level, as of when."""
        told = [
            (alert.occurred_at, alert.alert_id, str(alert.type), alert.level, alert.receipt.model_version)
            for line in self.lines
            for alert in line.alerts()
        ]
        told += [
            (outcome.occurred_at, outcome.outcome_id, str(outcome.outcome), outcome.level, "")
            for line in self.lines
            for outcome in line.outcomes()
        ]
        return sorted(told)


class School:
    """A trainer that learns the labels of a shop as they come, and gives its workers what it publishes."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.recorded: list[Scorer] = []
        self._trainer = Trainer(shop.lines[0].settings.target, every=20)
        self._learnt = 0

    def learn(self) -> None:
        for line in self.shop.lines:
            for out in itertools.islice(line.told(LABELS), self._learnt, None):
                self._learnt += 1
                if out.value is None:
                    continue
                label = msgspec.json.decode(out.value, type=Label)
                learnt = self._trainer.learn(label, partition=0, next_offset=self._learnt)
                if learnt and learnt.publication:
                    self._enter(Scorer.of(learnt.publication.snapshot))

    def _enter(self, scorer: Scorer) -> None:
        self.recorded.append(scorer)
        for line in self.shop.lines:
            line.book.add(scorer)
