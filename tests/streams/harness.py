"""A worker's first line without Kafka: the real pipeline behind a real partition task, with a list for an outbox.

line = FirstLine(horizon_s=7 * DAY_S)
line.take(order("c1"), login("c1", at="+1d"))    appended to the input topics, fetched, worked off
line.pass_time("+30d")                           nothing happens; stream time moves on
line.alerts()                                    what was told, checked against schema and CloudEvents
line.outcomes()                                  what became of it, checked likewise
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
from prometheus_client import CollectorRegistry

from models.experts import NAMES as EXPERTS
from models.scorer import Scorer
from models.target import DAY_S, Target
from models.watch import Watch
from streams import alerts, outcomes
from streams.admission import Admission
from streams.emit import Emitter
from streams.engine.changelog import OwnedRows, take_changes
from streams.engine.ledger import Ledger
from streams.engine.partition import PartitionRows
from streams.engine.task import PartitionTask
from streams.erasure import Erasures
from streams.metrics.line import Metrics
from streams.metrics.outages import OutageGauges
from streams.model_book import ModelBook
from streams.outages import Outages
from streams.partitioner import partition_of
from streams.pipeline import Pipeline
from streams.settings import Settings
from streams.topics import ALERTS, DEAD_LETTERS, LABELS, OUTCOMES, Topic, enabled_inputs
from tests.builders import Record, Sample, at_ms, consumed
from tests.streams.checked import Out, checked_alert, checked_outcome

H_S = 7 * DAY_S
"""Short, so that a story of a few weeks holds every kind of alert: dwell 6.5 h, expiry 14 d, forgotten 35 d."""
FAST = 1_000
"""Timers a turn, as in a worker."""


class Written(NamedTuple):
    """A record of the changelog."""

    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Sent(NamedTuple):
    """A record of an input topic and the number of that input."""

    number: int
    record: Record


class PacedPipeline(Pipeline):
    """Looks at so many customers a turn, where a worker looks at a thousand."""

    pace = FAST

    def advance(self, partition, to_s, limit):
        return super().advance(partition, to_s, min(limit, self.pace))


class FirstLine:
    """One partition and everything that leaves it; keyword arguments are settings."""

    def __init__(self, *, number=0, max_batch=4_000, pace=FAST, pinned=True, scorers=(), **settings) -> None:
        defaults = {"clock": "event", "learn": "off", "partitions": 1, "horizon_s": H_S}
        self.settings = Settings(**defaults | settings)
        self.out: list[Out] = []
        self._pace = pace
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, enabled_inputs(self.settings))
        self.book = ModelBook(Scorer.cold(self.settings.target), pinned=pinned)
        for scorer in scorers:
            self.book.add(scorer)
        self.outages: Outages | None = None
        self.pipeline = self._new_pipeline()
        self.partition = PartitionRows(number)
        self._numbers = {source.key: number for number, source in enumerate(enabled_inputs(self.settings))}
        self._changelog: list[Written] = []
        self._lengths = [0] * len(self._numbers)
        self._max_batch = max_batch
        self._task = self._new_task()

    # -- what happens

    def send(self, *samples: Sample | Record) -> list[Sent]:
        """Append to the input topics; nothing is fetched yet."""
        sent = []
        for sample in samples:
            number = self._numbers[sample.source.key if isinstance(sample, Sample) else sample.topic]
            record = consumed(sample) if isinstance(sample, Sample) else sample
            sent.append(Sent(number, record._replace(offset=self._lengths[number], partition=self.partition.number)))
            self._lengths[number] += 1
        return sent

    def fetch(self, sent: Iterable[Sent]) -> None:
        """Deliver records in one fetch per input and work off what can be worked off."""
        self.deliver(sent)
        self.work()

    def deliver(self, sent: Iterable[Sent]) -> None:
        """Deliver records in one fetch per input; nothing is worked off yet."""
        by_number = sorted(sent, key=lambda one: one.number)
        for number, batch in itertools.groupby(by_number, key=lambda one: one.number):
            records = [record for _, record in batch]
            self._task.ledgers[number].fetched(records[0].offset, records[-1].offset)
            self._task.deliver(number, records)

    def turn(self) -> bool:
        """Work off one batch and what is due; True when there is more to do at once."""
        return self._task.turn()

    def work(self) -> None:
        """Work off what can be worked off now."""
        while self.turn():
            pass

    def take(self, *samples: Sample | Record) -> list[Sent]:
        """Send and fetch at once."""
        sent = self.send(*samples)
        self.fetch(sent)
        return sent

    def pass_time(self, until: str | int) -> None:
        """Move stream time on without an event, and as the task does: not past a switch of models before it is made."""
        until_s = at_ms(until) // 1000
        while (switch_s := self.pipeline.next_switch_s(self.partition)) is not None and switch_s <= until_s:
            self.pipeline.advance(self.partition, switch_s, FAST)
        while not self.pipeline.advance(self.partition, until_s, FAST):
            pass

    def restart(self) -> None:
        """Lose everything but the rows, the stream time and what was sent: offsets start where they are told."""
        self.pipeline = self._new_pipeline()
        self._task = self._new_task()

    def recover(self) -> None:
        """Die after a commit and come back elsewhere: rows and memory are read from the changelog."""
        records = [Written(*change) for change in take_changes(self.partition)]
        self._changelog += records
        owned = OwnedRows()
        owned.apply(self.partition.number, self._changelog, len(self._changelog) - 1)
        self.partition = owned.partition(self.partition.number)
        self.partition.take_over(generation=1)
        self.restart()

    @property
    def n_inputs(self) -> int:
        return len(self._numbers)

    @property
    def ledgers(self) -> Sequence[Ledger]:
        """What has been applied of each input."""
        return self._task.ledgers

    # -- what came of it

    def told(self, topic: Topic) -> list[Out]:
        """Records put for a topic, in order."""
        return [out for out in self.out if out.topic == topic.topic(self.settings)]

    def tombstones(self, topic: Topic) -> list[bytes]:
        """Keys of the records without a value put for a topic, in order."""
        return [out.key for out in self.told(topic) if out.value is None]

    def alerts(self) -> list[alerts.Alert]:
        """Every alert but tombstones; each is valid by the schema and carries the CloudEvents headers of its body."""
        return [checked_alert(out, self.settings) for out in self.told(ALERTS) if out.value is not None]

    def outcomes(self) -> list[outcomes.Outcome]:
        """Every outcome but tombstones; each is valid by the schema and carries the CloudEvents headers of its body."""
        return [checked_outcome(out, self.settings) for out in self.told(OUTCOMES) if out.value is not None]

    def labels(self) -> list[dict[str, Any]]:
        return [orjson.loads(out.value) for out in self.told(LABELS) if out.value is not None]

    def dead_letters(self) -> list[Out]:
        return self.told(DEAD_LETTERS)

    def rows(self, *, without: tuple[str, ...] = ()) -> dict[bytes, dict[str, bytes]]:
        """Every bit of every customer, by field."""
        rows = {key: self.partition.rows[self.partition.slot(key)] for key in self.partition}
        return {
            key: {name: row[name].tobytes() for name in row.dtype.names if name not in without}
            for key, row in rows.items()
        }

    def row(self, customer_id: str = "c1") -> Any:
        return self.partition.rows[self.partition.slot(customer_id.encode())]

    def metric(self, name: str, **labels: str) -> float | None:
        """Sum of the samples of a name that have these labels, whatever others they have; None without one."""
        found = [
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    # -- inside

    def put(self, topic, partition, key, value, headers=None) -> None:
        self.out.append(Out(topic, partition, key, value, headers))

    def _new_pipeline(self) -> Pipeline:
        settings = self.settings
        emitter = Emitter(self, settings, self.metrics)
        admission = Admission(
            enabled_inputs(settings),
            emitter,
            self.metrics,
            Erasures(settings.forget_s),
            lateness_s=settings.lateness_s,
            in_order=settings.disorder_s == 0,
            longest_snooze_s=settings.horizon_s,
            partition_of=lambda key: partition_of(key, settings.partitions),
        )
        watch = lambda scorer: Watch(scorer, settings.policy, settings.target, settings.forget_s)  # noqa: E731
        pipeline = PacedPipeline(
            admission, self.book, watch, emitter, self.metrics, self._new_outages(), settings.share_of
        )
        pipeline.pace = self._pace
        return pipeline

    def _new_outages(self) -> Outages:
        if self.outages is not None:
            self.registry.unregister(self._gauges)
        self.outages = Outages(self.settings.forget_s, self.settings.breaker)
        self._gauges = OutageGauges(self.outages, lambda: [self.partition])
        self.registry.register(self._gauges)
        return self.outages

    def _new_task(self) -> PartitionTask:
        return PartitionTask(
            self.partition,
            self.pipeline,
            [Ledger() for _ in self._lengths],
            ends=self._lengths.__getitem__,
            max_batch=self._max_batch,
            merge_wait_s=0.0,
            disorder_s=self.settings.disorder_s,
            wall_clock=self.settings.clock == "wall",
            set_paused=lambda number, paused: None,
            sensor=self.metrics.engine,
        )


def in_pieces(items: list[Any], cuts: Iterable[int]) -> Iterator[list[Any]]:
    """Cut a list at these places."""
    places = sorted({min(cut, len(items)) for cut in cuts} | {0, len(items)})
    for begin, end in itertools.pairwise(places):
        yield items[begin:end]


def fixed_scorer(target: Target, log_odds: float, effective_at_s: int = 0, version: str = "n000001-00000000") -> Scorer:
    """A model that gives everybody the same probability."""
    cold = Scorer.cold(target)
    return dataclasses.replace(
        cold,
        version=version,
        effective_at_s=effective_at_s,
        n_labels=1_000,
        weights=np.array([float(name == "linear") for name in EXPERTS]),
        linear=np.append(np.zeros(len(cold.linear) - 1), log_odds),
    )
