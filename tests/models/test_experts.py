"""Every expert is a River classifier, and its array answers are its River answers."""

import json

import numpy as np
import pytest
from histories import TARGET, examples, known
from river import checks

from models.events import Channel
from models.experts.chain import HazardExpert
from models.experts.expert import as_row
from models.experts.logits import CurvedExpert, LinearExpert
from models.experts.process import ProcessExpert
from models.experts.scaling import Scaling
from models.features import NAMES
from models.mixture import ChurnMixture
from models.target import DAY_S, Target

EXPERTS = [LinearExpert, CurvedExpert, HazardExpert, ProcessExpert]
ALL = [*EXPERTS, ChurnMixture]
each_expert = pytest.mark.parametrize("expert", EXPERTS)
each = pytest.mark.parametrize("estimator", ALL)
X, Y = examples(2_000, seed=5)


def taught(expert, n=1_000, size=200):
    learner = expert()
    for begin in range(0, n, size):
        part = slice(begin, begin + size)
        learner.learn(X[part], Y[part], days=7.0)
    return learner


@pytest.mark.parametrize(
    ("estimator", "check"),
    [(estimator, check) for estimator in ALL for check in checks.yield_checks(estimator())],
    ids=lambda value: value.__name__,
)
def test_it_passes_rivers_own_estimator_checks(estimator, check):
    check(estimator())


@each
def test_one_label_at_a_time_is_a_group_of_one(estimator):
    by_name, by_row = estimator(), estimator()
    for x, y in zip(X[:40], Y[:40], strict=True):
        by_name.learn_one(known(x), bool(y))
        by_row.learn(x[None, :], np.array([y]))
    assert by_name.to_dict() == by_row.to_dict()


@each
def test_array_answers_are_the_answers_for_each(estimator):
    learner = taught(estimator)
    together = 1.0 / (1.0 + np.exp(-learner.log_odds(X[1_000:1_200])))
    alone = [learner.predict_proba_one(known(x))[True] for x in X[1_000:1_200]]
    assert together == pytest.approx(alone, abs=1e-12)


@each
def test_a_customer_gets_the_same_bits_alone_as_among_five_hundred(estimator):
    learner = taught(estimator)
    x = np.ascontiguousarray(X[1_000:1_500])
    together = learner.log_odds(x)
    assert [learner.log_odds(x[i : i + 1])[0] for i in range(0, 500, 9)] == together[::9].tolist()


@each
def test_learning_makes_it_better_than_knowing_nothing(estimator):
    learner = taught(estimator, n=1_600)
    p = 1.0 / (1.0 + np.exp(-learner.log_odds(X[1_600:])))
    y = Y[1_600:]
    if estimator in {HazardExpert, ProcessExpert}:
        return_order = np.argsort(p)  # they learn about a step: only the order can be right here
        assert y[return_order[-100:]].mean() > y[return_order[:100]].mean()
        return
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log1p(-p))
    share = Y[:1_600].mean()
    assert loss < -np.mean(y * np.log(share) + (1 - y) * np.log1p(-share)) - 0.02


@each
def test_asking_teaches_nothing(estimator):
    learner = taught(estimator, n=400)
    before = json.dumps(learner.to_dict())
    learner.log_odds(X[:50])
    learner.predict_proba_one(known(X[0]))
    learner.predict_one(known(X[1]))
    assert json.dumps(learner.to_dict()) == before


@each_expert
def test_saved_loaded_and_taught_on_it_goes_on_to_the_last_bit(expert):
    scaling = Scaling(len(NAMES), TARGET.horizon_days)
    scaling.learn(X)
    options = {} if expert is ProcessExpert else {"scaling": scaling}
    going_on, saved = expert(**options), expert(**options)
    for turn, begin in enumerate(range(0, 2_000, 100)):
        part = slice(begin, begin + 100)
        for learner in (going_on, saved):
            learner.learn(X[part], Y[part], days=turn)
        if turn % 3 == 0:
            plain = json.loads(json.dumps(saved.to_dict()))
            saved = expert(**options)
            saved.load(plain)
        assert np.array_equal(saved.log_odds(X[:50]), going_on.log_odds(X[:50]))
    assert saved.to_dict() == going_on.to_dict()


@each_expert
@pytest.mark.parametrize("damage", [float("nan"), float("inf"), "text", None, [1.0]])
def test_a_damaged_state_is_refused(expert, damage):
    plain = taught(expert, n=200).to_dict()
    for name, value in plain.items():
        broken = [damage, *value[1:]] if isinstance(value, list) else damage
        with pytest.raises(ValueError, match="finite numbers"):
            expert().load({**plain, name: broken})
        if isinstance(value, list):
            with pytest.raises(ValueError, match="finite numbers"):
                expert().load({**plain, name: value[1:]})


@each
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_refused_before_it_can_do_harm(estimator, value):
    learner = taught(estimator, n=200)
    before = learner.to_dict()
    with pytest.raises(ValueError, match="not finite"):
        learner.learn_one({"order_silence": 1.0, "order_trend": value}, True)
    assert learner.to_dict() == before


def test_unknown_features_and_names_of_nothing_are_passed_over():
    row = as_row({"order_silence": 1.5, "shoe_size": 44.0})
    assert row[0, NAMES.index("order_silence")] == 1.5
    assert np.isnan(row).sum() == len(NAMES) - 1


@each
def test_equal_parameters_give_equal_untrained_twins(estimator):
    made = estimator(main="login", horizon_s=28 * DAY_S)
    assert made.target == Target(Channel.LOGIN, 28 * DAY_S)
    assert made.clone().to_dict() == estimator(main="login", horizon_s=28 * DAY_S).to_dict()
    assert taught(estimator, n=200).clone().to_dict() == estimator().to_dict()
