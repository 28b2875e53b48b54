"""`yocho erase`: what it sends is what a worker does, and --verify finds whatever is left."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from streams.broker import EmbeddedBroker
from streams.cli import main
from streams.cluster import Cluster
from streams.engine.changelog import take_changes
from streams.health import HealthServer
from streams.metrics.line import Metrics
from streams.partitioner import partition_of
from streams.provision import Found
from streams.settings import Settings
from streams.topics import CHANGELOG, COMMANDS, DEAD_LETTERS
from streams.traces import Trace, _kept_ms
from tests.builders import START_MS, Record, erase, login, order
from tests.streams.harness import FirstLine
from tests.streams.test_cli import NOBODY, assert_one_line, yocho
from tests.streams.test_command_sending import sent

AT = "2024-02-01T00:00:00Z"
PARTITION = partition_of(b"c1", Settings().partitions)
A, B, C, D, E, *_ = (f"v{n}" for n in range(100) if partition_of(b"v%d" % n, Settings().partitions) == PARTITION)
"""Customers of that partition, about whom nobody says anything else on the broker of this module."""


@pytest.fixture(scope="module")
def broker():
    with EmbeddedBroker.for_settings(Settings()) as broker:
        yield broker


class Shop:
    """A broker with what a worker wrote about the customers of one partition."""

    def __init__(self, broker):
        self.settings = Settings(brokers=(broker.bootstrap,))
        self.line = FirstLine(number=PARTITION, partitions=4)
        self.line.pipeline.admission._partition_of = lambda key: PARTITION
        self._producer = Cluster.reach(self.settings).producer()
        self._written = 0

    def take(self, *samples):
        self.line.take(*samples)
        for out in self.line.out[self._written :]:
            self._send(out.topic, out.key, out.value, out.headers or [])
        self._written = len(self.line.out)
        for key, value, headers in take_changes(self.line.partition):
            self._send(CHANGELOG.topic(self.settings), key, value, headers)
        self._producer.flush()

    def _send(self, topic, key, value, headers):
        self._producer.send(topic, value, key, headers=headers, partition=PARTITION)

    def verify(self, *arguments, **variables):
        none = {"YOCHO_METRICS_PORT": "0"}
        return yocho("erase", "--verify", *arguments, **none | {"YOCHO_BROKERS": self.settings.bootstrap} | variables)

    def verified(self, *arguments, **variables):
        result = self.verify("--json", *arguments, **variables)
        return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


class TestSaying:
    def test_an_erasure_and_its_tombstone_reach_the_partition_of_the_customer_and_a_worker_does_it(self, broker):
        result = yocho("erase", "c1", "--by", "Sato", "--at", AT, YOCHO_BROKERS=broker.bootstrap)
        assert result.output == "Sato erases c1: sent to churn-commands; yocho erase --verify tells what is left\n"
        said, behind = sent(broker, "c1")
        assert behind.value is None
        line = FirstLine()
        line.take(order("c1"), said._replace(topic=COMMANDS.key), behind._replace(topic=COMMANDS.key))
        assert (list(line.partition), line.dead_letters()) == ([], [])
        assert line.partition.stream_time_s == datetime(2024, 2, 1, tzinfo=UTC).timestamp()

    def test_many_are_read_from_a_file_each_once(self, broker, tmp_path):
        ids = tmp_path / "ids"
        ids.write_bytes("m1\r\n\n顧客-9\nm1\nm 3\n".encode())
        result = yocho("erase", "--file", str(ids), "--by", "Sato", YOCHO_BROKERS=broker.bootstrap)
        assert "Sato erases 3 customers: sent to churn-commands" in result.output
        assert [len(sent(broker, who)) for who in ("m1", "顧客-9", "m 3")] == [2, 2, 2]

    def test_or_from_standard_input_so_that_no_id_is_seen_among_the_processes(self, broker):
        arguments = ["erase", "--file", "-", "--by", "Sato"]
        result = CliRunner().invoke(main, arguments, input="p1\n", env={"YOCHO_BROKERS": broker.bootstrap})
        assert result.exit_code == 0, result.output
        assert len(sent(broker, "p1")) == 2

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"good-1\nbad\x01id\n", ("--file", "line 2")),
            (b"good-1\n" + b"x" * 257 + b"\n", ("--file", "line 2")),
            (b"good-1\n\xff\xfe\n", ("--file", "UTF-8")),
            (b"\n\n", ("--file", "no id")),
        ],
    )
    def test_a_file_with_a_bad_line_sends_nothing_and_no_message_shows_an_id(self, broker, tmp_path, content, words):
        ids = tmp_path / "ids"
        ids.write_bytes(content)
        result = yocho("erase", "--file", str(ids), "--by", "Sato", YOCHO_BROKERS=broker.bootstrap)
        assert_one_line(result, *words, code=2)
        assert "xxx" not in result.stderr and "bad" not in result.stderr
        assert sent(broker, "good-1") == []

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--by", "Sato"), ("CUSTOMER", "--file")),
            (("c1",), ("--by",)),
            (("c1", "--by", "x" * 65), ("--by", "64")),
            (("c1", "--verify", "--by", "Sato"), ("--verify", "--by")),
            (("c1", "--file", "missing", "--by", "Sato"), ("--file",)),
            (("", "--by", "Sato"), ("CUSTOMER", "an id")),
        ],
    )
    def test_a_wrong_argument_is_one_clear_line(self, arguments, words):
        assert_one_line(yocho("erase", *arguments, **NOBODY), *words, code=2)

    @pytest.mark.parametrize("arguments", [("c1", "--by", "Sato"), ("c1", "--verify")])
    def test_an_unreachable_broker_is_one_clear_line(self, arguments):
        assert_one_line(yocho("erase", *arguments, **NOBODY), "no broker answers", "YOCHO_BROKERS")


class TestVerifying:
    def test_the_life_of_a_customer_and_of_their_erasure(self, broker):
        shop = Shop(broker)
        shop.take(order(A), order(B), Record("orders", 0, 0, START_MS, None, escaped(A)))
        code, (before,) = shop.verified(A)
        assert (code, before["is_live"], before["erased_at"]) == (1, True, None)
        assert _left(before) == {CHANGELOG.topic(shop.settings): 1, "dead-letters": 1}
        shop.take(erase(A, at="+1d"))
        code, (after,) = shop.verified(A)
        assert (code, after["is_live"], after["erased_at"]) == (0, False, "2024-01-02T00:00:00+00:00")
        assert _left(after) == {
            "yocho-customers-changelog": 2, "dead-letters": 1,
            "churn-alerts": 1, "churn-outcomes": 1, "churn-labels": 2,
        }  # fmt: skip
        shop.take(login(A, at="+2d"))
        code, (back,) = shop.verified(A)
        assert (code, back["is_live"], back["erased_at"]) == (1, True, "2024-01-02T00:00:00+00:00")
        assert "there again, from events after that: erased up to 2024-01-02" in shop.verify(A).stdout

    def test_people_are_told_where_and_that_inputs_are_not_ours(self, broker):
        shop = Shop(broker)
        shop.take(order(C), erase(C, at="+1d"))
        text = shop.verify(C).stdout
        assert "state: nothing, erased up to 2024-01-02 00:00 UTC" in text
        assert "churn-alerts: 1 record named" in text
        assert "dead-letters: nothing" in text
        assert "orders, logins, email-opens" in text and "churn-commands" in text
        assert text.endswith("nothing is left in state\n")

    def test_many_are_looked_for_at_once(self, broker, tmp_path):
        shop = Shop(broker)
        shop.take(order(D), order(E), erase(D, at="+1d"))
        ids = tmp_path / "ids"
        ids.write_text(f"{D}\n{E}\nnever-seen\n")
        code, found = shop.verified("--file", str(ids))
        assert code == 1
        assert [(one["customer_id"], one["is_live"]) for one in found] == [(D, False), (E, True), ("never-seen", False)]
        assert _left(found[2]) == {}

    def test_a_label_of_the_metrics_that_names_the_customer_is_found(self, broker):
        registry = CollectorRegistry()
        metrics = Metrics(registry)
        server = HealthServer(registry, lambda: True, "127.0.0.1", 0)
        try:
            shop, port = Shop(broker), {"YOCHO_METRICS_PORT": str(server.port)}
            assert shop.verified("f1", **port)[0] == 0
            metrics.passed_over("f1", "erased")
            code, (found,) = shop.verified("f1", **port)
            assert (code, found["in_metrics"]) == (1, True)
            assert "metrics: named in a label" in shop.verify("f1", **port).stdout
        finally:
            server.close()

    def test_a_group_that_never_ran_and_another_partition_count_are_told(self, broker):
        shop = Shop(broker)
        assert_one_line(shop.verify("c1", YOCHO_GROUP="strangers"), "strangers-customers-changelog is missing")
        assert_one_line(shop.verify("c1", YOCHO_PARTITIONS="5"), "has 4 partitions")


def test_how_long_a_record_stays_is_what_the_broker_keeps_it_for():
    found = Found("dead-letters", 4, 1, DEAD_LETTERS.config)
    assert _kept_ms(DEAD_LETTERS, found.config) == 14 * 86_400_000
    assert _kept_ms(CHANGELOG, CHANGELOG.config) == 15 * 86_400_000
    assert _kept_ms(DEAD_LETTERS, {}) is None
    assert _kept_ms(DEAD_LETTERS, {"retention.ms": "-1"}) is None
    assert Trace("t", 1, last_ms=5_000, kept_ms=2_000).until_s == 7
    assert Trace("t", 0, last_ms=0, kept_ms=2_000).until_s is None


def escaped(customer_id):
    """A body that names a customer in a way that no search for the letters finds."""
    letters = "".join(f"\\u{ord(letter):04x}" for letter in customer_id)
    return f'{{"version": 2, "customer_id": "{letters}"}}'.encode()


def _left(found):
    return {trace["topic"]: trace["records"] for trace in found["traces"] if trace["records"]}
