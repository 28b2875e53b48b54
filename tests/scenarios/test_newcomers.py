"""Who is new, who only looks, and who lives twice: stories of beginnings, before the model has learnt anything."""

from tests.scenarios.story import alerts, every, human_open, login, machine_open, order, story

WEEKLY_UNTIL_DAY_133 = every(7, order, until=133)


# -- newcomers


def test_a_newcomer_who_bursts_with_orders_in_the_first_week_is_told_about_when_it_was_all():
    assert story([order(day) for day in (0, 1, 2, 4, 6)], look_until=250) == [
        "day 22: opened watch",
        "day 27: escalated at_risk",
        "day 37: escalated critical",
        "day 188: expired",
    ]


def test_somebody_who_signs_up_and_looks_around_for_weeks_is_nobody_to_lose():
    assert story(every(1, login, until=40), look_until=300) == []


def test_a_first_order_after_many_logins_is_a_first_order():
    """What they looked at before does not make them a regular."""
    after_signup = alerts(every(1, login, until=40), order(40.5), look_until=120)
    out_of_the_blue = alerts(order(0.5), look_until=80)
    assert [alert.level for alert in after_signup] == [alert.level for alert in out_of_the_blue] == ["watch", "at_risk"]
    assert {alert.confidence for alert in after_signup} == {"not_enough_evidence"}


def test_who_ordered_once_and_comes_to_look_every_day_gives_nothing():
    assert story(order(0), every(1, login, start=1, until=60), look_until=61) == []


def test_a_big_first_order_does_not_make_a_customer_more_or_less_regular():
    big = story(order(0, amount=900_000), every(7, order, start=7, until=63), look_until=140)
    assert big == story(every(7, order, until=63), look_until=140)


# -- who is here


def test_a_customer_who_logs_in_daily_but_no_longer_buys_is_told_about_when_a_quarter_has_passed():
    """Somebody who is here every day is not leaving today. But after 91 days without an order, on day 224, they are a
    lost buyer, however often they come."""
    told = story(WEEKLY_UNTIL_DAY_133, every(1, login, start=134, until=400), look_until=401)
    assert told == ["day 224: opened critical", "day 315: expired"]
    assert story(WEEKLY_UNTIL_DAY_133, every(1, login, start=134, until=224), order(223), look_until=225) == []


def test_a_customer_who_looks_in_on_weekends_but_no_longer_buys_is_told_about():
    """Half a week without a visit is enough to be noticed; the visits do not hide the missing orders."""
    visits = every(7, login, start=136, until=300)
    told = story(WEEKLY_UNTIL_DAY_133, visits, look_until=250)
    assert [words.split(": ")[1] for words in told] == ["opened watch", "escalated at_risk", "escalated critical"]


def test_somebody_whose_mail_is_fetched_by_a_machine_every_day_was_never_here():
    assert story(every(1, machine_open, until=300), look_until=700) == []


def test_a_mail_opened_by_a_person_is_a_sign_of_life_and_by_a_machine_is_none():
    silent = story(WEEKLY_UNTIL_DAY_133, look_until=174)
    assert silent == ["day 169: opened watch"]
    assert story(WEEKLY_UNTIL_DAY_133, machine_open(168), look_until=171) == silent
    assert story(WEEKLY_UNTIL_DAY_133, human_open(168), look_until=171) == []


# -- two lives


def test_two_episodes_a_year_are_two_stories_each_told_to_its_end():
    told = alerts(every(7, order, until=63), every(7, order, start=120, until=183), look_until=370)
    assert [(alert.episode.number, str(alert.type), alert.level) for alert in told] == [
        (1, "opened", "watch"),
        (1, "escalated", "at_risk"),
        (1, "recovered", "healthy"),
        (2, "opened", "watch"),
        (2, "escalated", "at_risk"),
        (2, "escalated", "critical"),
        (2, "expired", "churned"),
    ]
    assert [alert.episode.opened_at for alert in told[:3]] == [told[0].occurred_at] * 3
    assert len({alert.alert_id for alert in told}) == 7


def test_a_second_silence_of_a_loyal_customer_is_measured_against_all_they_did():
    """Ten orders, a pause of two months, ten more: the second silence is judged by a longer life."""
    told = alerts(every(7, order, until=63), every(7, order, start=120, until=183), look_until=370)
    first, second = told[0], told[3]
    assert second.occurred_at.timestamp() - _day(183) > first.occurred_at.timestamp() - _day(63)


def _day(day):
    return order(day).event.at_s
