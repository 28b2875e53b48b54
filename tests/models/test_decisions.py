"""Deciding for many at once: in the order of time where they compete, each alone where they do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.capacity import Capacity, Share
from models.commands import Command, CommandKind
from models.decisions import Decider
from models.episodes import episodes_of, settled_at
from models.events import Channel
from models.policy import Cause, Policy
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target
from models.watch import Watch
from tests.models.histories import START_S, customer

TARGET = Target(Channel.ORDER, 91 * DAY_S)
POLICY = Policy.for_target(TARGET)
DECIDER = Decider(POLICY, TARGET)
COLD = Watch(Scorer.cold(TARGET), POLICY, TARGET, POLICY.expire_s + 2 * TARGET.horizon_s)


def silent(n: int):
    """Customers who have been silent for long."""
    rows = new_rows(n)
    rows["last_at"][:, Channel.ORDER] = 10 * DAY_S
    rows["phase"] = np.arange(n) * 1_000
    return rows


def decide(rows, at_s, capacity=None, p=0.75):
    n = len(rows)
    decisions, _ = DECIDER.decide(rows, at_s, np.full(n, p), np.full(n, Cause.SILENCE), capacity=capacity)
    return decisions


def test_room_goes_to_whoever_crosses_first_and_decisions_come_in_row_order():
    rows, capacity = silent(4), Capacity(Share(2))
    capacity.close(50 * DAY_S)
    at_s = 50 * DAY_S + np.array([400, 100, 300, 200])
    decisions = decide(rows, at_s, capacity)
    assert [decision.index for decision in decisions] == [1, 3]
    assert [episode.is_open for episode in episodes_of(rows)] == [False, True, False, True]
    assert rows["snoozed_until"].tolist() == [51 * DAY_S, 0, 51 * DAY_S + 2_000 * DAY_S // 65_536, 0]


def test_in_one_second_the_hash_of_the_customers_decides_and_not_their_rows():
    rows, turned = silent(3), silent(3)[::-1].copy()
    at_s = np.full(3, 50 * DAY_S)
    first, second = (decide(some, at_s, opened(Capacity(Share(1)))) for some in (rows, turned))
    assert [rows["phase"][d.index] for d in first] == [turned["phase"][d.index] for d in second] == [0]


def opened(capacity: Capacity) -> Capacity:
    capacity.close(50 * DAY_S)
    return capacity


def test_only_new_alerts_take_room():
    rows = silent(3)
    decide(rows, np.full(3, 50 * DAY_S))
    capacity = opened(Capacity(Share(1)))
    assert [str(d.transition.type) for d in decide(rows, np.full(3, 51 * DAY_S), capacity, p=0.85)] == ["escalated"] * 3
    assert capacity.to_dict()["let_in"] == 0


def test_commands_are_answered_each_for_its_own_customer():
    rows = silent(4)
    decide(rows[:2], np.full(2, 50 * DAY_S))
    now = np.full(4, 51 * DAY_S)
    kinds = [CommandKind.ACK, CommandKind.SNOOZE] * 2
    commands = [Command.of(f"c{i}", f"k{i}", 0, kind=kind, by="Sato", until_s=99) for i, kind in enumerate(kinds)]
    answers = COLD.on_commands(rows, now, commands)
    assert [(d.index, str(d.transition.type)) for d in answers] == [(0, "acknowledged"), (1, "snoozed")]
    assert rows["snoozed_until"].tolist() == [0, 99, 0, 99]
    assert rows["acknowledged"].tolist() == [1, 0, 0, 0]


DAYS = st.integers(0, 250)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), DAYS, DAYS, st.just((0, 0)) | st.tuples(DAYS, DAYS))
def test_an_episode_opens_in_the_first_second_in_which_nothing_holds_it_and_the_risk_is_over(
    gaps, snoozed_day, closed_day, told_days
):
    """Whatever holds it back, no look is missing and none comes late: cool-down, snooze, damping or dwell."""
    days = np.cumsum(gaps)
    rows = customer(*((int(day), Channel.ORDER) for day in days), target=TARGET)
    last_s = int(rows["last_at"][0, Channel.ORDER])
    rows["snoozed_until"], rows["closed_at"] = START_S + snoozed_day * DAY_S, START_S + closed_day * DAY_S
    rows["outcome_at"][0] = [START_S + day * DAY_S if day else 0 for day in told_days]
    free_s = int(settled_at(POLICY, rows, TARGET)[0])
    COLD.on_events(rows, np.array([last_s]), np.array([Channel.ORDER]))
    while not rows["level"][0] and not rows["expired"][0]:
        at_s = int(rows["due_at"][0])
        decisions = COLD.look(rows, np.array([at_s])).decisions
    if rows["level"][0]:
        before, now = (float(COLD.scorer.probabilities(rows, second)[0]) for second in (at_s - 1, at_s))
        assert decisions[0].probability == now >= POLICY.enter[0]
        assert at_s >= free_s
        assert at_s == free_s or before < POLICY.enter[0]
    else:
        expires_s = last_s + POLICY.expire_s
        assert free_s >= expires_s or float(COLD.scorer.probabilities(rows, expires_s - 1)[0]) < POLICY.enter[0]


@pytest.mark.parametrize("cause", [Cause.SILENCE, Cause.EXPIRY])
def test_nobody_at_all_is_no_case_of_its_own(cause):
    nobody = np.array([], np.int64)
    decisions, held = DECIDER.decide(new_rows(0), nobody, nobody.astype(float), np.array([], np.int64) + cause)
    assert (decisions, held.size) == ([], 0)
