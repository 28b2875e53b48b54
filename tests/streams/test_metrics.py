"""What an operator counts: closed label sets, and as many series for a million customers as for one."""

import time

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from models.apply import Outcome
from models.levels import LEVELS
from models.policy import TransitionType
from models.state import ROW
from streams.engine.partition import PartitionRows
from streams.metrics import OUTCOMES, Metrics
from streams.reasons import Reason, Reject
from streams.topics import INPUTS
from tests.bad_input import BAD_INPUT
from tests.builders import START_MS, Record, email_open, login, order
from tests.streams.harness import FirstLine

ALLOWED = {
    "type": {source.event_type for source in INPUTS} | {str(kind) for kind in TransitionType},
    "outcome": {*OUTCOMES.values(), "rejected", "churned", "returned", "learnt", "refused"},
    "reason": {str(reason) for reason in Reason},
    "level": {level.name for level in LEVELS},
    "stage": {"output", "state"},
    "partition": {"0"},
}


def after(n_customers):
    """A first line after a stay with so many customers, good and bad."""
    line = FirstLine()
    line.metrics.watch_partitions(lambda: [line.partition])
    kinds = (order, login, email_open)
    samples = [kind(f"customer-{n}") for n in range(n_customers) for kind in kinds]
    samples += [email_open(f"customer-{n}", machine=True) for n in range(n_customers)]
    samples += [order(f"customer-{n}", at="+20d") for n in range(n_customers)]
    line.take(*samples, *[Record(bad.source.key, 0, 0, START_MS, bad.key, bad.value) for bad in BAD_INPUT])
    line.pass_time("+25d")
    line.metrics.committed("output", 0.1)
    line.metrics.committed("state", 0.1)
    line.metrics.learnt("learnt", 0.5)
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


def test_every_label_value_is_from_a_closed_set():
    for _, labels in series(after(3)):
        for name, value in labels:
            assert name == "le" or value in ALLOWED[name], f"{name}={value!r}"


def test_gauges_tell_of_each_partition_when_asked_and_not_before():
    registry, partitions = CollectorRegistry(), []
    Metrics(registry).watch_partitions(lambda: partitions)
    assert registry.get_sample_value("yocho_customers", {"partition": "7"}) is None
    partition = PartitionRows(7)
    slots = partition.slots_of([b"a", b"b"])
    partition.due.schedule(slots, np.array([100, 200]))
    partition.stream_time_s = int(time.time()) - 60
    partitions.append(partition)

    def value(name):
        return registry.get_sample_value(name, {"partition": "7"})

    assert (value("yocho_customers"), value("yocho_due_timers")) == (2, 2)
    assert value("yocho_state_bytes") == partition.capacity * ROW.itemsize
    assert value("yocho_stream_time_lag_seconds") == pytest.approx(60, abs=5)
    partitions.clear()
    assert value("yocho_customers") is None


def test_a_partition_without_an_event_has_no_lag():
    registry = CollectorRegistry()
    Metrics(registry).watch_partitions(lambda: [PartitionRows(0)])
    assert registry.get_sample_value("yocho_stream_time_lag_seconds", {"partition": "0"}) is None
    assert registry.get_sample_value("yocho_customers", {"partition": "0"}) == 0


def test_outcomes_are_counted_by_type():
    registry = CollectorRegistry()
    sources = np.array([0, 0, 1, 2, 2], np.uint8)
    outcomes = np.array(
        [Outcome.APPLIED, Outcome.APPLIED, Outcome.REPLAYED, Outcome.IGNORED, Outcome.DUPLICATE], np.uint8
    )
    Metrics(registry).applied(sources, outcomes)
    counted = {
        (kind, outcome): registry.get_sample_value("yocho_events_total", {"type": kind, "outcome": outcome})
        for kind in ("order", "login", "email_open")
        for outcome in OUTCOMES.values()
    }
    assert {key: value for key, value in counted.items() if value} == {
        ("order", "applied"): 2, ("login", "replayed"): 1, ("email_open", "machine"): 1, ("email_open", "duplicate"): 1,
    }  # fmt: skip


def test_a_dead_letter_counts_as_rejected_input_and_by_reason():
    registry = CollectorRegistry()
    Metrics(registry).rejected("login", Reject(Reason.LATE, "older"))
    assert registry.get_sample_value("yocho_events_total", {"type": "login", "outcome": "rejected"}) == 1
    assert registry.get_sample_value("yocho_dead_letters_total", {"reason": "late"}) == 1


def test_an_alert_for_silence_has_no_latency_and_one_for_an_event_never_a_negative_one():
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.alert("watch", "opened", None)
    assert registry.get_sample_value("yocho_event_to_alert_seconds_count") == 0
    metrics.alert("healthy", "recovered", time.time() + 3600)  # a producer whose clock is ahead
    metrics.alert("healthy", "recovered", time.time() - 3)
    assert registry.get_sample_value("yocho_event_to_alert_seconds_count") == 2
    assert registry.get_sample_value("yocho_event_to_alert_seconds_sum") == pytest.approx(3, abs=1)


def test_a_batch_that_fails_leaves_no_time_behind():
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    with pytest.raises(RuntimeError), metrics.processing():
        raise RuntimeError
    with metrics.processing():
        pass
    assert registry.get_sample_value("yocho_processing_seconds_count") == 1


def test_two_workers_in_one_process_do_not_share_a_registry():
    one, other = CollectorRegistry(), CollectorRegistry()
    Metrics(one).looked(5)
    Metrics(other)
    assert one.get_sample_value("yocho_looks_total") == 5
    assert other.get_sample_value("yocho_looks_total") == 0
