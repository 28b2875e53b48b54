"""An engine without Faust, for the tests of its commit order and of its assignments."""

import asyncio
import functools
from types import SimpleNamespace

from faust.types import TP

from streams.engine.changelog import OwnedRows
from streams.engine.engine import Engine
from streams.engine.outbox import Outbox
from tests.streams.engine.fakes import (
    CHANGELOG,
    SOURCES,
    CountingLine,
    FakeConsumer,
    FakeProducer,
    FakeSensor,
    log_record,
)

ORDERS, LOGINS = TP("orders", 0), TP("logins", 0)
STARTS = dict.fromkeys([TP(topic, 0) for topic in SOURCES], 0)


class Office:
    """An engine with everything around it; `deaths` counts how often it ended the process."""

    def __init__(self, line=None, merge_wait_s=0.0):
        self.producer, self.consumer, self.sensor = FakeProducer(), FakeConsumer(dict(STARTS)), FakeSensor()
        self.rows, self.outbox, self.deaths = OwnedRows(), Outbox(lambda: self.producer), 0
        self.app = SimpleNamespace(consumer=self.consumer, consumer_generation_id=4)
        self.engine = Engine(
            self.app,
            SimpleNamespace(rows=self.rows, changelog_topic_name=CHANGELOG),
            SOURCES,
            line or CountingLine(self.outbox),
            self.outbox,
            self.sensor,
            self._die,
            max_batch=2,
            merge_wait_s=merge_wait_s,
            disorder_s=0,
            wall_clock=False,
        )

    def _die(self, code):
        self.deaths += 1

    def assign(self, starts=STARTS):
        self.engine.recovered()
        self.engine.positioned(dict(starts))
        return self

    def receive(self, *seconds, first=0):
        """Orders are fetched and delivered, as if the log ended with them."""
        records = [log_record(0, first + n, b"c1", at_s) for n, at_s in enumerate(seconds)]
        self.consumer.ends[ORDERS] = first + len(records)
        assert self.engine.fetched(ORDERS, first, first + len(records) - 1)
        self.engine.deliver(records)

    def work(self):
        while self.engine.tasks[0].turn():
            pass


def in_a_loop(scene):
    """Run a test in a loop of its own; what the engine left running is cancelled with it."""
    return functools.wraps(scene)(lambda *args, **kwargs: asyncio.run(scene(*args, **kwargs)))
