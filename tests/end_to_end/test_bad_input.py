"""Bad input has no effect but its dead letter: the codec's table, and what only the engine can find, on a worker."""

from collections import Counter
from types import SimpleNamespace

import orjson
import pytest

from streams.reasons import Reason
from streams.topics import COMMANDS
from tests.bad_input import BAD_INPUT
from tests.end_to_end.bad_log import Item, good, home, named_log
from tests.end_to_end.bad_log import order as order_at
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Outbound, Probe, WorkerProcess, environment, send_to, settle
from tests.end_to_end.log import DAY_MS, START_MS, TOPICS
from tests.end_to_end.verifier import alerts_of, recount, rows_of

VARIABLES = {"YOCHO_HORIZON": "28d", "YOCHO_MERGE_WAIT_S": "1.0", "YOCHO_FORGET": "400d"}
LAST_DAY = 150
TYPE_OF = dict(zip((*TOPICS, COMMANDS.key), ("order", "login", "email_open", "command"), strict=True))


def order(customer_id: str, day: float, event_id: str) -> tuple[str, bytes, bytes]:
    return order_at(customer_id, START_MS + int(day * DAY_MS), event_id)


def good_log() -> list[tuple[str, bytes, bytes]]:
    # 4 days behind the others and within the 7 that are allowed
    return [*named_log(4_000, 80, LAST_DAY), order("in-time", LAST_DAY - 4, "in-time")]


def with_bad_input(log) -> list[Item]:
    """The log with the whole table spread over it, each row between good events, and the engine's cases behind."""
    items = [*map(good, log)]
    step = len(items) // len(BAD_INPUT)
    for number, bad in reversed(list(enumerate(BAD_INPUT))):
        record = Outbound(bad.source.key, home(bad.key), bad.key, bad.value)
        items.insert((number + 1) * step - step // 2, Item(record, str(bad.reason)))
    return [*items, *late(), *strangers(), *duplicates(log)]


def late() -> list[Item]:
    """Of a customer with state, and of one nobody has met."""
    log = [order("c1", 10, "late-1"), order("latecomer", 10, "late-2")]
    return [Item(Outbound(topic, home(key), key, value), str(Reason.LATE)) for topic, key, value in log]


def strangers() -> list[Item]:
    """On a partition that is not theirs: of a customer with state elsewhere, and of one nobody has met."""
    log = [order("c1", LAST_DAY, "strange-1"), order("stranger", LAST_DAY, "strange-2")]
    return [
        Item(Outbound(topic, (home(key) + 1) % PARTITIONS, key, value), str(Reason.WRONG_PARTITION))
        for topic, key, value in log
    ]


def duplicates(log) -> list[Item]:
    """The last event again, byte for byte, and its id on another amount."""
    (topic, key, value), changed = log[-1], order("in-time", LAST_DAY - 3, "in-time")[2]
    return [Item(Outbound(topic, home(key), key, again), "duplicate") for again in (value, changed)]


def outcome_of_run(items: list[Item]) -> SimpleNamespace:
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        offsets = send_to(broker.bootstrap, [item.record for item in items])
        with WorkerProcess(environment(broker.bootstrap, **VARIABLES)) as worker:
            worker.wait_ready()
            settle(worker, probe, 30)
            metrics = worker.metrics()
            code, said = worker.stop(), worker.said()
        return SimpleNamespace(
            alerts=alerts_of(probe), rows=rows_of(probe), metrics=metrics, code=code, said=said, lag=probe.lag(),
            dead=[letter for letters in probe.records("dead-letters").values() for letter in letters],
            items=[(item, offset) for item, offset in zip(items, offsets, strict=True)],
        )  # fmt: skip


@pytest.fixture(scope="module")
def log():
    return good_log()


@pytest.fixture(scope="module")
def clean(log):
    return outcome_of_run([*map(good, log)])


@pytest.fixture(scope="module")
def dirty(log):
    return outcome_of_run(with_bad_input(log))


def test_each_bad_record_becomes_exactly_one_dead_letter_with_its_bytes_place_and_reason(dirty):
    def described(letter):
        headers = {name: value.decode() for name, value in letter.headers()}
        place = (headers["x-topic"], int(headers["x-partition"]), int(headers["x-offset"]))
        return (*place, letter.key(), letter.value(), headers["x-reason"])

    expected = [
        (item.record.topic, item.record.partition, offset, item.record.key, item.record.value, item.fate)
        for item, offset in dirty.items
        if item.fate not in {None, "duplicate"}
    ]
    assert len(expected) == len(BAD_INPUT) + len(late()) + len(strangers())
    assert Counter(map(described, dirty.dead)) == Counter(expected)


def test_a_dead_letter_stays_on_the_partition_of_its_original_and_says_which_version_wrote_it(dirty):
    for letter in dirty.dead:
        headers = {name: value.decode() for name, value in letter.headers()}
        assert letter.partition() == int(headers["x-partition"])
        assert headers["x-id"] == f"{headers['x-topic']}-{headers['x-partition']}-{headers['x-offset']}"
        assert headers["x-error-class"]
        assert headers["x-app-version"]


def test_all_good_events_are_applied_and_nobody_is_founded_by_a_bad_one(dirty, log):
    assert {key: row["count"].tolist() for key, row in dirty.rows.items()} == recount(log)


def test_state_is_byte_for_byte_that_of_a_run_without_bad_input_but_for_offsets(dirty, clean):
    assert dirty.rows.keys() == clean.rows.keys()
    differing = Counter(
        name for key, row in dirty.rows.items() for name in row.dtype.names
        if row[name].tobytes() != clean.rows[key][name].tobytes()
    )  # fmt: skip
    assert set(differing) <= {"applied"}


def test_alerts_are_those_of_a_run_without_bad_input(dirty, clean):
    assert len(clean.alerts) > 50
    assert dirty.alerts == clean.alerts


def test_no_partition_stalls_and_no_worker_restarts_on_bad_input(dirty):
    assert dirty.lag == 0
    assert dirty.code == 0
    assert dirty.said.count("yocho worker ready") == 1
    assert "Traceback" not in dirty.said


def test_the_log_shows_nothing_that_a_bad_record_holds(dirty):
    texts = {data.decode(errors="replace").strip() for bad in BAD_INPUT for data in (bad.key, bad.value) if data}
    telling = {text for text in texts if len(text) > 4}  # "null" and "c1" stand in any log by accident
    assert len(telling) > 100
    assert not {text for text in telling if text in dirty.said}


def test_every_record_is_counted_once_by_its_outcome(dirty):
    expected = Counter()
    for item, _ in dirty.items:
        event_type = TYPE_OF[item.record.topic]
        if item.fate in {None, "duplicate"}:
            machine = orjson.loads(item.record.value).get("machine", False)
            outcome = item.fate or ("machine" if machine else "applied")
        else:
            outcome = "rejected"
            expected[f'yocho_dead_letters_total{{reason="{item.fate}"}}'] += 1
        expected[f'yocho_events_total{{outcome="{outcome}",type="{event_type}"}}'] += 1
    counted = {
        series: value for series, value in dirty.metrics.items()
        if series.startswith(("yocho_events_total", "yocho_dead_letters_total")) and value
    }  # fmt: skip
    assert counted == expected


def test_an_event_id_seen_again_is_a_duplicate_and_no_dead_letter(dirty):
    assert dirty.metrics['yocho_events_total{outcome="duplicate",type="order"}'] == 2
    assert dirty.rows[b"in-time"]["count"].tolist() == [1, 0, 0]


def test_a_machine_open_is_counted_and_is_no_engagement(dirty, log):
    opens = [orjson.loads(value)["machine"] for topic, _, value in log if topic == TOPICS[2]]
    assert dirty.metrics['yocho_events_total{outcome="machine",type="email_open"}'] == sum(opens) > 100
    engaged = sum(int(row["count"][2]) for row in dirty.rows.values())
    assert engaged == len(opens) - sum(opens)
