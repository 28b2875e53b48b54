"""Interpolation within a bracket ends at the second at which the sign changes, however the curve bends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bracket import Bracket

START_S = 1_700_000_000
SPAN_S = 200 * 86_400

CURVES = {
    "straight": lambda u, root: u - root,
    "bent": lambda u, root: (u - root) / (1 + np.abs(u - root)),
    "steep then flat": lambda u, root: np.expm1(root - u) * -1.0,
    "kinked": lambda u, root: np.where(u < root, 1e-3, 10.0) * (u - root),
    "a jump": lambda u, root: np.where(u < root, -1.0, 1e-9),
    "a jump from afar": lambda u, root: np.where(u < root, -1e-9, 1.0),
}


def distance_of(curve, cross_s):
    """Distance by seconds: below zero before `cross_s`, zero or more from then on."""

    def distance(at_s):
        value = CURVES[curve](np.log(at_s - START_S + 1e5), np.log(cross_s - START_S + 1e5))
        return np.where(at_s >= cross_s, np.maximum(value, 0.0), np.minimum(value, -1e-300))

    return distance


def first_bracket(distance, n):
    at_s = (START_S + np.array([0, 0.2, 0.5, 1.0])[:, None] * SPAN_S + np.zeros(n)).astype(np.int64)
    return Bracket.at(at_s, distance(at_s), np.full(n, START_S - 1e5), 3)


seconds = st.lists(st.integers(START_S + 1, START_S + SPAN_S), min_size=1, max_size=8).map(np.array)


@pytest.mark.parametrize("curve", CURVES)
@given(cross_s=seconds, cautions=st.sampled_from([(0.1,), (1.0,), (0.3, 10.0, 300.0)]))
def test_a_bracket_always_holds_the_crossing_and_gets_narrower_until_it_is_one_second(curve, cross_s, cautions):
    distance = distance_of(curve, cross_s)
    bracket = first_bracket(distance, len(cross_s))
    for turn in range(60):
        low, high, *_ = bracket.at_s
        assert (low < cross_s).all() and (cross_s <= high).all()
        assert (bracket.distance[0] < 0).all() and (bracket.distance[1] >= 0).all()
        if (bracket.width == 1).all():
            break
        at_s = bracket.expected(cautions) if turn < 9 else bracket.cuts()
        narrowed = bracket.narrowed(at_s, distance(at_s))
        assert (narrowed.width < np.maximum(bracket.width, 2)).all()
        bracket = narrowed
    assert np.array_equal(bracket.at_s[1], cross_s)


@given(cross_s=st.integers(START_S + 1, START_S + SPAN_S))
def test_what_is_straight_over_the_log_of_the_silence_takes_three_rounds_at_most(cross_s):
    distance = distance_of("straight", np.array([cross_s]))
    bracket = first_bracket(distance, 1)
    for _ in range(3):
        at_s = bracket.expected((0.1,))
        bracket = bracket.narrowed(at_s, distance(at_s))
    assert bracket.width == 1


@given(cross_s=seconds)
def test_some_of_the_brackets_are_those_brackets(cross_s):
    bracket = first_bracket(distance_of("bent", cross_s), len(cross_s))
    which = np.arange(len(cross_s))[::-2]
    assert np.array_equal(bracket.take(which).expected((0.1,)), bracket.expected((0.1,))[:, which])
