"""The array scorer is the mixture on whole batches: the same numbers for everyone, alone or among many."""

import dataclasses
import re

import msgspec
import numpy as np
import pytest
from histories import NOW_S, TARGET, examples, learnt_model, random_rows, teach

from models import snapshot as snapshots
from models.events import Channel
from models.experts import NAMES as EXPERTS
from models.experts.formulas import probability
from models.features import features
from models.hazard import prior_log_odds
from models.mixture import ChurnMixture
from models.scorer import COLD, LEAST_WEIGHT, Scorer
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, _ = Channel
LOGIN_TARGET = Target(LOGIN, 28 * DAY_S)
MODELS = {target: learnt_model(target=target) for target in (TARGET, LOGIN_TARGET)}
LEARNT = Scorer.of(MODELS[TARGET].snapshot())
SCORERS = [
    Scorer.cold(TARGET),
    LEARNT,
    dataclasses.replace(LEARNT, weights=np.full(5, 0.2), level_shift=-0.25, hazard_level=0.1),
    Scorer.of(MODELS[LOGIN_TARGET].snapshot()),
]
ALL_ROWS = random_rows(600, seed=3)
each_scorer = pytest.mark.parametrize("scorer", SCORERS, ids=["cold", "learnt", "all experts", "login"])


def rows_for(scorer):
    return ALL_ROWS[ALL_ROWS["last_at"][:, scorer.target.main] > 0]


@pytest.mark.parametrize("target", MODELS)
def test_a_scorer_of_the_snapshot_is_the_mixture(target):
    mixture, scorer = MODELS[target], Scorer.of(MODELS[target].snapshot())
    rows = rows_for(scorer)
    x = features(rows, NOW_S, target)
    assert np.array_equal(scorer.log_odds(rows, NOW_S), mixture.log_odds(x))
    assert np.abs(scorer.expert_log_odds(x)[:, : len(EXPERTS)] - mixture.expert_log_odds(x)).max() <= 1e-12


def test_before_any_label_it_is_the_rhythm():
    rows = rows_for(SCORERS[0])
    for scorer in (SCORERS[0], Scorer.of(ChurnMixture.for_target(TARGET).snapshot())):
        assert np.array_equal(scorer.log_odds(rows, NOW_S), prior_log_odds(rows, NOW_S, TARGET))


@each_scorer
def test_the_last_log_odds_that_an_example_keeps_are_the_weighed_sum_of_the_others(scorer):
    kept = scorer.expert_log_odds(features(rows_for(scorer), NOW_S, scorer.target))
    assert kept.shape == (len(rows_for(scorer)), len(EXPERTS) + 1)
    heard = np.flatnonzero(scorer.weights)
    assert kept[:, -1] == pytest.approx(kept[:, heard] @ scorer.weights[heard], abs=1e-12)


def test_an_expert_of_hardly_any_weight_is_left_out_and_the_others_make_up_for_it():
    weights = np.array([LEAST_WEIGHT / 2, 0.3, 0.0, 0.4, 0.3 - LEAST_WEIGHT / 2])
    snapshot = msgspec.structs.replace(MODELS[TARGET].snapshot(), weights=tuple(weights.tolist()))
    scorer = Scorer.of(snapshot)
    assert scorer.weight_of("rhythm") == scorer.weight_of("hazard") == 0.0
    assert scorer.weights.sum() == pytest.approx(1.0, abs=1e-15)
    assert scorer.weight_of("process") > 0.3


@each_scorer
def test_frozen_features_score_as_the_moment_they_were_taken(scorer):
    rows = rows_for(scorer)
    x = features(rows, NOW_S, scorer.target)
    assert np.array_equal(scorer.log_odds_of(x), scorer.log_odds(rows, NOW_S))
    assert np.array_equal(scorer.probabilities_of(x), scorer.probabilities(rows, NOW_S))


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
def test_what_an_example_keeps_does_not_depend_on_the_batch(scorer):
    x = features(rows_for(scorer), NOW_S, scorer.target)
    whole = scorer.expert_log_odds(x)
    alone = np.vstack([scorer.expert_log_odds(x[i : i + 1]) for i in range(len(x))])
    assert np.array_equal(whole, alone, equal_nan=True)


@each_scorer
def test_nobody_has_left_who_never_came(scorer):
    assert np.isnan(scorer.probabilities(new_rows(2), NOW_S)).all()


@each_scorer
def test_a_probability_is_never_certain(scorer):
    p = scorer.probabilities(rows_for(scorer), 2**32 - 1)
    assert ((p > 0) & (p < 1)).all()
    assert ((probability(np.array([-1e9, 1e9])) > 0) & (probability(np.array([-1e9, 1e9])) < 1)).all()


def test_a_scorer_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        LEARNT.unit[0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        LEARNT.level_shift = 0.0


def test_learning_on_leaves_earlier_scorers_alone():
    mixture = learnt_model(600)
    scorer = Scorer.of(mixture.snapshot())
    rows = rows_for(scorer)
    before = scorer.log_odds(rows, NOW_S)
    teach(mixture, *examples(300, seed=8), weeks=20)
    assert np.array_equal(scorer.log_odds(rows, NOW_S), before)
    assert not np.array_equal(Scorer.of(mixture.snapshot()).log_odds(rows, NOW_S), before)


def test_a_version_names_the_numbers_and_not_when_they_take_effect():
    mixture = learnt_model(300)
    now, later = (Scorer.of(mixture.snapshot(effective_at_s=s)) for s in (0, 3600))
    assert now.version == later.version and (now.effective_at_s, later.effective_at_s) == (0, 3600)
    assert re.fullmatch(rf"n{mixture.n_labels:06d}-[0-9a-f]{{8}}", now.version)
    mixture.learn_one({"order_silence": 1.0}, True)
    assert Scorer.of(mixture.snapshot()).version != now.version
    assert Scorer.cold(TARGET).version == COLD


def test_a_snapshot_that_went_through_json_scores_to_the_last_bit_alike():
    read = Scorer.of(snapshots.decode(snapshots.encode(MODELS[TARGET].snapshot())))
    rows = rows_for(read)
    assert np.array_equal(read.log_odds(rows, NOW_S), LEARNT.log_odds(rows, NOW_S))
    plain = Scorer.from_snapshot(snapshots.to_dict(MODELS[TARGET].snapshot()))
    assert plain.version == read.version == LEARNT.version


def test_scoring_changes_nothing_in_the_mixture():
    mixture = learnt_model(600)
    before = mixture.to_dict()
    x, _ = examples(50, seed=4)
    mixture.log_odds(x)
    mixture.expert_log_odds(x)
    mixture.predict_proba_one({"order_silence": 1.0})
    mixture.snapshot()
    assert mixture.to_dict() == before
