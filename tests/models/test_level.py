"""The level of the whole shop: nothing without evidence, a season when there is one, and no noise."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.blend import log_losses
from models.events import Channel
from models.experts.formulas import cumulative_hazard
from models.level import LevelTracker, shift
from models.target import DAY_S, Target

TARGET = Target(Channel.ORDER, 91 * DAY_S)
STEP_S, H_S = TARGET.step_s, TARGET.horizon_s
START_S = 1_704_067_200 // STEP_S * STEP_S
N = 2_000
HAZARD = 0.03  # a step


@given(st.floats(-6, 6), st.floats(-1, 1), st.floats(-1, 1))
def test_shifts_add_up(log_odds, first, second):
    at = np.array([log_odds])
    assert shift(shift(at, first), second) == pytest.approx(shift(at, first + second), abs=1e-6)


@given(st.floats(-10, 10), st.floats(-1, 1))
def test_a_shift_is_a_factor_on_the_cumulative_hazard(log_odds, by):
    at = np.array([log_odds])
    assert cumulative_hazard(shift(at, by)) == pytest.approx(cumulative_hazard(at) * np.exp(by), rel=1e-6)


@given(st.floats(-20, 20))
def test_no_shift_changes_nothing(log_odds):
    assert shift(np.array([log_odds]), 0.0) == pytest.approx(log_odds, abs=1e-3)


def live(level_of, weeks=80, seed=1, tracker=None):
    """N customers a week whose chance to come back in a step is as the level says; labels learnt when they resolve.

    The experts behind think the level is still the one of a horizon ago.
    """
    rng = np.random.default_rng(seed)
    tracker = tracker or LevelTracker(TARGET)
    levels = np.array([level_of(week) for week in range(weeks + 14)])
    shifts, kept = [], []
    for week in range(weeks):
        now_s = START_S + week * STEP_S
        foreseen = HAZARD * np.exp(levels[max(week - 13, 0)]) * 13
        kept.append(-np.log(np.expm1(foreseen)))
        if week >= 1:
            came = rng.random(N) < -np.expm1(-HAZARD * np.exp(levels[week - 1]))
            tracker.observe(np.full(N, now_s - STEP_S), 1.0 - came, np.full(N, -np.expm1(-HAZARD)))
        if week >= 13:
            stays = np.exp(-HAZARD * np.exp(levels[week - 13 : week]).sum())
            y = (rng.random(N) < stays).astype(float)
            frozen = np.full(N, now_s - H_S)
            tracker.learn(np.full(N, kept[week - 13]), y, frozen, np.ones(N), days=7.0)
        tracker.advance(now_s)
        shifts.append(tracker.shift)
    return tracker, np.array(shifts)


def test_without_labels_there_is_no_shift():
    tracker = LevelTracker(TARGET)
    assert tracker.shift == tracker.recent(START_S) == tracker.then(START_S) == 0.0
    tracker.advance(START_S)
    assert tracker.shift == 0.0
    tracker.observe(np.full(9, START_S), np.zeros(9), np.full(9, 0.1))
    tracker.advance(START_S + STEP_S)
    assert tracker.shift == 0.0, "no horizon label says yet what the experts behind have learnt"


def test_it_follows_a_return_rate_that_doubles():
    tracker, _ = live(lambda week: np.log(2.0) if week >= 60 else 0.0, weeks=64)
    now_s = START_S + 63 * STEP_S
    assert np.log(1.5) < tracker.recent(now_s, 7.0) < np.log(2.2)
    assert abs(tracker.then(now_s)) < 0.12, "hardly any of it is in the labels that have been learnt"
    _, shifts = live(lambda week: np.log(2.0) if week >= 60 else 0.0, weeks=70)
    assert abs(shifts[58]) < 0.02 < shifts[62:70].max(), "no shift is believed much before labels speak for it"


def test_it_comes_to_believe_a_season():
    """And is the better for it: the level a horizon ago is the opposite of what is coming."""
    _, shifts = live(lambda week: 0.8 * np.sin(2 * np.pi * week / 52), weeks=156)
    late = np.arange(104, 143)
    truth = [np.sin(2 * np.pi * (week + 6) / 52) - np.sin(2 * np.pi * (week - 13) / 52) for week in late]
    assert np.corrcoef(shifts[late], truth)[0, 1] > 0.6
    assert np.abs(shifts[late]).max() > 0.2


def test_it_does_not_believe_noise():
    """The level of a week says nothing about the next ones."""
    noise = np.random.default_rng(5).normal(0, 0.5, 400)
    _, believed = live(lambda week: noise[week], weeks=156)
    assert np.abs(believed[104:]).mean() < 0.12


def test_on_a_level_that_stays_it_costs_nothing():
    tracker, shifts = live(lambda week: 0.0, weeks=100)
    assert np.abs(shifts[30:]).max() < 0.1
    base, y = np.full(4_000, -np.log(np.expm1(13 * HAZARD))), np.arange(4_000) % 100 < 100 * np.exp(-13 * HAZARD)
    moved = log_losses(shift(base, tracker.shift)[:, None], y.astype(float)).mean()
    assert moved - log_losses(base[:, None], y.astype(float)).mean() < 0.002


def test_no_shift_goes_beyond_a_factor_of_e():
    _, shifts = live(lambda week: 5.0 if week > 50 else -2.0, weeks=90)
    assert np.abs(shifts).max() <= 1.0


def test_while_the_mixture_rests_on_experts_that_follow_the_level_there_is_no_shift():
    tracker, _ = live(lambda week: np.log(2.0) if week >= 60 else 0.0, weeks=75)
    tracker.advance(START_S + 75 * STEP_S, is_late=False)
    assert tracker.shift == 0.0


def test_what_no_later_reading_can_need_is_forgotten():
    tracker, _ = live(lambda week: 0.0, weeks=200)
    assert len(json.dumps(tracker.to_dict())) < 12_000


def test_saved_and_loaded_it_goes_on_to_the_last_bit():
    season = lambda week: 0.5 * np.sin(2 * np.pi * week / 52)  # noqa: E731 - one expression, used twice
    going_on, _ = live(season, weeks=60)
    loaded = LevelTracker(TARGET)
    loaded.load(json.loads(json.dumps(going_on.to_dict())))
    for tracker in (going_on, loaded):
        live(season, weeks=70, seed=2, tracker=tracker)
    assert loaded.to_dict() == going_on.to_dict() and loaded.shift == going_on.shift
