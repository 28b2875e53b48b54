"""One yardstick: NumPy's mean and standard deviation while it settles, and then it stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.experts.scaling import LEAST_VALUES, SETTLING_HORIZONS, Scaling, standardised

H_DAYS = 28.0
SETTLED_DAYS = SETTLING_HORIZONS * H_DAYS


def values(n, seed=0, unknown=0.3):
    rng = np.random.default_rng(seed)
    x = rng.normal([5.0, -2.0, 100.0], [1.0, 0.5, 30.0], (n, 3))
    return np.where(rng.random((n, 3)) < unknown, np.nan, x)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=8))
def test_while_it_settles_it_is_numpys_mean_and_standard_deviation(sizes):
    scaling, groups = Scaling(3, H_DAYS), [values(n, seed) for seed, n in enumerate(sizes)]
    for group in groups:
        scaling.learn(group, days=0.5)
    x = np.vstack(groups)
    enough = (~np.isnan(x)).sum(axis=0) >= LEAST_VALUES
    for place in range(3):
        known = x[~np.isnan(x[:, place]), place]
        assert scaling.centre[place] == pytest.approx(known.mean() if enough[place] else 0.0)
        assert scaling.unit[place] == pytest.approx(1 / known.std() if enough[place] else 0.0)


def test_once_settled_it_stays():
    scaling = Scaling(3, H_DAYS)
    for week in range(20):
        scaling.learn(values(200, week), days=7.0)
        if week * 7 < SETTLED_DAYS:
            centre, unit = scaling.centre, scaling.unit
    assert np.array_equal(scaling.centre, centre) and np.array_equal(scaling.unit, unit)


def test_a_feature_that_turns_up_later_settles_later():
    scaling = Scaling(3, H_DAYS)
    for week in range(60):
        x = values(200, week, unknown=0.0)
        if week < 30:
            x[:, 2] = np.nan
        scaling.learn(x + week, days=7.0)
        if week < 30:
            assert scaling.unit[2] == 0.0
    weeks = SETTLED_DAYS / 7
    assert scaling.centre[2] - 100.0 == pytest.approx(30 + (weeks - 1) / 2, abs=3.0), "of its own first weeks"
    assert scaling.centre[0] - 5.0 == pytest.approx((weeks - 1) / 2, abs=0.2)


def test_a_feature_of_too_few_values_goes_on_measuring_however_long_it_takes():
    scaling = Scaling(3, H_DAYS)
    for _ in range(LEAST_VALUES - 1):
        scaling.learn(values(1, unknown=0.0), days=7.0)
    assert not scaling.unit.any()
    scaling.learn(np.array([[1.0, 2.0, 3.0]]), days=7.0)
    assert scaling.unit.all()


def test_a_feature_of_one_value_only_has_no_say():
    scaling = Scaling(2, H_DAYS)
    scaling.learn(np.column_stack([np.full(500, 2.0), np.arange(500.0)]))
    assert scaling.unit.tolist() == [0.0, pytest.approx(1 / np.arange(500.0).std())]
    assert scaling.standardised(np.array([[7.0, np.nan]])).tolist() == [[0.0, 0.0]]


@given(st.integers(1, 50))
def test_each_value_is_standardised_on_its_own(n):
    columns, centre, unit = values(n).T, np.array([5.0, -2.0, 90.0]), np.array([1.0, 2.0, 0.1])
    together = standardised(columns, centre, unit)
    alone = np.hstack([standardised(columns[:, i : i + 1], centre, unit) for i in range(n)])
    assert np.array_equal(together, alone) and not np.isnan(together).any()


def test_saved_and_loaded_it_goes_on_to_the_last_bit():
    going_on, loaded = Scaling(3, H_DAYS), Scaling(3, H_DAYS)
    going_on.learn(values(500), days=3.0)
    loaded.load(going_on.to_dict())
    for scaling in (going_on, loaded):
        scaling.learn(values(70, 9), days=7.0)
    assert loaded.to_dict() == going_on.to_dict()
    with pytest.raises(ValueError, match="finite"):
        loaded.load({**going_on.to_dict(), "mean": [1.0, float("nan"), 2.0]})
