"""River learns, and what it has learnt survives as numbers: to the last bit, or not at all."""

import itertools
import json

import pytest
from histories import TARGET, examples, learnt_model
from river import checks

from models import snapshot as snapshots
from models.churn_model import ChurnModel
from models.events import Channel
from models.features import NAMES
from models.snapshot import MAX_BYTES, SnapshotError
from models.target import DAY_S, Target

CHECKS = list(checks.yield_checks(ChurnModel()))
EXAMPLES = examples(2300, seed=11)
GOOD = learnt_model(100).snapshot()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_passes_rivers_own_estimator_checks(check):
    check(ChurnModel())


def test_save_load_and_go_on_equals_going_on_to_the_last_bit():
    assert len(EXAMPLES) >= 2000
    going_on, restored = ChurnModel.for_target(TARGET), ChurnModel.for_target(TARGET)
    for i, (x, y) in enumerate(EXAMPLES):
        going_on.learn_one(x, y)
        restored.learn_one(x, y)
        if i % 97 == 0:
            restored = ChurnModel.restore(json.loads(json.dumps(restored.snapshot())))
        assert restored.score_one(x) == going_on.score_one(x)
    assert restored.snapshot() == going_on.snapshot()
    assert restored.snapshot()["n_iterations"] == len(EXAMPLES)


def test_features_met_late_keep_their_place_in_the_sum():
    """A sum of floats depends on the order, and River sums in the order in which it met the features."""
    backwards = [{name: x[name] for name in reversed(x)} for x, _ in EXAMPLES[:300]]
    model = ChurnModel()
    for x, (_, y) in zip(backwards, EXAMPLES, strict=False):
        model.learn_one(x, y)
    restored = ChurnModel.restore(model.snapshot())
    assert [restored.score_one(x) for x in backwards] == [model.score_one(x) for x in backwards]
    for x, y in EXAMPLES[300:400]:
        model.learn_one(x, y)
        restored.learn_one(x, y)
    assert restored.snapshot() == model.snapshot()


def test_the_snapshot_is_small_plain_json():
    data = snapshots.encode(snapshots.from_dict(learnt_model(500).snapshot()))
    assert len(data) < 4096
    assert json.loads(data)["features"] and snapshots.decode(data) == snapshots.from_dict(json.loads(data))


def without(name):
    return {key: value for key, value in GOOD.items() if key != name}


def first(name, value):
    return {name: [value, *GOOD[name][1:]]}


BAD = {
    "another format": {**GOOD, "format": "pickle"},
    "no format": without("format"),
    "a later version": {**GOOD, "version": 2},
    "no weights": without("weights"),
    "an unknown field": {**GOOD, "code": "import os"},
    "NaN weight": {**GOOD, **first("weights", float("nan"))},
    "infinite mean": {**GOOD, **first("means", float("inf"))},
    "NaN variance": {**GOOD, **first("vars", float("nan"))},
    "NaN intercept": {**GOOD, "intercept": float("nan")},
    "negative variance": {**GOOD, **first("vars", -1.0)},
    "negative count": {**GOOD, **first("counts", -1)},
    "fractional count": {**GOOD, **first("counts", 1.5)},
    "text for a weight": {**GOOD, **first("weights", "0.1")},
    "one weight too few": {**GOOD, "weights": GOOD["weights"][1:]},
    "an unknown feature": {**GOOD, **first("features", "shoe_size")},
    "a feature twice": {**GOOD, **first("features", GOOD["features"][1])},
    "an unknown main channel": {**GOOD, "main": "fax"},
    "a horizon of an hour": {**GOOD, "horizon_s": 3600},
    "labels below zero": {**GOOD, "n_labels": -1},
    "a million features": {**GOOD, "features": ["order_silence"] * 1_000_000},
}


@pytest.mark.parametrize("plain", BAD.values(), ids=BAD.keys())
def test_a_snapshot_that_is_not_sound_is_refused(plain):
    with pytest.raises(SnapshotError):
        ChurnModel.restore(plain)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"{", b'{"weights": NaN}', b"\x80\x04K\x01.", b" " * (MAX_BYTES + 1)]
)
def test_bytes_that_are_no_snapshot_are_refused(data):
    with pytest.raises(SnapshotError):
        snapshots.decode(data)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_refused_before_it_can_do_harm(value):
    model = learnt_model(100)
    before = model.snapshot()
    with pytest.raises(ValueError, match="not finite"):
        model.learn_one({"order_silence": 1.0, "order_trend": value}, True)
    assert model.snapshot() == before


def test_a_model_of_other_features_has_no_snapshot():
    model = ChurnModel()
    model.learn_one({"shoe_size": 44.0}, True)
    with pytest.raises(SnapshotError, match="features"):
        model.snapshot()


def test_scoring_never_changes_the_model():
    model = learnt_model(100)
    before = model.snapshot()
    for x, _ in itertools.islice(EXAMPLES, 200):
        model.score_one(x)
        model.predict_proba_one(x)
    assert model.snapshot() == before


def test_equal_parameters_give_equal_untrained_twins():
    assert ChurnModel(step=0.01).snapshot() == ChurnModel(step=0.01).snapshot()
    assert ChurnModel().snapshot() == learnt_model(50).clone().snapshot()


def test_the_target_travels_with_the_numbers():
    target = Target(Channel.EMAIL_OPEN, 28 * DAY_S)
    plain = ChurnModel.for_target(target).snapshot()
    assert snapshots.from_dict(plain).target == target
    assert ChurnModel.restore(plain).horizon_s == 28 * DAY_S


def test_all_names_of_the_examples_are_features():
    assert set(itertools.chain.from_iterable(x for x, _ in EXAMPLES)) == set(NAMES)
