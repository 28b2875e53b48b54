"""What a customer is worth in a year: right for the regular, sane for everybody else, and untouched by silence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import Channel
from models.target import DAY_S, Target
from models.value import events_a_year, spend_a_year, usual_events_a_year, value_at_stake
from tests.models.histories import TARGET, customer, random_rows

ORDER, LOGIN = Channel.ORDER, Channel.LOGIN


def regular(gap_days, n, amount=50.0):
    return customer(*[(day * gap_days, ORDER, amount) for day in range(n)])


@pytest.mark.parametrize(("gap_days", "tolerance"), [(1, 0.001), (7, 0.001), (14, 0.002), (30, 0.005), (90, 0.05)])
@pytest.mark.parametrize("n", [2, 5, 40])
def test_of_somebody_regular_the_rate_is_right_from_the_second_order_on(gap_days, tolerance, n):
    rows = regular(gap_days, n)
    assert events_a_year(rows, ORDER, TARGET)[0] == pytest.approx(365 / gap_days, rel=tolerance)
    assert usual_events_a_year(rows, ORDER, TARGET)[0] == pytest.approx(365 / gap_days, rel=1e-3)


def test_who_came_once_is_taken_to_come_once_a_horizon():
    rows = regular(1, 1)
    assert events_a_year(rows, ORDER, TARGET)[0] == pytest.approx(365 / 91, rel=0.05)
    half = Target(ORDER, 45 * DAY_S)
    assert events_a_year(rows, ORDER, half)[0] == pytest.approx(365 / 45, rel=0.02)


def test_a_change_of_pace_shows_within_a_quarter_and_the_average_lags_behind():
    weekly_then_fortnightly = [(7 * n, ORDER, 50.0) for n in range(53)] + [
        (371 + 14 * n, ORDER, 50.0) for n in range(8)
    ]
    rows = customer(*weekly_then_fortnightly)
    now, usual = (rate(rows, ORDER, TARGET)[0] for rate in (events_a_year, usual_events_a_year))
    assert 26 < now < 42 < usual < 52


def test_the_value_is_the_formula():
    rows, p = regular(7, 20, amount=80.0), np.array([0.75])
    assert value_at_stake(rows, p, TARGET)[0] == pytest.approx(0.75 * 365 / 7 * 80.0, rel=0.001)


def test_without_any_amount_it_is_unknown_and_never_zero():
    rows = customer((0, ORDER), (7, ORDER), (14, LOGIN))
    assert np.isnan(spend_a_year(rows, TARGET)).all()
    assert np.isnan(value_at_stake(rows, np.array([0.5]), TARGET)).all()
    assert events_a_year(rows, ORDER, TARGET)[0] > 0


def test_who_never_ordered_has_no_rate_and_no_value():
    rows = customer((0, LOGIN), (1, LOGIN))
    assert np.isnan(events_a_year(rows, ORDER, TARGET)).all()
    assert np.isnan(spend_a_year(rows, TARGET)).all()
    assert events_a_year(rows, LOGIN, TARGET)[0] > 0


def test_who_sends_back_more_than_they_keep_spends_nothing():
    assert spend_a_year(regular(7, 5, amount=-20.0), TARGET)[0] == 0.0


@given(st.permutations(range(8)), st.floats(0, 1))
def test_a_value_does_not_depend_on_who_else_is_asked_about(order, p):
    rows = random_rows(8, seed=3)
    together = value_at_stake(rows[list(order)], np.full(8, p), TARGET)
    alone = [value_at_stake(rows[i : i + 1], np.array([p]), TARGET)[0] for i in order]
    assert together.tobytes() == np.array(alone).tobytes()


def test_every_value_is_finite_or_unknown():
    rows = random_rows(300, seed=5)
    value = value_at_stake(rows, np.full(300, 0.5), TARGET)
    assert (np.isnan(value) | (np.isfinite(value) & (value >= 0))).all()
    assert (np.isnan(value) == np.isnan(rows["amount_long"])).all()
