"""`yocho ack` and `yocho snooze` reach the worker that knows the customer, and it answers with an alert."""

from datetime import datetime, timedelta

from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import Probe, WorkerProcess, environment, send, settle
from tests.end_to_end.small_shop import BEGIN, MONTH, clocks, lines, record, shop, yocho

TODAY = 90


def test_what_somebody_says_is_answered_on_the_topic_of_alerts():
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap, **MONTH)
        with WorkerProcess(variables) as worker:
            worker.wait_ready()
            orders = sorted(shop() + clocks(TODAY), key=lambda one: one[1])
            list(send(broker.bootstrap, [record(*one) for one in orders]))
            settle(worker, probe)
            customer = still_open(told(variables))
            said_at = BEGIN + timedelta(days=TODAY, minutes=1)
            yocho(variables, "ack", customer, "--by", "Sato", "--at", said_at.isoformat())
            yocho(variables, "snooze", customer, "--by", "Mori", "--until", "14d", "--at", said_at.isoformat())
            settle(worker, probe)
            taken, snoozed = [alert for alert in told(variables) if alert["by"] is not None]
            code, said = worker.stop(), worker.said()
    assert code == 0, said
    assert (taken["type"], taken["by"], taken["customer_id"]) == ("acknowledged", "Sato", customer)
    assert (snoozed["type"], snoozed["by"], snoozed["acknowledged"]) == ("snoozed", "Mori", True)
    assert datetime.fromisoformat(snoozed["until"]) == said_at + timedelta(days=14)
    assert "Sato" not in said, "people's names are not for logs"


def told(variables):
    return lines(yocho(variables, "alerts", "--json", "--from-start", "--until-idle", "3"))


def still_open(alerts):
    """Somebody about whom the last word was a warning."""
    last = {alert["customer_id"]: alert["type"] for alert in alerts}
    return next(customer for customer, type_ in sorted(last.items()) if type_ in {"opened", "escalated"})
