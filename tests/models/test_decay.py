"""The laws of half-life arithmetic: ageing composes, arrival order is immaterial."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.decay import averaged, counted, decayed

DAYS = st.floats(0, 2000)
HALF_LIVES = st.floats(0.5, 500)
VALUES = st.floats(0, 1e6)
AMOUNTS = st.one_of(st.floats(0, 1e6), st.just(float("nan")))


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def count_in_order_given(times, half_life_days):
    """Feed event times (days) one by one and return the count as of the newest."""
    value, newest = array(0.0), times[0]
    for at in times:
        value = counted(value, array(at - newest), half_life_days)
        newest = max(newest, at)
    return value[0]


def mean_in_order_given(samples, half_life_days):
    mean, weight, newest = array(np.nan), array(0.0), samples[0][0]
    for at, amount in samples:
        mean, weight = averaged(mean, weight, array(amount), array(at - newest), half_life_days)
        newest = max(newest, at)
    return mean[0], weight[0]


@given(VALUES, DAYS, DAYS, HALF_LIVES)
def test_ageing_across_two_gaps_equals_ageing_across_their_sum(value, first, second, half_life):
    in_two = decayed(decayed(value, first, half_life), second, half_life)
    assert in_two == pytest.approx(decayed(value, first + second, half_life), rel=1e-9, abs=1e-300)


@given(VALUES, DAYS, HALF_LIVES)
def test_a_count_never_grows_in_silence(value, gap, half_life):
    assert 0.0 <= decayed(value, gap, half_life) <= value


@given(st.lists(st.tuples(VALUES, DAYS), min_size=1, max_size=40), HALF_LIVES)
def test_an_array_ages_bit_for_bit_as_its_elements_do(pairs, half_life):
    values, gaps = (array(*column) for column in zip(*pairs, strict=True))
    alone = [decayed(value, gap, half_life) for value, gap in pairs]
    assert decayed(values, gaps, half_life).tolist() == alone


@pytest.mark.parametrize("half_life", [0.0, -1.0, float("nan")])
def test_a_half_life_that_is_not_positive_is_refused(half_life):
    with pytest.raises(ValueError, match="half-life must be positive"):
        decayed(1.0, 1.0, half_life)
    with pytest.raises(ValueError, match="half-life must be positive"):
        counted(array(1.0), array(1.0), half_life)


@given(st.lists(DAYS, min_size=1, max_size=20), HALF_LIVES, st.randoms(use_true_random=False))
def test_the_order_in_which_events_arrive_does_not_change_a_count(times, half_life, random):
    shuffled = random.sample(times, len(times))
    expected = sum(2.0 ** -((max(times) - at) / half_life) for at in times)
    assert count_in_order_given(times, half_life) == pytest.approx(expected, rel=1e-9)
    assert count_in_order_given(shuffled, half_life) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.tuples(DAYS, AMOUNTS), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_order_in_which_samples_arrive_does_not_change_a_mean(samples, random):
    newest = max(at for at, _ in samples)
    known = [(2.0 ** -((newest - at) / 200), amount) for at, amount in samples if not np.isnan(amount)]
    weight = sum(w for w, _ in known)
    mean = sum(w * amount for w, amount in known) / weight if known else np.nan
    for arrival in (samples, random.sample(samples, len(samples))):
        got_mean, got_weight = mean_in_order_given(arrival, 200)
        assert got_weight == pytest.approx(weight, rel=1e-9)
        assert got_mean == pytest.approx(mean, rel=1e-6, abs=1e-6, nan_ok=True)


def test_an_unknown_sample_moves_time_on_and_nothing_else():
    mean, weight = averaged(array(10.0), array(1.0), array(np.nan), array(7.0), 7.0)
    assert (mean[0], weight[0]) == (10.0, 0.5)


def test_equal_samples_have_exactly_their_value_as_mean():
    mean, _ = mean_in_order_given([(at, 11.77) for at in (0.0, 3.0, 50.0, 20.0)], 14.0)
    assert mean == 11.77


def test_after_a_silence_that_wears_the_weight_to_nothing_the_next_sample_is_the_mean():
    mean, weight = averaged(array(10.0), array(1.0), array(3.0), array(1e6), 14.0)
    assert (mean[0], weight[0]) == (3.0, 1.0)


def test_where_nothing_is_counted_time_passes_all_the_same():
    """In order the count ages up to the moment; a moment before its latest event changes nothing."""
    value, lag_days = np.array([4.0, 4.0, 4.0]), np.array([7.0, 0.0, -7.0])
    none = np.zeros(3, bool)
    assert counted(value, lag_days, 7.0, none).tolist() == [2.0, 4.0, 4.0]
    assert counted(value, lag_days, 7.0, ~none).tolist() == counted(value, lag_days, 7.0).tolist() == [3.0, 5.0, 4.5]
