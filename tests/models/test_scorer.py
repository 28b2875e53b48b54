"""The array scorer is River's model on whole batches, with a prior that fades, and exact about why."""

import dataclasses
import re

import numpy as np
import pytest
from histories import NOW_S, TARGET, known, learnt_model, random_rows

from models.churn_model import ChurnModel
from models.events import Channel
from models.features import INDEX, NAMES, RHYTHM, features
from models.hazard import prior_log_odds
from models.scorer import COLD, N_FEATURES, PRIOR_LABELS, Scorer
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, _ = Channel
LOGIN_TARGET = Target(LOGIN, 28 * DAY_S)
MODELS = {target: learnt_model(target=target) for target in (TARGET, LOGIN_TARGET)}
SCORERS = [
    Scorer.cold(TARGET),
    Scorer.from_snapshot(MODELS[TARGET].snapshot()),
    Scorer.from_snapshot(MODELS[TARGET].snapshot(), prior_labels=0),
    Scorer.from_snapshot(MODELS[LOGIN_TARGET].snapshot()),
]
ALL_ROWS = random_rows(600, seed=3)
each_scorer = pytest.mark.parametrize("scorer", SCORERS, ids=["cold", "mixed", "model", "login"])


def rows_for(scorer):
    return ALL_ROWS[ALL_ROWS["last_at"][:, scorer.target.main] > 0]


def test_without_prior_it_is_rivers_own_prediction():
    scorer, model = SCORERS[2], MODELS[TARGET]
    rows = rows_for(scorer)
    river = [model.score_one(known(x)) for x in features(rows, NOW_S, TARGET)]
    assert np.abs(scorer.probabilities(rows, NOW_S) - river).max() <= 1e-12


def test_before_any_label_it_is_the_prior():
    rows = rows_for(SCORERS[0])
    assert np.array_equal(SCORERS[0].log_odds(rows, NOW_S), prior_log_odds(rows, NOW_S, TARGET))
    untrained = Scorer.from_snapshot(ChurnModel().snapshot())
    assert np.array_equal(untrained.log_odds(rows, NOW_S), prior_log_odds(rows, NOW_S, TARGET))


def test_prior_and_model_are_averaged_in_the_logit_by_labels():
    rows = rows_for(SCORERS[1])
    n = MODELS[TARGET].n_labels
    share = n / (n + PRIOR_LABELS)
    average = (1 - share) * SCORERS[0].log_odds(rows, NOW_S) + share * SCORERS[2].log_odds(rows, NOW_S)
    assert SCORERS[1].log_odds(rows, NOW_S) == pytest.approx(average, abs=1e-9)


@each_scorer
def test_contributions_sum_to_the_log_odds(scorer):
    rows = rows_for(scorer)
    for days in (0, 30, 1000):
        at_s = NOW_S + days * DAY_S
        parts = scorer.contributions(rows, at_s)
        assert parts.shape == (len(rows), N_FEATURES + 2)
        assert np.abs(parts.sum(axis=1) - scorer.log_odds(rows, at_s)).max() <= 1e-9


def test_a_feature_at_its_mean_and_an_unknown_one_contribute_nothing():
    scorer = SCORERS[1]
    x = np.where(np.arange(N_FEATURES) % 2 == 0, scorer.centre, np.nan)[None, :]
    assert scorer.log_odds_of(x, np.zeros(1))[0] == scorer.baseline


@each_scorer
def test_frozen_features_score_as_the_moment_they_were_taken(scorer):
    rows = rows_for(scorer)
    x = features(rows, NOW_S, scorer.target)
    assert np.array_equal(scorer.log_odds_of(x, x[:, RHYTHM]), scorer.log_odds(rows, NOW_S))
    assert np.array_equal(scorer.probabilities_of(x, x[:, RHYTHM]), scorer.probabilities(rows, NOW_S))


@each_scorer
def test_a_customer_has_the_same_bits_alone_and_in_any_batch(scorer):
    rows = rows_for(scorer)
    at_s = NOW_S + np.arange(len(rows)) * 997
    whole = scorer.probabilities(rows, at_s)
    alone = [scorer.probabilities(rows[i : i + 1], at_s[i : i + 1])[0] for i in range(len(rows))]
    assert whole.tolist() == alone
    for batch in (slice(5, 22), slice(None, None, 3), np.arange(len(rows))[::-1]):
        assert np.array_equal(scorer.probabilities(rows[batch], at_s[batch]), whole[batch])


@each_scorer
def test_an_outlook_gives_at_each_moment_what_the_scorer_gives(scorer):
    rows = rows_for(scorer)
    outlook = scorer.outlook(rows)
    moments = NOW_S + np.arange(4)[:, None] * 5 * DAY_S + np.arange(len(rows))
    together = outlook.probabilities(moments)
    for moment, at_s in enumerate(moments):
        assert np.array_equal(together[moment], scorer.probabilities(rows, at_s))
    which = np.array([9, 2, 2])
    some = outlook.take(which).probabilities(NOW_S)
    assert np.array_equal(some, scorer.probabilities(rows, NOW_S)[which])


@each_scorer
def test_nobody_has_left_who_never_came(scorer):
    assert np.isnan(scorer.probabilities(new_rows(2), NOW_S)).all()
    assert np.isnan(scorer.contributions(new_rows(2), NOW_S).sum(axis=1)).all()


@each_scorer
def test_a_probability_is_never_certain(scorer):
    p = scorer.probabilities(rows_for(scorer), 2**32 - 1)
    assert ((p > 0) & (p < 1)).all()


def test_a_scorer_cannot_be_changed():
    scorer = SCORERS[1]
    with pytest.raises(ValueError, match="read-only"):
        scorer.scale[0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        scorer.baseline = 0.0


def test_learning_on_leaves_earlier_scorers_alone():
    model = learnt_model(200)
    scorer = Scorer.from_snapshot(model.snapshot())
    rows = rows_for(scorer)
    before = scorer.log_odds(rows, NOW_S)
    model.learn_one({"order_silence": 1.0}, True)
    assert np.array_equal(scorer.log_odds(rows, NOW_S), before)
    assert not np.array_equal(Scorer.from_snapshot(model.snapshot()).log_odds(rows, NOW_S), before)


def test_a_version_names_the_numbers_and_not_when_they_take_effect():
    model = learnt_model(120)
    now, later = (Scorer.from_snapshot(model.snapshot(effective_at_s=s)) for s in (0, 3600))
    assert now.version == later.version and (now.effective_at_s, later.effective_at_s) == (0, 3600)
    assert re.fullmatch(rf"n{model.n_labels:06d}-[0-9a-f]{{8}}", now.version)
    model.learn_one({"order_silence": 1.0}, True)
    assert Scorer.from_snapshot(model.snapshot()).version != now.version
    assert Scorer.cold(TARGET).version == COLD


def test_a_feature_with_one_value_only_has_no_say():
    model = ChurnModel()
    for y in (True, False):
        model.learn_one({"order_silence": 2.0}, y)
    assert Scorer.from_snapshot(model.snapshot()).scale[INDEX["order_silence"]] == 0.0


def test_only_channels_with_weight_cost_anything():
    model = ChurnModel()
    for silence in (1.0, 2.0, 3.0):
        model.learn_one({"login_silence": silence}, silence > 1)
    assert Scorer.from_snapshot(model.snapshot()).moving_channels() == [LOGIN]
    assert SCORERS[0].moving_channels() == []
    assert "login_silence" in NAMES
