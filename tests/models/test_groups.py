"""Examples of an evaluation: each label is learnt when its time has come, in the order of time, in small groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.event_log import EventLog
from models.events import Channel
from models.features import FEATURES, N_KEPT
from models.groups import GROUP_LABELS, Frozen, Group, Pending
from models.mixture import KEPT_NAMES
from models.outcomes import WEEK_S, Outcomes
from models.target import DAY_S, Target

TARGET = Target(Channel.ORDER, 26 * DAY_S)
START_S = 1_704_067_200
N = 600


def orders(seed=0):
    """Orders of N customers over 40 weeks."""
    rng = np.random.default_rng(seed)
    at_s = START_S + np.sort(rng.integers(0, 40 * WEEK_S, 4_000))
    customer = rng.integers(0, N, 4_000)
    nothing = np.zeros(4_000, np.uint8)
    return EventLog(
        customers=tuple(f"c{i:03}" for i in range(N)), customer=customer, at_s=at_s, channel=nothing,
        amount=np.full(4_000, np.nan, np.float32), source=nothing, categories=np.zeros(4_000, np.uint32),
        first_at_s=int(at_s[0]), last_at_s=int(at_s[-1]), skipped={},
    )  # fmt: skip


LOG = orders()


class Diary:
    """Stands where a mixture would, and writes down what it is taught, and when."""

    def __init__(self):
        self.now_s, self.taught = 0, []

    def learn_steps(self, group):
        self.taught.append(("step", self.now_s, group))

    def learn_horizons(self, group):
        self.taught.append(("horizon", self.now_s, group))


def frozen(at_s, customers=N):
    rng = np.random.default_rng(at_s % 1_000)
    x, kept = rng.normal(size=(customers, len(FEATURES))), rng.normal(size=(customers, len(KEPT_NAMES)))
    return Frozen(at_s, np.arange(customers), x, kept)


def lived(cuts, every_s=WEEK_S, customers=N):
    diary, pending = Diary(), Pending(Outcomes(LOG, TARGET), TARGET)
    for cut in range(cuts):
        diary.now_s = START_S + cut * every_s
        pending.learn_until(diary, diary.now_s)
        pending.add(frozen(diary.now_s, customers))
    return diary.taught


@settings(max_examples=30)
@given(st.integers(1, 20), st.integers(DAY_S // 2, 2 * WEEK_S))
def test_no_label_is_learnt_before_its_step_or_horizon_has_passed(cuts, every_s):
    waits = {"step": TARGET.step_s, "horizon": TARGET.horizon_s}
    for kind, now_s, group in lived(cuts, every_s, customers=40):
        assert group.resolved_at_s == group.frozen_at_s[0] + waits[kind] <= now_s
        assert (group.frozen_at_s == group.frozen_at_s[0]).all()


def test_both_outcomes_of_a_kind_wait_equally_long():
    """Returns that were learnt as they happen, before the others, would make everybody look loyal."""
    for kind in ("step", "horizon"):
        waited = {0.0: set(), 1.0: set()}
        for found, _, group in lived(12):
            if found == kind:
                for y in np.unique(group.y):
                    waited[y].add(int(group.resolved_at_s - group.frozen_at_s[0]))
        assert waited[0.0] == waited[1.0] and len(waited[0.0]) == 1


def test_labels_are_learnt_in_the_order_in_which_they_resolve():
    taught = lived(20)
    assert [group.resolved_at_s for _, _, group in taught] == sorted(group.resolved_at_s for _, _, group in taught)


def test_every_example_gives_each_label_once_in_groups_that_are_not_too_large():
    taught = lived(20)
    for kind, wait_s in (("step", TARGET.step_s), ("horizon", TARGET.horizon_s)):
        groups = [group for found, _, group in taught if found == kind]
        assert max(len(group.y) for group in groups) == GROUP_LABELS
        last_cut_s = START_S + 19 * WEEK_S
        resolved = sum(START_S + cut * WEEK_S + wait_s <= last_cut_s for cut in range(20))
        assert sum(len(group.y) for group in groups) == resolved * N


def test_outcomes_are_whether_an_order_came_within_the_step_or_horizon():
    for kind, _, group in lived(10)[:8]:
        frozen_at_s = int(group.frozen_at_s[0])
        wait_s = TARGET.step_s if kind == "step" else TARGET.horizon_s
        came = set(LOG.customer[(LOG.at_s >= frozen_at_s) & (LOG.at_s < frozen_at_s + wait_s)].tolist())
        assert len(group.y) <= GROUP_LABELS
        assert group.y.sum() < len(group.y), "somebody came"
        stayed = {float(customer not in came) for customer in range(N)}
        assert set(group.y.tolist()) <= stayed


def test_examples_wait_in_half_precision_as_in_a_row():
    (_, _, group), *_ = lived(4)
    first = frozen(START_S)
    assert np.array_equal(group.x, first.x[: len(group.y), :N_KEPT].astype(np.float16).astype(np.float64))
    assert np.array_equal(group.kept, first.kept[: len(group.y)].astype(np.float16).astype(np.float64))


@pytest.mark.parametrize("calendar", ["", "plain", "JP"])
def test_what_an_example_does_not_keep_follows_from_its_time(calendar):
    group = Group(np.zeros((3, N_KEPT)), np.ones(3), np.zeros((3, 6)), np.full(3, START_S), START_S, np.ones(3))
    x = group.completed(Target(Channel.ORDER, 26 * DAY_S, calendar)).x
    assert x.shape == (3, len(FEATURES)) and not x[:, :N_KEPT].any()
    assert np.isnan(x[:, -1]).all() == (not calendar)
