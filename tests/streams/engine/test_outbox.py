"""Records leave in order and in batches, and nobody goes on before the brokers have them."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.engine.outbox import Flush, Outbox
from tests.streams.engine.fakes import FakeProducer


def outbox_of(*values, producer, topic="alerts", partition=0):
    outbox = Outbox(lambda: producer)
    for value in values:
        outbox.put(topic, partition, b"key", value)
    return outbox


def values_of(producer, topic="alerts", partition=0):
    return [record.value for record in producer.logs[topic, partition]]


def test_records_of_a_partition_keep_their_order_over_batches_and_flushes():
    producer = FakeProducer(batch_size=2)
    outbox = outbox_of(b"1", b"2", b"3", b"4", b"5", producer=producer)

    async def run():
        await outbox.flush()
        outbox.put("alerts", 0, b"key", b"6")
        await outbox.flush()

    asyncio.run(run())
    assert values_of(producer) == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert producer.sent == [("alerts", 2), ("alerts", 2), ("alerts", 1), ("alerts", 1)]


def test_a_flush_tells_where_each_partition_ends():
    producer = FakeProducer(batch_size=2)
    outbox = outbox_of(b"1", b"2", b"3", producer=producer)
    outbox.put("labels", 7, b"key", b"x")
    assert asyncio.run(outbox.flush()) == {("alerts", 0): 2, ("labels", 7): 0}


def test_key_value_and_headers_go_through_untouched():
    producer, outbox = FakeProducer(), None
    outbox = outbox_of(producer=producer)
    outbox.put("alerts", 0, None, None, [("x", b"y")])
    outbox.extend("alerts", 0, [(b"k", b"v", [])])
    asyncio.run(outbox.flush())
    assert producer.logs["alerts", 0] == [(None, None, [("x", b"y")]), (b"k", b"v", [])]


def test_nothing_to_send_sends_nothing():
    """aiokafka would send an empty batch, which has no offset."""
    producer = FakeProducer()
    outbox = outbox_of(producer=producer)
    outbox.extend("alerts", 0, [])
    assert asyncio.run(outbox.flush()) == {}
    assert producer.sent == []


@pytest.mark.parametrize("when", ["handing over", "acknowledging"])
def test_a_record_that_was_not_written_raises(when):
    class Refusing(FakeProducer):
        async def send_batch(self, batch, topic, *, partition):
            if when == "handing over":
                raise OSError("no leader")
            refused = asyncio.get_running_loop().create_future()
            refused.set_exception(OSError("not enough replicas"))
            return refused

    with pytest.raises(OSError, match="no"):
        asyncio.run(outbox_of(b"1", producer=Refusing()).flush())


def test_a_flush_returns_only_when_the_brokers_have_everything():
    class Slow(FakeProducer):
        async def send_batch(self, batch, topic, *, partition):
            future = asyncio.get_running_loop().create_future()
            offset = (await super().send_batch(batch, topic, partition=partition)).result()
            asyncio.get_running_loop().call_later(0.02, future.set_result, offset)
            return future

    async def run():
        flush = asyncio.create_task(outbox_of(b"1", producer=Slow()).flush())
        await asyncio.sleep(0.01)
        assert not flush.done()
        assert await flush == {("alerts", 0): 0}

    asyncio.run(run())


def test_what_is_put_during_a_flush_waits_for_the_next_and_keeps_behind():
    producer = FakeProducer()
    outbox = outbox_of(b"1", producer=producer)

    async def put_more(topic):
        producer.after_send = None
        outbox.put("alerts", 0, b"key", b"2")
        assert len(outbox) == 1

    async def run():
        producer.after_send = put_more
        await asyncio.gather(outbox.flush(), outbox.flush())

    asyncio.run(run())
    assert values_of(producer) == [b"1", b"2"]
    assert len(outbox) == 0


def test_a_flush_does_not_overtake_the_one_before():
    class SlowAtFirst(FakeProducer):
        async def send_batch(self, batch, topic, *, partition):
            if batch.records[0].value == b"1":
                await asyncio.sleep(0.01)
            return await super().send_batch(batch, topic, partition=partition)

    producer = SlowAtFirst()
    outbox = outbox_of(b"1", producer=producer)

    async def run():
        first = asyncio.create_task(outbox.flush())
        await asyncio.sleep(0)
        outbox.put("alerts", 0, b"key", b"2")
        await outbox.flush()
        await first

    asyncio.run(run())
    assert values_of(producer) == [b"1", b"2"]


def test_a_record_larger_than_a_batch_gets_one_of_its_own():
    """With aiokafka's own builder: it takes the first record of a batch whatever its size."""

    class RealBatches(FakeProducer):
        def create_batch(self):
            return BatchBuilder(1000, 0)

    batches = outbox_of(producer=RealBatches())._batches([(b"k", b"x" * size, []) for size in (10, 5000, 10)])
    assert [batch.record_count() for batch in batches] == [1, 1, 1]
    assert all(batch.closed() for batch in batches)


def test_a_flush_tells_its_moments_and_one_of_nothing_tells_nothing(monkeypatch):
    clock = iter([1.0, 10.0, 11.0, 14.0, 20.0, 20.5, 21.0])
    monkeypatch.setattr("streams.engine.outbox.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    told = []
    outbox = Outbox(FakeProducer, told.append)

    async def run():
        await outbox.flush()
        outbox.put("alerts", 0, b"key", b"1")
        outbox.put("labels", 0, b"key", b"2")
        await outbox.flush()
        outbox.put("alerts", 0, b"key", b"3")
        await outbox.flush()

    asyncio.run(run())
    assert told == [Flush(10.0, 11.0, 14.0), Flush(20.0, 20.5, 21.0)]
