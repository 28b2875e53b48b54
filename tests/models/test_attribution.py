"""Contributions: additive for every mixture, exact where the score is a sum, zero for what is not known."""

import dataclasses

import numpy as np
import pytest
from histories import NOW_S, TARGET, learnt_model, random_rows
from hypothesis import given
from hypothesis import strategies as st

from models.attribution import attribute, nothing_known
from models.events import Channel
from models.experts import NAMES
from models.experts.scaling import standardised
from models.features import FEATURES, RHYTHM, SIGNALS, SILENCE_OF
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, _ = Channel
LOGIN_TARGET = Target(LOGIN, 28 * DAY_S)
LEARNT = Scorer.of(learnt_model().snapshot())
SCORERS = {
    "cold": Scorer.cold(TARGET),
    "linear": dataclasses.replace(LEARNT, weights=np.array([float(name == "linear") for name in NAMES])),
    "learnt": LEARNT,
    "every expert, level up": dataclasses.replace(LEARNT, weights=np.full(5, 0.2), level_shift=0.4),
    "logins": Scorer.of(learnt_model(target=LOGIN_TARGET).snapshot()),
}
ROWS = random_rows(300, seed=5)
OWNERS = [feature.signal for feature in FEATURES]
each_scorer = pytest.mark.parametrize("scorer", SCORERS.values(), ids=list(SCORERS))


def features_for(scorer, at_s=NOW_S):
    return scorer.features_of(ROWS[ROWS["last_at"][:, scorer.target.main] > 0], at_s)


def of_signal(found, signal):
    return found.contributions[:, SIGNALS.index(signal)]


def error(found):
    return np.abs(found.baseline + found.contributions.sum(axis=1) - found.log_odds).max()


@each_scorer
def test_baseline_and_contributions_are_the_log_odds(scorer):
    for days in (0, 30, 1000):
        x = features_for(scorer, NOW_S + days * DAY_S)
        found = attribute(scorer, x)
        assert found.contributions.shape == (len(x), len(SIGNALS))
        assert error(found) <= 1e-9
        assert np.array_equal(found.log_odds, scorer.log_odds_of(x))


NUMBERS = st.lists(st.none() | st.floats(-4, 4), min_size=len(FEATURES), max_size=len(FEATURES))


@given(NUMBERS, st.floats(-5, 5), st.sampled_from(sorted(SCORERS)), st.floats(-1, 1))
def test_they_add_up_whatever_is_known_and_whatever_the_level(numbers, rhythm, name, level):
    scorer = dataclasses.replace(SCORERS[name], level_shift=level)
    x = scorer.centre + np.array([np.nan if number is None else number for number in numbers])[None, :]
    x[:, RHYTHM] = rhythm
    assert error(attribute(scorer, x)) <= 1e-9


@each_scorer
def test_what_is_not_known_contributes_nothing(scorer):
    x = features_for(scorer)
    found = attribute(scorer, x)
    for signal in SIGNALS:
        unknown = np.isnan(x[:, [owner == signal for owner in OWNERS]]).all(axis=1)
        assert (of_signal(found, signal)[unknown] == 0.0).all()
    assert not of_signal(found, "categories").any(), "these customers' categories are not known"


@each_scorer
def test_a_customer_of_whom_nothing_is_known_is_the_baseline(scorer):
    found = attribute(scorer, nothing_known(scorer)[None, :])
    assert not found.contributions.any()
    assert found.log_odds[0] == found.baseline[0] == attribute(scorer, features_for(scorer)).baseline[0]


def test_of_a_linear_score_a_contribution_is_weight_times_value():
    scorer = SCORERS["linear"]
    x = features_for(scorer)
    products = standardised(x.T, scorer.centre, scorer.unit) * scorer.linear[:-1, None]
    found = attribute(scorer, x)
    assert found.baseline == pytest.approx(scorer.linear[-1], abs=1e-12)
    for signal in SIGNALS:
        exact = products[[owner == signal for owner in OWNERS]].sum(axis=0)
        assert of_signal(found, signal) == pytest.approx(exact, abs=1e-12)


def test_before_any_label_the_rhythm_is_all_there_is():
    scorer = SCORERS["cold"]
    x = features_for(scorer)
    found = attribute(scorer, x)
    assert not found.baseline.any()
    assert np.array_equal(of_signal(found, "main_rhythm"), x[:, RHYTHM])
    assert np.count_nonzero(found.contributions.any(axis=0)) == 1


@pytest.mark.parametrize("name", ["learnt", "every expert, level up"])
def test_of_two_signals_each_gets_shapleys_value(name):
    """Two signals have two orders, so the mean over an order and its reverse is the mean over all of them."""
    scorer, silence = SCORERS[name], SILENCE_OF[ORDER]
    x = np.tile(nothing_known(scorer), (4, 1))  # nothing, silence, rhythm, both
    x[[1, 3], silence] = 2.5
    x[[2, 3], RHYTHM] = 1.7
    nothing, with_silence, with_rhythm, both = scorer.log_odds_of(x)
    found = attribute(scorer, x[3:])
    assert of_signal(found, "order_silence")[0] == pytest.approx((with_silence - nothing + both - with_rhythm) / 2)
    assert of_signal(found, "main_rhythm")[0] == pytest.approx((with_rhythm - nothing + both - with_silence) / 2)
    assert with_silence - nothing != pytest.approx(both - with_rhythm, abs=1e-4), "the score is no sum"


@each_scorer
def test_a_customer_has_the_same_contributions_alone_and_in_any_batch(scorer):
    x = np.concatenate([features_for(scorer)] * 2)  # more than are decomposed at once
    found = attribute(scorer, x)
    for i in (0, 7, len(x) - 1):
        alone = attribute(scorer, x[i : i + 1])
        assert np.array_equal(alone.contributions[0], found.contributions[i])
        assert (alone.baseline[0], alone.log_odds[0]) == (found.baseline[i], found.log_odds[i])


@each_scorer
def test_nobody_has_left_who_never_came(scorer):
    never = new_rows(1)
    assert np.isnan(attribute(scorer, scorer.features_of(never, NOW_S)).log_odds).all()
