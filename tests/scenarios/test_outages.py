"""Silence or outage: what people are told when a feed dies, thins out or bursts, and what they are not.

The shop: 400 customers who log in about daily. 80 of them ordered once, about day 7, and would be reported if
they did not log in; the others order every other day. A horizon of 28 days, so alerts wait for 26 hours without
activity. The breaker, which would hold 80 alerts in a shop of this size, is off but where it is the subject.
"""

import orjson
import pytest

from models.events import Channel
from models.target import DAY_S
from streams.engine.changelog import OwnedRows, take_changes
from tests.logged import logged
from tests.scenarios.shop_log import START_S, Log, told
from tests.streams.harness import FirstLine

H = 28 * DAY_S
ONCE, OFTEN, LEAVING = range(80), range(80, 400), range(10)
WARNED = ("opened", "escalated")


def names(customers) -> set[str]:
    return {f"c{customer}" for customer in customers}


def shop(days: float, leaving=(), leave_on: float = 99.0) -> Log:
    log = Log(days)
    log.orders(ONCE, 3, since=6, until=9)
    log.orders(OFTEN, 2)
    log.logins([customer for customer in range(400) if customer not in leaving], 0.6)
    log.logins(leaving, 0.6, until=leave_on)
    return log


def play(log: Log, **settings) -> FirstLine:
    return log.play(**({"horizon_s": H, "breaker": 0.0} | settings))


def stale_seconds(line: FirstLine, source: str) -> float | None:
    return line.metric("yocho_source_stale_seconds", source=source, partition="0")


# -- a feed dies


def test_customers_who_stop_logging_in_while_others_go_on_are_reported():
    """The control: without an outage these are the alerts that silence gives, 20 % of the shop."""
    line = play(shop(30, leaving=ONCE, leave_on=28))
    assert len(told(line, 28, 30, *WARNED) & names(ONCE)) >= 0.95 * len(ONCE)
    assert stale_seconds(line, "logins") == 0


@pytest.fixture(scope="module")
def two_days_without_logins():
    log = shop(34, leaving=LEAVING, leave_on=28.5)
    log.cut(Channel.LOGIN, 28, 30)
    return play(log)


def test_a_login_feed_that_dies_for_two_days_gives_no_false_alert(two_days_without_logins):
    assert len(told(two_days_without_logins, 28, 34, *WARNED) - names(LEAVING)) < 0.01 * 400


def test_those_who_really_left_meanwhile_are_reported_after_it_returns(two_days_without_logins):
    assert told(two_days_without_logins, 28, 30, *WARNED) == set()
    assert told(two_days_without_logins, 30, 32, *WARNED) >= names(LEAVING)


def test_the_outage_is_dated_by_its_events_and_over_in_the_metric(two_days_without_logins):
    line = two_days_without_logins
    (outage,) = line.outages.feeds(line.partition).clocks.outages
    assert outage.channel == Channel.LOGIN
    assert abs(outage.from_s - (START_S + 28 * DAY_S)) < 3600
    assert abs(outage.until_s - (START_S + 30 * DAY_S)) < 1800
    assert stale_seconds(line, "logins") == 0


def test_while_it_is_out_metric_log_and_alerts_say_so(caplog):
    """Some who never log in are reported by their orders; their alerts tell that logins say nothing at present."""
    log = shop(29.5)
    for customer in range(400, 440):
        log.orders([customer], 1, until=8 + (customer - 400) * 0.4)
    log.cut(Channel.LOGIN, 28, 30)
    line = play(log)
    assert stale_seconds(line, "logins") == pytest.approx(1.5 * DAY_S, abs=1800)
    ((_, about),) = [
        line for line in logged(caplog.records, "streams.outages") if line[0].startswith("source is quiet")
    ]
    assert (about["partition"], about["source"]) == (0, "logins")
    assert about.keys() == {"partition", "source", "since", "events_per_day"}
    later = [alert for alert in line.alerts() if alert.occurred_at.timestamp() > START_S + 28.2 * DAY_S]
    assert later
    assert {tuple(alert.signals_stale) for alert in later} == {("login",)}


@pytest.mark.parametrize("restart_on", [28.02, 29.0, 30.01])
def test_a_new_owner_of_the_partition_goes_on_with_the_outage_of_the_old_one(two_days_without_logins, restart_on):
    log = shop(34, leaving=LEAVING, leave_on=28.5)
    log.cut(Channel.LOGIN, 28, 30)
    line = log.play(horizon_s=H, breaker=0.0, until_day=restart_on)
    recovered = OwnedRows()
    records = [_Read(*record) for record in take_changes(line.partition)]
    recovered.apply(0, records, len(records))
    line.partition = recovered.partition(0)
    line.partition.take_over(1)
    line.restart()
    log.play(line, from_day=restart_on)
    once = two_days_without_logins
    assert sorted(alert.alert_id for alert in line.alerts()) == sorted(alert.alert_id for alert in once.alerts())
    assert orjson.dumps(line.outages.feeds(line.partition).to_dict()) == orjson.dumps(
        once.outages.feeds(once.partition).to_dict()
    )


class _Read:
    def __init__(self, key, value, headers) -> None:
        self.key, self.value, self.headers = key, value, headers


@pytest.mark.parametrize("max_batch", [1_000, 37])
def test_neither_alerts_nor_outage_depend_on_how_events_were_cut_into_batches(two_days_without_logins, max_batch):
    log = shop(34, leaving=LEAVING, leave_on=28.5)
    log.cut(Channel.LOGIN, 28, 30)
    line, once = log.play(horizon_s=H, breaker=0.0, max_batch=max_batch), two_days_without_logins
    facts = [{(a.alert_id, a.occurred_at, a.level) for a in one.alerts()} for one in (line, once)]
    assert facts[0] == facts[1]
    feeds = [one.outages.feeds(one.partition).to_dict() for one in (line, once)]
    assert feeds[0] == feeds[1]


# -- a feed thins out, or bursts


def test_a_feed_that_brings_three_of_ten_logins_is_out_as_well():
    log = shop(31)
    log.cut(Channel.LOGIN, 28, 31, kept=0.3)
    line = play(log)
    assert stale_seconds(line, "logins") > 2 * DAY_S
    assert len(told(line, 28.5, 31, *WARNED)) < 0.01 * 400


def test_a_feed_that_brings_its_events_in_bursts_is_well():
    """Logins of the day are delivered once a night, all with the time of delivery, and twice as many on Fridays."""
    log = Log(40)
    log.orders(OFTEN, 2)
    log.logins(range(400), 1)
    log.at_night(Channel.LOGIN)
    log.logins(range(300), 7, since=4)
    line = play(log)
    assert line.outages.feeds(line.partition).clocks.outages == ()


# -- the feed of main events dies


@pytest.fixture(scope="module")
def ten_days_without_orders():
    log = Log(71)
    log.orders(range(40), 3, until=3)  # expire on about day 58: two horizons after they ordered
    log.orders(range(80, 400), 2)
    log.cut(Channel.ORDER, 50, 60)
    return log


def test_nobody_is_given_up_while_the_order_feed_is_out_nor_reported_for_not_ordering(ten_days_without_orders):
    line = ten_days_without_orders.play(horizon_s=H, breaker=0.0, until_day=59.9)
    assert told(line, 50.5, 60, "expired") == set()
    assert told(line, 50.5, 60, *WARNED) == set()


def test_those_who_ought_to_have_been_given_up_are_so_ten_days_later(ten_days_without_orders):
    line = play(ten_days_without_orders)
    assert told(line, 0, 60, "expired") == set()
    assert told(line, 66, 71, "expired") == names(range(40))


def test_labels_whose_time_was_not_watched_are_left_out_and_counted(ten_days_without_orders):
    line = play(ten_days_without_orders)
    (outage,) = line.outages.feeds(line.partition).clocks.outages
    for label in line.labels():
        if label["resolved_at_s"] > outage.from_s + DAY_S:
            assert label["frozen_at_s"] >= outage.until_s or label["resolved_at_s"] <= outage.from_s
    assert line.metric("yocho_labels_total", outcome="censored") > 50
