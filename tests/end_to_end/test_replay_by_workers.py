"""Two workers on a real broker tell what one partition that lived through it told.

The history, out of order within the bound and with duplicates, is sent while the workers read. Both know the same
histories as `tests/streams/test_replay_equals_live.py`, which does it twenty times without Kafka.
"""

import itertools

import pytest

from streams import alerts, outcomes
from streams.partitioner import partition_of
from streams.settings import Settings
from streams.topics import enabled_inputs
from tests.builders import login
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Outbound, Probe, WorkerProcess, environment, send, send_to, settle
from tests.streams.deliveries import DISORDER_S, END_S, Shop, doubled, history, on_time, shuffled

SEED = 3
VARIABLES = {"YOCHO_HORIZON": "14d", "YOCHO_DISORDER": f"{DISORDER_S}s", "YOCHO_MERGE_WAIT_S": "5"}


def first_words():
    """A record on every input that is no event: whoever has just spoken is waited for, and a second is weeks here."""
    inputs = enabled_inputs(Settings())
    return [Outbound(source.key, number, b"nobody", b"hello") for source in inputs for number in range(PARTITIONS)]


def clocks():
    """Logins of strangers who carry every partition on to the second at which the other run ended."""
    names = (f"clock-{n}" for n in itertools.count())
    by_partition = {partition_of(name.encode(), PARTITIONS): name for name in itertools.islice(names, 100)}
    times_s = (END_S - DISORDER_S, END_S + 1)  # the second one lets the first one through
    return [login(by_partition[number], at=at_s * 1000) for at_s in times_s for number in range(PARTITIONS)]


@pytest.mark.timeout(300)
def test_two_workers_give_the_alerts_and_outcomes_of_living_through_it(monkeypatch):
    log = history(SEED)
    lived = Shop(monkeypatch, partitions=1).live(on_time(log)).told()
    monkeypatch.undo()
    arrivals = [*shuffled([sample for _, sample in doubled(log, SEED)], SEED)]
    records = [(sample.source.key, sample.key, sample.value) for sample in [*(s for _, s in arrivals), *clocks()]]
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, **VARIABLES)
        with WorkerProcess(variables) as one, WorkerProcess(variables) as other:
            one.wait_ready()
            other.wait_ready()
            send_to(broker.bootstrap, first_words())
            list(send(broker.bootstrap, records, pace_per_s=100))
            for worker in (one, other):
                settle(worker, probe, uncommitted=PARTITIONS)
            assert min(worker.metrics().get("yocho_looks_total", 0) for worker in (one, other)) > 0, "one was idle"
            assert [worker.stop() for worker in (one, other)] == [0, 0]
        assert told(probe) == lived


def told(probe):
    """What the two topics hold, once each: a rebalance may have repeated some."""
    found = {
        (alert.occurred_at, alert.alert_id, str(alert.type), alert.level, alert.receipt.model_version)
        for alert in map(alerts.decode, values(probe, "churn-alerts"))
    }
    found |= {
        (outcome.occurred_at, outcome.outcome_id, str(outcome.outcome), outcome.level, "")
        for outcome in map(outcomes.decode, values(probe, "churn-outcomes"))
    }
    return sorted(found)


def values(probe, topic):
    values = (message.value() for part in probe.records(topic).values() for message in part)
    return [value for value in values if value is not None]  # an erasure leaves tombstones
