"""Every told episode gets exactly one outcome, at its second, whatever happened meanwhile; who is lost counts once."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.apply import Outcome, apply_round
from models.episode_outcomes import OutcomeName, has_room, next_outcome_at, note_news, outcome_id, returned
from models.events import Channel
from models.levels import Level
from models.policy import Cause, Policy, Transition, TransitionType
from models.row_v2 import note_told
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target
from models.watch import Watch
from tests.models.histories import START_S
from tests.streams.engine.fakes import one_event

H = 28 * DAY_S
TARGET = Target(Channel.ORDER, H)
POLICY = Policy.for_target(TARGET)
WATCH = Watch(Scorer.cold(TARGET), POLICY, TARGET, POLICY.expire_s + 2 * H)
ORDER, LOGIN = Channel.ORDER, Channel.LOGIN
END = 2**40
some_lives = settings(max_examples=40)  # each is dozens of looks, and ends with a customer forgotten

# (seconds since the one before, channel); long enough apart for episodes to open in between
EVENTS = st.lists(
    st.tuples(st.sampled_from([1, 2 * DAY_S, 9 * DAY_S, 21 * DAY_S, H, 40 * DAY_S]), st.sampled_from(list(Channel))),
    max_size=14,
)


def happened(events):
    """Everything that becomes of one customer until forgotten: news, outcomes and losses, in order."""
    rows, at_s = new_rows(1), START_S
    moments = [(at_s := at_s + gap_s, channel) for gap_s, channel in events]
    told, outcomes, losses = [], [], []
    for offset, (event_s, channel) in enumerate([*moments, (END, None)]):
        while 0 < (due_s := int(rows["due_at"][0])) <= event_s:
            found = WATCH.look(rows, np.array([due_s]))
            told += [decision.transition for decision in found.decisions]
            outcomes += found.outcomes
            losses += [(due_s, lost) for lost in found.lost]
            if found.forgotten.size:
                return told, outcomes, losses
        if channel is not None:
            assert apply_round(rows, one_event(event_s, channel, offset), TARGET).tolist() == [Outcome.APPLIED]
            outcomes += returned(rows, np.array([event_s]), np.array([channel == ORDER]), TARGET)
            told += [d.transition for d in WATCH.on_events(rows, np.array([event_s]), np.array([channel]))]
    return told, outcomes, losses


def order_times(events):
    times = itertools.accumulate((gap_s for gap_s, _ in events), initial=START_S)
    return [at_s for at_s, (_, channel) in zip(list(times)[1:], events, strict=True) if channel == ORDER]


def opened_in(told):
    return [news for news in told if news.type == TransitionType.OPENED]


class TestOutcomes:
    @some_lives
    @given(EVENTS)
    def test_every_told_episode_gets_exactly_one_outcome(self, events):
        told, outcomes, _ = happened(events)
        assert sorted(outcome.number for outcome in outcomes) == [news.number for news in opened_in(told)]

    @some_lives
    @given(EVENTS)
    def test_it_says_whether_a_main_event_came_within_the_horizon_from_the_alert_and_when(self, events):
        told, outcomes, _ = happened(events)
        opened = {news.number: news for news in opened_in(told)}
        for outcome in outcomes:
            news = opened[outcome.number]
            back = [at_s for at_s in order_times(events) if news.at_s <= at_s < news.at_s + H]
            expected = (OutcomeName.RETURNED, min(back)) if back else (OutcomeName.CHURNED, news.at_s + H)
            assert (outcome.outcome, outcome.at_s) == expected
            assert (outcome.told_at_s, outcome.anchor_at_s) == (news.at_s, news.anchor_at_s)

    @some_lives
    @given(EVENTS)
    def test_it_names_the_first_and_the_highest_level_told_by_then_and_how_often_people_were_warned(self, events):
        told, outcomes, _ = happened(events)
        for outcome in outcomes:
            rises = [
                news.level for news in told
                if news.number == outcome.number and news.at_s <= outcome.at_s
                and news.type in {TransitionType.OPENED, TransitionType.ESCALATED}
            ]  # fmt: skip
            assert (outcome.first_level, outcome.level, outcome.warnings) == (rises[0], max(rises), len(rises))

    @some_lives
    @given(EVENTS)
    def test_no_more_than_two_episodes_await_their_outcome_at_any_time(self, events):
        told, outcomes, _ = happened(events)
        known_at = {outcome.number: outcome.at_s for outcome in outcomes}
        for news in opened_in(told):
            waiting = [one for one in opened_in(told) if one.at_s <= news.at_s < known_at[one.number]]
            assert len(waiting) <= 2

    def test_an_escalation_raises_the_level_of_its_own_episode_only(self):
        rows = new_rows(1)
        first = news_of(number=1, at_s=100, level=Level.WATCH)
        note_news(rows[0], first)
        note_news(rows[0], news_of(number=2, at_s=200, level=Level.WATCH))
        note_news(rows[0], replace(first, type=TransitionType.ESCALATED, level=Level.CRITICAL, at_s=300))
        one, two = returned(rows, np.array([400]), np.array([True]), TARGET)
        assert (one.number, one.first_level, one.level, one.warnings) == (1, Level.WATCH, Level.CRITICAL, 2)
        assert (two.number, two.first_level, two.level, two.warnings) == (2, Level.WATCH, Level.WATCH, 1)
        assert rows.tobytes() == new_rows(1).tobytes(), "nothing is awaited any more"

    def test_an_end_of_the_episode_is_no_outcome(self):
        rows = new_rows(1)
        opened = news_of(number=1, at_s=100, level=Level.AT_RISK)
        note_news(rows[0], opened)
        before = rows.copy()
        for type_ in (TransitionType.RECOVERED, TransitionType.EXPIRED):
            note_news(rows[0], replace(opened, type=type_, at_s=200))
        assert rows.tobytes() == before.tobytes()
        assert next_outcome_at(rows, TARGET).tolist() == [100 + H]

    def test_a_main_event_before_the_alert_or_a_horizon_after_it_is_no_return(self):
        rows = new_rows(1)
        note_news(rows[0], news_of(number=1, at_s=100, level=Level.AT_RISK))
        for at_s in (99, 100 + H):
            assert returned(rows, np.array([at_s]), np.array([True]), TARGET) == []
        assert returned(rows, np.array([200]), np.array([False]), TARGET) == [], "and a login is none either"

    def test_a_third_episode_is_refused_rather_than_an_outcome_lost(self):
        rows = new_rows(1)
        for number in (1, 2):
            assert has_room(rows).tolist() == [True]
            note_news(rows[0], news_of(number=number, at_s=number * 100, level=Level.WATCH))
        assert has_room(rows).tolist() == [False]
        with pytest.raises(ValueError, match="awaited"):
            note_news(rows[0], news_of(number=3, at_s=300, level=Level.WATCH))

    def test_an_episode_of_an_earlier_release_gets_its_outcome_without_the_first_level(self):
        rows = new_rows(1)
        rows["level"], rows["step"], rows["episode"], rows["opened_at"], rows["anchor_at"] = 1, 3, 7, 200, 100
        note_told(rows[0])
        (outcome,) = returned(rows, np.array([300]), np.array([True]), TARGET)
        assert (outcome.number, outcome.anchor_at_s, outcome.told_at_s) == (7, 100, 200)
        assert (outcome.first_level, outcome.level, outcome.warnings) == (None, Level.CRITICAL, 1)

    def test_the_id_depends_on_customer_and_episode_alone(self):
        ids = [outcome_id(*what) for what in (("c1", 1, 100), ("c1", 2, 100), ("c1", 1, 101), ("c2", 1, 100))]
        assert len(set(ids)) == 4
        assert ids[0] == outcome_id("c1", 1, 100)


class TestLost:
    @some_lives
    @given(EVENTS)
    def test_who_stays_away_for_a_horizon_is_lost_once_a_silence_at_that_very_second(self, events):
        _, _, losses = happened(events)
        orders = [*order_times(events), END]
        assert [at_s for at_s, _ in losses] == [
            at_s + H for at_s, following in itertools.pairwise(orders) if following >= at_s + H
        ]

    @some_lives
    @given(EVENTS)
    def test_lead_time_and_level_are_those_of_what_was_told_in_this_silence(self, events):
        told, _, losses = happened(events)
        for at_s, lost in losses:
            rises = [
                news for news in told
                if news.type in {TransitionType.OPENED, TransitionType.ESCALATED} and at_s - H < news.at_s < at_s
            ]  # fmt: skip
            assert lost.level == max((news.level for news in rises), default=Level.HEALTHY)
            assert lost.lead_s == (at_s - rises[0].at_s if rises else 0)


def news_of(*, number, at_s, level):
    return Transition(
        TransitionType.OPENED, level, Level.HEALTHY, at_s=at_s, number=number, step=int(level), opened_at_s=at_s,
        anchor_at_s=at_s - 50, cause=Cause.SILENCE,
    )  # fmt: skip
