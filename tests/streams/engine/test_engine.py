"""Who works on which partition when, and what ends a worker."""

import asyncio
import logging
import os

import pytest
from faust.types import TP

from streams.engine import engine as engine_module
from streams.engine.engine import EXIT_FATAL, EXIT_NEWER, Engine
from tests.streams.engine.fakes import OUTPUT, SOURCES, CountingLine, log_record
from tests.streams.engine.office import LOGINS, ORDERS, STARTS, Office, in_a_loop


@pytest.fixture(autouse=True)
def without_last_words(caplog):
    caplog.set_level(logging.CRITICAL + 1, "streams.engine.engine")


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
async def test_from_a_halt_until_partitions_are_assigned_no_recovery_counts():
    office = Office()
    office.engine.recovery_began()
    assert office.assign().engine.awaits_state
    await office.engine.halt()
    assert not office.engine.awaits_state
    office.engine.recovery_began()
    assert office.engine.awaits_state


@in_a_loop
async def test_what_was_applied_before_partitions_were_assigned_is_not_committed_after():
    """They may have come back with the state of somebody who had come less far."""
    office = Office().assign()
    office.receive(1)
    office.work()
    await office.engine.halt()
    office.engine.recovery_began()
    office.engine.recovered()
    assert await office.engine.checkpoint() == {}


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
