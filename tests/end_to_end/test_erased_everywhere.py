"""Somebody is erased for good: through a replay, a restart and another group, and on Kafka through compaction."""

import asyncio
import contextlib
import sys
import time
from datetime import timedelta

import pytest
from aiokafka import TopicPartition
from click.testing import CliRunner
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from streams import provision
from streams.cli import main
from streams.cluster import Cluster
from streams.lone_reader import batches_to_end, lone_reader
from streams.partitioner import partition_of
from streams.settings import Settings
from streams.topics import CHANGELOG
from tests.end_to_end.brokers import IS_KAFKA, fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Outbound, Probe, WorkerProcess, environment, send, send_to, settle
from tests.end_to_end.small_shop import BEGIN, MONTH, clocks, lines, record, shop, yocho

CANARY = "canary-4711-to-be-erased"
LAST_DAY, TODAY = 55, 90
ASKED_AT = (BEGIN + timedelta(days=TODAY, minutes=1)).isoformat()
DEBUG = (sys.executable, "-m", "streams", "worker", "--log-level", "DEBUG")
HISTORY = [record(*one) for one in sorted(
    [*shop(), *((CANARY, float(day)) for day in range(0, LAST_DAY, 3)), *clocks(TODAY)], key=lambda one: one[1],
)]  # fmt: skip
BAD = Outbound("orders", partition_of(CANARY.encode(), PARTITIONS), CANARY.encode(), b"{")
CLEANED_S = 25.0
SMALL = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.001", "max.compaction.lag.ms": "1",
         "delete.retention.ms": "1"}  # fmt: skip


def test_a_customer_who_was_erased_is_found_nowhere_that_is_ours_to_clear():
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, **MONTH)
        said = [first_life(variables, probe), second_life(variables, probe)]
        settings = Settings(brokers=(broker.bootstrap,), group="again")
        provision.create(Cluster.reach(settings), settings)
        said.append(another_group(variables | {"YOCHO_GROUP": settings.group}))
        for group in ("yocho", settings.group):
            assert CANARY.encode() not in live_view(Settings(brokers=(broker.bootstrap,), group=group))
    assert "ready" in said[0] and '"level":"debug"' in said[0]
    assert [text.count(CANARY) for text in said] == [0, 0, 0]


def first_life(variables, probe):
    """The customer is alerted on, is erased, and their history is sent once more."""
    with WorkerProcess(variables, DEBUG) as worker:
        worker.wait_ready()
        list(send(variables["YOCHO_BROKERS"], HISTORY))
        send_to(variables["YOCHO_BROKERS"], [BAD])
        settle(worker, probe)
        code, found = verified(variables, worker)
        left = {trace["topic"] for trace in found["traces"] if trace["records"]}
        assert (code, left) == (1, {"yocho-customers-changelog", "churn-alerts", "churn-labels", "dead-letters"})
        yocho(variables, "erase", CANARY, "--by", "Sato", "--at", ASKED_AT)
        settle(worker, probe)
        assert verified(variables, worker)[0] == 0
        letters = dead_letters(probe)
        list(send(variables["YOCHO_BROKERS"], [one for one in HISTORY if one[1] == CANARY.encode()]))
        settle(worker, probe)
        n_orders = len(range(0, LAST_DAY, 3))
        assert worker.metrics()['yocho_events_total{outcome="erased",type="order"}'] == n_orders
        assert dead_letters(probe) == letters
        return ended(variables, worker)


def second_life(variables, probe):
    """The worker restarts: what it recovers knows of the erasure and of nobody."""
    with WorkerProcess(variables, DEBUG) as worker:
        worker.wait_ready()
        list(send(variables["YOCHO_BROKERS"], [record(CANARY, day) for day in (1.5, 50.5)]))
        settle(worker, probe)
        return ended(variables, worker)


def another_group(variables):
    """A new group reads everything from the beginning; the erasure has its turn among the rest."""
    with (
        Probe(variables["YOCHO_BROKERS"], variables["YOCHO_GROUP"]) as probe,
        WorkerProcess(variables, DEBUG) as worker,
    ):
        worker.wait_ready()
        settle(worker, probe)
        return ended(variables, worker)


def ended(variables, worker):
    """Nothing is left and the metrics name nobody; gives the log."""
    assert verified(variables, worker)[0] == 0
    assert CANARY not in worker.get("/metrics")[1]
    assert worker.stop() == 0, worker.said()
    return worker.said()


def verified(variables, worker):
    """Exit code and findings of the command, run in this process to save its start."""
    port = {"YOCHO_METRICS_PORT": str(worker.port)}
    done = CliRunner().invoke(main, ["erase", "--verify", "--json", CANARY], env=variables | port)
    (found,) = lines(done.stdout)
    assert not found["in_metrics"]
    return done.exit_code, found


def dead_letters(probe):
    found = [message for part in probe.records("dead-letters").values() for message in part]
    return sum(message.key() == CANARY.encode() for message in found)


def live_view(settings):
    """Latest record of each key of the changelog, without tombstones."""
    latest = dict(raw(settings))
    return {key for key, value in latest.items() if value is not None}


def raw(settings):
    """Every record of the changelog that can still be read, in order: key and value."""
    return asyncio.run(_raw(settings))


async def _raw(settings):
    found = []
    async with lone_reader(settings) as consumer:
        for number in range(PARTITIONS):
            tp = TopicPartition(CHANGELOG.topic(settings), number)
            consumer.assign([tp])
            async for records in batches_to_end(consumer, tp):
                found += [(record.key, record.value) for record in records]
    return found


@pytest.mark.skipif(not IS_KAFKA, reason="the embedded broker compacts nothing")
def test_after_compaction_no_segment_holds_them():
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, **MONTH)
        settings = Settings(brokers=(broker.bootstrap,))
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        configure(admin, ResourceType.TOPIC, CHANGELOG.topic(settings), SMALL)
        with WorkerProcess(variables) as worker, quick_cleaner(admin):
            worker.wait_ready()
            list(send(broker.bootstrap, HISTORY))
            settle(worker, probe)
            assert CANARY.encode() in dict(raw(settings))
            yocho(variables, "erase", CANARY, "--by", "Sato", "--at", ASKED_AT)
            settle(worker, probe)
            roll_until_gone(broker, settings)
            assert worker.stop() == 0
            assert CANARY not in worker.said()


def configure(admin, kind, name, options):
    """Set options of a topic or a broker; None takes one back."""
    entries = [
        ConfigEntry(option, value, incremental_operation=AlterConfigOpType.SET if value else AlterConfigOpType.DELETE)
        for option, value in options.items()
    ]
    resource = ConfigResource(kind, name, incremental_configs=entries)
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(timeout=10)


@contextlib.contextmanager
def quick_cleaner(admin):
    """The log cleaner looks for work five times a second; by default it sleeps for 15 s when there is none."""
    option = "log.cleaner.backoff.ms"
    configure(admin, ResourceType.BROKER, "1", {option: "200"})
    try:
        yield
    finally:
        configure(admin, ResourceType.BROKER, "1", {option: None})


def roll_until_gone(broker, settings):
    """Write on, as the segment that is written to is never compacted, until no record names the customer."""
    deadline_s, second = time.monotonic() + CLEANED_S, 0
    while any(key == CANARY.encode() for key, _ in raw(settings)):
        assert time.monotonic() < deadline_s, f"still named after {CLEANED_S} s"
        second += 120
        list(send(broker.bootstrap, [record(*one) for one in clocks(TODAY + second / 86_400)]))
        time.sleep(1.0)
