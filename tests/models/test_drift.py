"""The watch over losses and inputs: quiet while nothing changes, quick when something does."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import drift

from models.drift import CLIP, INPUT, LIMIT, MIN_VALUES, DriftWatch, PageHinkley, Rule

NAMES = tuple(f"input_{i}" for i in range(24))
seeds = st.integers(0, 10_000)


def calibrated(rng, n, spread=1.3):
    """Losses of predictions that are right on average."""
    p = 1 / (1 + np.exp(-rng.normal(1.0, spread, n)))
    return -np.log(np.where(rng.random(n) < p, p, 1 - p))


def inputs(rng, n):
    """Inputs as shops have them, a third of each unknown: bells, long tails, rare flags, constants."""
    kinds = [
        rng.normal(7.0, 3.0, (n, 6)),
        rng.lognormal(0.0, 1.5, (n, 6)),
        rng.random((n, 6)) < 0.02,
        rng.exponential(90.0, (n, 5)),
        np.full((n, 1), 0.1),
    ]
    values = np.hstack([kind.astype(float) for kind in kinds])
    values[rng.random(values.shape) < 0.33] = math.nan
    return values


def watched(losses, values=None, watch=None):
    """Every alarm of a stream of labels."""
    watch = watch or DriftWatch(NAMES)
    rows = itertools.repeat({}) if values is None else (dict(zip(NAMES, row, strict=False)) for row in values.tolist())
    return [found for loss, x in zip(losses.tolist(), rows, strict=False) for found in watch.update(loss, x)]


def alarms(values, rule):
    test = PageHinkley.fresh()
    return [(i, direction) for i, value in enumerate(values) if (direction := test.update(float(value), rule))]


class TestTheRecursion:
    @given(seeds, st.sampled_from([0.05, 0.3]))
    @settings(max_examples=30)
    def test_it_is_rivers_without_fading(self, seed, allowance):
        """The same alarms at the same labels, and the same two sums on the way."""
        rng = np.random.default_rng(seed)
        values = np.clip(rng.normal(np.repeat(rng.normal(0, 0.5, 4), 250), 0.4), -2, 2).tolist()
        ours, rule = PageHinkley.fresh(), Rule(allowance, 8.0, standardise=False)
        rivers = drift.PageHinkley(min_instances=MIN_VALUES, delta=allowance, threshold=8.0, alpha=1.0)
        for value in values:
            rivers.update(value)
            up = rivers._sum_increase - rivers._min_increase
            down = rivers._max_decrease - rivers._sum_decrease
            direction = ours.update(value, rule)
            assert (direction is not None) == rivers.drift_detected
            if direction:
                assert direction == ("up" if up > down else "down")
            else:
                assert (ours.up, ours.down) == (pytest.approx(up, abs=1e-9), pytest.approx(down, abs=1e-9))

    @given(seeds)
    @settings(max_examples=30)
    def test_standardised_it_is_the_definition_written_out(self, seed):
        values = np.random.default_rng(seed).normal(5.0, 3.0, 200)
        n = np.arange(1, 201)
        mean = np.cumsum(values) / n
        spread = np.sqrt(np.maximum(np.cumsum(values**2) / n - mean**2, 1e-300))
        deviation = np.clip((values - mean) / spread, -CLIP, CLIP)
        deviation[0] = 0.0
        test = PageHinkley.fresh()
        for value in values.tolist():
            assert test.update(value, INPUT) is None
        for found, sign in ((test.up, 1), (test.down, -1)):
            walk = np.cumsum(sign * deviation - INPUT.allowance)
            assert found == pytest.approx(walk[-1] - walk.min(), abs=1e-6)

    @given(seeds, st.floats(-1e3, 1e3), st.floats(1e-2, 1e4))
    @settings(max_examples=30)
    def test_standardised_it_does_not_know_units(self, seed, origin, unit):
        rng = np.random.default_rng(seed)
        values = np.concatenate([rng.normal(0, 1, 500), rng.normal(1.5, 1, 500)])
        found = alarms(values, INPUT)
        assert found
        assert alarms(origin + unit * values, INPUT) == found

    @given(seeds)
    @settings(max_examples=30)
    def test_unknown_values_change_nothing(self, seed):
        rng = np.random.default_rng(seed)
        values = np.concatenate([rng.normal(0, 1, 300), rng.normal(2, 1, 300)])
        holes = rng.choice([math.nan, math.inf, -math.inf, LIMIT, -1e300], 600)
        mixed = np.column_stack([values, holes]).ravel()
        assert [(i // 2, d) for i, d in alarms(mixed, INPUT)] == alarms(values, INPUT)

    def test_a_constant_is_no_drift_and_a_wild_value_is_none_either(self):
        assert alarms([0.1] * 5_000, INPUT) == []
        assert alarms([*[0.0] * 5_000, 1e11, *[0.0] * 5_000], INPUT) == []


class TestQuiet:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_twenty_thousand_labels_like_each_other_raise_no_alarm(self, seed):
        rng = np.random.default_rng(seed)
        assert watched(calibrated(rng, 20_000), inputs(rng, 20_000)) == []

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_nor_do_losses_as_uneven_as_calibrated_ones_can_be(self, seed):
        """All near 0.92: mostly nearly nothing, now and then 2.5 nats; the variance of 0.44 is the largest there is."""
        p = np.full(20_000, 0.917)
        churned = np.random.default_rng(seed).random(20_000) < p
        losses = -np.log(np.where(churned, p, 1 - p))
        assert losses.var() == pytest.approx(0.44, abs=0.02)
        assert watched(losses) == []


class TestQuick:
    @pytest.mark.parametrize("seed", range(5))
    def test_a_loss_that_rises_by_0_15_nats_is_noticed_within_a_thousand_labels(self, seed):
        losses = calibrated(np.random.default_rng(seed), 20_000)
        losses[10_000:] += 0.15
        (found,) = watched(losses)  # and reported once: the new level is learnt
        assert (found.kind, found.name, found.direction) == ("loss", "loss", "up")
        assert 10_000 < found.at_label <= 11_000

    def test_on_this_stream_it_is_noticed_at_this_label(self):
        losses = calibrated(np.random.default_rng(7), 4_000)
        losses[2_000:] += 0.15
        assert [found.at_label for found in watched(losses)] == [2_628]

    def test_a_loss_that_falls_is_told_from_one_that_rises(self):
        losses = calibrated(np.random.default_rng(3), 4_000)
        losses[2_000:] -= 0.15
        assert [found.direction for found in watched(losses)] == ["down"]

    @pytest.mark.parametrize(("sign", "direction"), [(1.0, "up"), (-1.0, "down")])
    @pytest.mark.parametrize("column", [0, 6, 18])  # a bell, a long tail, an exponential
    def test_an_input_that_moves_by_a_standard_deviation_is_noticed_by_name(self, column, sign, direction):
        rng = np.random.default_rng(column)
        values = inputs(rng, 6_000)
        values[5_000:, column] += sign * np.nanstd(values[:, column])
        (found,) = watched(calibrated(rng, 6_000), values)
        assert (found.kind, found.name, found.direction) == ("input", NAMES[column], direction)
        assert 5_000 < found.at_label <= 5_000 + 400 / 0.67  # 200 and as many again for noise, of which a third unknown


class TestNumbers:
    @given(seeds, st.integers(0, 1_500))
    @settings(max_examples=15, deadline=None)
    def test_saved_and_read_again_it_goes_on_as_if_never_stopped(self, seed, cut):
        rng = np.random.default_rng(seed)
        losses, values = calibrated(rng, 1_500), inputs(rng, 1_500)
        losses[700:] += 1.0
        values[700:, 0] += 6.0
        whole, first = DriftWatch(NAMES), DriftWatch(NAMES)
        expected = watched(losses, values, whole)
        found = watched(losses[:cut], values[:cut], first)
        second = DriftWatch.from_dict(json.loads(json.dumps(first.to_dict())))
        assert found + watched(losses[cut:], values[cut:], second) == expected != []
        assert second.to_dict() == whole.to_dict()

    def test_it_stays_as_large_as_it_was(self):
        rng = np.random.default_rng(1)
        watch = DriftWatch(NAMES)
        watched(calibrated(rng, 100), inputs(rng, 100), watch)
        watch.update(0.5, {"never_heard_of": 1.0})
        assert (watch.names, watch.labels) == (NAMES, 101)
        assert set(watch.to_dict()["inputs"]) == set(NAMES)

    @pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
    def test_a_loss_that_is_no_number_is_refused_and_leaves_no_trace(self, loss):
        watch = DriftWatch(NAMES)
        before = watch.to_dict()
        with pytest.raises(ValueError, match="finite"):
            watch.update(loss, {NAMES[0]: 1.0})
        assert watch.to_dict() == before

    @pytest.mark.parametrize(
        ("path", "bad"),
        [
            *itertools.product([("loss", "mean"), ("inputs", "a", "mean")], [math.nan, math.inf, "0", None, [0.0]]),
            *itertools.product([("loss", "up"), ("loss", "down"), ("loss", "squares")], [-1.0, math.nan, math.inf]),
            *itertools.product([("loss", "count"), ("labels",)], [-1, 0.5, math.nan, None]),
            *itertools.product([("inputs",), ("loss",)], [None, [], 1.0]),
        ],
    )
    def test_damaged_numbers_are_refused(self, path, bad):
        plain = DriftWatch(["a"]).to_dict()
        *way, last = path
        place = plain
        for key in way:
            place = place[key]
        for damage in (lambda: place.update({last: bad}), lambda: place.pop(last)):
            damage()
            with pytest.raises(ValueError, match=r"Expected|missing"):
                DriftWatch.from_dict(plain)
