"""Labels: the arrays of a resolution, and the records that go to their topic."""

import msgspec
import numpy as np
import pytest

from models.labels import Label, Resolved
from models.state import KEPT_EXPERTS, KEPT_FEATURES
from models.target import DAY_S

NAN = float("nan")
FROZEN_S = 852_076_801
STEP, H = 7 * DAY_S, 91 * DAY_S


def resolved(*kinds, frozen_at_s=FROZEN_S, churned=True):
    """One label per kind, with two known features and two experts."""
    n, is_step = len(kinds), np.array([kind == "step" for kind in kinds], bool)
    x, experts = np.full((n, KEPT_FEATURES), NAN), np.full((n, KEPT_EXPERTS), NAN)
    x[:, [0, 2]], experts[:, :2] = (1.5, -3.0), (-0.5, 2.0)
    frozen = np.full(n, frozen_at_s, np.int64)
    return Resolved(
        frozen, frozen + np.where(is_step, STEP, H), np.full(n, churned), np.full(n, 0.25), x, experts, is_step
    )


def test_labels_name_their_features_and_experts_and_leave_unknown_ones_out():
    (label,) = resolved("horizon").labels(["c1"], ["clock", "unknown", "gap"], ["hazard", "direct", "unused"])
    assert label == Label(
        customer_id="c1",
        frozen_at_s=FROZEN_S,
        resolved_at_s=FROZEN_S + H,
        churned=True,
        probability=0.25,
        features={"clock": 1.5, "gap": -3.0},
        weight=1.0,
        kind="horizon",
        experts={"hazard": -0.5, "direct": 2.0},
    )
    assert msgspec.json.decode(msgspec.json.encode(label), type=Label) == label


def test_a_step_label_says_so_and_carries_no_experts():
    step, horizon = resolved("step", "horizon").labels(["c1", "c1"], ["clock"], ["hazard"])
    assert (step.kind, step.resolved_at_s - step.frozen_at_s, step.experts) == ("step", STEP, {})
    assert (horizon.kind, horizon.resolved_at_s - horizon.frozen_at_s) == ("horizon", H)
    assert step.features == horizon.features


def test_a_label_of_an_earlier_release_is_one_of_the_horizon():
    old = (
        b'{"customer_id":"c1","frozen_at_s":1,"resolved_at_s":2,"churned":true,"probability":0.5,'
        b'"features":{},"weight":1.0}'
    )
    label = msgspec.json.decode(old, type=Label)
    assert (label.kind, label.experts) == ("horizon", {})


def test_an_unknown_kind_of_label_is_refused():
    with pytest.raises(msgspec.ValidationError, match="kind"):
        msgspec.convert(msgspec.structs.asdict(Label("c1", 1, 2, True, 0.5, {})) | {"kind": "month"}, Label)


def test_a_label_needs_a_customer_for_every_example():
    with pytest.raises(ValueError, match="zip"):
        resolved("horizon").labels([], ["clock"])


def test_labels_of_several_resolutions_join_in_the_given_order():
    parts = [resolved("step", "step"), resolved("horizon", frozen_at_s=5, churned=False)]
    joined = Resolved.joined(parts, np.array([0, 2, 1]))
    assert joined.is_step.tolist() == [True, False, True]
    assert joined.frozen_at_s.tolist() == [FROZEN_S, 5, FROZEN_S]
    assert joined.churned.tolist() == [True, False, True]
    assert joined.x.shape == (3, KEPT_FEATURES)
