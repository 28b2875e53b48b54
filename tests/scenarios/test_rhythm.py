"""What is normal for whom: silence counts against a customer's own rhythm, before the model has learnt anything.

Below each story stands every alert it gives. The horizon is 91 days, and a level is the chance that no order comes in
all of these: that is a slower question than "are they late?".
"""

from models.target import DAY_S
from tests.scenarios.story import alerts, day_of, every, order, story

NEWCOMER = ["day 18: opened watch", "day 30: recovered"]
"""Of whom one order is known nobody can say how often they come; a monthly buyer's second one settles it."""
MONTH_ENDS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


# -- the weekly buyer


def test_the_weekly_buyer_who_misses_three_weeks_and_comes_back_gives_nothing():
    """Three weeks late is not yet a quarter lost: until labels are learnt nobody is called to action."""
    assert story(every(7, order, until=133), every(7, order, start=161, until=300), look_until=305) == []


def test_the_weekly_buyer_who_misses_three_weeks_and_more_is_told_about_in_the_sixth():
    """What the model learns of baskets brings it forward: see test_learnt_shop."""
    told = alerts(every(7, order, until=133), look_until=220)
    assert [(alert.level, day_of(alert) - 133) for alert in told] == [("watch", 36), ("at_risk", 43), ("critical", 55)]


def test_a_month_without_a_weekly_buyer_over_the_holidays_gives_nothing():
    assert story(every(7, order, until=203), every(7, order, start=238, until=350), look_until=352) == []


def test_a_buyer_who_slows_down_step_by_step_gives_nothing_as_long_as_orders_come():
    assert story([order(day) for day in (0, 7, 14, 21, 28, 38, 50, 65, 84, 110)], look_until=120) == []


def test_a_weekly_buyer_who_pauses_and_comes_back_every_third_week_is_taken_as_they_now_are():
    assert story(every(7, order, until=63), every(21, order, start=100, until=310), look_until=330) == []


# -- others


def test_a_daily_buyer_is_told_about_within_two_weeks():
    assert story(every(1, order, until=60), look_until=100) == [
        "day 67: opened watch",
        "day 69: escalated at_risk",
        "day 71: escalated critical",
    ]


def test_a_company_that_orders_at_each_end_of_the_month_gives_nothing_between_two_of_them():
    orders = [order(day) for day in MONTH_ENDS]
    assert story(orders, look_until=364) == ["day 18: opened watch", "day 31: recovered"]


def test_a_company_that_skips_one_month_gives_nothing_more():
    orders = [order(day) for day in MONTH_ENDS if day != 273]
    assert story(orders, look_until=364) == ["day 18: opened watch", "day 31: recovered"]


def test_a_company_that_orders_twice_each_payday_is_one_that_comes_once_a_month():
    """The second order of a pair is no new visit, and the pair after a month is no surprise."""
    orders = [order(day + more) for day in range(0, 360, 30) for more in (0, 1)]
    assert story(orders, look_until=400) == []


def test_an_irregular_buyer_is_not_overdue_when_a_gap_is_as_long_as_the_longest_they_ever_took():
    irregular = [order(day) for day in (0, 3, 40, 45, 90, 93, 150, 151)]
    assert story(irregular, look_until=151 + 60) == []


def test_a_winter_customer_is_told_about_in_spring_and_back_next_winter():
    """The cold model knows no seasons; the shop hears that they are back."""
    winter, next_winter = every(7, order, until=84), every(7, order, start=365, until=449)
    told = story(winter, next_winter, look_until=455)
    assert told[0] == "day 120: opened watch"
    assert told[-2:] == ["day 266: expired", "day 365: recovered"]


def test_a_gift_buyer_once_a_year_is_known_when_they_are_back():
    """Nobody is remembered for more than 455 silent days, expiry and three horizons, unless YOCHO_FORGET says so."""
    year = ["day 18: opened watch", "day 75: escalated at_risk", "day 182: expired"]
    assert story(order(0), order(365), look_until=366) == [*year, "day 365: recovered"]
    assert story(order(0), order(456), look_until=457) == year
    assert story(order(0), order(456), look_until=457, forget=460 * DAY_S) == [*year, "day 456: recovered"]


def test_a_monthly_buyer_is_no_more_overdue_in_week_three_than_in_week_one():
    assert story(every(30, order, until=240), look_until=265) == NEWCOMER


def test_a_free_order_is_an_order():
    free = story(every(7, order, until=63, amount=0), look_until=140)
    assert free == story(every(7, order, until=63), look_until=140)
