"""When a number may be shown: somebody's outcome or this customer's rhythm is known, and the experts agree."""

import dataclasses

import numpy as np
import pytest
from histories import NOW_S, TARGET, learnt_model, random_rows
from hypothesis import given
from hypothesis import strategies as st

from models.confidence import LEAST_LABELS, LEAST_OCCASIONS, MOST_SPREAD, Confidence, confidence_of, spread_of
from models.events import Channel
from models.experts import NAMES
from models.features import FEATURES, INDEX, RHYTHM
from models.scorer import Scorer
from models.state import new_rows

COLD = Scorer.cold(TARGET)
ENOUGH, NOT_ENOUGH = Confidence


def customers(*occasions, rhythm=0.5):
    """Customers of whom only rhythm and number of occasions are known."""
    x = np.full((len(occasions), len(FEATURES)), np.nan)
    x[:, RHYTHM], x[:, INDEX["main_occasions"]] = rhythm, np.log(occasions)
    return x


def two_experts(linear_log_odds, weight=0.5, n_labels=LEAST_LABELS):
    """Says `linear_log_odds` beside the rhythm, with a weight."""
    weights = np.array([{"rhythm": 1 - weight, "linear": weight}.get(name, 0.0) for name in NAMES])
    bias = np.append(np.zeros(len(FEATURES)), linear_log_odds)
    return dataclasses.replace(COLD, weights=weights, linear=bias, n_labels=n_labels)


@pytest.mark.parametrize(
    ("n_labels", "occasions", "confidence"),
    [
        (0, 1, NOT_ENOUGH),
        (0, LEAST_OCCASIONS - 1, NOT_ENOUGH),
        (0, LEAST_OCCASIONS, ENOUGH),
        (LEAST_LABELS - 1, 1, NOT_ENOUGH),
        (LEAST_LABELS - 1, 60_000, ENOUGH),
        (LEAST_LABELS, 1, ENOUGH),
    ],
)
def test_either_outcomes_or_two_gaps_of_the_customer_must_be_known(n_labels, occasions, confidence):
    scorer = dataclasses.replace(COLD, n_labels=n_labels)
    assert confidence_of(scorer, customers(occasions)) == [confidence]


@pytest.mark.parametrize(
    ("said", "weight", "confidence"),
    [
        (0.0, 0.5, ENOUGH),
        (0.8, 0.5, ENOUGH),  # 50 % and 69 %: 0.095 from the middle
        (0.9, 0.5, NOT_ENOUGH),  # 50 % and 71 %: 0.105
        (6.0, 0.5, NOT_ENOUGH),
        (6.0, 0.02, ENOUGH),  # a dissenter who counts for little
        (6.0, 0.0, ENOUGH),
    ],
)
def test_experts_that_carry_weight_must_agree(said, weight, confidence):
    assert confidence_of(two_experts(said, weight), customers(12, rhythm=0.0)) == [confidence]


def test_certainty_beyond_what_people_can_tell_apart_is_no_disagreement():
    """97 % and 99.9 %: far apart in log-odds, the same news."""
    assert confidence_of(two_experts(7.0), customers(12, rhythm=3.5)) == [ENOUGH]


def test_the_spread_is_the_weighted_standard_deviation_of_the_probabilities():
    scorer = two_experts(np.log(4.0), weight=0.25)  # 80 % beside 50 %
    assert spread_of(scorer, customers(3, rhythm=0.0)) == pytest.approx(0.3 * np.sqrt(0.25 * 0.75))


@given(st.floats(-40, 40), st.floats(-40, 40), st.floats(0, 1))
def test_the_spread_is_a_finite_number_up_to_a_half(rhythm, said, weight):
    (spread,) = spread_of(two_experts(said, weight), customers(1, rhythm=rhythm))
    assert 0.0 <= spread <= 0.5


def test_of_a_customer_who_never_came_nothing_can_be_said():
    scorer = two_experts(0.0)
    assert confidence_of(scorer, scorer.features_of(new_rows(1), NOW_S)) == [NOT_ENOUGH]


def test_customers_are_judged_alike_together_and_alone():
    scorer = Scorer.of(learnt_model().snapshot())
    rows = random_rows(200, seed=9)
    x = scorer.features_of(rows[rows["last_at"][:, Channel.ORDER] > 0], NOW_S)
    together = confidence_of(scorer, x)
    assert together == [confidence_of(scorer, x[i : i + 1])[0] for i in range(len(x))]
    assert [str(NOT_ENOUGH) if spread >= MOST_SPREAD else str(ENOUGH) for spread in spread_of(scorer, x)] == together


def test_the_words_are_those_of_the_alert():
    assert [str(one) for one in Confidence] == ["enough", "not_enough_evidence"]
