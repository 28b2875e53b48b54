"""The policy over rows: the mask finds exactly those whose episode changes; a row keeps an episode."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.episodes import (
    damped_until,
    episode_of,
    episodes_of,
    expires_at,
    first_look_at,
    is_watched,
    last_activity_at,
    may_change,
    next_threshold,
    settled_at,
    store_episode,
)
from models.events import Channel
from models.levels import Level
from models.life_cycle import step
from models.policy import STEP_EXPIRED, STEP_RECOVERED, Cause, Episode, Moment, Policy
from models.state import new_rows
from models.target import DAY_S, Target

TARGET = Target(Channel.ORDER, 91 * DAY_S)
POLICY = Policy.for_target(TARGET)


@st.composite
def episodes(draw) -> Episode:
    """Any episode the policy can leave behind."""
    level = draw(st.sampled_from([Level.HEALTHY, Level.WATCH, Level.AT_RISK, Level.CRITICAL]))
    expired = level == Level.HEALTHY and draw(st.booleans())
    if level:
        told = draw(st.integers(level, Level.CRITICAL))
    else:
        told = draw(st.sampled_from([0, STEP_RECOVERED, *([STEP_EXPIRED] if expired else [])]))
    seconds = st.integers(1, 210 * DAY_S)
    held = {"snoozed_until_s": draw(st.just(0) | seconds)}
    if not told:
        return Episode(expired=expired, **held)
    held |= {"closed_at_s": draw(st.just(0) | seconds), "acknowledged": draw(st.integers(0, 3))}
    return Episode(level, draw(st.integers(1, 65_535)), told, draw(seconds), draw(seconds), expired, **held)


@given(episodes())
def test_a_row_gives_an_episode_back_exactly(episode):
    rows = new_rows(2)
    store_episode(rows[1], episode)
    assert episode_of(rows[1]) == episode
    assert episodes_of(rows) == [Episode(), episode]
    assert episode_of(rows[0]) == Episode()


@given(
    st.lists(
        st.tuples(
            episodes(),
            st.sampled_from([Cause.SILENCE, Cause.ACTIVITY, Cause.MAIN_EVENT, Cause.EXPIRY]),
            st.one_of(st.floats(0, 1), st.sampled_from([0.5, 0.6, 0.65, 0.75, 0.8, 0.9])),
            st.integers(1, 200 * DAY_S),
            st.integers(-DAY_S, 9 * DAY_S),
            st.just((0, 0)) | st.tuples(st.integers(0, 120 * DAY_S), st.integers(0, 120 * DAY_S)),
            st.integers(0, 120 * DAY_S),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_the_mask_is_true_exactly_where_a_step_changes_the_episode(cases):
    """Missing one would lose an alert; naming one too many would cost plain Python for nothing."""
    rows = new_rows(len(cases))
    at_s, changed = [], []
    for i, (episode, cause, p, last_at, gap, outcome_at, age) in enumerate(cases):
        rows["outcome_at"][i] = outcome_at
        store_episode(rows[i], episode)
        ordered_at = max(last_at - age, 1)
        rows["last_at"][i, [Channel.ORDER, Channel.LOGIN]] = ordered_at, last_at
        at_s.append(last_at + gap)
        damped_s = int(damped_until(rows[i : i + 1], TARGET)[0])
        lost_s = ordered_at + TARGET.horizon_s
        moment = Moment(last_at + gap, p, cause, last_at, damped_until_s=damped_s, lost_at_s=lost_s)
        changed.append(step(POLICY, episode, moment)[0] != episode)
    mask = may_change(
        POLICY,
        rows,
        TARGET,
        cause=np.array([case[1] for case in cases]),
        at_s=np.array(at_s),
        probability=np.array([case[2] for case in cases]),
    )
    assert mask.tolist() == changed


def test_a_healthy_customers_events_need_no_probability():
    rows = new_rows(2)
    rows["last_at"][:, Channel.ORDER] = 5
    cause = np.array([Cause.ACTIVITY, Cause.MAIN_EVENT])
    nothing = np.full(2, np.nan)
    mask = may_change(POLICY, rows, TARGET, cause=cause, at_s=np.array([9, 9]), probability=nothing)
    assert not mask.any()


def test_somebody_who_never_had_a_main_event_is_not_watched_and_never_expires():
    rows = new_rows(1)
    rows["last_at"][0, Channel.LOGIN] = 5 * DAY_S
    late, certain = np.array([400 * DAY_S]), np.array([0.99])
    assert not is_watched(rows, TARGET)[0]
    assert expires_at(POLICY, rows, TARGET).tolist() == [0]
    assert not may_change(POLICY, rows, TARGET, cause=Cause.SILENCE, at_s=late, probability=certain)[0]


def test_the_dwell_time_runs_from_the_last_activity_on_any_channel():
    rows = new_rows(1)
    rows["last_at"][0] = [10 * DAY_S, 30 * DAY_S, 20 * DAY_S]
    assert last_activity_at(rows).tolist() == [30 * DAY_S]
    assert settled_at(POLICY, rows, TARGET).tolist() == [30 * DAY_S + POLICY.dwell_s]


def test_the_dwell_time_protects_nobody_who_has_not_ordered_for_a_horizon():
    rows = new_rows(3)
    rows["last_at"][:, Channel.ORDER] = 10 * DAY_S
    rows["last_at"][:, Channel.LOGIN] = [90 * DAY_S, 100 * DAY_S, 130 * DAY_S]
    assert settled_at(POLICY, rows, TARGET).tolist() == [90 * DAY_S + POLICY.dwell_s, 101 * DAY_S, 101 * DAY_S]


@given(st.integers(1, 200 * DAY_S), st.integers(0, 200 * DAY_S), st.sampled_from([0, 1, 7, DAY_S, POLICY.dwell_s]))
def test_a_visit_is_followed_by_a_look_when_a_level_may_rise_or_less_than_a_dwell_later(ordered_at, visit_s, dwell_s):
    policy, rows = replace(POLICY, dwell_s=dwell_s), new_rows(1)
    rows["last_at"][0, [Channel.ORDER, Channel.LOGIN]] = ordered_at, ordered_at + visit_s
    (look_at,), (settled,) = first_look_at(policy, rows, TARGET), settled_at(policy, rows, TARGET)
    if visit_s < TARGET.horizon_s:
        assert look_at == settled
    else:
        assert settled <= ordered_at + visit_s <= look_at <= ordered_at + visit_s + dwell_s
        assert dwell_s == 0 or (look_at - settled) % dwell_s == 0, "the same second for every visit of that time"


def test_a_healthy_customer_also_waits_for_cool_down_snooze_and_outcomes_and_an_open_episode_for_none():
    rows = new_rows(10)
    rows["last_at"][:, Channel.ORDER] = 10 * DAY_S
    rows["closed_at"][1::5] = 12 * DAY_S
    rows["snoozed_until"][2::5] = 30 * DAY_S
    rows["outcome_at"][3::5] = [20 * DAY_S, 5 * DAY_S]
    rows["outcome_at"][4::5] = [20 * DAY_S, 0]
    rows["level"][5:] = Level.WATCH
    dwelt = 10 * DAY_S + POLICY.dwell_s
    assert settled_at(POLICY, rows, TARGET).tolist() == [
        dwelt, 12 * DAY_S + POLICY.cool_down_s, 30 * DAY_S, 96 * DAY_S, dwelt, *[dwelt] * 5,
    ]  # fmt: skip


def test_people_know_of_an_episode_exactly_while_it_is_open():
    rows = new_rows(1)
    for level, told in ((Level.WATCH, 1), (Level.HEALTHY, 0)):
        store_episode(rows[0], Episode(level, 1, 1))
        assert rows["told"][0] == told


def test_the_expiry_runs_from_the_last_main_event_and_is_due_once():
    rows = new_rows(2)
    rows["last_at"][:] = [10 * DAY_S, 30 * DAY_S, 20 * DAY_S]
    rows["expired"][1] = 1
    assert expires_at(POLICY, rows, TARGET).tolist() == [192 * DAY_S, 0]
    assert expires_at(POLICY, rows, Target(Channel.LOGIN, 91 * DAY_S)).tolist() == [212 * DAY_S, 0]


def test_the_next_threshold_is_the_enter_of_the_level_above_and_nothing_lies_above_critical():
    levels = np.array([0, 1, 2, 3], np.uint8)
    assert next_threshold(POLICY, levels).tolist() == [0.70, 0.80, 0.90, np.inf]


def test_times_far_in_the_future_do_not_overflow():
    rows = new_rows(1)
    rows["last_at"][0] = 2**32 - 1
    assert expires_at(POLICY, rows, TARGET)[0] == 2**32 - 1 + POLICY.expire_s
    assert settled_at(POLICY, rows, TARGET)[0] == 2**32 - 1 + POLICY.dwell_s
