"""What partitions show when they are asked: of each that is owned, as it is, and of no other."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from models.scorer import Scorer
from models.state import ROW
from models.target import DAY_S
from streams.engine.partition import PartitionRows
from streams.metrics.census import SLICE, CustomerCount
from streams.metrics.model_in_effect import ModelGauges
from streams.metrics.partitions import LagGauges, PartitionGauges
from tests.builders import login, order
from tests.streams.harness import H_S, FirstLine, fixed_scorer


def shown(*collectors):
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return registry.get_sample_value


def test_gauges_tell_of_each_partition_when_asked_and_not_before():
    partitions = []
    sample = shown(PartitionGauges(lambda: partitions))
    assert sample("yocho_customers", {"partition": "7"}) is None
    partition = PartitionRows(7)
    slots = partition.slots_of([b"a", b"b"])
    partition.due.schedule(slots, np.array([100, 200]))
    partition.mark_dirty(slots[:1])
    partition.stream_time_s = int(time.time()) - 60
    partitions.append(partition)

    def value(name):
        return sample(name, {"partition": "7"})

    assert (value("yocho_customers"), value("yocho_due_timers"), value("yocho_dirty_customers")) == (2, 2, 1)
    assert value("yocho_state_bytes") == 2 * ROW.itemsize
    assert value("yocho_stream_time_lag_seconds") == pytest.approx(60, abs=5)
    partitions.clear()
    assert value("yocho_customers") is None


def test_a_partition_without_an_event_has_no_lag():
    sample = shown(PartitionGauges(lambda: [PartitionRows(0)]))
    assert sample("yocho_stream_time_lag_seconds", {"partition": "0"}) is None
    assert sample("yocho_customers", {"partition": "0"}) == 0


def test_timers_are_overdue_from_when_their_time_has_come_until_they_are_served():
    line = FirstLine()
    line.take(*[order(f"c{n}") for n in range(20)])
    sample = shown(PartitionGauges(lambda: [line.partition]))

    def overdue():
        return sample("yocho_overdue_timers", {"partition": "0"})

    assert overdue() == 0
    line.partition.stream_time_s += 30 * DAY_S  # time has come, and nobody has served anybody
    assert overdue() == 20
    line.pipeline.advance(line.partition, line.partition.stream_time_s, 5)
    assert overdue() == 15
    line.pass_time("+30d")
    assert overdue() == 0


def test_lag_is_shown_by_topic_and_partition():
    sample = shown(LagGauges(lambda: [("orders", 0, 5), ("logins", 3, 0)]))
    assert sample("yocho_consumer_lag_records", {"topic": "orders", "partition": "0"}) == 5
    assert sample("yocho_consumer_lag_records", {"topic": "logins", "partition": "3"}) == 0


class TestModelInEffect:
    """The version is a label, and its age is counted in stream time, whatever the wall clock says."""

    @staticmethod
    def gauges(scorer, stream_time_s):
        partition = PartitionRows(4)
        partition.stream_time_s = stream_time_s
        return shown(ModelGauges(lambda: [partition, PartitionRows(5)], lambda: {4: scorer}))

    def test_a_version_has_an_age(self):
        sample = self.gauges(fixed_scorer(FirstLine().settings.target, 0.0, 1_000, "n000007-abcdef01"), 4_600)
        assert sample("yocho_model_info", {"version": "n000007-abcdef01"}) == 1
        assert sample("yocho_model_age_seconds", {"partition": "4"}) == 3_600

    def test_what_was_never_learnt_has_none(self):
        cold = Scorer.cold(FirstLine().settings.target)
        sample = self.gauges(cold, 4_600)
        assert sample("yocho_model_info", {"version": cold.version}) == 1
        assert sample("yocho_model_age_seconds", {"partition": "4"}) is None


class TestCustomerCount:
    """Everybody is counted once a round, by what their row says, a slice at a time."""

    @staticmethod
    def counted(line):
        count = CustomerCount(lambda: [line.partition], line.settings.target)
        slices = sum(1 for _ in count.round())
        registry = CollectorRegistry()
        registry.register(count)
        return registry, slices

    @staticmethod
    def by_level(registry):
        found = {}
        (family,) = (family for family in registry.collect() if family.name == "yocho_census_customers")
        for sample in family.samples:
            found[sample.labels["level"]] = found.get(sample.labels["level"], 0) + sample.value
        return {level: n for level, n in found.items() if n}

    def test_levels_are_those_that_people_were_told_of(self):
        line = FirstLine(horizon_s=H_S)
        line.take(*[order(f"silent-{n}") for n in range(3)], login("never ordered"))
        line.pass_time("+10d")
        level = line.alerts()[-1].level
        registry, _ = self.counted(line)
        assert self.by_level(registry) == {level: 3, "healthy": 1}
        assert registry.get_sample_value("yocho_open_episodes", {"level": level}) == 3
        waiting = sum(int(line.row(name)["example_frozen"]) > 0 for name in ("silent-0", "silent-1", "silent-2"))
        assert registry.get_sample_value("yocho_pending_examples") == waiting
        line.pass_time("+15d")
        registry, _ = self.counted(line)
        assert self.by_level(registry) == {"churned": 3, "healthy": 1}
        assert registry.get_sample_value("yocho_open_episodes", {"level": level}) == 0

    def test_a_round_takes_so_many_at_once(self):
        line = FirstLine()
        line.partition.slots_of([b"%d" % n for n in range(SLICE + 1)])
        registry, slices = self.counted(line)
        assert slices == 2
        assert self.by_level(registry) == {"healthy": SLICE + 1}

    def test_nothing_is_shown_before_the_first_round_nor_of_partitions_that_went_elsewhere(self):
        owned = [PartitionRows(0)]
        owned[0].slots_of([b"a"])
        count = CustomerCount(lambda: owned, FirstLine().settings.target)
        sample = shown(count)
        somebody = {"level": "healthy", "segment": "regular"}
        assert sample("yocho_census_customers", somebody) is None
        for _ in count.round():
            pass
        assert sample("yocho_census_customers", somebody) == 1
        owned[0] = PartitionRows(1)
        assert sample("yocho_census_customers", somebody) is None

    def test_it_goes_on_by_itself(self, monkeypatch):
        pauses = []

        async def sleep(seconds):
            pauses.append(seconds)
            if len(pauses) == 4:
                raise InterruptedError

        monkeypatch.setattr("streams.metrics.census.asyncio", SimpleNamespace(sleep=sleep))
        partition = PartitionRows(0)
        partition.slots_of([b"a"])
        count = CustomerCount(lambda: [partition], FirstLine().settings.target)
        with pytest.raises(InterruptedError):
            count.run().send(None)
        slice_pause, round_pause = pauses[:2]
        assert pauses[2:] == [slice_pause, pytest.approx(round_pause, abs=0.1)]
        assert slice_pause < round_pause <= 5
