"""What the model is told about a customer: known numbers in known ranges, the same in any batch."""

import math

import numpy as np
import pytest
from histories import NOW_S, START_S, TARGET, customer, random_rows
from hypothesis import given
from hypothesis import strategies as st

from models.baskets import category_mask
from models.events import Channel
from models.features import CALENDAR, FEATURES, INDEX, MOVING, N_KEPT, NAMES, SIGNALS, STILL, Silence, features, still
from models.state import KEPT_FEATURES, new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, EMAIL_OPEN = Channel
TARGETS = [
    Target(ORDER, 91 * DAY_S, "JP"),
    Target(LOGIN, 14 * DAY_S, "JP"),
    Target(EMAIL_OPEN, 28 * DAY_S, "JP"),
]


def all_known(n):
    """Customers some of whom also tell what they buy and what was sent to them."""
    rows, rng = random_rows(n), np.random.default_rng(5)
    ordered = rows["last_at"][:, ORDER] > 0
    masks = np.array([category_mask(["tea", "cups"]), category_mask(["tea"]), 0], np.uint32)
    rows["cats_ever"], rows["cats_now"] = masks[0] * ordered, masks[rng.integers(0, 3, n)] * ordered
    rows["sends_long"] = rng.integers(0, 9, n)
    rows["clicks_long"] = rows["sends_long"] * rng.random(n)
    rows["sends_at"] = np.where(rows["sends_long"] > 0, NOW_S - rng.integers(0, 60 * DAY_S, n), 0)
    return rows


ROWS = all_known(700)


def named(rows, day=None, target=TARGET, at_s=NOW_S):
    at_s = at_s if day is None else START_S + round(day * DAY_S)
    return dict(zip(NAMES, features(rows, at_s, target)[0].tolist(), strict=True))


def same_bits(a, b):
    return np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


def test_features_fit_the_row_and_every_signal_has_some():
    assert len(FEATURES) == len(set(NAMES))
    assert N_KEPT <= KEPT_FEATURES and tuple(range(N_KEPT, len(FEATURES))) == CALENDAR
    assert {feature.signal for feature in FEATURES} == set(SIGNALS)
    assert sorted(MOVING + STILL) == list(range(len(FEATURES)))
    assert all(feature.reason and feature.unit and feature.low < feature.high for feature in FEATURES)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("days_later", [0, 1, 200, 36_500])
def test_every_feature_stays_in_its_documented_range(target, days_later):
    x = features(ROWS, NOW_S + days_later * DAY_S, target)
    for feature, column in zip(FEATURES, x.T, strict=True):
        seen = column[~np.isnan(column)]
        assert seen.size, feature.name
        assert feature.low <= seen.min() and seen.max() <= feature.high, feature.name


def test_what_never_happened_is_unknown_not_zero():
    nobody = named(new_rows(1))
    assert all(math.isnan(value) for value in nobody.values())
    once = named(customer((0, ORDER)), day=3)
    unknown = {name for name, value in once.items() if math.isnan(value)}
    assert unknown == {
        *(name for name in NAMES if name.startswith(("login", "email", "basket", "category", "calendar"))),
        "order_gap",
        "main_spread",
    }


def test_the_numbers_of_one_customer_are_what_the_table_says():
    rows = customer((0, ORDER, 20.0), (10, ORDER, 20.0), (30, LOGIN), (30, ORDER, 20.0))
    x = named(rows, day=44)
    share = (0.5 ** (30 / 14) + 0.5 ** (20 / 14) + 1) / (0.5 ** (30 / 90) + 0.5 ** (20 / 90) + 1)
    wanted = {
        "order_silence": math.log(1 + 14 / 7),
        "order_trend": share * 0.5 ** (14 / 14 - 14 / 90),
        "order_level": math.log(0.5 ** (30 / 90) + 0.5 ** (20 / 90) + 1),
        "order_count": math.log(3),
        "order_gap": (0.9 * math.log(10) + math.log(20)) / 1.9,
        "login_silence": math.log(1 + 14 / 7),
        "login_count": 0.0,
        "basket_usual": math.log(21),
        "basket_trend": 0.0,
        "basket_total": math.log(61),
        "main_occasions": math.log(3),
        "main_span": math.log(31),
        "main_single": 0.0,
    }
    assert {name: x[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


def test_main_features_speak_of_the_main_channel():
    target = Target(LOGIN, 28 * DAY_S)
    rows = customer((0, LOGIN), (0, ORDER), (5, LOGIN), (9, LOGIN), target=target)
    x = named(rows, day=20, target=target)
    assert x["main_occasions"] == pytest.approx(math.log(3))
    assert x["main_span"] == pytest.approx(math.log(10))
    assert x["main_single"] == 0.0 and x["order_count"] == 0.0


@pytest.mark.parametrize("target", TARGETS)
def test_a_customer_has_the_same_bits_alone_and_in_any_batch(target):
    at_s = NOW_S + np.arange(len(ROWS)) * 1001
    whole = features(ROWS, at_s, target)
    alone = np.vstack([features(ROWS[i : i + 1], at_s[i : i + 1], target) for i in range(len(ROWS))])
    assert same_bits(whole, alone)
    for batch in (slice(3, 17), slice(None, None, 7), slice(1, 650), np.arange(len(ROWS))[::-1]):
        assert same_bits(features(ROWS[batch], at_s[batch], target), whole[batch])


def test_silence_moves_the_moving_features_and_no_other():
    before, after = (features(ROWS, at_s, TARGETS[0]) for at_s in (NOW_S, NOW_S + 9 * DAY_S))
    is_equal = (before == after) | (np.isnan(before) & np.isnan(after))
    assert is_equal[:, STILL].all()
    assert not is_equal[:, MOVING].all(axis=0).any()


def test_many_moments_at_once_are_the_moments_one_by_one():
    silence = Silence.of(ROWS, TARGET)
    moments = NOW_S + np.arange(5)[:, None] * 86_399 + np.arange(len(ROWS)) % 13
    together = silence.moving(moments)
    for moment, at_s in enumerate(moments):
        assert same_bits(np.ascontiguousarray(together[:, moment]), silence.moving(at_s))


@given(st.integers(0, 699), st.lists(st.integers(0, 10**9), min_size=2, max_size=5).map(sorted))
def test_longer_silence_is_never_less_silent(i, later_s):
    x = np.vstack([features(ROWS[i : i + 1], NOW_S + s, TARGET) for s in later_s])
    if ROWS["last_at"][i, ORDER]:
        for name, sign in (("order_silence", 1), ("main_rhythm", 1), ("order_trend", -1), ("main_tail", -1)):
            assert (np.diff(sign * x[:, INDEX[name]]) >= -1e-12).all(), name


def test_a_moment_before_the_last_event_counts_as_that_event():
    rows = customer((0, ORDER), (10, ORDER))
    assert named(rows, day=4) == pytest.approx(named(rows, day=10), nan_ok=True)


def test_still_features_do_not_need_to_know_the_time():
    columns = still(ROWS, TARGET)
    assert tuple(columns) == STILL
    x = features(ROWS, NOW_S, TARGET)
    assert all(same_bits(column, x[:, index]) for index, column in columns.items())
