"""`yocho simulate` on the embedded broker: what the shop did is in the topics, in partitions of its customers."""

import itertools
from collections import Counter
from datetime import datetime

import msgspec
import pytest
from click.testing import CliRunner, Result
from kafka import TopicPartition

from models.event_log import read_log
from models.events import Channel, Event
from models.simulator import CLIMATES, Shop
from streams.broker import EmbeddedBroker
from streams.cli import main
from streams.cluster import Cluster
from streams.codec import decode
from streams.settings import Settings
from streams.topics import event_inputs

START = "2024-01-08T00:00:00+09:00"
START_S = int(datetime.fromisoformat(START).timestamp())


def simulate(bootstrap: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *arguments], env={"YOCHO_BROKERS": bootstrap})


def read_back(settings: Settings) -> list[tuple[int, Event]]:
    """Partition and event of every input record."""
    consumer = Cluster.reach(settings).consumer()
    found = []
    for source in event_inputs(settings):
        partitions = [TopicPartition(source.topic(settings), number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for partition, records in consumer.poll(500).items():
                for record in records:
                    event = decode(source, record.key, record.value, now_ms=START_S * 1000 * 2)
                    found.append((partition.partition, event))
    consumer.close()
    return found


def test_a_bounded_run_puts_exactly_the_shops_events_into_the_topics():
    settings = Settings()
    with EmbeddedBroker.for_settings(settings) as broker:
        settings = Settings(brokers=tuple(broker.bootstrap.split(",")))
        arguments = ("--customers", "60", "--seed", "4", "--start", START, "--speed", "max", "--climate", "grocery")
        by_days = simulate(broker.bootstrap, *arguments, "--days", "40")
        found = read_back(settings)
        by_count = simulate(broker.bootstrap, *arguments, "--events", "10")
    expected = list(Shop(4, 60, START_S, climate=CLIMATES["grocery"]).events(START_S + 40 * 86_400))
    assert by_days.exit_code == 0, by_days.output
    assert f"sent {len(expected):,} events" in by_days.output
    without_baskets = (msgspec.structs.replace(event, categories=0) for _, event in found)
    assert Counter(map(repr, without_baskets)) == Counter(map(repr, expected))
    homes = {(event.customer_id, partition) for partition, event in found}
    assert len(homes) == len({customer_id for customer_id, _ in homes})
    assert "sent 10 events" in by_count.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--speed", "fast"),
        ("--customers", "0"),
        ("--start", "yesterday"),
        ("--start", "1969-01-01"),
        ("--start", "2999-01-01"),
        ("--days", "0"),
        ("--climate", "tropical"),
        ("--csv", "log.csv"),
        ("--csv", ".", "--days", "1"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments):
    result = simulate("127.0.0.1:9", *arguments)
    assert result.exit_code == 2
    assert len(result.output.strip().splitlines()) == 1


def test_an_event_log_needs_no_broker_and_goes_into_evaluate(tmp_path):
    file = tmp_path / "log.csv.gz"
    arguments = ("--customers", "80", "--seed", "4", "--start", START, "--climate", "community", "--csv", str(file))
    result = simulate("127.0.0.1:9", *arguments, "--days", "120")
    assert result.exit_code == 0, result.output
    events = Shop(4, 80, START_S, climate=CLIMATES["community"]).events(START_S + 120 * 86_400)
    done = [event for event in events if event.engaged]
    assert result.output == f"wrote {len(done):,} events to {file}\n"
    log = read_log(file, Channel.LOGIN, "login")
    assert log.at_s.tolist() == [event.at_s for event in done]
    measured = CliRunner().invoke(main, ["evaluate", str(file), "--main", "login", "--horizon", "28d"])
    assert measured.exit_code == 0, measured.output
    assert "pooled" in measured.output


def test_an_event_log_may_end_after_a_number_of_events(tmp_path):
    file = tmp_path / "log.csv"
    result = simulate("127.0.0.1:9", "--customers", "20", "--start", START, "--csv", str(file), "--events", "30")
    assert result.exit_code == 0, result.output
    events = itertools.islice(Shop(1, 20, START_S).events(), 30)
    assert len(file.read_text().splitlines()) == 1 + sum(event.engaged for event in events)


def test_a_log_that_cannot_be_written_is_one_line(tmp_path):
    result = simulate("127.0.0.1:9", "--csv", str(tmp_path / "absent" / "log.csv"), "--days", "1")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "absent" in result.output


def test_an_unreachable_broker_is_one_line():
    result = simulate("127.0.0.1:9", "--events", "1")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "127.0.0.1:9" in result.output
