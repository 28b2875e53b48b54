"""A consumer whose fetches a test makes up, with an engine that notes what it is told."""

import asyncio

from aiokafka.structs import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from tests.streams.engine.faust_app import NotingEngine, app_with, consumer_of

ORDERS, CHANGELOG = TP("orders", 0), TP("yocho-customers-changelog", 0)


def records(tp, *offsets):
    """Consumed records, as aiokafka gives them."""
    return [ConsumerRecord(tp.topic, tp.partition, offset, 0, 0, b"k", b"v", None, 1, 1, ()) for offset in offsets]


class Scene:
    """A consumer whose fetches give what the test says, and who notes what it asks of Faust."""

    def __init__(self, monkeypatch, engine=None, assigned=(ORDERS, CHANGELOG), committed=None):
        self.engine = engine or NotingEngine()
        self.app = app_with(self.engine)
        self.consumer = consumer_of(self.app)
        self.consumer.flow_active = True
        self.consumer._set_active_tps(set(assigned))
        self.fetches, self.committed, self.beginnings = [], committed or {}, {}
        self.quiet_ones, self.asked_for_quiet = set(), []
        self.notes = self.engine.notes
        replace = {
            "assignment": lambda: set(assigned),
            "seek_to_committed": self.seek_to_committed,
            "earliest_offsets": self.earliest_offsets,
            "seek_wait": self.seek_wait,
            "sleep": asyncio.sleep,  # Faust's waits on an event of the loop the consumer was made in
        }
        for name, stand_in in replace.items():
            monkeypatch.setattr(self.consumer, name, stand_in)
        monkeypatch.setattr(self.consumer._thread, "quiet", self.quiet)
        monkeypatch.setattr(driver.Consumer, "_getmany", self.fetch)

    async def seek_to_committed(self):
        self.notes.append("seek")
        return {tp: self.committed.get(tp) for tp in self.consumer.assignment()}

    async def earliest_offsets(self, *tps):
        return {tp: self.beginnings.get(tp, 0) for tp in tps}

    async def quiet(self, tps, for_s):
        self.asked_for_quiet.append((tps, for_s))
        return self.quiet_ones & set(tps)

    async def seek_wait(self, offsets):
        self.notes.append(("to the beginning", dict(offsets)))

    async def fetch(self, active, timeout):  # noqa: ASYNC109 - as Faust calls it
        assert isinstance(active, frozenset), "the live set may empty in the fetch thread"
        during, fetched = self.fetches.pop(0)
        during()
        return fetched

    def fetches_give(self, fetched, during=lambda: None):
        self.fetches.append((during, fetched))

    async def read(self):
        return [(tp, message) async for tp, message in self.consumer.getmany(0.0)]
