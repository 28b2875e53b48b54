"""A rolling upgrade: older state is read, releases side by side tell the same, and an older worker refuses newer state.

The release before is its bytes, written here as it wrote them; the one after is `tests.end_to_end.next_release`.
"""

import re
import sys
from types import SimpleNamespace

import numpy as np
import orjson
import pytest

from models.row_v2 import ROW_V2
from models.state import ROW_VERSION, from_bytes
from streams.engine.changelog import META_KEY
from streams.engine.engine import EXIT_NEWER
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import (
    PARTITIONS,
    Outbound,
    Probe,
    WorkerProcess,
    environment,
    send,
    send_to,
    settle,
    wait_until,
)
from tests.end_to_end.log import event_log
from tests.end_to_end.verifier import alerts_of

CHANGELOG = "yocho-customers-changelog"
EPOCH = 4
pytestmark = pytest.mark.timeout(600)
VARIABLES = {
    "YOCHO_HORIZON": "28d",
    "YOCHO_MERGE_WAIT_S": "1.0",
    "YOCHO_FORGET": "400d",
    "YOCHO_COOL_DOWN": "0d",  # version 2 knew none
    "YOCHO_SESSION_TIMEOUT_S": "3",
}
LOG = event_log(6_000, 200)
HALF = len(LOG) // 2


def this_release(broker):
    return WorkerProcess(environment(broker.bootstrap, **VARIABLES))


def next_release(broker):
    command = (sys.executable, "-m", "tests.end_to_end.next_release")
    return WorkerProcess(environment(broker.bootstrap, **VARIABLES), command)


def customers(probe):
    """The newest changelog value of each customer, by partition, and each partition's own record."""
    rows, own = {}, {}
    for number, messages in probe.records(CHANGELOG).items():
        rows[number] = {m.key(): m.value() for m in messages if m.key()[0] >= ord(" ")}
        own[number] = orjson.loads([m for m in messages if m.key() == META_KEY][-1].value())
    return rows, own


def versions(probe):
    """Row versions of all living customers."""
    rows, _ = customers(probe)
    return {value[EPOCH] for of in rows.values() for value in of.values() if value is not None}


def as_version_2(value):
    """A customer as the release before wrote them."""
    row, old = from_bytes(value[EPOCH:]), np.zeros(1, ROW_V2)
    for name in ROW_V2.names:
        old[name][0] = row[name][: len(old["applied"][0])] if name == "applied" else row[name]
    return value[:EPOCH] + bytes([2]) + old.tobytes()


def write_version_2(broker, probe):
    """Every customer and every partition once more, as the release before would have left them."""
    rows, own = customers(probe)
    records = [
        Outbound(CHANGELOG, number, key, as_version_2(value))
        for number, of in rows.items()
        for key, value in of.items()
        if value is not None
    ]
    records += [
        Outbound(CHANGELOG, n, META_KEY, orjson.dumps({name: meta[name] for name in ("epoch", "stream_time_s")}))
        for n, meta in own.items()
    ]
    send_to(broker.bootstrap, records)


@pytest.fixture(scope="module")
def expected():
    """What one worker of this release tells that nobody disturbs."""
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        list(send(broker.bootstrap, LOG))
        with this_release(broker) as worker:
            worker.wait_ready()
            settle(worker, probe)
            assert worker.stop() == 0
        return alerts_of(probe)


def test_a_changelog_of_version_2_is_recovered_and_the_alerts_are_the_same(expected):
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        list(send(broker.bootstrap, LOG[:HALF]))
        with this_release(broker) as worker:
            worker.wait_ready()
            settle(worker, probe)
            assert worker.stop() == 0
        write_version_2(broker, probe)
        assert versions(probe) == {2}
        list(send(broker.bootstrap, LOG[HALF:]))
        with this_release(broker) as worker:
            worker.wait_ready()
            settle(worker, probe)
            assert worker.stop() == 0
        assert ROW_VERSION in versions(probe)
        assert len(alerts_of(probe)) > 50
        assert alerts_of(probe) == expected


@pytest.fixture(scope="module")
def upgrade():
    """A worker of each release side by side; then the newer alone; then an older one by mistake."""
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe, this_release(broker) as old:
        old.wait_ready()
        list(send(broker.bootstrap, LOG[: HALF // 2]))
        settle(old, probe)
        with next_release(broker) as new:
            new.wait_ready()
            shared = [owned(old), owned(new)]
            list(send(broker.bootstrap, LOG[HALF // 2 : HALF], pace_per_s=500))
            wait_until(lambda: probe.lag() == 0, 60, new.said)
            wait_until(lambda: len(versions(probe)) == 2, 60)
            old_code = old.stop()
            list(send(broker.bootstrap, LOG[HALF:-1000], pace_per_s=500))
            settle(new, probe)
            assert new.stop() == 0
        list(send(broker.bootstrap, LOG[-1000:]))
        changelog, lags = len(changes(probe)), [probe.lag()]
        with this_release(broker) as mistaken:
            code, said = mistaken.process.wait(60), mistaken.said()
        wrote, lags = len(changes(probe)) - changelog, [*lags, probe.lag()]
        with next_release(broker) as new:
            new.wait_ready()
            settle(new, probe)
            assert new.stop() == 0
        return SimpleNamespace(
            shared=shared, old_code=old_code, lags=lags, wrote=wrote, code=code, said=said, alerts=alerts_of(probe)
        )


def changes(probe):
    return [message for messages in probe.records(CHANGELOG).values() for message in messages]


def owned(worker):
    """Partitions a worker said last that it owns."""
    found = re.findall(r'"yocho worker ready","partitions":\[(.*?)\]', worker.said())
    return {int(number) for number in found[-1].split(",")}


def test_two_releases_side_by_side_tell_what_one_tells(expected, upgrade):
    old, new = upgrade.shared
    assert old and new
    assert old | new == set(range(PARTITIONS))
    assert upgrade.old_code == 0
    assert upgrade.alerts == expected


def test_an_older_worker_refuses_newer_state_in_one_line_and_ends(upgrade):
    assert upgrade.code == EXIT_NEWER
    (line,) = [line for line in upgrade.said.splitlines() if "newer yocho" in line]
    assert orjson.loads(line)["level"] == "error"
    why = orjson.loads(line)["why"]
    found = re.search(r"(\S+) partition (\d): stored customer has version (\d), .* versions 1 to (\d)$", why)
    assert found[1] == CHANGELOG
    assert (int(found[3]), int(found[4])) == (ROW_VERSION + 1, ROW_VERSION)
    assert "Traceback" not in upgrade.said


def test_an_older_worker_that_refused_left_state_and_offsets_as_they_were(upgrade):
    assert upgrade.lags == [1000, 1000]
    assert upgrade.wrote == 0
