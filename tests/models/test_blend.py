"""Weights of a mixture: who has been right lately counts most, and nobody is lost for good."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.blend import Blend, log_losses

START = np.array([0.5, 0.3, 0.2])


def blend(start=START, rate=20.0, kept_per_week=0.9):
    return Blend(start, rate=rate, kept_per_week=kept_per_week)


def weekly(made, *losses, weeks=10):
    for _ in range(weeks):
        made.learn(np.tile(losses, (50, 1)), np.ones(50), days=7.0)
    return made


@given(
    st.lists(st.tuples(st.tuples(*[st.floats(0, 9)] * 3), st.floats(0, 60), st.integers(1, 9)), max_size=12),
    st.lists(st.booleans(), min_size=3, max_size=3).filter(any),
)
def test_weights_sum_to_one_and_are_never_negative(groups, able):
    made = blend()
    for losses, days, n in groups:
        made.learn(np.tile(losses, (n, 1)), np.ones(n), days=days)
    weights = made.weights(np.array(able))
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert (weights >= 0).all() and not weights[~np.array(able)].any()


@given(st.floats(0, 5), st.integers(1, 40))
def test_equal_losses_keep_the_start(loss, weeks):
    assert weekly(blend(), loss, loss, loss, weeks=weeks).weights() == pytest.approx(START, abs=1e-9)


def test_without_any_loss_it_is_the_start():
    assert blend(START * 7).weights() == pytest.approx(START)


def test_the_loser_fades_and_the_best_has_nearly_all():
    shares = [weekly(blend(), 0.5, 0.55, 0.5, weeks=weeks).weights()[1] for weeks in (1, 3, 10, 30)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.001
    assert weekly(blend(), 0.6, 0.7, 0.5, weeks=30).weights()[2] > 0.99


def test_a_tenth_of_a_nat_over_ten_weeks_is_as_the_rule_says():
    made = weekly(blend(kept_per_week=1.0 - 1e-12), 0.50, 0.51, 0.52, weeks=10)
    raw = START * np.exp(-20.0 * 10 * np.array([0.0, 0.01, 0.02]))
    assert made.weights() == pytest.approx(raw / raw.sum(), rel=1e-6)


def test_discount_lets_a_loser_come_back():
    made = weekly(blend(), 0.5, 0.6, 0.6, weeks=30)
    assert made.weights()[1] < 1e-3
    assert weekly(made, 0.6, 0.5, 0.6, weeks=30).weights()[1] > 0.9


def test_who_is_not_able_has_no_weight_however_good():
    made = weekly(blend(), 0.1, 0.5, 0.5)
    weights = made.weights(np.array([False, True, True]))
    assert weights.tolist() == pytest.approx([0.0, 0.6, 0.4])


def test_a_label_that_counts_twice_is_two_labels():
    once, twice = blend(), blend()
    once.learn(np.array([[0.5, 0.4, 0.3], [0.2, 0.4, 0.6]]), np.array([2.0, 1.0]), days=7.0)
    twice.learn(np.array([[0.5, 0.4, 0.3], [0.5, 0.4, 0.3], [0.2, 0.4, 0.6]]), np.ones(3), days=7.0)
    assert once.weights() == pytest.approx(twice.weights(), abs=1e-15)


def test_saved_and_loaded_it_goes_on_to_the_last_bit():
    going_on, loaded = weekly(blend(), 0.5, 0.61, 0.57, weeks=7), blend()
    loaded.load(json.loads(json.dumps(going_on.to_dict())))
    assert np.array_equal(weekly(going_on, 0.4, 0.3, 0.2).weights(), weekly(loaded, 0.4, 0.3, 0.2).weights())
    with pytest.raises(ValueError, match="finite"):
        loaded.load({**going_on.to_dict(), "weeks": float("nan")})


@given(st.floats(-30, 30), st.booleans())
def test_log_loss_is_minus_the_log_of_the_probability_given(log_odds, y):
    p = 1 / (1 + np.exp(-log_odds))
    loss = log_losses(np.array([[log_odds]]), np.array([float(y)]))[0, 0]
    assert loss == pytest.approx(-np.log(p if y else 1 - p), rel=1e-3, abs=1e-9)
