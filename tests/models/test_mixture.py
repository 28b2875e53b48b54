"""The mixture: honest weights, a level that moves, and a state that goes on to the last bit."""

import json

import msgspec
import numpy as np
import pytest
from histories import NAN, START_S, TARGET, examples, learnt_model, teach

from models.blend import Blend, log_losses
from models.experts import NAMES
from models.groups import Group
from models.mixture import ABLE_LABELS, KEPT_NAMES, ChurnMixture
from models.newer import NewerVersionError
from models.scorer import Scorer
from models.snapshot import SnapshotError
from models.target import DAY_S

X, Y = examples(10_000, seed=3)
STATE = learnt_model(800).to_dict()


def group(part, frozen_at_s, wait_s, y=Y, kept=None):
    n = len(y[part])
    kept = np.full((n, len(KEPT_NAMES)), NAN) if kept is None else kept
    return Group(X[part], y[part], kept, np.full(n, frozen_at_s), frozen_at_s + wait_s, np.ones(n))


def test_saved_loaded_and_taught_on_it_goes_on_to_the_last_bit_over_ten_thousand_examples():
    going_on, saved = ChurnMixture(), ChurnMixture()
    waiting = []
    for turn, begin in enumerate(range(0, 10_000, 125)):
        part, frozen_at_s = slice(begin, begin + 125), START_S + turn * 3 * DAY_S
        kept = Scorer.of(going_on.snapshot()).expert_log_odds(X[part])
        waiting.append((part, frozen_at_s, kept))
        for mixture in (going_on, saved):
            mixture.learn_steps(group(part, frozen_at_s, TARGET.step_s))
        if len(waiting) > 10:
            early, at_s, log_odds = waiting.pop(0)
            for mixture in (going_on, saved):
                mixture.learn_horizons(group(early, at_s, TARGET.horizon_s, kept=log_odds))
        if turn % 9 == 4:
            saved = ChurnMixture.from_dict(json.loads(json.dumps(saved.to_dict())))
        assert saved.snapshot() == going_on.snapshot()
    assert saved.to_dict() == going_on.to_dict()
    assert (going_on.n_steps, going_on.n_labels) == (10_000, 8_750)
    assert saved.level_shift != 0.0 and len({weight > 0 for weight in saved.weights.values()}) >= 1


def test_weights_sum_to_one_at_every_moment():
    mixture = ChurnMixture()
    for turn, begin in enumerate(range(0, 2_000, 100)):
        part, frozen_at_s = slice(begin, begin + 100), START_S + turn * 7 * DAY_S
        mixture.learn_steps(group(part, frozen_at_s, TARGET.step_s))
        if turn > 5:
            mixture.learn_horizons(group(part, frozen_at_s, TARGET.horizon_s))
        assert list(mixture.weights) == list(NAMES)
        assert sum(mixture.weights.values()) == pytest.approx(1.0, abs=1e-12)


def test_before_any_label_the_rhythm_answers_alone_and_then_who_has_learnt_enough():
    mixture = ChurnMixture()
    assert mixture.weights == {name: float(name == "rhythm") for name in NAMES}
    mixture.learn_steps(group(slice(0, ABLE_LABELS - 1), START_S, TARGET.step_s))
    assert mixture.weights["rhythm"] == 1.0
    assert mixture.weights["linear"] == mixture.weights["curved"] == 0.0


def test_an_expert_that_is_left_out_has_no_weight_and_the_others_learn_on():
    mixture = learnt_model(1_000, experts=("process", "linear"))
    assert {name for name, weight in mixture.weights.items() if weight} <= {"process", "linear"}
    assert ChurnMixture.from_dict(mixture.to_dict()).weights == mixture.weights


@pytest.mark.parametrize("experts", [("oracle",), (), ("linear", "oracle")])
def test_an_expert_nobody_knows_and_no_expert_at_all_are_refused(experts):
    with pytest.raises(ValueError, match="experts must be some of"):
        ChurnMixture(experts=experts)


def test_it_is_the_weighed_sum_of_its_experts_moved_to_the_level():
    mixture = learnt_model(1_200)
    weights = np.array(list(mixture.weights.values()))
    together = mixture.expert_log_odds(X[:200]) @ weights
    assert mixture.level_shift == 0.0 or abs(mixture.level_shift) <= 1.0
    if mixture.level_shift == 0.0:
        assert np.abs(mixture.log_odds(X[:200]) - together).max() < 0.1, "but for who hardly weighs anything"


def test_experts_are_judged_by_what_they_said_before_they_learnt_the_outcome(monkeypatch):
    """Those that wait for horizon labels just before it; the quick ones when the example was frozen."""
    mixture, judged = learnt_model(1_200), []
    monkeypatch.setattr(Blend, "learn", lambda self, losses, weight, *, days: judged.append(losses))
    part, at_s = slice(2_000, 2_200), START_S + 400 * DAY_S
    now = mixture.expert_log_odds(X[part])
    kept = np.random.default_rng(1).normal(size=(200, len(KEPT_NAMES)))
    mixture.learn_horizons(group(part, at_s, TARGET.horizon_s, kept=kept))
    waits = np.isin(NAMES, ("linear", "curved"))
    said = np.where(waits, now, kept[:, :-1])
    assert judged[0] == pytest.approx(log_losses(np.clip(said, -8, 8), Y[part]), abs=1e-9)


def test_learning_the_same_gives_the_same():
    assert learnt_model(900).to_dict() == learnt_model(900).to_dict()


def spoilt(path, value):
    state = json.loads(json.dumps(STATE))
    *outer, last = path
    inner = state
    for key in outer:
        inner = inner[key]
    inner[last] = value
    return state


BAD = {
    "an earlier version": spoilt(["version"], 0),
    "no version": {key: value for key, value in STATE.items() if key != "version"},
    "other features": spoilt(["features", 0], "shoe_size"),
    "an unknown channel": spoilt(["main"], "fax"),
    "an unknown expert": spoilt(["experts"], ["oracle"]),
    "NaN in a weight": spoilt(["linear", "weights", 3], float("nan")),
    "infinite precision": spoilt(["curved", "precision", 0], float("inf")),
    "a precision too short": spoilt(["hazard", "precision"], [1.0]),
    "NaN in the scaling": spoilt(["scaling", "mean", 2], float("nan")),
    "text in the process": spoilt(["process", "parameters", 0], "r"),
    "NaN in the blend": spoilt(["blend", "loss", 0], float("nan")),
    "NaN in the level": spoilt(["level", "steps", 0], [1, float("nan"), 2]),
    "no linear expert": {key: value for key, value in STATE.items() if key != "linear"},
    "a list for a part": spoilt(["blend"], []),
}


@pytest.mark.parametrize("plain", BAD.values(), ids=BAD)
def test_a_damaged_state_is_refused(plain):
    with pytest.raises(SnapshotError):
        ChurnMixture.from_dict(plain)


def test_a_state_of_a_newer_release_is_told_apart_from_a_damaged_one():
    with pytest.raises(NewerVersionError, match="mixture of the trainer's state has version 99"):
        ChurnMixture.from_dict(spoilt(["version"], 99))


def test_the_state_is_plain_json_and_the_untouched_one_is_read():
    assert msgspec.json.decode(msgspec.json.encode(STATE)) == STATE
    assert ChurnMixture.from_dict(STATE).to_dict() == STATE


def test_a_mixture_that_has_diverged_gives_no_snapshot():
    mixture = learnt_model(300)
    mixture._linear._logit.weights[0] = float("nan")
    with pytest.raises(SnapshotError, match="not finite"):
        mixture.snapshot()


def test_learning_on_in_another_order_of_time_never_goes_back():
    """A late group counts, and takes no time back: days between groups are never negative."""
    mixture = learnt_model(1_000)
    before = mixture.n_labels
    teach(mixture, X[:100], Y[:100], weeks=-10)
    assert mixture.n_labels == before + 100
    assert np.isfinite(mixture.log_odds(X[:50])).all()
