"""Watching customers: whoever looks, whenever and however often, finds the same and always has a next time to look."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.apply import Outcome, apply_round
from models.crossing import next_crossing
from models.episodes import episodes_of, last_activity_at
from models.events import Channel
from models.levels import Level
from models.pending import FROZEN, STEP_RESOLVED, next_label_at
from models.policy import Policy, TransitionType
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target
from models.watch import Watch
from tests.models.histories import START_S, learnt_model, random_rows
from tests.streams.engine.fakes import one_event

H = 28 * DAY_S
TARGET = Target(Channel.ORDER, H)
STEP = TARGET.step_s
POLICY = Policy.for_target(TARGET)
FORGET_S = POLICY.expire_s + 3 * H
COLD = Watch(Scorer.cold(TARGET), POLICY, TARGET, FORGET_S)
LEARNT = Watch(Scorer.of(learnt_model(target=TARGET).snapshot()), POLICY, TARGET, FORGET_S)
WATCHES = st.sampled_from([COLD, LEARNT])
ORDER, LOGIN = Channel.ORDER, Channel.LOGIN
NEVER = 2**40

# (seconds since the one before, channel)
EVENTS = st.lists(
    st.tuples(st.sampled_from([1, 3_600, 5 * DAY_S, 20 * DAY_S, 45 * DAY_S]), st.sampled_from(list(Channel))),
    max_size=12,
)


def seconds(*values):
    return np.array(values, np.int64)


def happen(watch, rows, at_s, channel, offset):
    """Apply one event to a single customer."""
    assert apply_round(rows, one_event(at_s, channel, offset), TARGET).tolist() == [Outcome.APPLIED]
    return watch.on_events(rows, seconds(at_s), np.array([channel]))


def live(watch, events, until_s=NEVER, start_s=START_S):
    """One customer's events and looks in order; yields (second, rows, decisions, findings or None) after each.

    Until nothing is due any more, or the customer is forgotten.
    """
    rows, at_s = new_rows(1), start_s
    moments = [(at_s := at_s + gap_s, channel) for gap_s, channel in events]
    for offset, (event_s, channel) in enumerate([*moments, (until_s, None)]):
        while 0 < (due_s := int(rows["due_at"][0])) <= event_s:
            found = watch.look(rows, seconds(due_s))
            yield due_s, rows, found.decisions, found
            if found.forgotten.size:
                return
        if channel is not None:
            yield event_s, rows, happen(watch, rows, event_s, channel, offset), None


def told(watch, events, **options):
    return [decision.transition for _, _, decisions, _ in live(watch, events, **options) for decision in decisions]


class TestDue:
    """`due_at` is the one thing that brings a silent customer back to anybody's mind."""

    @given(WATCHES, EVENTS)
    def test_the_next_look_is_always_later_than_this_one(self, watch, events):
        for at_s, rows, _, _ in live(watch, events):
            assert rows["due_at"][0] > at_s

    @given(WATCHES, EVENTS.filter(bool))
    def test_everybody_is_forgotten_in_the_end_and_after_a_bounded_number_of_looks(self, watch, events):
        *_, (at_s, rows, _, found) = steps = list(live(watch, events))
        assert found.forgotten.tolist() == [0]
        assert at_s == last_activity_at(rows)[0] + FORGET_S
        assert len(steps) < 40 + 12 * len(events)

    @given(EVENTS.filter(bool))
    def test_nothing_is_left_behind_its_time(self, events):
        """Whatever was due by a look has been done by it: examples, expiry, and a rise that the model sees."""
        for at_s, rows, _, found in live(COLD, events):
            if found is None or found.forgotten.size:
                continue
            label_at = int(next_label_at(rows, TARGET)[0])
            assert label_at == 0 or label_at > at_s
            last_at = int(rows["last_at"][0, ORDER])
            assert rows["expired"][0] == (0 < last_at <= at_s - POLICY.expire_s)

    def test_the_first_look_after_an_event_is_no_earlier_than_the_end_of_the_dwell(self):
        rows = new_rows(1)
        happen(COLD, rows, START_S, ORDER, 0)
        assert rows["due_at"][0] == min(START_S + POLICY.dwell_s, int(next_label_at(rows, TARGET)[0]))

    @pytest.mark.parametrize("visit_s", [DAY_S, 3_600])
    def test_a_visitor_costs_no_crossing_before_a_horizon_without_an_order_and_then_one_a_dwell(
        self, visit_s, monkeypatch
    ):
        """Labels may bring one more look each."""
        solved = []
        monkeypatch.setattr(
            "models.watch.next_crossing", lambda *args: solved.append(int(args[2][0])) or next_crossing(*args)
        )
        lost_s = START_S + visit_s + H
        news = told(LEARNT, [(visit_s, ORDER)] + [(visit_s, LOGIN)] * (2 * H // visit_s))
        solved = [at_s for at_s in solved if at_s <= START_S + 2 * H]
        assert lost_s <= solved[0] <= lost_s + POLICY.dwell_s
        assert 2 <= len(solved) <= (START_S + 2 * H - lost_s) // POLICY.dwell_s + 3
        levels = [t.level for t in news if t.type in {TransitionType.OPENED, TransitionType.ESCALATED}]
        assert levels, "who comes by all the time is told about in the end"
        assert levels == sorted(set(levels)), "once a level"


class TestTwice:
    @given(WATCHES, EVENTS.filter(bool), st.integers(0, 60))
    def test_a_second_look_at_the_same_second_finds_nothing_and_changes_nothing(self, watch, events, n):
        for at_s, rows, _, found in itertools.islice(live(watch, events), n, n + 1):
            if found is not None and not found.forgotten.size:
                again = rows.copy()
                twice = watch.look(again, seconds(at_s))
                assert (twice.decisions, twice.resolved) == ([], None)
                assert again.tobytes() == rows.tobytes()

    @given(WATCHES, EVENTS.filter(bool), st.integers(0, 60), st.floats(0.01, 0.99))
    def test_a_look_before_anything_is_due_tells_nothing(self, watch, events, n, part):
        for at_s, rows, _, found in itertools.islice(live(watch, events), n, n + 1):
            if found is not None and found.forgotten.size:
                continue
            early = rows.copy()
            due_s = int(rows["due_at"][0])
            early_s = min(due_s - 1, at_s + 1 + int(part * (due_s - at_s)))
            looked = watch.look(early, seconds(early_s))
            assert [d.transition.type for d in looked.decisions] == []
            assert looked.resolved is None
            assert episodes_of(early) == episodes_of(rows)


class TestAlerts:
    @given(WATCHES, st.lists(st.tuples(st.integers(1, 60 * DAY_S), st.sampled_from([LOGIN, Channel.EMAIL_OPEN]))))
    def test_whoever_never_ordered_cannot_stop_ordering(self, watch, events):
        for _, rows, decisions, found in live(watch, events):
            assert decisions == []
            assert found is None or found.resolved is None
            assert rows["level"][0] == 0

    @given(WATCHES, EVENTS)
    def test_an_episode_is_opened_once_only_rises_and_ends_once(self, watch, events):
        by_number = {}
        for transition in told(watch, events):
            by_number.setdefault(transition.number, []).append(transition)
        assert list(by_number) == list(range(1, len(by_number) + 1))
        for news in by_number.values():
            types = [transition.type for transition in news]
            assert types[0] == TransitionType.OPENED
            assert types.count(TransitionType.OPENED) == 1
            steps = [transition.step for transition in news]
            assert steps == sorted(set(steps))
            rises = [t.level for t in news if t.type in {TransitionType.OPENED, TransitionType.ESCALATED}]
            assert rises == sorted(set(rises))

    def test_a_customer_who_stops_is_told_about_step_by_step(self):
        every = told(COLD, [(DAY_S, ORDER)] * 28)
        news = [transition for transition in every if transition.number == every[-1].number]
        assert [str(t.type) for t in news] == ["opened", "escalated", "escalated", "expired"]
        assert [t.level for t in news] == [Level.WATCH, Level.AT_RISK, Level.CRITICAL, Level.CHURNED]
        assert news[-1].at_s == START_S + 28 * DAY_S + POLICY.expire_s

    def test_a_rise_is_told_in_the_second_in_which_it_comes_true(self):
        weekly = [(7 * DAY_S, ORDER)] * 10
        for at_s, rows, decisions, _ in live(COLD, weekly):
            for decision in decisions:
                if decision.transition.type in {TransitionType.OPENED, TransitionType.ESCALATED}:
                    threshold = POLICY.enter[decision.transition.level - 1]
                    before, now = (COLD.scorer.probabilities(rows, at)[0] for at in (at_s - 60, at_s))
                    assert before < threshold <= now == decision.probability


class TestTogether:
    """What is found about a customer does not depend on who is looked at beside them."""

    @pytest.mark.parametrize("watch", [COLD, LEARNT], ids=["cold", "learnt"])
    def test_looking_at_many_is_looking_at_each(self, watch):
        rows = random_rows(200, seed=4, target=TARGET)
        at_s = last_activity_at(rows) + np.random.default_rng(1).integers(1, 80 * DAY_S, len(rows))
        together, alone = rows.copy(), rows.copy()
        found = watch.look(together, at_s)
        singles = [watch.look(alone[i : i + 1], at_s[i : i + 1]) for i in range(len(rows))]
        assert together.tobytes() == alone.tobytes()
        assert [(d.index, d.transition, d.probability) for d in found.decisions] == [
            (i, d.transition, d.probability) for i, single in enumerate(singles) for d in single.decisions
        ]
        assert found.forgotten.tolist() == [i for i, single in enumerate(singles) if single.forgotten.size]
        assert found.resolved_index.tolist() == [i for i, single in enumerate(singles) if single.resolved_index.size]

    def test_nobody_at_all_is_no_case_of_its_own(self):
        nobody = new_rows(0)
        found = COLD.look(nobody, seconds())
        assert (found.decisions, found.resolved, found.forgotten.size) == ([], None, 0)
        assert COLD.on_events(nobody, seconds(), np.array([], np.uint8)) == []
        COLD.plan(nobody, seconds())


class TestExamples:
    """An example is frozen with what was known and given back a step and a horizon later, as two labels."""

    def test_the_probability_in_it_is_the_one_of_the_moment_it_was_frozen(self):
        frozen, kinds = {}, []
        for at_s, rows, _, found in live(COLD, [(DAY_S, ORDER), (10 * DAY_S, ORDER)]):
            if found is not None and found.resolved is not None:
                (frozen_at_s,), (p,) = found.resolved.frozen_at_s.tolist(), found.resolved.probability
                (is_step,) = found.resolved.is_step.tolist()
                assert found.resolved.resolved_at_s.tolist() == [at_s] == [frozen_at_s + (STEP if is_step else H)]
                assert p == frozen[frozen_at_s]
                kinds.append(is_step)
            if rows["example_frozen"][0] == FROZEN and int(rows["example_at"][0]) == at_s:
                frozen[at_s] = np.float32(COLD.scorer.probabilities(rows, seconds(at_s))[0])
        assert len(frozen) >= 2
        assert kinds == [True, False] * len(frozen)

    def test_after_a_long_stall_both_labels_of_an_example_come_in_order(self):
        rows = random_rows(3, seed=4, target=TARGET)
        at_s = rows["last_at"][:, ORDER].astype(np.int64) + 1
        rows["example_at"], rows["example_frozen"] = at_s, [FROZEN, STEP_RESOLVED, FROZEN]
        found = COLD.look(rows, at_s + seconds(H, H, STEP))
        assert found.resolved_index.tolist() == [0, 0, 1, 2]
        assert found.resolved.is_step.tolist() == [True, False, False, True]
        assert (found.resolved.resolved_at_s - found.resolved.frozen_at_s).tolist() == [STEP, H, H, STEP]
        assert rows["example_frozen"].tolist() == [FROZEN, FROZEN, STEP_RESOLVED], "the first two froze anew"


class TestPlanning:
    def test_planning_anew_with_the_same_model_gives_the_same_time(self):
        """But for the solver, which starts from another second: never later than the crossing, rounded up."""
        for at_s, rows, _, found in live(COLD, [(7 * DAY_S, ORDER)] * 6):
            if found is None or found.forgotten.size or rows["due_at"][0] < at_s + 2:
                continue
            anew = rows.copy()
            COLD.plan(anew, seconds(at_s))
            assert anew.tobytes() == rows.tobytes()

    def test_a_model_that_finds_the_customer_at_risk_brings_the_look_forward(self):
        rows = new_rows(1)
        happen(COLD, rows, START_S, ORDER, 0)
        gloomy = replace(COLD.scorer, version="gloomy", level_shift=-4.0)  # hardly anybody comes back any more
        now_s = START_S + POLICY.dwell_s + 10
        COLD.look(rows, seconds(START_S + POLICY.dwell_s))
        before = int(rows["due_at"][0])
        Watch(gloomy, POLICY, TARGET, FORGET_S).plan(rows, seconds(now_s))
        assert int(rows["due_at"][0]) == now_s + 1 < before


def test_forgetting_waits_for_expiry_and_every_example():
    with pytest.raises(ValueError, match="exceed"):
        Watch(COLD.scorer, POLICY, TARGET, POLICY.expire_s + H)
