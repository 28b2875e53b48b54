"""Inputs written in transactions, as Kafka Streams and Flink write them: their markers are no records, and what was
aborted never happened."""

import contextlib

import pytest

from streams.engine.turns import PATIENCE_S
from tests.builders import Sample, login, order
from tests.end_to_end.brokers import fresh_broker, kafka_only
from tests.end_to_end.cluster import WorkerProcess, environment, ordered_producer, send, wait_until

pytestmark = kafka_only
CUSTOMER = "c1"


@pytest.fixture
def deployment():
    """A worker, and a producer that writes in transactions."""
    with fresh_broker() as broker, WorkerProcess(environment(broker.bootstrap)) as worker:
        worker.wait_ready()
        producer = ordered_producer(broker.bootstrap, transactional_id="shop")
        producer.init_transactions()
        yield worker, producer, broker.bootstrap


@contextlib.contextmanager
def transaction(producer, *samples: Sample):
    """The samples are written, and what becomes of them is up to the caller."""
    producer.begin_transaction()
    for sample in samples:
        producer.produce(sample.source.key, sample.value, sample.key)
    producer.flush()
    yield
    producer.flush()


def applied(worker, of: str) -> float:
    return worker.metrics()[f'yocho_events_total{{outcome="applied",type="{of}"}}']


def soon(worker, done) -> None:
    """Long before an input that might still speak is given up."""
    wait_until(done, PATIENCE_S / 2, worker.said)


def test_nobody_waits_for_an_input_that_ends_in_a_marker(deployment):
    worker, producer, _ = deployment
    for day in range(3):
        for sample in (login(CUSTOMER, at=f"+{24 * day}h"), order(CUSTOMER, at=f"+{24 * day + 12}h")):
            with transaction(producer, sample):
                producer.commit_transaction()
        soon(worker, lambda day=day: (applied(worker, "login"), applied(worker, "order")) == (day + 1, day + 1))
    lags = {value for series, value in worker.metrics().items() if series.startswith("yocho_consumer_lag_records{")}
    assert lags == {0.0}


def test_what_was_aborted_never_happened_and_an_open_transaction_holds_nobody_up(deployment):
    worker, producer, bootstrap = deployment
    with transaction(producer, login(CUSTOMER, at="+1d")):
        producer.abort_transaction()
    with transaction(producer, login(CUSTOMER, at="+2d")):
        sample = order(CUSTOMER, at="+3d")
        list(send(bootstrap, [(sample.source.key, sample.key, sample.value)]))
        soon(worker, lambda: applied(worker, "order") == 1)
        assert applied(worker, "login") == 0
        producer.commit_transaction()
    soon(worker, lambda: applied(worker, "login") == 1)
