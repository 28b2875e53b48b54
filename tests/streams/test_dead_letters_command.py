"""`yocho dead-letters` lists without showing anybody's data, shows safely, and sends back what is asked for, once."""

import base64
import json
import stat

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from kafka import TopicPartition

from streams.broker import EmbeddedBroker
from streams.cli import main
from streams.cluster import Cluster
from streams.codec import decode
from streams.dead_letter import DeadLetter
from streams.partitioner import partition_of
from streams.reasons import Reason, Reject
from streams.settings import Settings
from tests.bad_input import BAD_INPUT
from tests.builders import NOW_MS, Record, login, order

PARTITIONS = 4
AT_MS = 1_743_433_200_000  # 2025-03-31T15:00:00Z
HEADERS = (("trace", b"t-1"), ("x-reason", b"forged"))


class Bench:
    """A broker, and the command on it."""

    def __init__(self, broker):
        self.variables = {"YOCHO_BROKERS": broker.bootstrap}
        self.librdkafka = {"bootstrap.servers": broker.bootstrap, "log_level": 0}
        self.cluster = Cluster.reach(Settings(brokers=(broker.bootstrap,)))

    def set_aside(self, *letters):
        """Write letters as a worker does, a second apart; gives their ids."""
        producer = Producer({**self.librdkafka, "linger.ms": 2})
        for number, letter in enumerate(letters):
            key, value, headers = letter.to_record()
            place = {"partition": letter.record.partition, "timestamp": AT_MS + 1_000 * number}
            producer.produce("dead-letters", value, key, headers=headers, **place)
        producer.flush()
        return [letter.id for letter in letters]

    def yocho(self, *arguments, answer=None):
        return CliRunner().invoke(main, ["dead-letters", *arguments], env=self.variables, input=answer)

    def lines(self, *arguments):
        result = self.yocho(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    def records(self, topic):
        consumer = self.cluster.consumer()
        tps = [TopicPartition(topic, n) for n in range(PARTITIONS)]
        consumer.assign(tps)
        consumer.seek_to_beginning(*tps)
        wanted, found = sum(consumer.end_offsets(tps).values()), []
        while len(found) < wanted:
            found += [record for records in consumer.poll(timeout_ms=200).values() for record in records]
        consumer.close()
        return found


@pytest.fixture
def bench():
    with EmbeddedBroker.for_settings(Settings()) as broker:
        yield Bench(broker)


def bytes_of(name, one):
    """The bytes a field stands for."""
    if f"{name}_base64" in one:
        return base64.b64decode(one[f"{name}_base64"])
    return None if one[name] is None else one[name].encode()


def stray(sample, offset, reason=Reason.WRONG_PARTITION, headers=HEADERS, topic=None):
    """A letter about a record that landed on a partition that is not its own."""
    partition = (partition_of(sample.key, PARTITIONS) + 1) % PARTITIONS
    record = Record(topic or sample.source.key, partition, offset, 0, sample.key, sample.value, headers)
    return DeadLetter.of(record, Reject(reason, "the rule"), "0.1.0")


def strays(n, **changes):
    return [stray(order(f"c{number}"), number, **changes) for number in range(n)]


def test_letters_are_listed_newest_first_with_where_from_and_why(bench):
    ids = bench.set_aside(*strays(5), stray(login("c7"), 8, Reason.LATE))
    found = bench.lines("list", "--limit", "3")
    assert [one["id"] for one in found] == ids[:2:-1]
    newest = found[0]
    assert (newest["topic"], newest["offset"], newest["reason"]) == ("logins", 8, "late")
    assert newest["set_aside_at"] == "2025-03-31T15:00:05Z"
    assert newest["redriven_at"] is newest["redriven_from"] is None


def test_neither_key_nor_value_nor_header_is_listed_unless_asked_for(bench):
    bench.set_aside(stray(order("tanaka", note="secret"), 1))
    for arguments in ([], ["--json"]):
        result = bench.yocho("list", *arguments)
        assert result.exit_code == 0, result.output
        assert not {word for word in ("tanaka", "secret", "t-1") if word in result.output}
        assert "tanaka" in bench.yocho("list", "--payload", *arguments).output


def test_all_that_are_meant_are_counted_by_reason_however_few_are_shown(bench):
    bench.set_aside(*strays(5), *[stray(login("c7"), n, Reason.LATE) for n in range(2)])
    shown = bench.yocho("list", "--limit", "1").stdout.splitlines()
    assert [line.split() for line in shown[-3:]] == [
        ["5", "wrong_partition", "from", "orders"],
        ["2", "late", "from", "logins"],
        ["7", "dead", "letters"],
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--reason", "late"], {"logins"}),
        (["--topic", "orders"], {"orders"}),
        (["--since", "2025-03-31T15:00:03Z"], {"logins"}),
        (["--reason", "late", "--topic", "orders"], set()),
    ],
)
def test_letters_are_chosen_by_reason_topic_and_time(bench, arguments, expected):
    bench.set_aside(*strays(3), stray(login("c7"), 8, Reason.LATE))
    assert {one["topic"] for one in bench.lines("list", *arguments)} == expected


def test_a_letter_written_twice_is_one(bench):
    letter = stray(order(), 1)
    bench.set_aside(letter, letter)
    assert len(bench.lines("list")) == 1


def test_a_topic_without_letters_and_a_missing_topic_are_told_apart(bench):
    assert bench.yocho("list").stdout.split() == ["0", "dead", "letters"]
    with EmbeddedBroker({}) as empty:
        result = CliRunner().invoke(main, ["dead-letters", "list"], env={"YOCHO_BROKERS": empty.bootstrap})
    assert result.exit_code in (0, 1)  # this broker makes a topic when it is asked about one
    assert "Traceback" not in result.output


def test_every_kind_of_bad_input_is_shown_whole_and_safely(bench):
    letters = [
        DeadLetter.of(
            Record(bad.source.key, n % PARTITIONS, n, 0, bad.key, bad.value, HEADERS),
            decode(bad.source, bad.key, bad.value, now_ms=NOW_MS),
            "0.1.0",
        )
        for n, bad in enumerate(BAD_INPUT)
    ]
    ids = bench.set_aside(*letters)
    result = bench.yocho("show", *ids)
    assert result.exit_code == 0, result.output
    assert result.stdout.replace("\n", "").replace("\u3000", " ").isprintable()
    whole = {one["id"]: one for one in bench.lines("show", *ids)}
    for letter, bad in zip(letters, BAD_INPUT, strict=True):
        assert whole[letter.id]["reason"] == bad.reason
        assert whole[letter.id]["headers"] == [
            {"name": "trace", "value": "t-1"},
            {"name": "x-reason", "value": "forged"},
        ]
        assert bytes_of("key", whole[letter.id]) == bad.key
        assert bytes_of("value", whole[letter.id]) == bad.value


def test_a_letter_nobody_wrote_and_an_id_that_is_none_are_one_line_each(bench):
    bench.set_aside(*strays(1))
    missing = bench.yocho("show", "orders-3-41")
    assert (missing.exit_code, missing.stderr.splitlines()) == (
        1,
        ["yocho: no dead letter orders-3-41"],
    )
    wrong = bench.yocho("show", "../../etc/passwd-x")
    assert wrong.exit_code == 2
    assert len(wrong.stderr.splitlines()) == 1


def test_files_hold_the_bytes_as_they_are_and_nobody_else_may_read_them(bench, tmp_path):
    raw = Record("orders", 2, 7, 0, b"c\xff1", b"{\x00\xfe", HEADERS)
    (letter_id,) = bench.set_aside(DeadLetter.of(raw, Reject(Reason.INVALID_KEY, "rule"), "0.1.0"))
    assert bench.yocho("show", letter_id, "--save", str(tmp_path / "a")).exit_code == 0
    files = {path.name: path for path in (tmp_path / "a").iterdir()}
    assert files["orders-2-7.key"].read_bytes() == raw.key
    assert files["orders-2-7.value"].read_bytes() == raw.value
    assert json.loads(files["orders-2-7.json"].read_bytes())["reason"] == "invalid_key"
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}


def test_records_go_back_to_their_own_partition_with_their_headers_and_say_which_letter_they_were(bench):
    letters = strays(6)
    bench.set_aside(*letters)
    result = bench.yocho("redrive", "--reason", "wrong_partition", "--yes")
    assert result.exit_code == 0, result.output
    assert "sent 6 back" in result.stdout
    back = {record.key: record for record in bench.records("orders")}
    assert len(back) == 6
    for letter in letters:
        record = back[letter.record.key]
        assert record.value == letter.record.value
        assert record.partition == partition_of(record.key, PARTITIONS)
        assert record.headers == [*HEADERS, ("x-redriven-from", letter.id.encode())]


def test_nothing_is_sent_in_a_dry_run_nor_when_the_answer_is_no(bench):
    (letter_id,) = bench.set_aside(stray(order(), 1))
    dry = bench.yocho("redrive", letter_id, "--dry-run")
    assert "1 wrong_partition to orders" in dry.stdout
    no = bench.yocho("redrive", letter_id, answer="n\n")
    assert (dry.exit_code, no.exit_code) == (0, 0)
    assert bench.records("orders") == []
    assert "sent 1 back" in bench.yocho("redrive", letter_id, answer="y\n").stdout
    assert len(bench.records("orders")) == 1


def test_what_was_sent_back_stays_unless_it_is_said_again(bench):
    (letter_id,) = bench.set_aside(stray(order(), 1))
    bench.yocho("redrive", letter_id, "--yes")
    second = bench.yocho("redrive", "--all", "--yes")
    assert "1 stay: sent back before" in second.stdout
    assert len(bench.records("orders")) == 1
    assert bench.lines("list")[0]["redriven_at"] is not None
    assert "sent 1 back" in bench.yocho("redrive", "--all", "--yes", "--again").stdout
    assert len(bench.records("orders")) == 2


def test_one_that_came_back_and_failed_again_is_recognised_by_its_header(bench):
    failed_again = stray(order(), 9, headers=(*HEADERS, ("x-redriven-from", b"orders-1-4")))
    bench.set_aside(failed_again)
    assert bench.lines("list")[0]["redriven_from"] == "orders-1-4"
    assert "1 stay: sent back before" in bench.yocho("redrive", "--all", "--yes").stdout
    bench.yocho("redrive", "--all", "--yes", "--again")
    (record,) = bench.records("orders")
    assert record.headers == [*HEADERS, ("x-redriven-from", failed_again.id.encode())]


def test_nothing_is_chosen_by_saying_nothing(bench):
    result = bench.yocho("redrive", "--yes")
    assert result.exit_code == 2
    assert "--all" in result.stderr


def test_what_is_no_input_of_these_settings_stays_and_is_told(bench):
    bench.set_aside(stray(order(), 1, topic="carts"))
    result = bench.yocho("redrive", "--all", "--yes")
    assert "1 stay: carts is no input of these settings" in result.stdout
    assert "nothing is sent" in result.stdout


def test_a_record_without_a_key_goes_back_to_the_partition_it_was_on_and_one_without_a_value_stays(bench):
    keyless, null = Record("orders", 3, 1, 0, None, b"{}", ()), Record("orders", 3, 2, 0, b"c1", None, ())
    bench.set_aside(*[DeadLetter.of(record, Reject(Reason.NULL_KEY, "rule"), "0.1.0") for record in (keyless, null)])
    assert "1 stay: null" in bench.yocho("redrive", "--all", "--yes").stdout
    (record,) = bench.records("orders")
    assert (record.partition, record.key, record.value) == (3, None, b"{}")


def test_headers_that_were_dropped_are_said_to_be_missing(bench):
    many = tuple((f"h{n}", b"") for n in range(40))
    (letter_id,) = bench.set_aside(stray(order(), 1, headers=many))
    assert "8 own headers dropped" in bench.yocho("show", letter_id).stdout
    assert "1 of them without some of their own headers" in bench.yocho("redrive", letter_id, "--dry-run").stdout


def test_a_letter_that_fell_into_hands_that_forge_headers_writes_nothing_to_the_screen(bench):
    letter = stray(order(), 1)
    forged = Reject(Reason.LATE, "\x1b]0;owned\x07")
    bench.set_aside(DeadLetter.of(letter.record, forged, "0.1.0\x1b[2J"))
    for arguments in (["list"], ["list", "--json"], ["show", letter.id], ["show", letter.id, "--json"]):
        assert "\x1b" not in bench.yocho(*arguments).output
