"""A worker that dies loses nothing and counts nothing twice, whenever it dies.

The way Kafka Streams tests itself: an undisturbed run, a disturbed one, and a verifier that shares no code with either.
"""

import time
from collections import Counter

import numpy as np
import pytest

from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Probe, WorkerProcess, environment, send, settle
from tests.end_to_end.log import event_log
from tests.end_to_end.verifier import alerts_of, recount, rows_of

N_EVENTS, N_CUSTOMERS, N_KILLS = 20_000, 500, 5
VARIABLES = {
    "YOCHO_HORIZON": "28d",
    "YOCHO_MERGE_WAIT_S": "1.0",
    "YOCHO_FORGET": "400d",
    "YOCHO_SESSION_TIMEOUT_S": "3",
}


def undisturbed(log) -> tuple[dict, dict]:
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        list(send(broker.bootstrap, log))
        with WorkerProcess(environment(broker.bootstrap, **VARIABLES)) as worker:
            worker.wait_ready()
            settle(worker, probe)
            assert worker.stop() == 0
        return alerts_of(probe), rows_of(probe)


def lag_after_progress(probe, sent: int, committed_before: int) -> int:
    """The lag, once more is committed than at the kill before: a busy machine takes its time to start a worker."""
    deadline_s = time.monotonic() + 60
    while (lag := probe.lag()) >= sent - committed_before and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return lag


@pytest.mark.timeout(600)
def test_five_kills_over_twenty_thousand_events_change_neither_state_nor_alerts():
    log = event_log(N_EVENTS, N_CUSTOMERS)
    expected_alerts, expected_rows = undisturbed(log)
    assert len(expected_alerts) > 100

    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, **VARIABLES)
        workers = [WorkerProcess(variables), WorkerProcess(variables)]
        try:
            for worker in workers:
                worker.wait_ready()
            kill_at = np.linspace(0.1, 0.9, N_KILLS) * N_EVENTS
            lags, committed = [], [0]
            for sent in send(broker.bootstrap, log, pace_per_s=750):
                if len(lags) < N_KILLS and sent >= kill_at[len(lags)]:
                    victim = len(lags) % 2
                    lags.append(lag_after_progress(probe, sent, committed[-1]))
                    committed.append(sent - lags[-1])
                    workers[victim].kill()
                    workers[victim] = WorkerProcess(variables)
                    time.sleep(0.1)
            for worker in workers:
                settle(worker, probe)
            assert [worker.stop() for worker in workers] == [0, 0]
        finally:
            for worker in workers:
                worker.__exit__()
        assert len(lags) == N_KILLS
        assert min(lags) > 0, f"a kill hit an idle worker: lags {lags}"
        assert all(np.diff(committed) > 0), f"nothing was processed between two kills: {committed}"

        rows = rows_of(probe)
        assert {key: row["count"].tolist() for key, row in rows.items()} == recount(log)
        told = alerts_of(probe)
        lost, made_up = expected_alerts.keys() - told.keys(), told.keys() - expected_alerts.keys()
        assert (len(lost), len(made_up)) == (0, 0)
        assert told == expected_alerts
        differing = Counter(
            name for key, row in rows.items() for name in row.dtype.names
            if row[name].tobytes() != expected_rows[key][name].tobytes()
        )  # fmt: skip
        assert differing == {}
    assert PARTITIONS == 4
