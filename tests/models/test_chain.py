"""The hazard expert: thirteen steps of a silence in a row, with the level as a factor on all of them."""

import functools

import numpy as np
import pytest
from histories import examples
from hypothesis import given
from hypothesis import strategies as st

from models.experts.chain import NODES, HazardExpert
from models.experts.formulas import cumulative_hazard, no_event_log_odds
from models.features import INDEX, NAMES
from models.target import STEPS

X, Y = examples(1_200, seed=2)


@functools.cache
def taught_once():
    expert = HazardExpert()
    for begin in range(0, 1_200, 200):
        expert.learn(X[begin : begin + 200], Y[begin : begin + 200], days=7.0)
    return expert


def test_the_nodes_stand_for_all_steps():
    assert sum(stands_for for _, stands_for in NODES) == STEPS
    assert all(0 <= ahead < STEPS for ahead, _ in NODES)


def test_knowing_nothing_it_says_thirteen_even_chances_in_a_row_to_everyone():
    expert = HazardExpert()
    assert not expert.step_log_odds(X).any()
    log_odds = expert.log_odds(X)
    assert (log_odds == log_odds[0]).all()
    assert log_odds[0] == pytest.approx(max(np.log(0.5**STEPS), -8.0), abs=1e-3), "or as far as an expert goes"


def test_with_a_bias_alone_it_is_thirteen_equal_steps():
    expert = HazardExpert()
    nothing = np.full((1_000, len(NAMES)), np.nan)
    expert.learn(nothing, (np.arange(1_000) % 10 > 0).astype(float))
    step = 1 / (1 + np.exp(-expert.step_log_odds(nothing[:1])))
    assert 0.5 < step < 0.95
    assert 1 / (1 + np.exp(-expert.log_odds(nothing[:1]))) == pytest.approx(step**STEPS, rel=1e-9)


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=6, unique=True).map(sorted))
def test_the_more_happens_the_fewer_stay_away(levels):
    expert, told = taught_once(), []
    for level in levels:
        expert.level = level
        told.append(expert.log_odds(X[:100]))
    expert.level = 0.0
    assert (np.diff(told, axis=0) <= 1e-12).all()


def test_the_level_is_a_factor_on_the_cumulative_hazard():
    expert = taught_once()
    usual = cumulative_hazard(expert.log_odds(X[:100]))
    expert.level = np.log(2.0)
    double = cumulative_hazard(expert.log_odds(X[:100]))
    expert.level = 0.0
    inner = (usual > 1e-3) & (double < 7)  # no expert goes to the end
    assert inner.sum() > 30
    assert double[inner] == pytest.approx(2 * usual[inner], rel=1e-6)


def test_the_chain_follows_the_silence_as_it_goes_on():
    """With weight on silence alone, step k ahead is the step's own answer for a silence of k more steps."""
    expert, silence = HazardExpert(), INDEX["order_silence"]
    x = np.full((4_000, len(NAMES)), np.nan)
    x[:, silence] = np.log1p(np.random.default_rng(1).uniform(0, 20, 4_000))
    y = (np.random.default_rng(2).random(4_000) < 1 / (1 + np.exp(-x[:, silence]))).astype(float)
    expert.learn(x, y)
    expert.learn(x, y)
    now = np.exp(x[:50, silence]) - 1  # silence in steps
    total = np.zeros(50)
    for ahead in range(STEPS):
        later = np.full((50, len(NAMES)), np.nan)
        later[:, silence] = np.log1p(now + ahead)
        total += cumulative_hazard(expert.step_log_odds(later))
    assert expert.log_odds(x[:50]) == pytest.approx(no_event_log_odds(total), abs=0.1), "five nodes for thirteen"


def test_the_two_that_a_chain_cannot_move_have_no_say():
    expert, changed = taught_once(), X[:100].copy()
    changed[:, [INDEX["main_rhythm"], INDEX["main_tail"]]] += 3.0
    assert np.array_equal(expert.log_odds(changed), expert.log_odds(X[:100]))


@given(st.floats(-25, 25))
def test_hazard_and_log_odds_are_each_others_inverse(log_odds):
    there = cumulative_hazard(np.array([log_odds]))
    assert no_event_log_odds(there)[0] == pytest.approx(log_odds, abs=1e-2)
