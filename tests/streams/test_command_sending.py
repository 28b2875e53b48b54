"""`yocho ack`, `yocho snooze` and `yocho release`: what they send is what the worker it concerns reads."""

import time
from datetime import UTC, datetime

import pytest
from kafka import TopicPartition

from models.commands import Command, CommandKind
from models.target import DAY_S
from streams.broker import EmbeddedBroker
from streams.cluster import Cluster
from streams.codec import decode
from streams.command_sending import release_key
from streams.commands import Release
from streams.partitioner import partition_of
from streams.settings import Settings
from streams.topics import COMMANDS
from tests.builders import START_MS, Record, order
from tests.streams.harness import FirstLine
from tests.streams.test_cli import NOBODY, assert_one_line, yocho


@pytest.fixture(scope="module")
def broker():
    with EmbeddedBroker.for_settings(Settings()) as broker:
        yield broker


def sent(broker, customer_id: str) -> list[Record]:
    """What lies in the partition of a customer."""
    consumer = Cluster.reach(Settings(brokers=(broker.bootstrap,))).consumer()
    tp = TopicPartition("churn-commands", partition_of(customer_id.encode(), Settings().partitions))
    consumer.assign([tp])
    consumer.seek_to_beginning(tp)
    deadline, found = time.monotonic() + 10, []
    while time.monotonic() < deadline and consumer.position(tp) < consumer.end_offsets([tp])[tp]:
        found += [record for records in consumer.poll(timeout_ms=200).values() for record in records]
    consumer.close()
    return [
        Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value)
        for r in found
        if r.key == customer_id.encode()
    ]


def read(record: Record) -> Command | Release:
    return decode(COMMANDS, record.key, record.value, now_ms=int(time.time() * 1000))


def test_an_acknowledgement_reaches_the_partition_of_the_customer_and_one_line_says_so(broker):
    result = yocho("ack", "顧客-7", "--by", "佐藤\u3000花子", YOCHO_BROKERS=broker.bootstrap)
    (record,) = sent(broker, "顧客-7")
    command = read(record)
    assert (command.kind, command.by, command.until_s) == (CommandKind.ACK, "佐藤\u3000花子", 0)
    assert abs(command.occurred_at_ms - time.time() * 1000) < 60_000
    assert result.output == (
        f"佐藤\u3000花子 takes care of 顧客-7: sent to churn-commands, partition {record.partition},"
        f" as {command.event_id}\n"
    )


def test_a_snooze_says_until_when_and_works_on_the_worker_it_is_meant_for(broker):
    result = yocho(
        "snooze", "c1", "--until", "14d", "--by", "Sato", "--at", "2024-01-02T09:00:00+09:00",
        YOCHO_BROKERS=broker.bootstrap,
    )  # fmt: skip
    (record,) = sent(broker, "c1")
    assert "c1 snoozed by Sato until 2024-01-16 00:00 UTC: sent to churn-commands" in result.output
    line = FirstLine(horizon_s=91 * DAY_S)
    line.take(order("c1"), record._replace(topic=COMMANDS.key))
    assert line.row("c1")["snoozed_until"] == START_MS // 1000 + 15 * DAY_S


def test_the_end_of_a_snooze_may_be_a_moment_and_the_moment_may_be_now(broker):
    now = datetime.now(UTC)
    later = datetime.fromtimestamp(int(now.timestamp()) + 86_400, UTC).isoformat()
    yocho("snooze", "c2", "--until", later, "--by", "Sato", YOCHO_BROKERS=broker.bootstrap)
    yocho("snooze", "c2", "--until", "0d", "--by", "Sato", YOCHO_BROKERS=broker.bootstrap)
    first, second = map(read, sent(broker, "c2"))
    assert first.until_s == int(now.timestamp()) + 86_400
    assert 0 <= second.until_s * 1000 - second.occurred_at_ms < 1000
    assert first.event_id != second.event_id


def test_the_longest_snooze_is_one_that_the_worker_takes(broker):
    yocho("snooze", "c3", "--until", "91d", "--by", "Sato", YOCHO_BROKERS=broker.bootstrap)
    (record,) = sent(broker, "c3")
    line = FirstLine(horizon_s=91 * DAY_S)
    line.take(order("c3", at=read(record).occurred_at_ms - DAY_S * 1000), record._replace(topic=COMMANDS.key))
    assert line.dead_letters() == []
    assert line.row("c3")["snoozed_until"] == read(record).until_s


def test_a_release_reaches_every_partition_or_the_one_that_is_named(broker):
    result = yocho("release", "--by", "Sato", YOCHO_BROKERS=broker.bootstrap)
    assert result.output == "Sato releases all partitions: sent to churn-commands\n"
    keys = [release_key(number, 4).decode() for number in range(4)]
    records = [record for key in keys for record in sent(broker, key)]
    assert [record.partition for record in records] == [0, 1, 2, 3]
    assert all(isinstance(read(record), Release) for record in records)
    yocho("release", "--by", "Sato", "--partition", "2", YOCHO_BROKERS=broker.bootstrap)
    assert [len(sent(broker, key)) for key in keys] == [1, 1, 2, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("release",), ("--by", "yocho release --help")),
        (("release", "--by", "Sato", "--partition", "4"), ("--partition", "4 partitions")),
        (("ack", "c1"), ("--by", "yocho ack --help")),
        (("ack", "", "--by", "Sato"), ("CUSTOMER", "an id")),
        (("ack", "c1", "--by", "x" * 65), ("--by", "64")),
        (("ack", "c1", "--by", "a\x1b[2Jb"), ("--by", "printable")),
        (("ack", "c1", "--by", "Sato", "--at", "yesterday"), ("--at", "RFC 3339")),
        (("snooze", "c1", "--by", "Sato"), ("--until",)),
        (("snooze", "c1", "--by", "Sato", "--until", "2 weeks"), ("--until", "91d", "RFC 3339")),
        (("snooze", "c1", "--by", "Sato", "--until", "92d"), ("--until", "91d", "YOCHO_HORIZON")),
        (("snooze", "c1", "--by", "Sato", "--until", "2020-01-01T00:00:00Z"), ("--until", "past")),
    ],
)
def test_a_wrong_argument_is_one_clear_line(arguments, words):
    assert_one_line(yocho(*arguments, **NOBODY), *words, code=2)


@pytest.mark.parametrize("arguments", [("ack", "c1"), ("snooze", "c1", "--until", "1d"), ("release",)])
def test_an_unreachable_broker_is_one_clear_line(arguments):
    assert_one_line(yocho(*arguments, "--by", "Sato", **NOBODY), "no broker answers", "YOCHO_BROKERS")


def test_a_topic_with_another_partition_count_is_one_clear_line(broker):
    result = yocho("ack", "c1", "--by", "Sato", YOCHO_BROKERS=broker.bootstrap, YOCHO_PARTITIONS="5")
    assert_one_line(result, "churn-commands", "4 partitions", "YOCHO_PARTITIONS")
