"""One label at a time: checked, learnt, measured, and published when due."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import snapshot as snapshots
from models.churn_model import ChurnModel
from models.labels import Label
from models.target import DAY_S
from models.trainer import HOUR_S, LOSS_MEMORY, Trainer
from tests.models.histories import START_S, TARGET, examples

H = TARGET.horizon_s


def label(n=0, *, churned=True, probability=0.5, features=None, resolved_at_s=START_S + H, waited_s=H):
    features = {"order_silence": float(n % 7)} if features is None else features
    return Label(f"c{n}", resolved_at_s - waited_s, resolved_at_s, churned, probability, features)


def labels(n=60):
    return [
        label(i, churned=y, probability=0.3, features=x, resolved_at_s=START_S + H + i * 1_000)
        for i, (x, y) in enumerate(itertools.islice(examples(200, seed=3), n))
    ]


def trainer(every=10, **options):
    return Trainer(ChurnModel.for_target(TARGET), every, **options)


class TestMeasuring:
    """What is measured was predicted a horizon before the model could learn from it: prequential, so honest."""

    def test_the_loss_is_that_of_the_prediction_in_the_label_and_not_of_the_model_that_has_learnt(self):
        teacher = trainer()
        assert math.isnan(teacher.log_loss)
        teacher.learn(label(churned=True, probability=0.25))
        assert teacher.log_loss == pytest.approx(-math.log(0.25))
        teacher.learn(label(churned=False, probability=0.25))
        assert teacher.log_loss == pytest.approx(LOSS_MEMORY * -math.log(0.25) + (1 - LOSS_MEMORY) * -math.log(0.75))

    @pytest.mark.parametrize(("churned", "probability"), [(True, 0.0), (False, 1.0)])
    def test_a_prediction_that_was_certain_and_wrong_costs_much_and_not_everything(self, churned, probability):
        teacher = trainer()
        teacher.learn(label(churned=churned, probability=probability))
        assert teacher.log_loss == pytest.approx(-math.log(1e-6))


class TestSnapshots:
    def test_one_is_due_at_every_nth_label_and_counts_all_before_it(self):
        teacher = trainer(every=20)
        found = [teacher.learn(one) for one in labels(60)]
        due = [(i + 1, snapshot["n_labels"]) for i, snapshot in enumerate(found) if snapshot]
        assert due == [(20, 20), (40, 40), (60, 60)]

    def test_it_holds_what_the_model_has_learnt(self):
        teacher, model = trainer(every=20), ChurnModel.for_target(TARGET)
        for one in labels(20):
            snapshot = teacher.learn(one)
            model.learn_one(one.features, one.churned)
        assert snapshot == model.snapshot(effective_at_s=snapshot["effective_at_s"])

    @given(st.integers(START_S, START_S + 10 * DAY_S))
    def test_it_takes_effect_at_the_full_hour_after_the_next(self, resolved_at_s):
        snapshot = trainer(every=1).learn(label(resolved_at_s=resolved_at_s))
        effective_at_s = snapshot["effective_at_s"]
        assert effective_at_s % HOUR_S == 0
        assert HOUR_S < effective_at_s - resolved_at_s <= 2 * HOUR_S

    def test_labels_of_a_partition_that_lags_do_not_turn_it_back(self):
        teacher = trainer(every=1)
        first = teacher.learn(label(resolved_at_s=START_S + H + 30 * DAY_S))
        later = teacher.learn(label(resolved_at_s=START_S + H))
        assert later["effective_at_s"] == first["effective_at_s"]

    def test_nor_does_a_restart(self):
        first = trainer(every=1).learn(label(resolved_at_s=START_S + H + 30 * DAY_S))
        again = Trainer(ChurnModel.restore(first), 1, not_before_s=first["effective_at_s"])
        assert again.learn(label(resolved_at_s=START_S + H))["effective_at_s"] == first["effective_at_s"]

    def test_going_on_from_one_equals_never_having_stopped(self):
        log = labels(60)
        whole, first = trainer(every=20), trainer(every=20)
        expected = [snapshot for one in log if (snapshot := whole.learn(one))]
        start = [snapshot for one in log[:30] if (snapshot := first.learn(one))][-1]
        second = Trainer(ChurnModel.restore(start), 20, not_before_s=start["effective_at_s"])
        assert [snapshot for one in log[20:] if (snapshot := second.learn(one))] == expected[1:]

    @pytest.mark.parametrize("every", [0, -1])
    def test_every_must_be_positive(self, every):
        with pytest.raises(ValueError, match="at least 1"):
            trainer(every=every)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (label(waited_s=H - 1), "waited"),
        (label(waited_s=0), "waited"),
        (label(features={"shoe_size": 43.0}), "1 features"),
        (label(features={"order_silence": math.inf}), "not finite"),
        (label(features={"order_silence": math.nan}), "not finite"),
    ],
)
def test_a_label_that_does_not_fit_is_refused_and_leaves_no_trace(bad, message):
    """Or one label of another code version would make every later snapshot unreadable."""
    teacher = trainer(every=2)
    teacher.learn(label(1))
    before, loss = teacher.model.snapshot(), teacher.log_loss
    with pytest.raises(ValueError, match=message):
        teacher.learn(bad)
    assert (teacher.model.snapshot(), teacher.log_loss) == (before, loss)
    snapshot = teacher.learn(label(2))
    assert snapshots.from_dict(snapshot).n_labels == 2
