"""What leaves the first line: to which topic and partition, in what order, and in what form."""

import math

import msgspec
import orjson
import pytest

from models.features import NAMES
from models.labels import Label
from models.levels import LEVELS
from models.scorer import COLD
from models.target import DAY_S
from streams.emit import CODE_VERSION
from streams.reasons import Reason, Reject
from streams.topics import ALERTS, LABELS
from tests.builders import START_MS, Record, email_open, login, order
from tests.streams.harness import H_S, FirstLine

END = "+200d"
ORDER_DAYS = {
    **{f"c{n}": [7 * week for week in range(3 + n)] for n in range(1, 5)},
    "c0": [0, 7, 14, 60],
    "c5": [*range(0, 56, 7), 130],
    "every day": [*range(28)],
}


@pytest.fixture(scope="module")
def shop():
    """Customers on partition 2 who stop buying one after the other, two of whom come back."""
    line = FirstLine(number=2, topic_prefix="t.", group="shop", horizon_s=4 * H_S, lateness_s=90 * DAY_S)
    line.pipeline.admission._partition_of = lambda key: 2
    samples = [order(customer_id, at=f"+{day}d") for customer_id, days in ORDER_DAYS.items() for day in days]
    samples += [login(f"c{n}", at=f"+{30 + n}d") for n in range(6)] + [email_open("c0", at="+33d")]
    line.take(*sorted(samples, key=lambda sample: sample.event.occurred_at_ms))
    line.pass_time(END)
    return line


def test_every_kind_of_news_is_told_and_every_alert_is_valid(shop):
    """`alerts` checks each against the JSON Schema and its CloudEvents headers."""
    alerts = shop.alerts()
    assert {str(alert.type) for alert in alerts} == {"opened", "escalated", "recovered", "expired"}
    assert {alert.level for alert in alerts} == {level.name for level in LEVELS}
    assert len({alert.alert_id for alert in alerts}) == len(alerts)


def test_everything_stays_on_the_partition_it_came_from_and_goes_to_the_topics_of_the_settings(shop):
    topics = {"t.churn-alerts", "t.churn-outcomes", "t.churn-labels"}
    assert {(out.topic, out.partition) for out in shop.out} == {(topic, 2) for topic in topics}
    assert {alert.receipt.partition for alert in shop.alerts()} == {2}


def test_the_key_is_the_customer_and_the_news_of_one_customer_are_in_order(shop):
    for customer_id in {alert.customer_id for alert in shop.alerts()}:
        theirs = [alert for alert in shop.alerts() if alert.customer_id == customer_id]
        assert [alert.occurred_at for alert in theirs] == sorted(alert.occurred_at for alert in theirs)
        steps = [(alert.episode.number, alert.episode.step) for alert in theirs]
        assert steps == sorted(set(steps))


def test_the_receipt_names_topics_model_and_code(shop):
    alert = shop.alerts()[-1]
    assert set(alert.receipt.source_offsets) <= {"t.orders", "t.logins", "t.email-opens"}
    assert (alert.receipt.model_version, alert.receipt.code_version) == (COLD, CODE_VERSION)


def test_each_alert_is_counted_by_level_and_type(shop):
    for level in {level.name for level in LEVELS}:
        for kind in ("opened", "escalated", "recovered", "expired"):
            told = sum((alert.level, alert.type) == (level, kind) for alert in shop.alerts())
            assert (shop.metric("yocho_alerts_total", level=level, type=kind) or 0) == told


class TestLabels:
    """A label joins the features recorded when it was scored with what happened in the step or horizon after."""

    def test_each_is_a_label_the_trainer_can_read(self, shop):
        outs = shop.told(LABELS)
        assert len(outs) > 10
        for out in outs:
            label = msgspec.json.decode(out.value, type=Label)
            assert label.customer_id.encode() == out.key
            waits_s = {"step": 4 * H_S // 13, "horizon": 4 * H_S}
            assert label.resolved_at_s - label.frozen_at_s == waits_s[label.kind]
            assert set(label.features) <= set(NAMES)
            assert 0 < label.probability < 1

    def test_horizon_labels_say_what_each_expert_said_and_step_labels_do_not(self, shop):
        for label in shop.labels():
            # The cold model is the rhythm alone: nobody else has learnt anything that could be judged.
            assert set(label["experts"]) == ({"rhythm", "base"} if label["kind"] == "horizon" else set())
            if label["kind"] == "horizon":
                said = 1 / (1 + math.exp(-label["experts"]["base"]))
                assert said == pytest.approx(label["probability"], abs=2e-3), "kept in half precision"
                assert label["experts"]["base"] == label["experts"]["rhythm"]

    def test_churned_is_no_order_within_the_horizon(self, shop):
        for label in shop.labels():
            orders_at_s = [START_MS // 1000 + day * DAY_S for day in ORDER_DAYS[label["customer_id"]]]
            came = any(label["frozen_at_s"] <= at_s < label["resolved_at_s"] for at_s in orders_at_s)
            assert label["churned"] == (not came)

    def test_outcomes_are_counted(self, shop):
        churned = sum(label["churned"] for label in shop.labels())
        assert shop.metric("yocho_labels_total", outcome="churned") == churned
        assert shop.metric("yocho_labels_total", outcome="returned") == len(shop.labels()) - churned


def test_a_dead_letter_takes_the_original_bytes_to_the_partition_of_the_original():
    line = FirstLine(number=3, partitions=4)
    line.take(Record("orders", 3, 0, START_MS, b"\xff", b"\x00", (("trace", None),)))
    (letter,) = line.dead_letters()
    assert (letter.topic, letter.partition, letter.key, letter.value) == ("dead-letters", 3, b"\xff", b"\x00")
    headers = dict(letter.headers)
    assert (headers["x-app-version"], headers["original.trace"]) == (CODE_VERSION.encode(), b"")


def test_no_news_puts_nothing():
    line = FirstLine()
    line.take(order(), login(), email_open(machine=True))
    assert line.out == []


def test_an_alert_of_a_customer_with_an_unusual_name_is_as_good_as_any():
    line = FirstLine()
    name = '客"\\/<&\U0001f600'
    line.take(order(name))
    line.pass_time("+10d")
    (first, *_) = line.alerts()
    assert (first.customer_id, line.told(ALERTS)[0].key.decode()) == (name, name)
    assert orjson.loads(line.told(ALERTS)[0].value)["kind"] == "離反予兆"


def test_a_reject_says_no_more_about_the_record_than_its_reason():
    line = FirstLine()
    record = Record("orders", 0, 5, START_MS, b"c1", b'{"customer_id":"secret"}')
    emitter = line.pipeline.emitter
    emitter.dead_letter(line.partition, record, Reject(Reason.MISSING_FIELD, "a field is missing"))
    (letter,) = line.dead_letters()
    assert all(b"secret" not in value for _, value in letter.headers)
