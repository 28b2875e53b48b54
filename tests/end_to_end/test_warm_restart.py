"""A worker that is killed and has copies of its state on disk reads what is new, and has the same state."""

import asyncio

import pytest

from streams.engine.changelog import OwnedRows
from streams.engine.warm import WarmCopies
from streams.settings import Settings
from streams.warm_restart import copies
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Probe, WorkerProcess, environment, send, settle, wait_until
from tests.end_to_end.log import event_log
from tests.end_to_end.verifier import changelog_state, recount, rows_of
from tests.streams.engine.state_hash import state_hash

N_EVENTS, N_CUSTOMERS = 6_000, 300
VARIABLES = {
    "YOCHO_HORIZON": "28d",
    "YOCHO_MERGE_WAIT_S": "1.0",
    "YOCHO_FORGET": "400d",
    "YOCHO_SESSION_TIMEOUT_S": "3",
}
CHANGELOG = "yocho-customers-changelog"
DISK, LOG = 'yocho_restored_records_total{origin="disk"}', 'yocho_restored_records_total{origin="changelog"}'


def on_disk(settings: Settings, ends: dict[int, int]) -> OwnedRows:
    """What the copies hold, taken up as a worker does."""
    owned, found = OwnedRows(), copies(settings)
    assert isinstance(found, WarmCopies)

    async def take_up() -> None:
        async for partition, offset in found.take_up({number: (0, end) for number, end in ends.items()}):
            owned.adopt(partition, offset)

    asyncio.run(take_up())
    found.close()
    return owned


@pytest.mark.timeout(240)
def test_after_a_kill_the_copies_on_disk_stand_for_the_changelog(tmp_path):
    log = event_log(N_EVENTS, N_CUSTOMERS)
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, YOCHO_STATE_DIR=str(tmp_path), **VARIABLES)
        with WorkerProcess(variables) as killed:
            killed.wait_ready()
            sending = send(broker.bootstrap, log)
            next(sent for sent in sending if sent >= N_EVENTS * 2 / 3)
            wait_until(lambda: probe.lag() < N_EVENTS / 3, 60, killed.said)
            killed.kill()
        list(sending)
        written = sum(map(len, probe.records(CHANGELOG).values()))
        with WorkerProcess(variables) as worker:
            worker.wait_ready()
            restored = worker.metrics()
            settle(worker, probe)
            assert worker.stop() == 0
        assert restored[DISK] > N_CUSTOMERS / 2
        assert restored.get(LOG, 0.0) < written / 4, f"of {written} records"

        assert {key: row["count"].tolist() for key, row in rows_of(probe).items()} == recount(log)
        cold = changelog_state(probe)
        warm = on_disk(
            Settings(brokers=(broker.bootstrap,), state_dir=tmp_path),
            {number: len(records) for number, records in probe.records(CHANGELOG).items()},
        )
        assert warm.last_offset == cold.last_offset
        hashes = [{n: state_hash(rows) for n, rows in state.partitions.items()} for state in (warm, cold)]
        assert hashes[0] == hashes[1]
        assert len(hashes[0]) == PARTITIONS
