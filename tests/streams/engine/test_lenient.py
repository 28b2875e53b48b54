"""A header whose name is not UTF-8 stops nobody: Kafka allows it, aiokafka's parser does not."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaProducer

from streams.broker import EmbeddedBroker
from streams.engine import lenient
from streams.engine.lenient import LenientRecords

PLAIN, GZIP = 0, 1


class Raw(str):
    """A header name that travels as bytes no client would send."""

    def encode(self, *_):
        return b"\xff\xfe" + super().encode()


def record_batch(names, base_offset=0, compression=PLAIN):
    """Bytes of a batch with one record per header name; None for no header."""
    builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, 0, 1 << 20)
    for n, name in enumerate(names):
        headers = [] if name is None else [(name, b"h%d" % n)]
        builder.append(n, timestamp=1_000 + n, key=b"k%d" % n, value=b"v%d" % n, headers=headers)
    built = builder.build()
    built[:8] = base_offset.to_bytes(8, "big")
    return bytes(built)


def read(records):
    out = []
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc()
        out += [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in batch]
    return out


def test_aiokafka_still_needs_this():
    with pytest.raises(UnicodeDecodeError):
        read(MemoryRecords(record_batch([None, Raw("x")])))


@pytest.mark.parametrize("compression", [PLAIN, GZIP])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_record_of_the_batch_is_read_and_the_name_is_escaped(place, compression):
    names = [None, "trace", "trace"]
    names[place] = Raw("x")
    found = read(LenientRecords(record_batch(names, compression=compression)))
    assert [(offset, key, value) for offset, _, key, value, _ in found] == [
        (n, b"k%d" % n, b"v%d" % n) for n in range(3)
    ]
    assert found[place][-1] == [("\\xff\\xfex", b"h%d" % place)]


NAMES = st.lists(st.sampled_from([None, "trace", "客", Raw("x")]), min_size=1, max_size=6)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_it_reads_what_aiokafka_reads_wherever_that_can_be_read(batches):
    offset, good, lenient_data = 0, b"", b""
    for names in batches:
        good += record_batch([None if isinstance(name, Raw) else name for name in names], offset)
        lenient_data += record_batch(names, offset)
        offset += len(names)
    expected, found = read(MemoryRecords(good)), read(LenientRecords(lenient_data))
    flat = [name for names in batches for name in names]
    assert [record[:4] for record in found] == [record[:4] for record in expected]
    assert [f[4] for f, n in zip(found, flat, strict=True) if not isinstance(n, Raw)] == [
        e[4] for e, n in zip(expected, flat, strict=True) if not isinstance(n, Raw)
    ]


def test_a_batch_that_was_cut_off_is_left_for_the_next_fetch():
    data = record_batch([None]) + record_batch([Raw("x")], 1)
    records = LenientRecords(data[:-3])
    assert [offset for offset, *_ in read(records)] == [0]
    assert records.next_batch() is None
    assert records.size_in_bytes() == MemoryRecords(data[:-3]).size_in_bytes()


def test_a_consumer_reads_on_over_such_a_record(monkeypatch):
    monkeypatch.setattr(fetcher, "MemoryRecords", fetcher.MemoryRecords)  # put back what `install` replaces
    lenient.install()

    async def consume(bootstrap):
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        consumer.assign([TopicPartition("t", 0)])
        found = []
        async with asyncio.timeout(20):
            while len(found) < 4:
                found.append((await consumer.getone()).value)
        await consumer.stop()
        return found

    with EmbeddedBroker({"t": 1}) as broker:
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, api_version=(2, 0), linger_ms=50)
        for value, headers in ((b"a", []), (b"b", [(Raw("x"), b"")]), (b"c", []), (b"d", [("ok", b"")])):
            producer.send("t", value=value, headers=headers)
        producer.close()
        assert asyncio.run(consume(broker.bootstrap)) == [b"a", b"b", b"c", b"d"]
