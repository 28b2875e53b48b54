"""`yocho upcoming` asks what a worker committed; then time passes, and the worker tells just that."""

from datetime import datetime, timedelta

from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import Probe, WorkerProcess, environment, send, settle
from tests.end_to_end.small_shop import BEGIN, MONTH, clocks, lines, record, shop, yocho

TODAY, WITHIN = 90, 10


def test_who_is_listed_gets_that_alert_at_that_second():
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, **MONTH)
        with WorkerProcess(variables) as worker:
            worker.wait_ready()
            work(broker.bootstrap, worker, probe, shop() + clocks(TODAY))
            listed = lines(yocho(variables, "upcoming", "--within", f"{WITHIN}d", "--json"))
            alerts = "alerts", "--json", "--from-start", "--until-idle", "3"
            before = {alert["alert_id"] for alert in lines(yocho(variables, *alerts))}
            work(broker.bootstrap, worker, probe, clocks(TODAY + WITHIN))
            told = [alert for alert in lines(yocho(variables, *alerts)) if alert["alert_id"] not in before]
            assert worker.stop() == 0, worker.said()
    first = {}
    for alert in told:
        if alert["type"] in ("opened", "escalated"):
            first.setdefault(alert["customer_id"], (alert["level"], alert["occurred_at"]))
    assert {one["customer_id"]: (one["next_level"], one["at"]) for one in listed} == first
    assert len(first) >= 10
    assert {datetime.fromisoformat(one["as_of"]) for one in listed} == {BEGIN + timedelta(days=TODAY)}


def work(bootstrap, worker, probe, orders):
    list(send(bootstrap, [record(*one) for one in sorted(orders, key=lambda one: one[1])]))
    settle(worker, probe)
