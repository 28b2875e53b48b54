"""The live curve and its numbers: those of `models.metrics`, with the past fading."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import metrics
from models.calibration import HEAVIEST, MEMORY_LABELS, SCORES, Reliability

edges = st.sampled_from([i / 10 for i in range(11)] + [0.7 - 1e-16, 0.3 + 1e-16])
examples = st.lists(st.tuples(st.floats(0, 1) | edges, st.booleans()), min_size=1, max_size=60)


def fed(labels, memory_labels=None):
    reliability = Reliability(memory_labels)
    for p, churned in labels:
        reliability.update(p, churned)
    return reliability


def stationary(seed, n, bias=0.0):
    """Labels of a customer base that does not change; `bias` is how much too low the log-odds are."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0.8, 1.2, n)
    churned = rng.random(n) < 1 / (1 + np.exp(-z))
    return list(zip((1 / (1 + np.exp(bias - z))).tolist(), churned.tolist(), strict=True))


def arrays(labels):
    p, churned = zip(*labels, strict=True)
    return np.array(churned), np.array(p)


class TestWithoutForgetting:
    @given(examples)
    def test_ece_log_loss_and_brier_are_those_of_the_metrics(self, labels):
        found, (churned, p) = fed(labels), arrays(labels)
        assert found.ece() == pytest.approx(metrics.ece(churned, p), abs=1e-12)
        assert found.log_loss() == pytest.approx(metrics.log_loss(churned, p), abs=1e-12)
        assert found.brier() == pytest.approx(metrics.brier(churned, p), abs=1e-12)
        assert (found.labels, found.weight()) == (len(labels), len(labels))

    @given(examples)
    def test_auc_is_wrong_by_at_most_half_the_pairs_that_share_a_part(self, labels):
        found, (churned, p) = fed(labels).auc(), arrays(labels)
        exact = metrics.auc(churned, p)
        if math.isnan(exact):
            assert math.isnan(found)
            return
        part = np.minimum((p * SCORES).astype(int), SCORES - 1)
        shared = (part[churned][:, None] == part[~churned][None, :]).mean()
        assert abs(found - exact) <= shared / 2 + 1e-12

    @pytest.mark.parametrize("seed", range(5))
    def test_auc_of_many_labels_is_right_to_a_few_ten_thousandths(self, seed):
        labels = stationary(seed, 5_000)
        assert fed(labels).auc() == pytest.approx(metrics.auc(*arrays(labels)), abs=5e-4)

    def test_the_curve_says_what_was_said_and_seen_in_each_bin(self):
        curve = fed([(0.05, False), (0.31, True), (0.39, False), (1.0, True)]).curve()
        assert len(curve) == metrics.BINS
        assert curve[0] == (0.05, 0.0, 1.0)
        assert curve[3] == (pytest.approx(0.35), 0.5, 2.0)
        assert curve[9] == (1.0, 1.0, 1.0)
        assert all(math.isnan(one.said) and math.isnan(one.seen) and one.weight == 0 for one in curve[4:9])

    def test_before_the_first_label_nothing_is_known(self):
        fresh = Reliability()
        assert all(map(math.isnan, (fresh.ece(), fresh.auc(), fresh.log_loss(), fresh.brier())))
        assert (fresh.labels, fresh.weight()) == (0, 0.0)


class TestForgetting:
    @pytest.mark.parametrize("memory_labels", [2, 30, 1_000])
    def test_each_label_counts_a_little_less_than_the_next(self, memory_labels):
        """Written out with one weight per label; with a short memory the sums are brought down to scale on the way."""
        labels = stationary(1, 3_000)
        found, (churned, p) = fed(labels, memory_labels), arrays(labels)
        weight = (1 - 1 / memory_labels) ** np.arange(len(labels))[::-1]
        place = np.minimum((p * 10).astype(int), 9)
        said, seen, inside = (np.bincount(place, weight * values, 10) for values in (p, churned, np.ones(len(p))))
        right = np.where(churned, p, 1 - p)
        assert found.weight() == pytest.approx(weight.sum())
        assert found.ece() == pytest.approx(np.abs(said - seen).sum() / weight.sum())
        assert found.log_loss() == pytest.approx(np.average(-np.log(right), weights=weight))
        assert found.brier() == pytest.approx(np.average((1 - right) ** 2, weights=weight))
        assert [one.weight for one in found.curve()] == pytest.approx(inside, abs=1e-9)

    def test_without_change_it_forgets_nothing_that_matters(self):
        labels = stationary(2, 40_000)
        found, (churned, p) = fed(labels, MEMORY_LABELS), arrays(labels)
        assert found.auc() == pytest.approx(metrics.auc(churned, p), abs=0.02)
        assert found.log_loss() == pytest.approx(metrics.log_loss(churned, p), abs=0.02)
        assert found.ece() < 0.025  # 5,000 labels in 10 bins are not exact themselves

    def test_a_model_that_went_wrong_shows_within_one_memory(self):
        reliability = fed(stationary(3, 10_000), 1_000)
        assert reliability.ece() < 0.05
        for p, churned in stationary(4, 1_000, bias=1.0):
            reliability.update(p, churned)
        assert reliability.ece() > 0.1
        assert all(one.seen > one.said for one in reliability.curve()[2:8])

    def test_what_it_holds_stays_bounded(self):
        reliability = fed([(i % 101 / 101, True) for i in range(200)], 20)
        for _ in range(20_000):
            reliability.update(0.5, False)
        plain = reliability.to_dict()
        numbers = [*itertools.chain(*(value for value in plain.values() if isinstance(value, list)))]
        assert sum(value > 0 for value in numbers) == 3  # weight and said of one bin, one part of the histogram
        assert max(numbers) <= 20 * 2 * HEAVIEST
        assert reliability.weight() == pytest.approx(20)
        assert math.isnan(reliability.auc())


class TestNumbers:
    @given(st.integers(0, 10_000), st.integers(0, 400), st.sampled_from([None, 10, 5_000]))
    @settings(max_examples=30)
    def test_saved_and_read_again_it_goes_on_as_if_never_stopped(self, seed, cut, memory_labels):
        labels = stationary(seed, 400)
        whole, first = fed(labels, memory_labels), fed(labels[:cut], memory_labels)
        second = Reliability.from_dict(json.loads(json.dumps(first.to_dict())))
        for p, churned in labels[cut:]:
            second.update(p, churned)
        assert second.to_dict() == whole.to_dict()
        assert (second.ece(), second.auc()) == (whole.ece(), whole.auc())

    @pytest.mark.parametrize(
        ("name", "bad"),
        [
            *itertools.product(["log_loss", "brier", "newest"], [math.nan, math.inf, -1.0, "0", None]),
            *itertools.product(
                ["weight", "said", "seen"],
                [[0.0] * 9, [0.0] * 11, [*[0.0] * 9, math.nan], [*[0.0] * 9, -1.0], [*[0.0] * 9, None], 0.0],
            ),
            *itertools.product(
                ["churned", "returned"],
                [[0.0] * (SCORES - 1), [*[0.0] * (SCORES - 1), math.nan], [*[0.0] * (SCORES - 1), math.inf], None],
            ),
            *itertools.product(["memory_labels"], [0, 1, -5, 2.5, "5"]),
            *itertools.product(["labels"], [-1, 0.5, None]),
            ("newest", 0.5),
        ],
    )
    def test_damaged_numbers_are_refused(self, name, bad):
        plain = Reliability().to_dict()
        with pytest.raises(ValueError, match="Expected"):
            Reliability.from_dict(plain | {name: bad})
        del plain[name]
        with pytest.raises(ValueError, match="missing"):
            Reliability.from_dict(plain)

    @pytest.mark.parametrize("p", [math.nan, -1e-9, 1.0 + 1e-9, math.inf])
    def test_what_is_no_probability_is_refused_and_leaves_no_trace(self, p):
        reliability = Reliability()
        with pytest.raises(ValueError, match="probability"):
            reliability.update(p, churned=True)
        assert reliability.to_dict() == Reliability().to_dict()

    @pytest.mark.parametrize("memory_labels", [1, 0, -3])
    def test_a_memory_of_less_than_two_labels_is_refused(self, memory_labels):
        with pytest.raises(ValueError, match="at least 2"):
            Reliability(memory_labels)
