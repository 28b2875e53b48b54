"""What an operator counts: closed label sets, and as many series for a million customers as for one."""

import re
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from models.apply import Outcome
from models.contest import Options
from models.target import DAY_S
from streams.alerts import EXAMPLE
from streams.commands import encode_release
from streams.metrics.document import worker_families
from streams.metrics.line import OUTCOMES, Metrics, exemplar
from streams.metrics.worker import show_partitions
from streams.origins import Origin
from streams.reasons import Reason, Reject
from streams.settings import Settings
from streams.topics import enabled_inputs
from tests.bad_input import BAD_INPUT
from tests.builders import START_MS, Record, ack, at_ms, email_open, erase, erase_tombstone, login, order, snooze
from tests.models.label_log import LOG, taught, trainer
from tests.streams.harness import H_S, FirstLine

DECLARED = {family.name: family for family in worker_families()}
TRAINED = trainer(options=Options())
taught(TRAINED, LOG)


def after(n_customers):
    """A first line after a stay with so many customers, good and bad, and everything a worker registers."""
    line = FirstLine()
    line.registry.unregister(line._gauges)
    owner = SimpleNamespace(partitions=lambda: [line.partition], lags=lambda: [("orders", 0, 3)])
    count = show_partitions(line.registry, owner, line.outages, line.pipeline.watches)
    kinds = (order, login, email_open)
    samples = [kind(f"customer-{n}") for n in range(n_customers) for kind in kinds]
    samples += [email_open(f"customer-{n}", machine=True) for n in range(n_customers)]
    samples += [order(f"customer-{n}", at="+20d") for n in range(n_customers)]
    line.take(*samples, *[Record(bad.source.key, 0, 0, START_MS, bad.key, bad.value) for bad in BAD_INPUT])
    line.pass_time("+25d")
    line.metrics.training.show(TRAINED)
    for _ in count.round():
        pass
    return line


def series(line):
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in line.registry.collect()
        for sample in family.samples
    }


def test_series_do_not_grow_with_customers():
    few, many = after(3), after(300)
    assert len(many.partition) == 100 * len(few.partition)
    assert series(many) == series(few)
    assert b"customer-" not in generate_latest(many.registry)


def test_every_label_value_is_one_that_is_declared():
    for family in after(3).registry.collect():
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        declared = {label.name: label.values for label in DECLARED[family.name + suffix].labels}
        for sample in family.samples:
            for name, value in sample.labels.items():
                assert name == "le" or not declared[name] or value in declared[name], f"{sample.name} {name}={value!r}"


def test_every_record_is_counted_under_exactly_one_outcome():
    """What is fetched and counted nowhere would look lost."""
    line = FirstLine(email_sends_topic="email-sends", lateness_s=2 * DAY_S)
    known = [order("c1"), login("c1", at="+1d"), order("c2", at="+1d"), email_open("c2", at="+1d", machine=True)]
    twice = order("c1", event_id="again", at="+1d")
    said = [ack("c1", at="+2d"), snooze("nobody", at="+2d", until="+3d"), erase("c1", at="+2d"), erase_tombstone("c1")]
    released = Record("churn-commands", 0, 0, at_ms("+2d"), b"release-0", encode_release("k1", at_ms("+2d"), "Sato"))
    bad = [Record(bad.source.key, 0, 0, START_MS, bad.key, bad.value) for bad in BAD_INPUT]
    sent = line.take(*known, twice, twice, *said, released, *bad)
    sent += line.take(order("c1", at="+1d"), login("c9", at="+10d"), login("c9", at="+1d"))
    assert line.metric("yocho_events_total") == len(sent)
    line.restart()
    line.fetch(sent)
    assert line.metric("yocho_events_total") == 2 * len(sent)


def test_outcomes_are_counted_by_type():
    registry = CollectorRegistry()
    sources = np.array([0, 0, 1, 2, 2, 4, 4], np.uint8)
    outcomes = np.array(
        [
            Outcome.APPLIED, Outcome.APPLIED, Outcome.REPLAYED, Outcome.IGNORED, Outcome.DUPLICATE, Outcome.APPLIED,
            Outcome.IGNORED,
        ],
        np.uint8,
    )  # fmt: skip
    Metrics(registry, enabled_inputs(Settings(email_clicks_topic="email-clicks"))).applied(sources, outcomes)
    counted = {
        (kind, outcome): registry.get_sample_value("yocho_events_total", {"type": kind, "outcome": outcome})
        for kind in ("order", "login", "email_open", "email_click")
        for outcome in OUTCOMES.values()
    }
    assert {key: value for key, value in counted.items() if value} == {
        ("order", "applied"): 2, ("login", "replayed"): 1, ("email_open", "machine"): 1, ("email_open", "duplicate"): 1,
        ("email_click", "applied"): 1, ("email_click", "machine"): 1,
    }  # fmt: skip


def test_an_input_that_is_read_shows_its_counters_from_the_start_and_no_other_does():
    registry = CollectorRegistry()
    Metrics(registry, enabled_inputs(Settings(email_sends_topic="email-sends")))
    shown = {s.labels["type"] for metric in registry.collect() if metric.name == "yocho_events" for s in metric.samples}
    assert shown == {"order", "login", "email_open", "email_send", "command"}


def test_a_dead_letter_counts_as_rejected_input_and_by_reason():
    registry = CollectorRegistry()
    Metrics(registry).rejected("login", Reject(Reason.LATE, "older"))
    assert registry.get_sample_value("yocho_events_total", {"type": "login", "outcome": "rejected"}) == 1
    assert registry.get_sample_value("yocho_dead_letters_total", {"reason": "late"}) == 1


def test_an_alert_for_silence_has_no_latency_and_one_for_an_event_never_a_negative_one():
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.alert(EXAMPLE, None)
    assert registry.get_sample_value("yocho_event_to_alert_seconds_count") == 0
    metrics.alert(EXAMPLE, Origin("orders", 0, 7, time.time() + 3600))  # a producer whose clock is ahead
    metrics.alert(EXAMPLE, Origin("orders", 0, 8, time.time() - 3))
    assert registry.get_sample_value("yocho_event_to_alert_seconds_count") == 2
    assert registry.get_sample_value("yocho_event_to_alert_seconds_sum") == pytest.approx(3, abs=1)
    told = {"level": "at_risk", "type": "opened", "segment": "vip"}
    assert registry.get_sample_value("yocho_alerts_total", told) == 3


def test_an_exemplar_leads_to_the_alert_and_its_record_and_to_no_customer():
    line = FirstLine(horizon_s=H_S)
    line.take(order("customer-7"))
    line.pass_time("+10d")
    (came_back,) = line.take(order("customer-7", at="+11d"))
    page = openmetrics.generate_latest(line.registry).decode()
    (said,) = re.findall(r"^yocho_event_to_alert_seconds_bucket.* # {(.*)}", page, re.MULTILINE)
    alert = line.alerts()[-1]
    assert alert.type == "recovered"
    assert dict(re.findall(r'(\w+)="(.*?)"', said)) == {
        "alert_id": alert.alert_id, "topic": "orders", "partition": "0", "offset": str(came_back.record.offset),
    }  # fmt: skip
    assert "customer-7" not in page


@given(st.text("abc.-_", min_size=1, max_size=249), st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1))
def test_an_exemplar_is_never_longer_than_openmetrics_allows(topic, partition, offset):
    """One that is too long would raise, in the middle of the line."""
    histogram = Histogram("x", "X.", registry=CollectorRegistry())
    named = exemplar(EXAMPLE.alert_id, Origin(topic, partition, offset, 0.0))
    histogram.observe(1.0, named)
    assert {"alert_id", "partition", "offset"} <= named.keys()


def test_counters_whose_labels_are_known_show_zero_before_anything_happens():
    """An alert rule on the first of something needs to have seen none."""
    registry = CollectorRegistry()
    Metrics(registry)
    shown = {sample.name for family in registry.collect() for sample in family.samples if sample.value == 0}
    assert {"yocho_alerts_total", "yocho_muted_alerts_total", "yocho_dead_letters_total", "yocho_labels_total"} <= shown
    rejected = {"type": "order", "outcome": "rejected"}
    assert registry.get_sample_value("yocho_events_total", rejected) == 0


def test_two_workers_in_one_process_do_not_share_a_registry():
    one, other = CollectorRegistry(), CollectorRegistry()
    Metrics(one).looked(5)
    Metrics(other)
    assert one.get_sample_value("yocho_looks_total") == 5
    assert other.get_sample_value("yocho_looks_total") == 0
