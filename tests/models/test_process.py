"""The purchase process: its closed form is what simulated customers do, and it learns their parameters."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import Channel
from models.experts.process import ProcessExpert, histories, no_occasion_log_odds
from models.features import INDEX, NAMES
from models.target import DAY_S, Target

R, ALPHA, A, B = 0.9, 30.0, 0.7, 2.0
PARAMETERS = np.log([R, ALPHA, A, B])
TARGET = Target(Channel.ORDER, 91 * DAY_S)


def simulated(n=400_000, until=200.0, parameters=(R, ALPHA, A, B), seed=1):
    """Occasions of n customers: the first at 0, then Poisson until they leave, which they may after each one.

    Returns
    -------
    x, t, after
        Returns until `until`, time of the last, and how long after `until` the next one comes (infinite: never).
    """
    r, alpha, a, b = parameters
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    x, t, now = np.zeros(n), np.zeros(n), np.zeros(n)
    alive, following = np.ones(n, bool), np.full(n, np.inf)
    while alive.any():
        alive &= rng.random(n) >= leaves
        now = now + rng.exponential(1, n) / np.maximum(rate, 1e-300)
        later = alive & (now >= until)
        following[later] = now[later] - until
        alive &= now < until
        x[alive], t[alive] = x[alive] + 1, now[alive]
    return x, t, following


X, T, FOLLOWING = simulated()


def p_stays(x, t, age, days, parameters=PARAMETERS):
    return 1 / (1 + np.exp(-no_occasion_log_odds(parameters, np.asarray(x, float), t, np.asarray(age, float), days)))


@pytest.mark.parametrize("returns", [0, 1, 2, 5])
@pytest.mark.parametrize(("since", "until"), [(0, 200), (0, 60), (60, 150), (150, 200)])
@pytest.mark.parametrize("days", [7.0, 91.0])
def test_the_closed_form_is_what_simulated_customers_do(returns, since, until, days):
    alike = (returns == X) & (since <= T) & (until >= T)
    if alike.sum() < 500:
        assert returns == 0 and since > 0, "only one-time buyers have their last occasion at the beginning"
        return
    stayed, told = (FOLLOWING[alike] >= days).mean(), p_stays(X[alike], T[alike], np.full(alike.sum(), 200.0), days)
    error = math.sqrt(stayed * (1 - stayed) / alike.sum())
    assert told.mean() == pytest.approx(stayed, abs=4 * error + 1e-3)


def test_the_closed_form_is_the_integral_over_rates_and_dropouts():
    """Weights of rates and dropouts by their densities on a fine grid, for three returns, the last at 80, today 120."""
    x, t, age, days = 3, 80.0, 120.0, 28.0
    rate = (np.arange(4_000) + 0.5) / 4_000 * 0.8
    leaves = (np.arange(4_000) + 0.5) / 4_000
    of_rate = rate ** (R - 1 + x) * np.exp(-rate * ALPHA)
    of_leaves = leaves ** (A - 1) * (1 - leaves) ** (B - 1 + x)
    # Left after the last occasion, or is still here and silent since.
    here = (of_rate * np.exp(-rate * age)).sum() * (of_leaves * (1 - leaves)).sum()
    gone = (of_rate * np.exp(-rate * t)).sum() * (of_leaves * leaves).sum()
    comes = (of_rate * np.exp(-rate * age) * -np.expm1(-rate * days)).sum() * (of_leaves * (1 - leaves)).sum()
    assert p_stays(x, t, age, days) == pytest.approx(1 - comes / (here + gone), abs=2e-3)


@given(
    st.integers(0, 300), st.floats(0, 2_000), st.lists(st.floats(0, 3_000), min_size=2, max_size=10).map(sorted),
    st.tuples(*[st.floats(-3, 3)] * 4),
)  # fmt: skip
def test_silence_never_speaks_in_favour_of_a_customer(x, t, silences, logs):
    t = t if x else 0.0
    log_odds = no_occasion_log_odds(np.array(logs) + np.log([1, 20, 1, 1]), float(x), t, t + np.array(silences), 91.0)
    assert (np.diff(log_odds) >= -1e-9).all() and np.isfinite(log_odds).all()


def test_a_longer_wait_is_harder_to_sit_out():
    p = [float(p_stays(2, 50.0, 80.0, days)) for days in (1, 7, 28, 91, 365)]
    assert p == sorted(p, reverse=True)


def features_of(x, t, age, target=TARGET):
    """Features of a history, as `models.features` describes it."""
    columns = np.full((len(NAMES), len(x)), np.nan)
    columns[INDEX["main_occasions"]] = np.log(1 + x)
    columns[INDEX["main_span"]] = np.log1p(t)
    columns[INDEX["order_silence"]] = np.log1p((age - t) / (target.horizon_days / 13))
    return columns


def test_histories_are_read_back_from_features():
    x, t, age = np.array([0.0, 3.0, 40.0]), np.array([0.0, 80.0, 900.0]), np.array([5.0, 120.0, 1_000.0])
    read = histories(features_of(x, t, age), TARGET)
    for found, wanted in zip(read, (x, t, age), strict=True):
        assert found == pytest.approx(wanted, abs=1e-9)


def test_one_of_whom_nothing_is_known_is_a_newcomer():
    assert [column.tolist() for column in histories(np.full((len(NAMES), 1), np.nan), TARGET)] == [[0.0], [0.0], [0.0]]


def test_it_learns_how_many_come_back_from_step_labels():
    expert, step_days = ProcessExpert(), TARGET.step_s / DAY_S
    x = features_of(X[:40_000], T[:40_000], np.full(40_000, 200.0)).T
    y = (FOLLOWING[:40_000] >= step_days).astype(float)
    for begin in range(0, 30_000, 300):
        expert.learn(x[begin : begin + 300], y[begin : begin + 300], days=0.5)
    told = p_stays(X[30_000:40_000], T[30_000:40_000], np.full(10_000, 200.0), 91.0, expert.parameters)
    truth = p_stays(X[30_000:40_000], T[30_000:40_000], np.full(10_000, 200.0), 91.0)
    assert np.abs(told - truth).mean() < 0.03
    assert told.mean() == pytest.approx((FOLLOWING[30_000:40_000] >= 91).mean(), abs=0.03)
