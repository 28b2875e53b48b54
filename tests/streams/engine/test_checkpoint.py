"""The commit order: output, then state, then offsets, and none of them ahead of the others."""

import asyncio
import logging

import pytest

from streams.engine import engine
from tests.streams.engine.fakes import CHANGELOG, OUTPUT
from tests.streams.engine.office import ORDERS, Office, in_a_loop


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


def five_changed():
    office = Office().assign()
    rows = office.rows.partition(0)
    rows.mark_dirty(rows.slots_of([b"c%d" % n for n in range(5)]))
    return office


@in_a_loop
async def test_state_is_written_in_portions_the_next_when_the_brokers_have_one(monkeypatch):
    """A commit that met everybody changed would take up several times the memory of their rows."""
    monkeypatch.setattr(engine, "PORTION", 2)
    office, contained = five_changed(), []

    async def note(_topic):
        contained.append(office.rows.last_offset.get(0))

    office.producer.after_send = note
    await office.engine.checkpoint()
    assert office.producer.sent == [(CHANGELOG, 2)] * 3, "five customers and the partition's own record"
    assert contained == [None, 1, 3]
    assert office.rows.last_offset == {0: 5}


@in_a_loop
async def test_a_portion_that_fails_is_the_last_and_no_offset_follows(monkeypatch):
    monkeypatch.setattr(engine, "PORTION", 2)
    office = five_changed()
    office.receive(1)
    office.work()

    async def refuse(topic):
        if office.producer.sent.count((CHANGELOG, 2)) == 2:
            raise OSError("not enough replicas")

    office.producer.after_send = refuse
    assert await office.engine.checkpoint() is None
    assert office.deaths == 1
    assert office.producer.sent[-2:] == [(CHANGELOG, 2)] * 2


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
async def test_no_offset_of_a_partition_that_was_let_go_is_committed():
    """Its state cannot be written any more: a new owner would miss what was applied since the last commit."""
    office = Office().assign()
    office.receive(1)
    office.work()
    await office.engine.halt()
    office.rows.keep_only(())
    assert await office.engine.checkpoint() == {}
    assert office.producer.sent == [(OUTPUT, 1)]


@in_a_loop
async def test_after_a_commit_that_was_cancelled_half_way_no_offset_follows():
    """What it had taken to be written is gone, and no later commit knows of it."""
    office = Office().assign()
    office.receive(1)
    office.work()

    async def cancelled(_topic):
        raise asyncio.CancelledError

    office.producer.after_send = cancelled
    with pytest.raises(asyncio.CancelledError):
        await office.engine.checkpoint()
    office.producer.after_send = None
    assert await office.engine.checkpoint() is None
    assert office.deaths == 0
