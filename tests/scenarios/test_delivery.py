"""What delivery and clocks do to a story, and what they must not do: order of arrival, time zones, wrong dates."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone

from tests.scenarios.story import alerts, day_of, every, login, machine_open, order, story

WEEKLY = every(7, order, until=63)
JAPAN = timezone(timedelta(hours=9))


def written(sample, zone):
    """The same event with its time as RFC 3339 in another zone."""
    at = datetime.fromtimestamp(sample.event.occurred_at_ms / 1000, zone)
    return dataclasses.replace(sample, body=sample.body | {"occurred_at": at.isoformat()})


def test_the_same_log_in_japan_time_and_in_utc_is_the_same_story():
    """Midnight is another moment, the silence is as long."""
    late_evenings = every(7, order, start=0.6, until=63)
    utc, japan = (story([written(one, zone) for one in late_evenings], look_until=200) for zone in (UTC, JAPAN))
    assert utc == japan == story(late_evenings, look_until=200) != []


def test_two_orders_around_midnight_in_japan_are_one_visit():
    """15:00 UTC: a minute before and after, it is the same day for a count of visits."""
    around = [order(15 / 24 - 0.001), order(15 / 24 + 0.001)]
    assert story(around, look_until=100) == story(order(15 / 24 + 0.001), look_until=100) != []


def test_an_order_and_the_login_of_the_same_second_may_come_in_either_order():
    order_first = alerts(*[(order(day), login(day)) for day in range(0, 64, 7)], look_until=200)
    login_first = alerts(*[(login(day), order(day)) for day in range(0, 64, 7)], look_until=200)
    assert [(a.alert_id, a.occurred_at) for a in order_first] == [(a.alert_id, a.occurred_at) for a in login_first]
    assert order_first


def test_an_order_split_into_two_in_the_same_second_is_one_visit():
    split = [order(day, event_id=f"{day}-{part}") for day in range(0, 64, 7) for part in "ab"]
    assert story(split, look_until=140) == story(WEEKLY, look_until=140)


def test_an_order_dated_years_ahead_by_a_wrong_clock_is_set_aside():
    """Else it would carry time along, and everybody else would be years late."""
    assert story(WEEKLY, order(5_000), look_until=140, in_order=False) == story(WEEKLY, look_until=140)


def test_a_login_that_arrives_two_days_late_calms_as_if_it_had_been_on_time():
    late = alerts(WEEKLY, order(135, customer_id="c2"), login(133), look_until=137, in_order=False)
    on_time = alerts(WEEKLY, login(133), order(135, customer_id="c2"), look_until=137)
    assert [(a.alert_id, day_of(a)) for a in late] == [(a.alert_id, day_of(a)) for a in on_time]


def test_everything_delivered_twice_is_the_same_story():
    events = [*WEEKLY, *every(5, login, until=60), *every(3, machine_open, until=120)]
    assert story(*[one for event in events for one in (event, event)], look_until=200) == story(*events, look_until=200)


def test_an_order_in_the_second_of_an_alert_ends_what_it_opened():
    """The alert was true when its second began."""
    (opened,) = alerts(WEEKLY, look_until=102)
    moment = (opened.occurred_at.timestamp() - order(0).event.at_s) / 86_400
    told = alerts(WEEKLY, order(moment), look_until=108)
    assert [str(alert.type) for alert in told] == ["opened", "recovered"]
    assert told[0].occurred_at == told[1].occurred_at == opened.occurred_at


def test_an_order_a_second_before_the_alert_prevents_it():
    (opened,) = alerts(WEEKLY, look_until=102)
    moment = (opened.occurred_at.timestamp() - 1 - order(0).event.at_s) / 86_400
    assert story(WEEKLY, order(moment), look_until=108) == []
