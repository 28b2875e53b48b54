"""`yocho worker --mute-before`: history is loaded quietly, over a kill and a restart, and the cut stays where it is."""

import sys
from datetime import datetime, timedelta

from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import Probe, WorkerProcess, environment, send, settle, wait_until
from tests.end_to_end.small_shop import BEGIN, MONTH, clocks, lines, record, shop, yocho

CUT_DAY, END_DAY = 70, 130
CUT = BEGIN + timedelta(days=CUT_DAY)
MUTED_WORKER = (sys.executable, "-m", "streams", "worker", "--mute-before", CUT.isoformat())


def test_everything_before_the_cut_is_marked_and_nothing_after_it_over_a_restart():
    orders = [record(*one) for one in sorted(shop() + clocks(END_DAY), key=lambda one: one[1])]
    half = len(orders) // 2
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, **MONTH)
        with WorkerProcess(variables, MUTED_WORKER) as worker:
            worker.wait_ready()
            assert f"before YOCHO_MUTE_BEFORE={CUT:%Y-%m-%dT%H:%M:%SZ} are marked replay" in worker.said()
            list(send(broker.bootstrap, orders[:half]))
            wait_until(lambda: probe.lag() < half // 2, 60, worker.said)
            worker.kill()
        list(send(broker.bootstrap, orders[half:]))
        with WorkerProcess(variables, MUTED_WORKER) as worker:
            worker.wait_ready()
            settle(worker, probe)
            assert worker.stop() == 0, worker.said()
        asked = "alerts", "--json", "--from-start", "--until-idle", "3"
        everything, live = (lines(yocho(variables, *asked, *more)) for more in (("--replay",), ()))
    assert {a["alert_id"]: a["replay"] for a in everything} == {
        a["alert_id"]: datetime.fromisoformat(a["occurred_at"]) < CUT for a in everything
    }
    assert {a["alert_id"] for a in live} == {a["alert_id"] for a in everything if not a["replay"]}
    assert len(live) > 50 < len(everything) - len(live)
