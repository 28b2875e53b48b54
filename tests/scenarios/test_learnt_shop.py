"""What learning adds to the stories: a model that knows a shop where people buy less before they leave.

The customer of these stories buys three things a week for 5,000 yen, looks in every other day and reads the weekly
mail; the last order is that of day 203. Days are counted from there, in ranges: the model's very last digit is not the
story. See `tests.scenarios.learnt_shop`.
"""

import pytest

from tests.scenarios.learnt_shop import KINDS, learnt
from tests.scenarios.story import alerts, day_of, every, human_open, login, order, story

LAST = 203
SHRINKS_FROM = 161
VISITS = [*every(2, login, start=0.5, until=LAST), *every(7, human_open, start=3.2, until=LAST)]


def weekly(*, start=0, until=LAST, amount=5_000, kinds=KINDS):
    items = [{"category": kind, "quantity": 1} for kind in kinds]
    return every(7, order, start=start, until=until, amount=amount, items=items)


STEADY = [*weekly(), *VISITS]
FULL_UNTIL = weekly(until=SHRINKS_FROM - 7)
SMALLER = [*FULL_UNTIL, *weekly(start=SHRINKS_FROM, amount=1_500), *VISITS]
FEWER_KINDS = [*FULL_UNTIL, *weekly(start=SHRINKS_FROM, kinds=KINDS[:1]), *VISITS]
BOTH = [*FULL_UNTIL, *weekly(start=SHRINKS_FROM, amount=1_500, kinds=KINDS[:1]), *VISITS]
LARGER = [*weekly(until=SHRINKS_FROM - 7, amount=2_000), *weekly(start=SHRINKS_FROM, amount=8_000), *VISITS]


@pytest.fixture(scope="module")
def model():
    return learnt()


def waited(events, model=None):
    """Days of silence before the first alert, and the alert."""
    first = alerts(events, look_until=LAST + 180, model=model)[0]
    return day_of(first) - LAST, first


# -- the weekly buyer


def test_the_weekly_buyer_who_misses_three_weeks_and_comes_back_gives_nothing(model):
    assert story(STEADY, order(LAST + 21), look_until=LAST + 22, model=model) == []


def test_the_weekly_buyer_who_stays_away_is_told_about_in_the_sixth_week_before_and_after_learning(model):
    """The rhythm alone says it: of a steady buyer there is nothing to learn that silence does not tell."""
    before, _ = waited(STEADY)
    after, alert = waited(STEADY, model)
    assert 5 * 7 < before <= 6 * 7
    assert 5 * 7 < after <= 7 * 7
    assert alert.probability >= 0.7


def test_logins_that_end_are_a_reason_even_if_orders_are_not_late_yet(model):
    """The model weighs both silences; people read which one it was."""
    _, alert = waited(STEADY, model)
    assert any("ログイン" in reason for reason in alert.reasons.ja)


# -- baskets


def test_a_basket_that_shrinks_while_the_frequency_stays_gives_nothing_while_orders_come(model):
    """Somebody who was here this week is not leaving today, however little they buy."""
    assert story(SMALLER, look_until=LAST + 3, model=model) == []


def test_after_a_shrinking_basket_the_silence_of_three_weeks_is_enough(model):
    days, alert = waited(SMALLER, model)
    assert 14 <= days <= 21
    assert alert.reasons.ja[0].startswith("1回の注文額が、ふだんの")
    assert alert.reasons.en[0].startswith("Usually spends about")


def test_before_learning_a_shrinking_basket_says_nothing():
    assert waited(SMALLER)[0] == waited(STEADY)[0]


def test_a_category_no_longer_bought_is_such_a_sign_too(model):
    days, alert = waited(FEWER_KINDS, model)
    assert 14 <= days <= 21
    assert alert.reasons.ja[0] == "以前買っていた3カテゴリーのうち、2カテゴリーは最近買っていません。"


def test_both_signs_together_speak_in_the_second_week(model):
    days, alert = waited(BOTH, model)
    assert 7 <= days < 14
    assert len(alert.reasons.ja) == 3


def test_a_basket_that_grows_excuses_silence(model):
    assert waited(LARGER, model)[0] > waited(STEADY, model)[0] + 28


# -- others


def test_a_monthly_buyer_in_week_two_gives_nothing_not_even_about_the_first_order(model):
    """The shop has seen enough newcomers to wait for the second order."""
    monthly = every(30, order, until=240, amount=5_000), every(4, login, until=240)
    assert story(*monthly, look_until=254, model=model) == []


def test_a_monthly_buyer_who_stops_is_told_about_months_sooner_than_before_learning(model):
    monthly = [*every(30, order, until=240, amount=5_000), *every(4, login, until=240)]
    before, after = (
        next(day - 240 for alert in alerts(monthly, look_until=600, model=one) if (day := day_of(alert)) > 240)
        for one in (None, model)
    )
    assert 42 < after < 56
    assert after < before - 60


def test_a_customer_who_logs_in_daily_but_no_longer_buys_is_told_about_once_and_not_before_a_quarter(model):
    """The model has seen that visitors come back, so it waits longer than the rhythm alone would."""
    daily = every(1, login, start=LAST + 1, until=LAST + 181)
    (alert,) = alerts(STEADY, daily, look_until=LAST + 181, model=model)
    assert (alert.type, alert.level) == ("opened", "watch")
    assert 91 <= day_of(alert) - LAST < 182


def test_logins_that_stop_while_orders_come_give_nothing(model):
    """They order by phone now, or from the mail."""
    quiet = [one for one in STEADY if one.event.channel == 0 or one.event.at_s < order(120).event.at_s]
    assert story(quiet, look_until=LAST + 1, model=model) == []
