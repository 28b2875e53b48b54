"""The commit order (output, then state, then offsets) and who works on which partition when."""

import asyncio
import functools
import logging
import os
from types import SimpleNamespace

import pytest
from faust.types import TP

from streams.engine import engine as engine_module
from streams.engine.changelog import OwnedRows
from streams.engine.engine import EXIT_FATAL, EXIT_NEWER, Engine
from streams.engine.outbox import Outbox
from tests.streams.engine.fakes import (
    CHANGELOG,
    OUTPUT,
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


@pytest.fixture(autouse=True)
def without_last_words(caplog):
    caplog.set_level(logging.CRITICAL + 1, "streams.engine.engine")


@in_a_loop
async def test_output_goes_before_state_and_state_before_offsets():
    office = Office().assign()
    office.receive(1, 2)
    office.work()
    offsets = await office.engine.checkpoint()
    assert [topic for topic, _ in office.producer.sent] == [OUTPUT, CHANGELOG]
    assert offsets == {ORDERS: 2}


@in_a_loop
async def test_what_is_applied_while_a_commit_is_under_way_belongs_to_the_next():
    office = Office().assign()
    office.receive(1)
    office.work()

    async def meanwhile(topic):
        office.producer.after_send = None
        office.receive(2, first=1)
        office.work()

    office.producer.after_send = meanwhile
    assert await office.engine.checkpoint() == {ORDERS: 1}
    assert await office.engine.checkpoint() == {ORDERS: 2}


@pytest.mark.parametrize(("refused", "written"), [(OUTPUT, [OUTPUT]), (CHANGELOG, [OUTPUT, CHANGELOG])])
@in_a_loop
async def test_a_write_that_fails_ends_the_worker_and_gives_no_offsets(refused, written):
    office = Office().assign()
    office.receive(1)
    office.work()

    async def refuse(topic):
        if topic == refused:
            raise OSError("not enough replicas")

    office.producer.after_send = refuse
    assert await office.engine.checkpoint() is None
    assert office.deaths == 1
    assert [topic for topic, _ in office.producer.sent] == written, "nothing may follow what failed"


@in_a_loop
async def test_what_was_delivered_and_not_applied_is_not_committed():
    office = Office().assign()
    office.rows.partition(0).stream_time_s = 1  # not the first record ever, which goes alone
    office.receive(1, 2, 3)
    assert await office.engine.checkpoint() == {}
    office.engine.tasks[0].turn()
    assert await office.engine.checkpoint() == {ORDERS: 2}


@in_a_loop
async def test_a_partition_is_not_written_before_its_recovery_is_complete():
    """What is written would count as contained, and the rest of the changelog be skipped at the next rebalance."""
    office = Office()
    office.rows.partition(0).stream_time_s = 852_076_800
    await office.engine.checkpoint()
    assert office.producer.sent == []
    office.assign()
    await office.engine.checkpoint()
    assert office.producer.sent == [(CHANGELOG, 1)]


@in_a_loop
async def test_a_partition_whose_changelog_is_empty_is_owned_and_written_too():
    office = Office().assign()
    assert office.rows.partition(0).owned
    assert office.rows.partition(0).epoch == 4, "at least the generation of the group"


@in_a_loop
async def test_a_commit_remembers_how_far_the_changelog_is_contained():
    office = Office().assign()
    office.receive(1)
    office.work()
    await office.engine.checkpoint()
    assert office.rows.last_offset == {0: 1}


@in_a_loop
async def test_the_sensor_learns_how_long_output_and_state_took():
    told = []
    office = Office()
    office.sensor.committed = lambda stage, seconds: told.append((stage, seconds >= 0))
    await office.engine.checkpoint()
    assert told == [("output", True), ("state", True)]


@in_a_loop
async def test_positions_before_the_state_is_complete_start_nothing():
    office = Office()
    office.engine.positioned(dict(STARTS))
    assert (office.engine.tasks, office.engine.ready) == ({}, False)


@in_a_loop
async def test_an_assignment_starts_one_task_per_partition_and_says_so():
    heard = []
    office = Office()
    office.engine.on_assigned.append(lambda owned: heard.append(set(owned)))
    office.assign({TP(topic, number): 0 for topic in SOURCES for number in (0, 3)})
    assert set(office.engine.tasks) == {0, 3}
    assert office.engine.ready
    assert heard == [{0, 3}]


@in_a_loop
async def test_a_halt_stops_the_tasks_and_what_was_applied_can_still_be_committed():
    office = Office().assign()
    office.receive(1)
    office.work()
    await office.engine.halt()
    assert (office.engine.tasks, office.engine.ready) == ({}, False)
    assert await office.engine.checkpoint() == {ORDERS: 1}


@in_a_loop
async def test_while_halted_no_batch_is_taken():
    office = Office().assign()
    await office.engine.halt()
    assert not office.engine.fetched(ORDERS, 0, 5)
    office.engine.deliver([log_record(0, 0, b"c1", 1)])
    assert office.deaths == 0


@in_a_loop
async def test_after_a_seek_ledgers_are_fresh_and_nothing_stays_paused():
    office = Office().assign()
    office.receive(*range(1, 10))
    assert office.consumer.paused == {ORDERS}
    office.engine.positioned(dict(STARTS))
    assert office.consumer.paused == set()
    office.receive(*range(1, 10))
    office.work()
    assert await office.engine.checkpoint() == {ORDERS: 9}
    assert office.consumer.paused == set()


@in_a_loop
async def test_after_a_hand_over_nobody_waits_for_a_quiet_input_but_for_one_that_has_just_spoken():
    others = STARTS.keys() - {ORDERS}
    for quiet, committed in ((others, {ORDERS: 1}), (others - {LOGINS}, {})):
        office = Office(merge_wait_s=3_600.0)
        office.engine.recovered()
        office.engine.positioned({**STARTS, LOGINS: 50}, quiet)
        office.consumer.ends[LOGINS] = 50
        office.receive(1)
        office.work()
        assert await office.engine.checkpoint() == committed


@in_a_loop
async def test_reading_that_begins_at_the_end_of_an_input_does_not_wait_for_it():
    logins = TP("logins", 0)
    office = Office().assign({**STARTS, logins: 50})
    office.consumer.ends[logins] = 50
    office.receive(1)
    office.work()
    assert await office.engine.checkpoint() == {ORDERS: 1}


@in_a_loop
async def test_a_batch_that_cannot_be_taken_over_ends_the_worker():
    """Faust would restart the agent without it, and the partition would stick without a word."""
    office = Office().assign()
    office.engine.deliver([log_record(0, 7, b"c1", 1)])
    assert office.deaths == 1


@in_a_loop
async def test_a_task_that_fails_ends_the_worker():
    class BrokenLine(CountingLine):
        def process(self, partition, chunk):
            raise ZeroDivisionError

    office = Office(BrokenLine(None)).assign()
    office.receive(1)
    await asyncio.sleep(0.01)
    assert office.deaths == 1


@in_a_loop
async def test_an_alert_does_not_wait_for_the_commit():
    office = Office().assign()
    office.receive(1)
    for _ in range(100):
        await asyncio.sleep(0.01)
        if office.producer.sent:
            break
    assert office.producer.sent == [(OUTPUT, 1)]


@in_a_loop
async def test_output_that_cannot_be_sent_ends_the_worker():
    office = Office().assign()

    async def refuse(topic):
        raise OSError("not enough replicas")

    office.producer.after_send = refuse
    office.receive(1)
    for _ in range(100):
        await asyncio.sleep(0.01)
        if office.deaths:
            break
    assert office.deaths == 1


@in_a_loop
async def test_tasks_pause_while_too_much_output_waits(monkeypatch):
    monkeypatch.setattr(engine_module, "OUTBOX_LIMIT", 1)
    office = Office()
    held = asyncio.create_task(office.engine._ebb())
    office.outbox.extend(OUTPUT, 0, [(b"k", b"v", [])] * 2)
    await asyncio.sleep(0.03)
    assert not held.done()
    await office.outbox.flush()
    await asyncio.wait_for(held, 1)


def test_the_worker_dies_at_once_and_not_in_good_order(monkeypatch):
    """Faust's orderly stop would commit once more, past what was not written."""
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    office = Office()
    engine = Engine(office.app, None, SOURCES, None, office.outbox, office.sensor)
    engine.fail("a test")
    engine.refuse("a newer release")
    assert codes == [EXIT_FATAL, EXIT_NEWER]
