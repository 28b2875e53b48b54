"""Labels one at a time: checked, collected, learnt a group at once, and published when due."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.contest import Options
from models.features import NAMES
from models.groups import GROUP_LABELS
from models.learning_state import decode, encode
from models.mixture import ChurnMixture
from models.open_group import LabelError, OpenGroup
from models.target import DAY_S
from models.trainer import HOUR_S, WATCHED, Trainer
from tests.models.histories import START_S, TARGET
from tests.models.label_log import (
    ALONE,
    DAY_0,
    LOG,
    STEP,
    label,
    label_log,
    on_day,
    placed,
    taught,
    trainer,
    waiting,
)


def publications(teacher, log):
    return [learnt.publication for learnt in taught(teacher, log) if learnt.publication]


def through_json(teacher, every=1, options=ALONE):
    return Trainer.from_dict(decode(encode(teacher.to_dict())), TARGET, every, options)


class TestGroups:
    """What is learnt together is told by the labels, not by who fetched them when."""

    def test_one_closes_before_the_first_label_of_a_later_day(self):
        log = placed([on_day(0), on_day(0, DAY_S - 1), on_day(1), on_day(1), on_day(3)])
        teacher = trainer()
        found = [(n, learnt.horizons) for n, one in enumerate(log) if (learnt := teacher.learn(*one))]
        assert found == [(2, 2), (4, 2)]

    def test_one_closes_when_it_is_full(self):
        log = placed([on_day(0, n) for n in range(2 * GROUP_LABELS + 1)])
        assert [learnt.horizons for learnt in taught(trainer(), log)] == [GROUP_LABELS] * 2

    def test_a_label_of_an_earlier_day_joins_the_group_that_is_open(self):
        log = placed([on_day(5), on_day(2), on_day(5), on_day(6)])
        assert [learnt.horizons for learnt in taught(trainer(), log)] == [3]

    def test_both_kinds_stand_in_one_group_and_steps_are_learnt_first(self):
        log = label_log(300)
        teacher, mixture, group = trainer(), ChurnMixture.for_target(TARGET), OpenGroup()
        learnt = taught(teacher, log)
        for one in log:
            if group.closes_before(one.label):
                learn_both(mixture, group)
                group = OpenGroup()
            group.add(one.label)
            if group.is_full:
                learn_both(mixture, group)
                group = OpenGroup()
        assert teacher.champion.to_dict() == mixture.to_dict()
        assert sum(one.steps for one in learnt) == mixture.n_steps
        assert sum(one.horizons for one in learnt) == mixture.n_labels

    def test_a_group_is_of_the_end_of_its_day_with_features_and_experts_by_name(self):
        group = OpenGroup()
        group.add(on_day(0, 7, features={"login_count": 2.0}, experts={"base": 0.5, "of another release": 1.0}))
        arrays = group.arrays("horizon")
        assert arrays.resolved_at_s == (DAY_0 + 1) * DAY_S
        assert (arrays.x[0, 8], np.isnan(arrays.x).sum()) == (2.0, arrays.x.size - 1)
        assert (arrays.kept[0, -1], np.isnan(arrays.kept).sum()) == (0.5, arrays.kept.size - 1)
        assert group.arrays("step") is None


def learn_both(mixture, group):
    steps, horizons = group.arrays("step"), group.arrays("horizon")
    if steps is not None:
        mixture.learn_steps(steps)
    if horizons is not None:
        mixture.learn_horizons(horizons)


BAD = [
    (on_day(0, frozen_at_s=START_S), "waited"),
    (on_day(0, kind="step", frozen_at_s=START_S), "waited"),
    (on_day(0, kind="horizon", frozen_at_s=DAY_0 * DAY_S - STEP), "its horizon is"),
    (label(2**33), "no time"),
    (label(0), "no time"),
    (on_day(0, features={"shoe_size": 43.0}), "1 features"),
    (on_day(0, features={"order_silence": math.inf}), "not finite"),
    (on_day(0, features={"order_silence": math.nan}), "not finite"),
    (on_day(0, features={"order_silence": 1e300}), "larger than a row can keep"),
    (on_day(0, experts={"base": math.nan}), "not finite"),
    (on_day(0, probability=1.5), "probability"),
    (on_day(0, probability=math.nan), "probability"),
    (on_day(0, weight=0.0), "weight"),
    (on_day(0, weight=math.nan), "weight"),
]


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_a_label_that_does_not_fit_is_refused_and_leaves_no_trace(bad, message):
    """Or one label of another code version would make every later snapshot unreadable."""
    log = placed([on_day(0), on_day(0), on_day(1)])
    teacher, twin = trainer(), trainer()
    teacher.learn(*log[0])
    twin.learn(*log[0])
    with pytest.raises(LabelError, match=message) as refused:
        teacher.learn(bad, 0, 99)
    assert isinstance(refused.value, ValueError)
    assert bad.customer_id not in str(refused.value)
    expected, found = (taught(one, log[1:]) for one in (twin, teacher))
    assert found == expected
    assert teacher.to_dict() == twin.to_dict()


def test_a_record_that_is_passed_over_counts_as_read_with_the_group_that_waits():
    teacher = trainer()
    teacher.learn(on_day(0), 0, 5)
    teacher.pass_over(1, 8)
    assert teacher.positions == {}
    teacher.learn(on_day(1), 0, 6)
    assert teacher.positions == {0: 5, 1: 8}


class TestPublications:
    def test_one_is_due_when_a_group_closes_and_enough_labels_were_learnt(self):
        log = placed([on_day(day, n) for day in range(7) for n in range(10)])
        found = publications(trainer(every=25), log)
        assert [one.snapshot.n_labels for one in found] == [30, 60]

    def test_it_holds_the_champion_and_the_positions_of_what_was_learnt(self):
        teacher = trainer(every=1)
        (first, *_) = publications(teacher, placed([on_day(0), on_day(0), on_day(1)]))
        assert first.state["positions"] == {"0": 1, "1": 1}
        assert first.snapshot == teacher.champion.snapshot(first.snapshot.effective_at_s)

    @given(st.integers(0, 10 * DAY_S))
    def test_it_takes_effect_at_the_full_hour_after_the_next(self, later_s):
        """Counted from the label that closed the group: stream time has come as far as that, whatever was learnt."""
        now_s = (DAY_0 + 1) * DAY_S + later_s
        (published,) = publications(trainer(), placed([on_day(0), label(now_s)]))
        effective_at_s = published.snapshot.effective_at_s
        assert effective_at_s % HOUR_S == 0
        assert HOUR_S < effective_at_s - now_s <= 2 * HOUR_S

    def test_labels_of_a_partition_that_lags_do_not_turn_it_back_and_nor_does_a_restart(self):
        teacher = trainer()
        (first,) = publications(teacher, placed([on_day(30), on_day(31)]))
        again = through_json(teacher)
        (later,) = publications(again, placed([on_day(1), on_day(2)]))
        assert later.snapshot.effective_at_s == first.snapshot.effective_at_s

    @pytest.mark.parametrize("every", [0, -1])
    def test_every_must_be_positive(self, every):
        with pytest.raises(ValueError, match="at least 1"):
            trainer(every=every)


class TestGoingOn:
    """Save, load and go on equals going on: to the last bit, wherever it was cut."""

    def test_over_ten_thousand_labels_with_champion_and_challenger(self):
        log, every, options = label_log(5_000), 500, Options()
        assert len(log) == 10_000
        whole = Trainer(TARGET, every, options)
        expected = publications(whole, log)
        teacher, found, reads = Trainer(TARGET, every, options), [], 0
        for cut in (37, 1_201, 2_750, 5_003, 7_777, 9_999, len(log)):
            todo = waiting(log[:cut], teacher.positions)
            reads += len(todo)
            found += publications(teacher, todo)
            teacher = through_json(teacher, every, options)
        assert [one.snapshot.name for one in found] == [one.snapshot.name for one in expected]
        assert [one.snapshot for one in found] == [one.snapshot for one in expected]
        assert teacher.to_dict() == whole.to_dict()
        assert reads > len(log), "nothing was read again: no cut fell into an open group"
        assert whole.champion.n_labels > 2_000

    @settings(max_examples=15)
    @given(st.lists(st.integers(1, len(LOG)), max_size=4), st.integers(1, 300))
    def test_whoever_goes_on_from_the_newest_publication_learns_each_label_once(self, cuts, every):
        teacher, state = trainer(every), None
        for cut in [*sorted(cuts), len(LOG)]:
            positions = {int(key): value for key, value in state["positions"].items()} if state else {}
            teacher = Trainer.from_dict(state, TARGET, every, ALONE) if state else trainer(every)
            for published in publications(teacher, waiting(LOG[:cut], positions)):
                state = published.state
        learnt = teacher.champion.n_labels + teacher.champion.n_steps
        assert learnt == sum(teacher.positions.values()) == len(LOG) - len(waiting(LOG, teacher.positions))


class TestMeasuring:
    """What is measured was said a horizon before the model could learn from it: prequential, so honest."""

    def test_only_horizon_labels_count_and_with_the_probability_in_the_label(self):
        teacher = trainer()
        log = [on_day(0, probability=0.25), on_day(0, kind="step", probability=0.9), on_day(1)]
        taught(teacher, placed(log))
        assert teacher.reliability.labels == 1
        assert teacher.reliability.log_loss() == pytest.approx(-math.log(0.25))

    @pytest.mark.parametrize(("churned", "probability"), [(True, 0.0), (False, 1.0)])
    def test_a_prediction_that_was_certain_and_wrong_costs_much_and_not_everything(self, churned, probability):
        teacher = trainer()
        taught(teacher, placed([on_day(0, churned=churned, probability=probability), on_day(1)]))
        assert teacher.reliability.log_loss() == pytest.approx(-math.log(1e-6))

    def test_an_input_that_jumps_and_a_loss_that_rises_are_told(self):
        def one(n):
            before = n < 600
            return on_day(n // 50, n, churned=before or n % 4 > 0, probability=0.95, features={
                "order_silence": n % 5 + (0.0 if before else 20.0), "main_span": 0.01 * n,
            })  # fmt: skip

        drifts = [drift for learnt in taught(trainer(), placed(map(one, range(1_500)))) for drift in learnt.drifts]
        assert {(drift.kind, drift.name) for drift in drifts} == {("loss", "loss"), ("input", "order_silence")}
        assert min(drift.at_label for drift in drifts) > 600

    def test_what_grows_with_a_customers_age_is_not_watched(self):
        assert not {name for name in WATCHED if name.endswith(("_count", "_span", "_occasions", "_total"))}
        assert set(WATCHED) < set(NAMES)
