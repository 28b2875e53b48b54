"""What tasks and engine tell of themselves: each batch once, every record, and when partitions come and go."""

from types import SimpleNamespace

from faust.types import TP

from streams.engine import task as task_module
from tests.streams.engine.desk import Desk
from tests.streams.engine.office import LOGINS, ORDERS, STARTS, Office, in_a_loop

NOW_S = 1_000_000


def test_each_batch_is_told_once_whatever_its_size_with_the_place_of_every_record():
    desk = Desk().deliver(0, *range(2, 9)).deliver(1, 3, 4).work()
    assert desk.sensor.stages == ["decode", "decode"]
    (batch,) = desk.sensor.batches
    assert (batch.partition, batch.offsets, len(batch)) == (0, {0: [*range(7)], 1: [0, 1]}, 9)


def test_the_moments_of_a_batch_are_those_of_the_record_that_waited_longest(monkeypatch):
    now = [0.0]
    clock = SimpleNamespace(perf_counter=lambda: now[0], monotonic=lambda: now[0], time=lambda: NOW_S)
    monkeypatch.setattr(task_module, "time", clock)
    desk = Desk()
    desk.deliver(1, 5, 6, end=2)
    desk.ends[0] = 1  # an order is still to come, so the logins wait for it
    assert not desk.task.turn()
    now[0] = 1.5
    desk.deliver(0, 7)
    now[0] = 2.0
    desk.work()
    moments = [(batch.arrived_s, batch.decoded_s, batch.began_s) for batch in desk.sensor.batches]
    assert moments == [(0.0, 0.0, 2.0)]


@in_a_loop
async def test_every_record_fetched_is_processed_or_handed_back():
    office = Office().assign()
    office.receive(1, 2)
    office.work()
    office.receive(3, 4, 5, first=2)
    await office.engine.halt()
    assert office.sensor.records["fetched", "orders"] == 5
    assert office.sensor.records["processed", "all"] == 2
    assert office.sensor.records["handed back", "orders"] == 3


@in_a_loop
async def test_lag_is_from_what_was_applied_to_the_end_of_the_log():
    office = Office().assign(STARTS | {ORDERS: 10, LOGINS: 4})
    office.consumer.ends |= {ORDERS: 13, LOGINS: 4, TP("email-opens", 0): None}
    office.engine.tasks[0].turn()
    assert office.engine.lags() == [("orders", 0, 3), ("logins", 0, 0)]
    office.receive(1, 2, first=10)
    office.consumer.ends |= {ORDERS: 13, TP("email-opens", 0): 0}
    office.work()
    office.consumer.ends[ORDERS] = None  # a broker that says nothing for a while, or an input that is paused
    office.engine.tasks[0].turn()
    assert office.engine.lags() == [("orders", 0, 1), ("logins", 0, 0), ("email-opens", 0, 0)]
    await office.engine.halt()
    assert office.engine.lags() == []


@in_a_loop
async def test_the_sensor_hears_when_partitions_come_and_go():
    office = Office()
    office.assign()
    await office.engine.halt()
    office.engine.recovered()
    office.engine.positioned({})  # more workers than partitions
    assert office.sensor.assignment.notes == ["recovered", "running", "halted", "recovered"]


@in_a_loop
async def test_a_partition_is_live_once_nothing_is_left_to_fetch_and_until_it_is_taken_over_again():
    office = Office().assign()
    partition = office.rows.partitions[0]
    assert not partition.is_live
    office.receive(1)
    office.consumer.ends[ORDERS] = 2  # there is more
    office.work()
    assert not partition.is_live
    office.receive(2, first=1)
    office.work()
    assert partition.is_live
    office.receive(3, first=2)
    office.consumer.ends[ORDERS] = 9
    office.work()
    assert partition.is_live, "from here on, a backlog is this worker's"
    office.assign()
    assert not partition.is_live


@in_a_loop
async def test_the_stages_of_a_checkpoint_are_timed():
    office = Office().assign()
    await office.engine.checkpoint()
    assert office.sensor.stages == ["output", "state"]
