"""An outlook answers for any moment of a silence: the same bits for one and for many, and what the experts say."""

import dataclasses

import numpy as np
import pytest
from histories import NOW_S, TARGET, learnt_model, random_rows
from hypothesis import given
from hypothesis import strategies as st

from models.events import Channel
from models.experts.formulas import N_HIDDEN, activated, fold, hidden_units
from models.experts.scaling import standardised
from models.features import MOVING, STILL, features
from models.hidden import moving_sum, plan, prepared, scratch
from models.level import shift
from models.outlook import Outlook
from models.scorer import Scorer
from models.target import DAY_S, Target

LOGIN_TARGET = Target(Channel.LOGIN, 28 * DAY_S)
CALENDAR_TARGET = dataclasses.replace(TARGET, calendar="JP")
LEARNT, LOGINS, SEASONS = (
    Scorer.of(learnt_model(target=target).snapshot()) for target in (TARGET, LOGIN_TARGET, CALENDAR_TARGET)
)
ALL_EXPERTS = dataclasses.replace(LEARNT, weights=np.full(5, 0.2), level_shift=0.3, hazard_level=-0.2)
SCORERS = {
    "cold": Scorer.cold(TARGET),
    "learnt": LEARNT,
    "all experts": ALL_EXPERTS,
    "quick experts": dataclasses.replace(LEARNT, weights=np.array([0.0, 0.5, 0.5, 0.0, 0.0])),
    "login": LOGINS,
    "calendar": SEASONS,
}
ROWS = random_rows(600, seed=3)
each_scorer = pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)


def rows_for(scorer):
    return ROWS[ROWS["last_at"][:, scorer.target.main] > 0]


@each_scorer
def test_many_moments_at_once_are_the_moments_one_by_one(scorer):
    rows = rows_for(scorer)
    outlook = scorer.outlook(rows)
    moments = NOW_S + np.arange(4)[:, None] * 5 * DAY_S + np.arange(len(rows))
    together = outlook.log_odds(moments)
    for moment, at_s in enumerate(moments):
        assert np.array_equal(together[moment], scorer.log_odds(rows, at_s))
        assert np.array_equal(outlook.log_odds(at_s), together[moment])


@each_scorer
def test_a_customer_has_the_same_bits_alone_at_one_moment_as_among_many_at_many(scorer):
    rows = rows_for(scorer)
    moments = NOW_S + np.arange(3)[:, None] * 11 * DAY_S + np.arange(len(rows)) * 997
    together = scorer.outlook(rows).log_odds(moments)
    for i in range(0, len(rows), 7):
        alone = scorer.outlook(rows[i : i + 1])
        for moment in range(len(moments)):
            assert alone.log_odds(moments[moment, i : i + 1])[0] == together[moment, i]


@each_scorer
def test_some_of_the_customers_are_those_customers(scorer):
    rows = rows_for(scorer)
    which = np.array([9, 2, 2])
    some = scorer.outlook(rows).take(which)
    assert np.array_equal(some.probabilities(NOW_S), scorer.probabilities(rows, NOW_S)[which])
    assert scorer.outlook(rows[:0]).log_odds(NOW_S).shape == (0,)
    assert scorer.outlook(rows[:0]).log_odds(np.zeros((3, 0))).shape == (3, 0)


@each_scorer
def test_it_says_what_the_experts_say_together_moved_to_the_level(scorer):
    rows = rows_for(scorer)
    together = scorer.expert_log_odds(features(rows, NOW_S, scorer.target))[:, -1]
    expected = shift(together, scorer.level_shift) if scorer.level_shift else together
    assert np.abs(scorer.log_odds(rows, NOW_S) - expected).max() <= 1e-9


@each_scorer
def test_features_of_one_moment_score_as_the_rows_did(scorer):
    rows = rows_for(scorer)
    x = features(rows, NOW_S, scorer.target)
    assert np.array_equal(scorer.log_odds_of(x), scorer.log_odds(rows, NOW_S))


def test_features_of_one_moment_say_nothing_about_another():
    outlook = Outlook.of_features(LEARNT, features(rows_for(LEARNT), NOW_S, TARGET))
    with pytest.raises(ValueError, match="nothing about another"):
        outlook.log_odds(NOW_S)
    with pytest.raises(ValueError, match="nothing about another"):
        outlook.silent_s(NOW_S)


@pytest.mark.parametrize("main", list(Channel))
def test_hidden_units_are_all_planned_once_and_those_that_stand_have_no_moving_input(main):
    units, split = hidden_units(main), plan(main)
    assert sorted([*split.moving, *split.standing]) == list(range(N_HIDDEN))
    assert np.isin(units.inputs[:, split.standing], STILL).all()
    assert np.isin(units.inputs[:, split.moving], MOVING).any(axis=0).all()
    n_inputs = sum(len(inputs.features) for inputs in split.inputs)
    assert n_inputs == np.isin(units.inputs, MOVING).sum()


@pytest.mark.parametrize("main", list(Channel))
@pytest.mark.parametrize("n", [1, 2, 511, 512, 513, 1_100])
def test_hidden_units_in_two_parts_are_the_experts_hidden_units(main, n):
    rng = np.random.default_rng(n)
    z = standardised(rng.normal(size=(len(MOVING) + len(STILL), n)), np.zeros(1), np.ones(1))
    weights = rng.normal(size=N_HIDDEN)
    standing, inside = prepared(z, weights, main)
    moving = moving_sum(inside, z[list(MOVING)][:, None, :], weights, main, scratch())[0]
    assert standing + moving == pytest.approx(fold(activated(z, hidden_units(main)) * weights[:, None]), abs=1e-12)


@given(st.integers(1, 70), st.integers(1, 9))
def test_a_fold_is_the_sum_and_each_column_is_on_its_own(height, n):
    values = np.random.default_rng(height).normal(size=(height, n))
    total = fold(values.copy())
    assert total == pytest.approx(values.sum(axis=0), abs=1e-12)
    assert [fold(values[:, i : i + 1].copy())[0] for i in range(n)] == total.tolist()
