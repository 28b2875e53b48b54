"""How long things take: in the right bucket, by a clock that may be wrong, and growing while something lasts."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from streams.metrics.assignment import AssignmentMetrics
from streams.metrics.batch_histogram import BatchHistogram
from streams.metrics.engine import DECISION, EngineMetrics
from streams.metrics.family import Family, Label


@given(st.lists(st.lists(st.floats(0, 100, allow_nan=False), max_size=20), max_size=5))
def test_a_batch_counts_as_its_numbers_one_by_one(batches):
    registry = CollectorRegistry()
    waits = BatchHistogram(Family("w", "histogram", "W.", (Label("at", ("a",)),), buckets=DECISION.buckets), registry)
    one_by_one = Histogram("v", "V.", buckets=DECISION.buckets, registry=registry)
    for batch in batches:
        waits.observe("a", np.array(batch, np.float64))
        for number in batch:
            one_by_one.observe(number)
    for end in (*map(str, DECISION.buckets), "+Inf"):
        counted = registry.get_sample_value("w_bucket", {"at": "a", "le": end})
        assert counted == registry.get_sample_value("v_bucket", {"le": end})
    assert registry.get_sample_value("w_sum", {"at": "a"}) == pytest.approx(registry.get_sample_value("v_sum"))


def test_decisions_are_told_apart_by_whether_the_partition_had_caught_up():
    registry = CollectorRegistry()
    metrics = EngineMetrics(registry)
    now_s = time.time()
    metrics.decided(np.array([now_s - 0.4, now_s - 2.0, now_s + 3_600]), is_live=True)
    metrics.decided(np.array([now_s - 5_000_000.0]), is_live=False)

    def below(end, phase):
        return registry.get_sample_value("yocho_event_decision_seconds_bucket", {"phase": phase, "le": end})

    assert (below("1.0", "live"), below("+Inf", "live")) == (2, 3)
    assert (below("60.0", "catching_up"), below("+Inf", "catching_up")) == (0, 1)


def test_a_commit_that_fails_leaves_the_last_one_that_did_not():
    registry = CollectorRegistry()
    metrics = EngineMetrics(registry)
    began_s = registry.get_sample_value("yocho_last_commit_timestamp_seconds")
    assert began_s == pytest.approx(time.time(), abs=5)
    metrics.commit_failed()
    assert registry.get_sample_value("yocho_last_commit_timestamp_seconds") == began_s
    assert registry.get_sample_value("yocho_commit_failures_total") == 1
    metrics.commit_done()
    assert registry.get_sample_value("yocho_last_commit_timestamp_seconds") > began_s


class Group:
    """A worker in a group, on a clock of ours."""

    def __init__(self):
        self.now_s, self.registry = 0.0, CollectorRegistry()
        self.assignment = AssignmentMetrics(self.registry, lambda: self.now_s)
        self.assignment.remaining = lambda: 70

    def at(self, now_s, *what):
        self.now_s = now_s
        for name in what:
            getattr(self.assignment, name)()
        return self

    def shown(self, name):
        return self.registry.get_sample_value(f"yocho_{name}")


def test_a_recovery_is_shown_while_it_lasts_and_counted_when_it_ends():
    group = Group().at(3.0, "recovery_began").at(5.0)
    assert (group.shown("recovering_seconds"), group.shown("recovery_remaining_records")) == (2.0, 70)
    assert group.shown("rebalances_total") == 0
    group.at(8.0, "recovered", "recovered", "running").at(20.0)
    assert (group.shown("recovering_seconds"), group.shown("recovery_remaining_records")) == (0.0, 0)
    assert (group.shown("recovery_seconds_sum"), group.shown("rebalances_total")) == (5.0, 1)


def test_a_recovery_that_begins_anew_goes_on_from_where_it_began():
    group = Group().at(3.0, "recovery_began").at(5.0, "recovery_began").at(8.0, "recovered")
    assert (group.shown("recovery_seconds_sum"), group.shown("recovery_seconds_count")) == (5.0, 1)


def test_time_without_partitions_grows_until_there_are_some_and_again_after_a_halt():
    group = Group().at(3.0)
    assert group.shown("without_partitions_seconds_total") == 3.0
    group.at(8.0, "running").at(20.0)
    assert group.shown("without_partitions_seconds_total") == 8.0
    group.at(30.0, "halted").at(31.0, "halted").at(34.0)
    assert group.shown("without_partitions_seconds_total") == 12.0
    group.at(35.0, "running", "running").at(99.0)
    assert group.shown("without_partitions_seconds_total") == 13.0
