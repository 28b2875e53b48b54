"""What the shop's people are told about whom, and what they are not: the specification, as stories.

A story is what customers did, by day, and below it every alert that this gives. Settings are those of a new deployment:
an order is what counts, staying away for 91 days is churn, and the model has not learnt anything yet.
"""

from datetime import timedelta

from tests.scenarios.story import alerts, every, human_open, login, machine_open, order, story

WEEKLY_UNTIL_DAY_63 = every(7, order, until=63)


# -- regular customers


def test_a_weekly_buyer_who_stops_is_told_about_once_a_level_until_they_count_as_lost():
    assert story(every(7, order, until=133), look_until=500) == [
        "day 169: opened watch",
        "day 176: escalated at_risk",
        "day 188: escalated critical",
        "day 315: expired",
    ]


def test_a_weekly_buyer_who_keeps_buying_gives_nothing():
    assert story(every(7, order, until=364), look_until=371) == []


def test_a_monthly_buyer_in_week_two_gives_nothing():
    """The same two weeks of silence mean more from somebody who comes every other day."""
    monthly = every(30, order, until=240)
    about_the_first_order = ["day 18: opened watch", "day 30: recovered"]  # nobody knew their rhythm yet
    assert story(monthly, look_until=254) == about_the_first_order


def test_the_more_often_somebody_bought_the_sooner_their_silence_is_told():
    often, seldom = (alerts(every(days, order, until=63), look_until=500) for days in (3, 7))
    assert often[0].occurred_at < seldom[0].occurred_at


# -- newcomers and returners


def test_a_one_time_buyer_is_watched_after_some_weeks_and_never_critical():
    assert story(order(0), look_until=500) == [
        "day 18: opened watch",
        "day 75: escalated at_risk",
        "day 182: expired",
    ]


def test_a_newcomer_gives_nothing_in_the_first_two_weeks():
    assert story(order(0), look_until=14) == []


def test_a_customer_who_returns_closes_the_alert_with_the_order():
    assert story(WEEKLY_UNTIL_DAY_63, order(108), look_until=120) == ["day 101: opened watch", "day 108: recovered"]


def test_a_customer_who_returns_after_being_given_up_is_good_news_too():
    assert story(WEEKLY_UNTIL_DAY_63, order(300), look_until=310)[-2:] == ["day 245: expired", "day 300: recovered"]


def test_a_customer_who_returns_and_leaves_again_is_a_new_story_with_new_numbers():
    told = alerts(WEEKLY_UNTIL_DAY_63, order(108), order(115), order(122), look_until=500)
    assert [(str(alert.type), alert.episode.number) for alert in told] == [
        ("opened", 1), ("recovered", 1), ("opened", 2), ("escalated", 2), ("escalated", 2), ("expired", 2),
    ]  # fmt: skip
    assert len({alert.alert_id for alert in told}) == len(told)


# -- who is still here, and who only seems to be


def test_machine_opens_alone_do_not_count():
    """A privacy proxy fetches every mail the day it is sent. It changes no day and no level of any alert."""
    silent = story(WEEKLY_UNTIL_DAY_63, look_until=270)
    assert story(WEEKLY_UNTIL_DAY_63, every(1, machine_open, start=64, until=260), look_until=270) == silent
    assert silent[0] == "day 101: opened watch"


def test_somebody_who_opened_the_mail_this_morning_is_not_leaving_today():
    """That holds for a quarter; who has not bought for so long is gone as a buyer."""
    for until, told in ((152, []), (240, ["day 154: opened critical"])):
        assert story(WEEKLY_UNTIL_DAY_63, every(1, human_open, start=64, until=until), look_until=until + 1) == told


def test_a_visitor_whose_visits_end_is_told_about_when_they_end():
    assert story(WEEKLY_UNTIL_DAY_63, every(3, login, start=66, until=135), look_until=330) == [
        "day 138: opened critical",
        "day 245: expired",
    ]


def test_daily_logins_without_any_order_give_nothing_ever():
    """Somebody who never ordered cannot stop ordering."""
    assert story(every(1, login, until=300), look_until=700) == []


def test_a_flapper_who_logs_in_and_vanishes_again_and_again_is_told_about_once_a_level():
    """Each login restarts the wait, each silence is long enough to speak up; people hear of it once."""
    assert story(WEEKLY_UNTIL_DAY_63, every(4, login, start=67, until=200), look_until=330) == [
        "day 102: opened watch",
        "day 110: escalated at_risk",
        "day 126: escalated critical",
        "day 245: expired",
    ]


# -- what delivery does


def test_an_order_delivered_twice_is_one_order():
    once = story(WEEKLY_UNTIL_DAY_63, order(66, event_id="o-66"), look_until=200)
    twice = story(WEEKLY_UNTIL_DAY_63, *[order(66, event_id="o-66")] * 2, order(66.5, event_id="o-66"), look_until=200)
    assert twice == once


def test_an_order_that_arrives_three_days_late_still_recovers_the_customer():
    """Another customer's order has carried time on to day 103 when this one of day 100 arrives."""
    told = story(WEEKLY_UNTIL_DAY_63, order(103, customer_id="c2"), order(100), look_until=115, in_order=False)
    assert told == ["day 101: opened watch", "day 100: recovered"]


def test_an_order_that_arrives_ten_days_late_is_set_aside_and_changes_nothing():
    on_time = story(WEEKLY_UNTIL_DAY_63, order(108, customer_id="c2"), look_until=109)
    late = story(WEEKLY_UNTIL_DAY_63, order(108, customer_id="c2"), order(98), look_until=109, in_order=False)
    assert late == on_time == ["day 101: opened watch"]


def test_one_customer_leaving_says_nothing_about_another():
    told = alerts(WEEKLY_UNTIL_DAY_63, every(7, order, until=200, customer_id="c2"), look_until=200)
    assert {alert.customer_id for alert in told} == {"c1"}


# -- what an alert says


def test_an_alert_says_why_and_what_would_bring_the_customer_back():
    (opened, *_) = alerts(WEEKLY_UNTIL_DAY_63, look_until=140)
    assert opened.kind == "離反予兆"
    assert opened.reasons.ja == ["注文の間隔が、ふだん（約7日）の約5.5倍に延びています。"]
    assert opened.comeback.sentence.ja == "注文1回で「平常」に戻ります。"
    assert opened.probability >= 0.7


def test_it_is_dated_by_the_silence_and_not_by_when_anybody_noticed():
    """Time that comes in one leap gives the days that it gives in small steps."""
    (leap, *_), (steps, *_) = (
        alerts(WEEKLY_UNTIL_DAY_63, look_until=400),
        alerts(WEEKLY_UNTIL_DAY_63, every(1, login, until=400, customer_id="clock"), look_until=400),
    )
    assert leap.occurred_at == steps.occurred_at
    assert leap.episode.opened_at - leap.occurred_at == timedelta(0)
