"""The pending example: frozen with what was known, resolved one horizon later whatever the outcome."""

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.apply import Columns, apply_round
from models.events import Channel
from models.labels import PHASES, Label, freeze, is_live, next_label_at, phase, resolve
from models.state import N_FEATURES, new_rows
from models.target import DAY_S, Target

H = 28 * DAY_S
TARGET = Target(Channel.ORDER, H)
START_S = 852_076_800  # 1997-01-01
NAN = float("nan")


def seconds(*values):
    return np.array(values, dtype=np.int64)


def happen(rows, at_s, channel=Channel.ORDER, engaged=True):
    """Apply one event to a single customer, with the next free offset."""
    values = (at_s, channel, channel, rows["applied"][0, channel] + 1, NAN, 0, engaged)
    dtypes = ["u4", "u1", "u1", "i8", "f4", "u8", "?"]
    event = Columns(*(np.array([value], dtype) for value, dtype in zip(values, dtypes, strict=True)))
    apply_round(rows, event, TARGET)


def fire(rows, at_s, p=0.25):
    """Do what is due at `at_s`: resolve, then freeze; as the partition's clock would."""
    resolved = None
    if rows["example_frozen"][0]:
        resolved = resolve(rows, TARGET)
    if next_label_at(rows, TARGET)[0] == at_s:
        freeze(rows, np.full((1, 2), [[at_s / 1e9, NAN]]), np.array([p]), seconds(at_s), TARGET)
    return resolved


def live(order_times, until_s, customer_phase=0):
    """Run one customer's orders and due times in event time; give [(now, resolved)] and the freeze times."""
    rows = new_rows(1)
    rows["phase"] = customer_phase
    resolutions, freezes = [], []
    for at_s in [*sorted(order_times), until_s]:
        while 0 < (due := int(next_label_at(rows, TARGET)[0])) <= at_s:
            resolved = fire(rows, due)
            resolutions += [(due, resolved)] if resolved else []
            freezes += [due] if rows["example_frozen"][0] else []
        if at_s < until_s:
            happen(rows, at_s)
    return resolutions, freezes


def frozen_customer():
    """Make a customer with one order and an example frozen at START_S + 1."""
    rows = new_rows(1)
    happen(rows, START_S)
    fire(rows, START_S + 1)
    assert rows["example_frozen"][0] == 1
    return rows


ORDERS = st.lists(st.integers(START_S, START_S + 200 * DAY_S), min_size=1, max_size=12, unique=True)
PHASE = st.integers(0, PHASES - 1)


@given(ORDERS, PHASE)
def test_churned_and_returned_examples_are_learnt_at_the_same_delay(orders, customer_phase):
    """A return is known early; telling it early would teach the model too many returns."""
    resolutions, _ = live(orders, START_S + 400 * DAY_S, customer_phase)
    for now_s, resolved in resolutions:
        frozen_at_s = resolved.frozen_at_s[0]
        assert now_s == resolved.resolved_at_s[0] == frozen_at_s + H
        came_back = any(frozen_at_s <= at_s < frozen_at_s + H for at_s in orders)
        assert resolved.churned[0] == (not came_back)


@given(ORDERS, PHASE)
def test_freezes_follow_the_schedule_and_stop_when_the_customer_is_long_gone(orders, customer_phase):
    resolutions, freezes = live(orders, START_S + 400 * DAY_S, customer_phase)
    orders = sorted(orders)
    assert 1 <= freezes[0] - orders[0] <= H // 4
    for before, after in itertools.pairwise(freezes):
        if after != before + H:
            last_seen = max(at_s for at_s in orders if at_s < before + H)
            next_seen = min(at_s for at_s in orders if at_s >= before + H)
            assert before + H - last_seen > 2 * H
            assert 1 <= after - next_seen <= H // 4
    for at_s in freezes:
        assert at_s - max(o for o in orders if o < at_s) <= 2 * H
    assert len(resolutions) == len(freezes)


def test_a_customer_who_never_returns_gives_churned_examples_for_two_horizons_and_then_rests():
    resolutions, freezes = live([START_S], START_S + 20 * H)
    assert [(at_s - START_S) // H for at_s in freezes] == [0, 1]
    assert [bool(resolved.churned[0]) for _, resolved in resolutions] == [True, True]


def test_an_order_after_the_rest_starts_a_new_chain():
    back_s = START_S + 10 * H
    _, freezes = live([START_S, back_s], START_S + 11 * H)
    assert freezes == [START_S + 1, START_S + 1 + H, back_s + 1]


@pytest.mark.parametrize(
    ("after_freeze_s", "returned"),
    [(-1, 0), (0, 1), (1, 1), (H - 1, 1), (H, 0), (H + 1, 0)],
)
def test_a_return_falls_between_freeze_and_horizon(after_freeze_s, returned):
    rows = frozen_customer()
    happen(rows, START_S + 1 + after_freeze_s)
    assert rows["example_returned"][0] == returned


@pytest.mark.parametrize(
    ("channel", "engaged"), [(Channel.LOGIN, True), (Channel.EMAIL_OPEN, True), (Channel.ORDER, False)]
)
def test_only_engagement_on_the_main_channel_is_a_return(channel, engaged):
    rows = frozen_customer()
    happen(rows, START_S + DAY_S, channel, engaged)
    assert rows["example_returned"][0] == 0


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
    resolved = resolve(rows, TARGET)
    assert resolved.probability.tolist() == [0.25]
    assert resolved.x[0, 0] == np.float32((START_S + 1) / 1e9)
    assert np.isnan(resolved.x[0, 1:]).all()


def test_after_a_resolution_nothing_of_the_example_is_left_but_the_next_due_time():
    rows = frozen_customer()
    resolve(rows, TARGET)
    fresh = new_rows(1)
    for name in ("example_frozen", "example_returned", "example_p", "example_x"):
        assert rows[name].tobytes() == fresh[name].tobytes()
    assert next_label_at(rows, TARGET).tolist() == [START_S + 1 + H]


@given(st.data())
def test_rows_freeze_and_resolve_the_same_whatever_rows_share_their_batch(data):
    n = data.draw(st.integers(1, 6))
    rows = new_rows(n)
    rows["last_at"][:, 0] = data.draw(st.lists(st.integers(0, 9 * H), min_size=n, max_size=n))
    at_s = seconds(*data.draw(st.lists(st.integers(1, 9 * H), min_size=n, max_size=n)))
    x = np.random.default_rng(0).normal(size=(n, N_FEATURES))
    p = np.linspace(0, 1, n)
    alone = [rows[i : i + 1].copy() for i in range(n)]
    frozen = freeze(rows, x, p, at_s, TARGET)
    for i, row in enumerate(alone):
        assert freeze(row, x[i : i + 1], p[i : i + 1], at_s[i : i + 1], TARGET)[0] == frozen[i]
    assert b"".join(row.tobytes() for row in alone) == rows.tobytes()
    resolve(rows, TARGET)
    for row in alone:
        resolve(row, TARGET)
    assert b"".join(row.tobytes() for row in alone) == rows.tobytes()


def test_first_freezes_spread_evenly_over_a_quarter_horizon():
    """Customers of one campaign sign up in one minute; they must not all be scored in one second."""
    phases = np.array([phase(f"customer-{i}".encode()) for i in range(10_000)])
    shares = np.bincount(phases * 10 // PHASES, minlength=10) / 10_000
    assert shares.min() > 0.08
    assert shares.max() < 0.12
    _, freezes = live([START_S], START_S + H, PHASES - 1)
    assert 0 <= H // 4 - (freezes[0] - START_S) <= H // 4 // PHASES + 1


def test_the_phase_of_a_customer_is_the_same_in_every_process_and_release():
    assert [phase(b"c1"), phase("顧客".encode())] == [22018, 17057]


def test_labels_name_their_features_and_leave_unknown_ones_out():
    rows = frozen_customer()
    (label,) = resolve(rows, TARGET).labels(["c1"], ["clock", "unknown"])
    expected = {"clock": float(np.float32((START_S + 1) / 1e9))}
    assert label == Label("c1", START_S + 1, START_S + 1 + H, True, 0.25, expected, 1.0)
    assert msgspec.json.decode(msgspec.json.encode(label), type=Label) == label


def test_a_label_needs_a_customer_for_every_example():
    with pytest.raises(ValueError, match="zip"):
        resolve(frozen_customer(), TARGET).labels([], ["clock"])
