"""What is usual for a customer and what is now, in units a person thinks in."""

import dataclasses

import numpy as np
import pytest
from pytest import approx

from models.apply import Columns, apply_round
from models.events import Channel
from models.evidence import values_of
from models.features import FEATURES, INDEX, SIGNALS
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, EMAIL_OPEN = Channel
TARGET = Target(ORDER, 91 * DAY_S)
START_S = 852_076_800  # 1997-01-01
NAN = float("nan")


def customer(*events):
    """One customer to whom (day, channel, amount) happened."""
    rows = new_rows(1)
    for offset, (day, channel, amount) in enumerate(events):
        fields = (START_S + round(day * DAY_S), channel, channel, offset, amount, 0, True)
        dtypes = ("u4", "u1", "u1", "i8", "f4", "u8", "?")
        apply_round(rows, Columns(*(np.array([f], d) for f, d in zip(fields, dtypes, strict=True))), TARGET)
    return rows


def at(signal, rows, day, target=TARGET, scorer=None):
    """Usual value, value now and unit of one signal on a day."""
    scorer, at_s = scorer or Scorer.cold(target), np.array([START_S + round(day * DAY_S)])
    values = values_of(signal, scorer, rows, at_s, scorer.features_of(rows, at_s))
    return float(values.usual[0]), float(values.now[0]), values.unit


def knowing(**means):
    """A scorer that has learnt what some features usually are."""
    cold = Scorer.cold(TARGET)
    centre, unit = cold.centre.copy(), cold.unit.copy()
    for name, mean in means.items():
        centre[INDEX[name]], unit[INDEX[name]] = mean, 2.0
    return dataclasses.replace(cold, centre=centre, unit=unit)


def test_silence_is_the_typical_gap_against_the_days_since_the_last_event():
    weekly = customer(*((day, LOGIN, NAN) for day in (0, 7, 14, 21)))
    assert at("login_silence", weekly, 44.5) == (approx(7.0), 23.5, "days")


def test_one_event_has_no_usual_gap_and_no_event_has_no_silence():
    once = customer((0, ORDER, 10.0))
    assert at("order_silence", once, 9) == (approx(NAN, nan_ok=True), 9.0, "days")
    assert at("login_silence", once, 9)[:2] == approx((NAN, NAN), nan_ok=True)


def test_a_steady_pace_is_the_same_long_and_short():
    """A login a day for two years: both half-lives must call that about 30 in 30 days."""
    daily = customer(*((day, LOGIN, NAN) for day in range(730)))
    usual, now, unit = at("login_trend", daily, 729.5)
    assert (usual, now, unit) == (approx(30, rel=0.02), approx(30, rel=0.02), "logins per 30 days")


def test_a_slower_pace_shows_in_the_short_rate_first():
    slowing = customer(*((day, LOGIN, NAN) for day in [*range(200), 210, 220, 230, 240]))
    usual, now, _ = at("login_trend", slowing, 245)
    assert now < 8
    assert usual > 15


def test_two_events_in_an_hour_are_not_a_pace_of_hundreds():
    rows = customer((0, ORDER, NAN), (0.04, ORDER, NAN))
    usual, now, _ = at("order_trend", rows, 0.1)
    assert 1 < usual < now < 5


def test_one_event_is_no_pace_to_fall_from():
    usual, now, _ = at("order_trend", customer((0, ORDER, NAN)), 30)
    assert np.isnan(usual)
    assert now > 0


def test_the_basket_is_money_per_order_long_against_short():
    shrinking = customer(*((30 * i, ORDER, 100.0) for i in range(12)), (360, ORDER, 20.0))
    usual, now, unit = at("basket", shrinking, 365)
    assert 80 < usual < 100
    assert 20 < now < 70
    assert unit == "money per order"


def test_history_counts_orders_and_knows_no_usual():
    rows = customer((0, ORDER, 1.0), (5, LOGIN, NAN), (9, ORDER, NAN))
    assert at("order_history", rows, 10) == (approx(NAN, nan_ok=True), 2.0, "orders")


def test_the_main_rhythm_is_the_silence_of_the_main_channel():
    rows = customer((0, LOGIN, NAN), (2, LOGIN, NAN), (0, ORDER, NAN), (30, ORDER, NAN))
    main_login = Target(LOGIN, 28 * DAY_S)
    assert at("main_rhythm", rows, 40) == at("order_silence", rows, 40)
    assert at("main_rhythm", rows, 40, main_login) == at("login_silence", rows, 40)


def test_before_the_last_event_there_is_no_negative_silence():
    """A late event is looked at as of its own time."""
    assert at("order_silence", customer((9, ORDER, NAN)), 5)[1] == 0.0


def test_an_unknown_signal_is_refused():
    with pytest.raises(KeyError):
        at("weather", new_rows(1), 1)


def test_categories_are_those_ever_bought_against_those_bought_lately():
    rows = customer((0, ORDER, 10.0))
    assert at("categories", rows, 9)[:2] == approx((NAN, NAN), nan_ok=True)
    rows["cats_ever"], rows["cats_now"], rows["cats_before"] = 0b11111, 0b1, 0b10
    assert at("categories", rows, 9) == (5.0, 2.0, "categories")


def test_an_email_rate_stands_beside_the_mean_of_all():
    rows, scorer = customer((0, ORDER, 10.0)), knowing(email_click_rate=0.11)
    assert at("email_click_rate", rows, 9, scorer=scorer)[:2] == approx((NAN, NAN), nan_ok=True)
    rows["sends_long"], rows["clicks_long"], rows["sends_at"] = 8.0, 1.0, START_S
    assert at("email_click_rate", rows, 9, scorer=scorer) == (approx(0.11), 0.125, "clicks per e-mail sent")
    assert at("email_open_rate", rows, 9, scorer=scorer)[:1] == approx((NAN,), nan_ok=True), "no mean learnt yet"


def test_the_calendar_speaks_of_the_days_of_rest_ahead():
    japan = dataclasses.replace(TARGET, calendar="JP")
    scorer = dataclasses.replace(knowing(calendar_rest=0.3), target=japan)
    rows = customer((0, ORDER, 10.0))
    golden_week = (862_358_400 - START_S) / DAY_S  # 1997-04-30
    usual, now, unit = at("calendar", rows, golden_week, scorer=scorer)
    assert usual == approx(0.3)
    assert 0.3 < now <= 1.0
    assert unit == "days of rest per day ahead"
    assert at("calendar", rows, golden_week)[:2] == approx((NAN, NAN), nan_ok=True), "a shop without a calendar"


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_counts_for_a_signal_that_can_be_measured(feature):
    assert feature.signal in SIGNALS
    assert at(feature.signal, customer((0, ORDER, 1.0)), 1)[2]
