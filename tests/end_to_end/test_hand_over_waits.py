"""After a hand-over a reader asks the broker which inputs have been quiet, so that it need not wait for them."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faust.types import TP

from streams.engine.fetch_thread import BatchConsumerThread
from streams.settings import Settings
from tests.end_to_end.brokers import embedded_only, fresh_broker, kafka_only

WAIT_S = 30.0
SPOKEN_MINUTES_AGO, JUST_SPOKEN, NEVER_SPOKEN = (TP(topic, 1) for topic in ("logins", "orders", "churn-commands"))
TPS = [SPOKEN_MINUTES_AGO, JUST_SPOKEN, NEVER_SPOKEN]


async def quiet_ones(bootstrap):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for tp, ago_s in ((SPOKEN_MINUTES_AGO, 300), (JUST_SPOKEN, 300), (JUST_SPOKEN, 0)):
            at_ms = int((time.time() - ago_s) * 1000)
            await producer.send_and_wait(tp.topic, b"{}", key=b"c1", partition=tp.partition, timestamp_ms=at_ms)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        return await BatchConsumerThread._quiet(SimpleNamespace(_ensure_consumer=lambda: consumer), TPS, WAIT_S)


@pytest.fixture(scope="module")
def quiet():
    with fresh_broker(Settings()) as broker:
        yield asyncio.run(quiet_ones(broker.bootstrap))


@kafka_only
def test_an_input_that_spoke_before_is_quiet_and_so_is_one_that_never_did(quiet):
    assert quiet == {SPOKEN_MINUTES_AGO, NEVER_SPOKEN}


@embedded_only
def test_a_broker_that_knows_no_times_leaves_only_empty_logs_for_quiet(quiet):
    assert quiet == {NEVER_SPOKEN}
