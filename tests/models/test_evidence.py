"""What is usual for a customer and what is now, in units a person thinks in."""

import numpy as np
import pytest
from pytest import approx

from models.apply import Columns, apply_round
from models.events import Channel
from models.evidence import values_of
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


def at(signal, rows, day, target=TARGET):
    """Usual value, value now and unit of one signal on a day."""
    values = values_of(signal, rows, np.array([START_S + round(day * DAY_S)]), target)
    return float(values.usual[0]), float(values.now[0]), values.unit


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
