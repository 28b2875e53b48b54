"""The prior knows a customer's own rhythm, says little when it knows little, and never calls silence good."""

import math

import numpy as np
import pytest
from histories import NOW_S, START_S, TARGET, customer, random_rows
from hypothesis import given
from hypothesis import strategies as st

from models.events import Channel
from models.hazard import DROPOUT_A, DROPOUT_B, Rhythm, prior_log_odds
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, _ = Channel


def p_after(rows, silent_days, target=TARGET):
    at_s = int(rows["last_at"][0, target.main]) + round(silent_days * DAY_S)
    return 1 / (1 + math.exp(-prior_log_odds(rows, at_s, target)[0]))


def every(days, times):
    """Orders every so many days."""
    return customer(*((day * days, ORDER) for day in range(times)))


def rhythm_of(log_scale, shape, dropout, horizon_s):
    made = [np.array([v]) for v in (0.0, log_scale, shape, dropout, -np.inf)]
    return Rhythm(*made, horizon_s)


def test_a_newcomer_gets_a_moderate_probability_that_rises_with_silence():
    newcomer = every(1, 1)
    assert [round(p_after(newcomer, days), 2) for days in (0, 45, 91, 182)] == [0.65, 0.75, 0.82, 0.89]


def test_nobody_has_left_who_never_came():
    assert np.isnan(prior_log_odds(new_rows(1), NOW_S, TARGET)).all()
    assert np.isnan(prior_log_odds(customer((0, LOGIN)), NOW_S, TARGET)).all()


def test_it_is_the_formula_of_its_docstring():
    log_scale, shape, dropout, horizon_s = math.log(20 * DAY_S), 1.7, 0.12, 91 * DAY_S

    def gaps_longer_than(t_s):
        return 1 / (1 + (t_s / math.exp(log_scale)) ** shape)

    for days in (30, 60, 365):
        s = days * DAY_S
        stays = dropout + (1 - dropout) * gaps_longer_than(s + horizon_s)
        p = stays / (dropout + (1 - dropout) * gaps_longer_than(s))
        log_odds, tail = rhythm_of(log_scale, shape, dropout, horizon_s).at(np.array([s]))
        assert log_odds[0] == pytest.approx(math.log(p / (1 - p)), rel=1e-12)
        assert tail[0] == pytest.approx(gaps_longer_than(s), rel=1e-12)


@given(
    scale_days=st.floats(1, 3000),
    shape=st.floats(0.3, 2.6),
    returns=st.integers(0, 5000),
    horizon_days=st.sampled_from([1, 7, 28, 91, 365]),
    silences_s=st.lists(st.integers(0, 10**9), min_size=2, max_size=30).map(sorted),
)
def test_silence_never_speaks_in_favour_of_a_customer(scale_days, shape, returns, horizon_days, silences_s):
    dropout = DROPOUT_A / (DROPOUT_A + DROPOUT_B + returns)
    bare = rhythm_of(math.log(scale_days * DAY_S), shape, dropout, horizon_days * DAY_S)
    floor = bare.at(np.zeros(1))[0]
    rhythm = Rhythm(bare.last_at_s, bare.log_scale, bare.shape, bare.dropout, floor, bare.horizon_s)
    log_odds = [rhythm.at(np.array([s]))[0][0] for s in silences_s]
    assert (np.diff(log_odds) >= -1e-9).all()


def test_the_same_silence_is_worse_for_a_faster_rhythm():
    assert p_after(every(3, 10), 30) > p_after(every(10, 10), 30) > p_after(every(30, 10), 30)


def test_the_same_silence_is_worse_for_a_steadier_rhythm():
    loose = customer(*((day, ORDER) for day in np.cumsum([0, *[5, 20] * 5])))  # geometric mean: 10
    assert p_after(every(10, 11), 60) > p_after(loose, 60)


def test_each_return_makes_the_next_more_likely():
    assert p_after(every(20, 2), 20) > p_after(every(20, 4), 20) > p_after(every(20, 12), 20)


def test_one_gap_moves_the_prior_less_than_ten_do():
    newcomer, once, often = (p_after(every(7, times), 0) for times in (1, 2, 11))
    assert newcomer > once > often


def test_only_the_main_channel_has_a_say():
    quiet, busy = every(20, 3), customer(*((20 * i, ORDER) for i in range(3)), *((d, LOGIN) for d in range(60)))
    assert p_after(quiet, 50) == p_after(busy, 50)


def test_time_has_no_unit_but_the_horizon():
    fast = customer(*((day, LOGIN) for day in (0, 2, 5, 6)), target=Target(LOGIN, 7 * DAY_S))
    slow = customer(*((13 * day, LOGIN) for day in (0, 2, 5, 6)), target=Target(LOGIN, 91 * DAY_S))
    assert p_after(fast, 9, Target(LOGIN, 7 * DAY_S)) == pytest.approx(
        p_after(slow, 9 * 13, Target(LOGIN, 91 * DAY_S)), abs=1e-6
    )


def test_odds_stay_finite_at_the_ends_of_time():
    rows = random_rows(300)
    rows = rows[rows["last_at"][:, ORDER] > 0]
    for at_s in (0, START_S, NOW_S, 2**32 - 1):
        assert np.isfinite(prior_log_odds(rows, at_s, TARGET)).all()


def test_some_of_the_customers_are_those_customers():
    rows = random_rows(50)
    which = np.array([41, 3, 3])
    log_odds, tail = Rhythm.of(rows, TARGET).take(which).at(NOW_S)
    expected = Rhythm.of(rows, TARGET).at(NOW_S)
    assert np.array_equal(log_odds, expected[0][which], equal_nan=True)
    assert np.array_equal(tail, expected[1][which], equal_nan=True)
