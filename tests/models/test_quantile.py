"""A histogram in log scale: ranks and quantiles to a known error, in whatever order numbers come, and it forgets."""

import math

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.quantile import ERROR_RATIO, LogHistogram

NUMBERS = st.lists(st.floats(0, 1e9, allow_subnormal=False), min_size=1, max_size=60)
SHARES = st.floats(0, 1)


def counted(*batches):
    histogram = LogHistogram()
    for batch in batches:
        histogram.add(np.array(batch, np.float64))
    return histogram


@given(NUMBERS, SHARES)
def test_a_quantile_is_right_to_the_stated_relative_error(numbers, share):
    found = counted(numbers).quantile(share)
    below = max(1, math.ceil(share * len(numbers) - 1e-9))
    assert found == pytest.approx(sorted(numbers)[below - 1], rel=ERROR_RATIO + 1e-9, abs=0)


@given(NUMBERS)
def test_a_rank_is_the_share_below_and_half_of_those_alike(numbers):
    """Numbers in one bucket count as alike: they differ by a tenth at most."""
    ranks = counted(numbers).rank(np.array(numbers))
    for number, rank in zip(numbers, ranks, strict=True):
        surely_below = sum(other < number / (1 + 3 * ERROR_RATIO) for other in numbers)
        surely_above = sum(other > number * (1 + 3 * ERROR_RATIO) for other in numbers)
        assert surely_below / len(numbers) < rank < 1 - surely_above / len(numbers)


@given(NUMBERS)
def test_a_larger_number_never_ranks_lower(numbers):
    ranks = counted(numbers).rank(np.sort(numbers))
    assert (np.diff(ranks) >= 0).all()


@given(NUMBERS, st.integers(0, 60), st.randoms())
def test_neither_order_nor_batches_matter(numbers, cut, random):
    shuffled = random.sample(numbers, len(numbers))
    one, many = counted(numbers), counted(shuffled[:cut], shuffled[cut:])
    assert many.to_dict() == one.to_dict()
    assert many.rank(np.array(numbers)).tobytes() == one.rank(np.array(numbers)).tobytes()
    merged = counted(shuffled[:cut])
    merged.merge(counted(shuffled[cut:]))
    assert merged.to_dict() == one.to_dict()


@given(NUMBERS)
def test_it_comes_back_from_json_as_it_was(numbers):
    histogram = counted(numbers)
    histogram.fade(0.7)
    again = LogHistogram.from_dict(orjson.loads(orjson.dumps(histogram.to_dict())))
    assert again.to_dict() == histogram.to_dict()
    assert again.rank(np.array(numbers)).tobytes() == histogram.rank(np.array(numbers)).tobytes()


def test_where_everybody_is_alike_nobody_is_on_top():
    assert counted([4.2] * 95 + [50.0] * 5).rank(np.array([4.2, 50.0])).tolist() == [0.475, 0.975]


def test_what_has_faded_gives_way_to_what_is_new():
    histogram = counted([10.0] * 100)
    histogram.fade(0.5)
    histogram.add(np.full(50, 1000.0))
    assert (histogram.total, histogram.rank(np.array([100.0])).tolist()) == (100.0, [0.5])
    for _ in range(150):
        histogram.fade(0.9)
    assert (histogram.total, histogram.to_dict()) == (0.0, {})


def test_zero_is_a_number_and_unknown_is_none():
    histogram = counted([0.0, 0.0, math.nan, 8.0])
    assert histogram.total == 3.0
    assert histogram.quantile(0.5) == 0.0
    assert histogram.rank(np.array([0.0, math.nan, 1e-300, 9.0])) == pytest.approx(
        [1 / 3, math.nan, 2 / 3, 1.0], nan_ok=True
    )


def test_before_anything_is_counted_nothing_is_known():
    assert np.isnan(LogHistogram().rank(np.array([1.0, 2.0]))).all()
    assert math.isnan(LogHistogram().quantile(0.5))


def test_it_stays_small_whatever_is_counted():
    amounts = np.exp(np.random.default_rng(0).normal(8, 1.5, 100_000))  # most between 150 and 60,000
    assert len(orjson.dumps(counted(amounts).to_dict())) < 2_500
