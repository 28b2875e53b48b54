"""What holds an episode back and what people say about one; the table that decides, against the document for people."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.commands import Command, CommandKind
from models.events import Channel
from models.levels import ALERT_LEVELS, LEVELS, Level
from models.life_cycle import RULES, Case, rule_of, step
from models.life_cycle_document import document
from models.policy import STEP_EXPIRED, STEP_RECOVERED, Cause, Episode, Moment, Policy, Transition
from models.target import DAY_S
from tests.documents import ROOT

POLICY = Policy(
    dwell_s=3 * DAY_S, expire_s=182 * DAY_S, enter=(0.60, 0.75, 0.90), exit=(0.50, 0.65, 0.80), cool_down_s=10 * DAY_S
)
COMMANDS = {Cause.ACKNOWLEDGEMENT: CommandKind.ACK, Cause.SNOOZE: CommandKind.SNOOZE}


class Story:
    """One customer whose last activity was on day 0, told by day; `news` collects what is published."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy, self.episode, self.last_activity_at_s = policy, Episode(), 0
        self.transitions: list[Transition] = []

    def silence(self, day: float, p: float, **holds: int) -> "Story":
        return self.look(day, p, Cause.SILENCE, **holds)

    def orders(self, day: float) -> "Story":
        self.last_activity_at_s = int(day * DAY_S)
        return self.look(day, 0.1, Cause.MAIN_EVENT, channel=Channel.ORDER)

    def logs_in(self, day: float, p: float) -> "Story":
        self.last_activity_at_s = int(day * DAY_S)
        return self.look(day, p, Cause.ACTIVITY, channel=Channel.LOGIN)

    def says(self, day: float, cause: Cause, until_day: float = 0) -> "Story":
        now_ms, until_s = int(day * DAY_S) * 1000, int(until_day * DAY_S)
        command_id = f"k{len(self.transitions)}-{day}"
        said = Command.of("c1", command_id, now_ms, kind=COMMANDS[cause], by="Sato", until_s=until_s)
        return self.look(day, 0.7, cause, command=said)

    def ack(self, day: float) -> "Story":
        return self.says(day, Cause.ACKNOWLEDGEMENT)

    def snooze(self, day: float, until_day: float) -> "Story":
        return self.says(day, Cause.SNOOZE, until_day)

    def look(self, day: float, p: float, cause: Cause, **known) -> "Story":
        moment = Moment(int(day * DAY_S), p, cause, self.last_activity_at_s, **known)
        self.episode, transitions = step(self.policy, self.episode, moment)
        self.transitions += transitions
        return self

    @property
    def news(self) -> list[str]:
        return [f"{t.type} {LEVELS[t.level].name}" for t in self.transitions]


class TestCoolDown:
    def test_after_an_episode_nothing_opens_until_the_cool_down_is_over(self):
        story = Story().silence(20, 0.6).orders(21)
        assert story.silence(30.9, 0.95).news == ["opened watch", "recovered healthy"]
        assert story.silence(31, 0.95).news[2:] == ["opened critical"]

    def test_it_runs_from_the_end_of_the_last_episode_and_not_from_the_first(self):
        story = Story().silence(20, 0.6).orders(21).silence(31, 0.6).orders(35)
        assert story.silence(44.9, 0.6).news[-1] == "recovered healthy"
        assert story.silence(45, 0.6).news[-1] == "opened watch"

    def test_whoever_returns_after_being_given_up_cools_down_from_the_return(self):
        story = Story().silence(20, 0.9).look(182, 0.9, Cause.EXPIRY).orders(200)
        assert story.silence(209.9, 0.9).news[-1] == "recovered healthy"
        assert story.silence(210, 0.9).news[-1] == "opened critical"

    def test_it_holds_no_open_episode_back(self):
        story = Story().silence(20, 0.6).orders(21).silence(31, 0.6)
        assert story.silence(32, 0.8).news[-1] == "escalated at_risk"

    def test_a_first_episode_waits_for_nothing(self):
        assert Story().silence(3, 0.6).news == ["opened watch"]

    def test_a_negative_one_is_refused(self):
        with pytest.raises(ValueError, match="cool_down_s"):
            replace(POLICY, cool_down_s=-1)


class TestDwell:
    def test_a_visit_holds_a_level_back_until_the_last_main_event_is_a_horizon_old(self):
        lost_s = 91 * DAY_S
        story = Story().logs_in(90, p=0.95).silence(90.9, 0.95, lost_at_s=lost_s)
        assert story.news == []
        assert story.silence(91, 0.6, lost_at_s=lost_s).news == ["opened watch"]
        assert story.logs_in(95, p=0.95).silence(95.1, 0.95, lost_at_s=lost_s).news[1:] == ["escalated critical"]

    def test_before_that_it_is_all_that_counts(self):
        assert Story().logs_in(20, p=0.95).silence(22.9, 0.95, lost_at_s=91 * DAY_S).news == []
        assert Story().logs_in(20, p=0.95).silence(23, 0.95, lost_at_s=91 * DAY_S).news == ["opened critical"]

    def test_a_lost_customer_still_waits_for_cool_down_and_snooze(self):
        lost_s = 91 * DAY_S
        story = Story().silence(80, 0.6).logs_in(90, p=0.1)
        assert story.silence(99.9, 0.95, lost_at_s=lost_s).news == ["opened watch", "recovered healthy"]
        assert story.silence(100, 0.95, lost_at_s=lost_s).news[2:] == ["opened critical"]
        assert Story().snooze(90, until_day=120).silence(100, 0.95, lost_at_s=lost_s).news == []


def test_while_too_many_outcomes_are_awaited_no_other_episode_opens():
    story = Story().silence(20, 0.95, damped_until_s=30 * DAY_S)
    assert story.news == []
    assert story.silence(30, 0.95, damped_until_s=30 * DAY_S).news == ["opened critical"]


def test_damping_holds_no_open_episode_back():
    assert Story().silence(20, 0.6).silence(21, 0.8, damped_until_s=30 * DAY_S).news[-1] == "escalated at_risk"


class TestNoRoom:
    def test_without_room_nothing_opens_and_nobody_is_asked_again_before_the_next_turn(self):
        story = Story().silence(20, 0.95, full_until_s=21 * DAY_S)
        assert (story.news, story.episode) == ([], Episode(snoozed_until_s=21 * DAY_S))
        assert story.silence(20.5, 0.95).news == []
        assert story.silence(21, 0.95).news == ["opened critical"]

    def test_an_open_episode_needs_no_room(self):
        assert Story().silence(20, 0.6).silence(21, 0.8, full_until_s=22 * DAY_S).news[-1] == "escalated at_risk"


class TestSnooze:
    def test_nothing_opens_before_it_ends(self):
        story = Story().snooze(10, until_day=40).silence(39.9, 0.95)
        assert story.news == []
        assert story.silence(40, 0.95).news == ["opened critical"]

    def test_an_open_episode_answers_and_stays_open(self):
        story = Story().silence(20, 0.6).snooze(21, until_day=40)
        assert story.news == ["opened watch", "snoozed watch"]
        assert (story.episode.level, story.transitions[1].command.by) == (Level.WATCH, "Sato")

    def test_a_snoozed_episode_that_gets_worse_speaks_and_the_snooze_is_over(self):
        story = Story().silence(20, 0.6).snooze(21, until_day=60).silence(30, 0.8)
        assert story.news[-1] == "escalated at_risk"
        story.orders(31).silence(41, 0.6)
        assert story.news[-2:] == ["recovered healthy", "opened watch"]

    def test_a_rise_to_where_people_believed_it_already_leaves_the_snooze_alone(self):
        story = Story().silence(20, 0.8).logs_in(21, 0.55).snooze(22, until_day=60).silence(30, 0.8)
        assert story.news == ["opened at_risk", "snoozed watch"]
        assert story.episode.snoozed_until_s == 60 * DAY_S

    def test_its_end_is_told_although_snoozed(self):
        story = Story().silence(20, 0.6).snooze(21, until_day=60)
        assert story.orders(30).silence(59.9, 0.95).news[-1] == "recovered healthy"
        assert story.silence(60, 0.95).news[-1] == "opened critical"

    def test_another_one_takes_the_place_of_the_first_and_one_that_ends_at_once_ends_it(self):
        story = Story().snooze(10, until_day=40).snooze(11, until_day=20)
        assert story.episode.snoozed_until_s == 20 * DAY_S
        assert story.snooze(12, until_day=12).silence(13, 0.6).news == ["opened watch"]


class TestAcknowledgement:
    def test_it_is_answered_and_remembered_until_the_next_episode(self):
        story = Story().silence(20, 0.6).ack(21)
        assert story.news == ["opened watch", "acknowledged watch"]
        assert story.silence(30, 0.8).orders(31).episode.acknowledged == Level.WATCH
        assert story.silence(60, 0.8).episode.acknowledged == 0

    def test_everybody_who_takes_care_is_answered(self):
        story = Story().silence(20, 0.6).ack(21).ack(22)
        assert story.news[1:] == ["acknowledged watch"] * 2
        first, second = (t.alert_id("c1") for t in story.transitions[1:])
        assert first != second

    def test_without_an_open_episode_it_is_nothing(self):
        assert (Story().ack(5).news, Story().ack(5).episode) == ([], Episode())


def test_a_recovery_says_what_brought_the_customer_back_and_nothing_else_does():
    story = Story().silence(20, 0.6).logs_in(21, 0.7).silence(30, 0.8).logs_in(31, 0.2).silence(60, 0.8).orders(61)
    assert [(str(t.type), t.channel) for t in story.transitions] == [
        ("opened", None), ("escalated", None), ("recovered", Channel.LOGIN), ("opened", None),
        ("recovered", Channel.ORDER),
    ]  # fmt: skip


# -- the table


def cases():
    """Every kind of episode at every kind of moment."""
    ends = [(0, False), (STEP_RECOVERED, False), (STEP_EXPIRED, True), (0, True), (STEP_RECOVERED, True)]
    episodes = [Episode(level, 1, told, 10, 5) for level in ALERT_LEVELS for told in range(level, 4)]
    episodes += [Episode(number=int(told > 0), step=told, expired=expired, anchor_at_s=5) for told, expired in ends]
    said = Command.of("c1", "k1", 0, kind=CommandKind.SNOOZE, by="Sato", until_s=99 * DAY_S)
    for episode, cause, p, silent_s, full in itertools.product(
        episodes, Cause, (0.0, 0.5, 0.6, 0.65, 0.75, 0.8, 0.9, 1.0), (0, 3 * DAY_S), (False, True)
    ):
        for at_s in (5, 50 * DAY_S):
            command = said if cause in COMMANDS else None
            full_s = at_s + 1 if full else 0
            yield Case(POLICY, episode, Moment(at_s, p, cause, at_s - silent_s, None, command, 0, full_s))


def test_every_rule_of_the_table_decides_some_case():
    decided = {rule_of(case) for case in cases()} - {None}
    assert decided == set(RULES)


def test_where_no_rule_holds_nothing_changes_and_where_one_holds_it_alone_says_what_is_news():
    for case in cases():
        rule = rule_of(case)
        after, news = step(*case)
        assert [t.type for t in news] == ([rule.news] if rule and rule.news else [])
        assert after == (rule.then(case) if rule else case.episode)


def test_the_document_is_the_one_that_the_code_writes():
    """`python -m models.life_cycle_document > deploy/LIFE-CYCLE.md` brings it up to date."""
    assert (ROOT / "deploy" / "LIFE-CYCLE.md").read_text(encoding="utf-8") == document()


@given(st.lists(st.tuples(st.sampled_from(Cause), st.floats(0, 1), st.floats(0, 9)), max_size=40))
def test_whatever_people_say_an_episode_still_opens_first_rises_strictly_and_ends_once(looks):
    story, day = Story(), 1.0
    for cause, p, gap_days in looks:
        day += gap_days
        if cause in COMMANDS:
            story.says(day, cause, until_day=day + 9 * p)
        elif cause in {Cause.ACTIVITY, Cause.MAIN_EVENT}:
            story.last_activity_at_s = int(day * DAY_S)
            story.look(day, p, cause)
        else:
            story.look(day, p, cause, full_until_s=int((day + 1) * DAY_S) if p > 0.95 else 0)
    told = [t for t in story.transitions if t.command is None]
    by_number = {number: list(group) for number, group in itertools.groupby(told, key=lambda t: t.number)}
    assert list(by_number) == list(range(1, len(by_number) + 1))
    for group in by_number.values():
        assert group[0].type == "opened"
        assert all(a.step < b.step for a, b in itertools.pairwise(group))
    assert len({t.alert_id("c1") for t in story.transitions}) == len(story.transitions)
