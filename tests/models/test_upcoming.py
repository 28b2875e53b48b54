"""Who is listed really becomes news at that second, and who becomes news was listed."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.events import Channel
from models.levels import ALERT_LEVELS, Level
from models.policy import Policy, TransitionType
from models.scorer import Scorer
from models.target import DAY_S, Target
from models.upcoming import Crossing, upcoming
from models.watch import Watch
from tests.models.histories import NOW_S, customer, learnt_model, random_rows

TARGET = Target(Channel.ORDER, 91 * DAY_S)
POLICY = Policy.for_target(TARGET)
FORGET_S = POLICY.expire_s + 3 * TARGET.horizon_s
COLD = Watch(Scorer.cold(TARGET), POLICY, TARGET, FORGET_S)
LEARNT = Watch(Scorer.of(learnt_model(target=TARGET).snapshot()), POLICY, TARGET, FORGET_S)
both = pytest.mark.parametrize("watch", [COLD, LEARNT], ids=["cold", "learnt"])
ORDER, LOGIN = Channel.ORDER, Channel.LOGIN


@functools.cache
def shop(watch, n=120, seed=2):
    """Customers of all kinds as a worker leaves them at NOW_S: every look taken, every next one planned."""
    rows = random_rows(n, seed, TARGET)
    rows = rows[rows["last_at"].max(axis=1) > 0]
    watch.on_events(rows, rows["last_at"].max(axis=1).astype(np.int64), np.zeros(len(rows), np.uint8))
    list(live(watch, rows, NOW_S))
    rows.flags.writeable = False
    return rows


def live(watch, rows, until_s):
    """Let time pass, look by look; gives row and transition, those of one row as they come."""
    for number in range(len(rows)):
        row = rows[number : number + 1]
        while 0 < row["due_at"][0] <= until_s:
            found = watch.look(row, row["due_at"].astype(np.int64))
            yield from ((number, decision.transition) for decision in found.decisions)
            if found.forgotten.size:
                row["due_at"] = 0


def first_rises(watch, rows, until_s, least):
    """The first alert about each row, by living through it."""
    first = {}
    for number, news in live(watch, rows.copy(), until_s):
        if news.type in (TransitionType.OPENED, TransitionType.ESCALATED) and news.level >= least:
            first.setdefault(number, Crossing(number, news.level, news.at_s))
    return sorted(first.values(), key=lambda one: (one.at_s, one.row))


@both
@pytest.mark.parametrize("least", ALERT_LEVELS)
def test_the_list_is_what_time_brings(watch, least):
    rows = shop(watch)
    listed = upcoming(watch, rows, NOW_S + 60 * DAY_S, least)
    assert listed == first_rises(watch, rows, NOW_S + 60 * DAY_S, least)
    assert {crossing.level for crossing in listed} >= {least}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3), st.integers(0, 40), st.sampled_from(ALERT_LEVELS))
def test_a_shorter_time_lists_the_beginning_of_a_longer_one(seed, days, least):
    rows = shop(COLD, n=50, seed=seed)
    longer = upcoming(COLD, rows, NOW_S + 40 * DAY_S, least)
    until_s = NOW_S + days * DAY_S
    assert upcoming(COLD, rows, until_s, least) == [found for found in longer if found.at_s <= until_s]


def test_looking_ahead_changes_nothing():
    rows = shop(LEARNT)
    before = rows.tobytes()
    upcoming(LEARNT, rows, NOW_S + 40 * DAY_S)
    assert rows.tobytes() == before


@both
def test_a_customer_is_listed_alone_as_among_others(watch, monkeypatch):
    rows = shop(watch, n=30)
    together = upcoming(watch, rows, NOW_S + 30 * DAY_S)
    alone = [one for i in range(len(rows)) for one in upcoming(watch, rows[i : i + 1], NOW_S + 30 * DAY_S)]
    monkeypatch.setattr("models.upcoming._BLOCK", 7)
    assert upcoming(watch, rows, NOW_S + 30 * DAY_S) == together
    assert sorted(one.at_s for one in alone) == [one.at_s for one in together]


class TestWho:
    """One customer; today is the day of the question."""

    @staticmethod
    def ask(rows, today, *, within=150, least=Level.WATCH):
        """Days and levels of the crossing, after everything up to today."""
        start_s = NOW_S - 400 * DAY_S
        watched = np.array([rows["last_at"].max()], np.int64)
        COLD.on_events(rows, watched, np.zeros(1, np.uint8))
        list(live(COLD, rows, start_s + today * DAY_S))
        found = upcoming(COLD, rows, start_s + (today + within) * DAY_S, least)
        return [(one.level, (one.at_s - start_s) // DAY_S) for one in found]

    def test_a_healthy_customer_is_listed_with_the_first_level_of_their_silence(self):
        ((level, day),) = self.ask(customer((0, ORDER), target=TARGET), today=1)
        assert level == Level.WATCH and day > 1

    def test_who_is_told_about_already_is_listed_with_the_next_level(self):
        ((_, day),) = self.ask(customer((0, ORDER), target=TARGET), today=1)
        ((level, later),) = self.ask(customer((0, ORDER), target=TARGET), today=day + 1)
        assert (level, later > day) == (Level.AT_RISK, True)

    def test_a_level_asked_for_is_found_behind_those_before_it(self):
        ((level, day),) = self.ask(customer((0, ORDER), target=TARGET), today=1, least=Level.AT_RISK)
        assert level == Level.AT_RISK
        assert day > self.ask(customer((0, ORDER), target=TARGET), today=1)[0][1]

    def test_who_counts_as_churned_before_the_level_is_not_listed(self):
        """A one-time buyer never becomes critical."""
        assert self.ask(customer((0, ORDER), target=TARGET), today=1, least=Level.CRITICAL) == []

    def test_somebody_who_never_ordered_is_never_listed(self):
        assert self.ask(customer((0, LOGIN), (1, LOGIN), target=TARGET), today=2) == []

    def test_nobody_who_is_lost_or_critical_already_is_listed(self):
        regular = customer(*((day, ORDER) for day in range(0, 120, 5)), target=TARGET)
        lost = 115 + POLICY.expire_s // DAY_S
        assert self.ask(regular.copy(), today=lost - 1) == []
        assert self.ask(regular.copy(), today=lost + 1) == []


def test_of_nobody_there_is_nothing_to_say():
    assert upcoming(COLD, random_rows(0), NOW_S) == []
