"""The pending example: frozen with what was known, resolved a step and a horizon later whatever the outcome."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import Channel
from models.pending import FROZEN, SCHEDULED, STEP_RESOLVED, freeze, is_live, next_label_at, resolve
from models.state import KEPT_EXPERTS, KEPT_FEATURES, new_rows
from models.target import DAY_S
from tests.models.one_example import (
    NAN,
    START_S,
    STEP,
    TARGET,
    H,
    frozen_customer,
    happen,
    seconds,
    to_horizon,
)


@pytest.mark.parametrize(
    ("after_freeze_s", "step_churned", "churned"),
    [
        (-1, True, True),
        (0, False, False),
        (STEP - 1, False, False),
        (STEP, True, False),
        (H - 1, True, False),
        (H, True, True),
    ],
)
@pytest.mark.parametrize("is_late", [False, True])
def test_a_return_counts_in_the_step_or_the_horizon_it_falls_into(after_freeze_s, step_churned, churned, is_late):
    """Whether the clock took the step label before the event or comes to both together."""
    rows = frozen_customer()
    happen(rows, START_S + 1 + after_freeze_s)
    if is_late:
        happen(rows, START_S + 2 * H)
    assert resolve(rows, TARGET).churned.tolist() == [step_churned]
    assert resolve(rows, TARGET).churned.tolist() == [churned]


@pytest.mark.parametrize(("after_freeze_s", "churned"), [(-1, True), (0, False), (STEP, False), (H - 1, False)])
def test_a_return_after_the_step_label_counts_for_the_horizon(after_freeze_s, churned):
    """An event that comes late can still fall into the step: the step label is told, the horizon still learns it."""
    rows = frozen_customer()
    assert resolve(rows, TARGET).churned.tolist() == [True]
    happen(rows, START_S + 1 + after_freeze_s)
    assert resolve(rows, TARGET).churned.tolist() == [churned]


def test_an_early_return_is_not_forgotten_when_another_follows():
    rows = frozen_customer()
    happen(rows, START_S + 1 + DAY_S)
    happen(rows, START_S + 1 + STEP + DAY_S)
    assert resolve(rows, TARGET).churned.tolist() == [False]


@pytest.mark.parametrize(
    ("channel", "engaged"), [(Channel.LOGIN, True), (Channel.EMAIL_OPEN, True), (Channel.ORDER, False)]
)
def test_only_engagement_on_the_main_channel_is_a_return(channel, engaged):
    rows = frozen_customer()
    happen(rows, START_S + DAY_S, channel, engaged)
    assert to_horizon(rows).churned.tolist() == [True]


def test_nothing_but_a_main_event_schedules_the_first_freeze():
    rows = new_rows(1)
    happen(rows, START_S, Channel.LOGIN)
    assert next_label_at(rows, TARGET).tolist() == [0]
    happen(rows, START_S + DAY_S)
    assert next_label_at(rows, TARGET).tolist() == [START_S + DAY_S + 1]


def test_a_late_order_that_is_not_the_newest_does_not_wake_a_resting_customer():
    rows = new_rows(1)
    happen(rows, START_S + DAY_S)
    rows["example_at"] = 0  # as after a resolution that found the customer gone
    happen(rows, START_S)
    assert next_label_at(rows, TARGET).tolist() == [0]


def test_a_freeze_that_comes_too_late_for_the_customer_ends_the_schedule():
    rows = new_rows(1)
    happen(rows, START_S)
    at_s = seconds(START_S + 2 * H + 1)
    assert freeze(rows, np.zeros((1, 2)), np.array([0.5]), at_s, TARGET).tolist() == [False]
    assert next_label_at(rows, TARGET).tolist() == [0]
    assert np.isnan(rows["example_x"]).all()


def test_a_customer_is_live_up_to_two_horizons_after_the_last_main_event():
    rows = new_rows(5)
    rows["last_at"][:3, Channel.ORDER] = START_S
    rows["last_at"][3, Channel.LOGIN] = START_S
    at_s = seconds(START_S, START_S + 2 * H, START_S + 2 * H + 1, START_S, H)
    assert is_live(rows, at_s, TARGET).tolist() == [True, True, False, False, False]


def test_the_frozen_features_and_probability_are_those_of_the_moment():
    rows = frozen_customer()
    happen(rows, START_S + DAY_S)
    for resolved in (resolve(rows, TARGET), resolve(rows, TARGET)):
        assert resolved.probability.tolist() == [0.25]
        assert resolved.x[0, 0] == np.float16((START_S + 1) / 1e9)
        assert np.isnan(resolved.x[0, 1:]).all()
        assert np.isnan(resolved.experts).all()


def test_each_expert_keeps_what_it_said_and_an_unused_place_stays_unknown():
    rows = new_rows(1)
    happen(rows, START_S)
    said = np.array([[-1.25, 0.5, NAN]])
    freeze(rows, np.zeros((1, 2)), np.array([0.5]), seconds(START_S + 1), TARGET, experts=said)
    assert np.array_equal(to_horizon(rows).experts, [[-1.25, 0.5, *[NAN] * (KEPT_EXPERTS - 2)]], equal_nan=True)
    assert np.isnan(rows["example_experts"]).all()


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=KEPT_FEATURES))
def test_half_precision_keeps_a_feature_to_a_twentieth_of_a_percent_and_clips_what_it_cannot_hold(values):
    rows = new_rows(1)
    happen(rows, START_S)
    x = np.array([values])
    freeze(rows, x, np.array([0.5]), seconds(START_S + 1), TARGET)
    kept, wanted = rows["example_x"][0, : len(values)].astype(float), np.clip(x[0], -65_504, 65_504)
    assert np.allclose(kept, wanted, rtol=2**-11, atol=2**-25, equal_nan=True)
    assert np.isnan(rows["example_x"][0, len(values) :]).all()


def test_a_step_label_leaves_the_example_frozen_until_the_horizon():
    rows = frozen_customer()
    assert next_label_at(rows, TARGET).tolist() == [START_S + 1 + STEP]
    before = rows.copy()
    resolve(rows, TARGET)
    assert next_label_at(rows, TARGET).tolist() == [START_S + 1 + H]
    before["example_frozen"] = STEP_RESOLVED
    assert rows.tobytes() == before.tobytes()


def test_after_the_horizon_label_nothing_of_the_example_is_left_but_the_next_due_time():
    rows = frozen_customer()
    happen(rows, START_S + DAY_S)
    to_horizon(rows)
    fresh = new_rows(1)
    for name in ("example_frozen", "example_returned", "example_p", "example_x", "example_experts"):
        assert rows[name].tobytes() == fresh[name].tobytes()
    assert rows["example_frozen"][0] == SCHEDULED
    assert next_label_at(rows, TARGET).tolist() == [START_S + 1 + H]


@given(st.data())
def test_rows_freeze_and_resolve_the_same_whatever_rows_share_their_batch(data):
    n = data.draw(st.integers(1, 6))
    rows = new_rows(n)
    rows["last_at"][:, 0] = data.draw(st.lists(st.integers(0, 9 * H), min_size=n, max_size=n))
    at_s = seconds(*data.draw(st.lists(st.integers(1, 9 * H), min_size=n, max_size=n)))
    rng = np.random.default_rng(0)
    x, experts = rng.normal(size=(n, KEPT_FEATURES)), rng.normal(size=(n, KEPT_EXPERTS))
    p = np.linspace(0, 1, n)
    alone = [rows[i : i + 1].copy() for i in range(n)]
    frozen = freeze(rows, x, p, at_s, TARGET, experts=experts)
    for i, row in enumerate(alone):
        one = slice(i, i + 1)
        assert freeze(row, x[one], p[one], at_s[one], TARGET, experts=experts[one])[0] == frozen[i]
    assert b"".join(row.tobytes() for row in alone) == rows.tobytes()
    rows["example_frozen"] = np.where(frozen, rng.choice([FROZEN, STEP_RESOLVED], n), SCHEDULED)
    for i, row in enumerate(alone):
        row["example_frozen"] = rows["example_frozen"][i]
    resolve(rows, TARGET)
    for row in alone:
        resolve(row, TARGET)
    assert b"".join(row.tobytes() for row in alone) == rows.tobytes()
