"""A logit by Newton steps: it finds the weights, halves the past, and never forgets more than it can afford."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.experts.second_order import LEAST_LABELS, MEMORY_DAYS, SecondOrder

TRUE = np.array([0.8, -0.5, 0.0, 0.3])


def labels(n, seed=0, weights=TRUE):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=(n, 3)), np.ones(n)])
    return x, (rng.random(n) < 1 / (1 + np.exp(-x @ weights))).astype(float)


def taught(n, size, days=0.0, seed=0, **options):
    logit, (x, y) = SecondOrder(np.ones(4), **options), labels(n, seed)
    for begin in range(0, n, size):
        logit.learn(x[begin : begin + size], y[begin : begin + size], days=days)
    return logit


def test_it_recovers_the_weights_that_made_the_labels():
    assert taught(20_000, 200).weights == pytest.approx(TRUE, abs=0.06)


@pytest.mark.parametrize("size", [1, 10, 1_000])
def test_one_big_group_or_many_small_ones_give_about_the_same(size):
    assert taught(4_000, size).weights == pytest.approx(taught(4_000, 100).weights, abs=0.05)


def test_it_ends_where_a_fit_to_all_labels_at_once_ends():
    x, y = labels(5_000)
    fit = np.zeros(4)
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ fit))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.eye(4)
        fit = fit + np.linalg.solve(hessian, x.T @ (y - p) - fit)
    assert taught(5_000, 100).weights == pytest.approx(fit, abs=0.02)


@settings(max_examples=30)
@given(st.integers(0, 1_000), st.floats(0.0, 90.0))
def test_the_past_halves_every_half_life(seed, days):
    logit = taught(20_000, 20_000, seed=seed % 3)
    before, labels_kept = logit.precision.copy(), logit.labels_kept
    x, y = labels(2, seed)
    logit.learn(x, y, days=days)
    kept = max(0.5 ** (days / MEMORY_DAYS), (LEAST_LABELS - 2) / labels_kept)
    assert logit.labels_kept == pytest.approx(kept * labels_kept + 2)
    added = logit.precision - kept * before
    assert np.abs(added).max() <= 2 * np.abs(x).max() ** 2


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0, 2_000)), min_size=1, max_size=20))
def test_it_never_forgets_below_the_least_number_of_labels(groups):
    logit, seen = SecondOrder(np.ones(4)), 0
    for seed, (n, days) in enumerate(groups):
        logit.learn(*labels(n, seed), days=days)
        seen += n
        assert logit.labels_kept >= min(seen, LEAST_LABELS) - 1e-6
        assert logit.labels_kept <= seen + 1e-6


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 400)), min_size=1, max_size=12))
def test_the_precision_stays_symmetric_and_never_negative(groups):
    logit = SecondOrder(np.ones(4))
    for seed, (n, days) in enumerate(groups):
        logit.learn(*labels(n, seed), days=days)
    assert logit.precision == pytest.approx(logit.precision.T, rel=1e-12, abs=1e-12)
    assert np.linalg.eigvalsh(logit.precision).min() >= -1e-9
    assert np.isfinite(logit.weights).all()


def test_a_label_that_counts_twice_is_two_labels():
    x, y = labels(300)
    twice, doubled = SecondOrder(np.ones(4)), SecondOrder(np.ones(4))
    twice.learn(np.vstack([x, x]), np.concatenate([y, y]))
    doubled.learn(x, y, weight=2.0)
    assert doubled.weights == pytest.approx(twice.weights, abs=1e-12)
    assert doubled.labels_kept == twice.labels_kept


def test_it_follows_when_the_world_changes():
    logit = taught(4_000, 100)
    for week in range(20):
        logit.learn(*labels(200, 100 + week, -TRUE), days=7.0)
    assert logit.weights == pytest.approx(-TRUE, abs=0.25)


def test_a_weight_of_which_nothing_new_is_heard_goes_back_to_zero():
    x, y = labels(5_000, weights=np.array([2.0, 0, 0, 0]))
    logit = SecondOrder(np.full(4, 10.0))
    logit.learn(x, y)
    before = logit.weights[0]
    for week in range(52):
        x, y = labels(500, week)
        x[:, 0] = 0.0
        logit.learn(x, y, days=7.0)
    assert 0.0 <= logit.weights[0] < 0.2 * before


@pytest.mark.parametrize("turns", [1, 7])
def test_saved_loaded_and_taught_on_it_goes_on_to_the_last_bit(turns):
    going_on = taught(500, 50, days=3.0)
    loaded = SecondOrder(np.ones(4))
    loaded.load(json.loads(json.dumps(going_on.to_dict())))
    for turn in range(turns):
        for logit in (going_on, loaded):
            logit.learn(*labels(40, turn), days=2.5)
    assert np.array_equal(loaded.weights, going_on.weights)
    assert np.array_equal(loaded.precision, going_on.precision)
    assert loaded.labels_kept == going_on.labels_kept
