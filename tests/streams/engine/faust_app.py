"""A Faust app with our parts in it that never talks to a broker, and a stand-in for its engine."""

import faust

from streams.engine.consumer import BatchTransport
from streams.engine.recovery import SafeTableManager
from streams.engine.store import RowTable
from tests.streams.engine.fakes import FakeSensor


class NotingEngine:
    """Notes what the consumer, the recovery and the table tell the engine, in order."""

    def __init__(self, offsets=None, takes=True):
        self.offsets, self.takes, self.notes, self.sensor = offsets, takes, [], FakeSensor()
        self.taken = []

    merge_wait_s = 7.0

    def is_source(self, tp):
        return tp.topic == "orders"

    def fetched(self, tp, first, last):
        self.notes.append(("fetched", tp, first, last))
        return self.takes

    async def checkpoint(self):
        self.notes.append("checkpoint")
        return self.offsets

    def group_took(self, offsets, *, is_done):
        self.taken.append((dict(offsets), is_done))

    async def halt(self):
        self.notes.append("halt")

    awaits_state = True

    def recovery_began(self):
        """Partitions were assigned."""

    def recovered(self):
        self.notes.append("recovered")

    def positioned(self, offsets, quiet=()):
        self.notes.append(("positioned", offsets, *([quiet] if quiet else [])))

    def fail(self, what):
        self.notes.append(what)

    def refuse(self, what):
        self.notes.append(("refused", what))


def app_with(engine):
    """An app as `streams.app` makes it, as far as the engine's parts need it."""
    app = faust.App(
        "yocho",
        broker="kafka://127.0.0.1:1",
        Table=RowTable,
        TableManager=SafeTableManager,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    app.engine = engine
    return app


def consumer_of(app):
    """Our consumer, not started."""

    async def callback(*_):
        """Nobody listens."""

    transport = BatchTransport(["kafka://127.0.0.1:1"], app)
    return transport.create_consumer(
        callback=callback, on_partitions_revoked=callback, on_partitions_assigned=callback, beacon=app.beacon
    )
