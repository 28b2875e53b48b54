"""The second at which a silent customer reaches a threshold: exact, earliest, and the same in any batch."""

from dataclasses import replace

import numpy as np
import pytest
from histories import NOW_S, START_S, TARGET, customer, learnt_model, random_rows
from hypothesis import given
from hypothesis import strategies as st

from models.crossing import NEVER, next_crossing
from models.events import Channel
from models.outlook import Outlook
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, _ = Channel
COLD = Scorer.cold(TARGET)
LOGIN_TARGET = Target(LOGIN, 28 * DAY_S)
CALENDAR_TARGET = replace(TARGET, calendar="JP")
LEARNT, LOGINS, SEASONS = (
    Scorer.of(learnt_model(target=target).snapshot()) for target in (TARGET, LOGIN_TARGET, CALENDAR_TARGET)
)
ALL_EXPERTS = replace(LEARNT, weights=np.full(5, 0.2), level_shift=0.2, hazard_level=-0.3)
SCORERS = [COLD, LEARNT, ALL_EXPERTS, LOGINS]
ALL_ROWS = random_rows(600, seed=5)
each_scorer = pytest.mark.parametrize("scorer", SCORERS, ids=["cold", "learnt", "all experts", "login"])
each_threshold = pytest.mark.parametrize("threshold", [0.3, 0.6, 0.75, 0.9])


def rows_and_times(scorer):
    """Customers, their last main event, and two horizons after it."""
    rows = ALL_ROWS[ALL_ROWS["last_at"][:, scorer.target.main] > 0]
    from_s = rows["last_at"][:, scorer.target.main].astype(np.int64)
    return rows, from_s, from_s + 2 * scorer.target.horizon_s


@each_scorer
@each_threshold
def test_the_threshold_is_reached_at_that_second_and_not_one_before(scorer, threshold):
    rows, from_s, until_s = rows_and_times(scorer)
    at_s = next_crossing(scorer, rows, from_s, until_s, threshold)
    found = at_s != NEVER
    assert ((from_s < at_s) & (at_s <= until_s))[found].all()
    assert (scorer.probabilities(rows[found], at_s[found]) >= threshold).all()
    later = at_s > from_s + 1
    assert (scorer.probabilities(rows[later], at_s[later] - 1) < threshold).all()


@each_scorer
@each_threshold
def test_hardly_anybody_is_above_the_threshold_before(scorer, threshold):
    """A short rise and fall between two points of the grid is missed: nobody's by rhythm, learnt ones are rare."""
    rows, from_s, until_s = rows_and_times(scorer)
    at_s = next_crossing(scorer, rows, from_s, until_s, threshold)
    end_s = np.where(at_s == NEVER, until_s + 1, at_s)
    missed = np.zeros(len(rows), bool)
    for share in np.linspace(0, 1, 60, endpoint=False):
        moment = from_s + 1 + ((end_s - from_s - 1) * share).astype(np.int64)
        missed |= (scorer.probabilities(rows, moment) >= threshold) & (moment < end_s)
    assert missed.mean() <= (0.0 if scorer is COLD else 0.02)


def test_with_the_prior_alone_it_is_the_first_second_of_all():
    rows, from_s, until_s = rows_and_times(COLD)
    at_s = next_crossing(COLD, rows, from_s, until_s, 0.75)
    low, high = from_s.copy(), until_s.copy()  # the prior never falls, so plain halving cannot be wrong
    while (high - low > 1).any():
        middle = (low + high) // 2
        above = COLD.probabilities(rows, middle) >= 0.75
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    high = np.maximum(high, from_s + 1)  # who is above it already crosses at once
    first = np.where(COLD.probabilities(rows, high) >= 0.75, high, NEVER)
    assert np.array_equal(at_s, first)


@each_scorer
def test_who_is_above_already_crosses_in_the_next_second(scorer):
    rows, from_s, until_s = rows_and_times(scorer)
    at_s = next_crossing(scorer, rows, from_s, until_s, 1e-9)
    assert np.array_equal(at_s, from_s + 1)


def test_the_end_of_the_search_is_included():
    row = customer((0, ORDER))
    at_s = next_crossing(COLD, row, START_S, START_S + 200 * DAY_S, 0.75)
    assert next_crossing(COLD, row, at_s - 1, at_s, 0.75) == at_s
    assert next_crossing(COLD, row, START_S, at_s, 0.75) == at_s
    assert next_crossing(COLD, row, START_S, at_s - 1, 0.75) == NEVER


@pytest.mark.parametrize("threshold", [np.inf, np.nan, 1.0, 0.999_999])
def test_what_is_never_reached_is_never(threshold):
    assert next_crossing(COLD, customer((0, ORDER)), START_S, START_S + 182 * DAY_S, threshold) == NEVER


def test_an_empty_span_and_a_customer_who_never_came_have_no_crossing():
    row = customer((0, ORDER))
    assert next_crossing(COLD, row, START_S + 9, START_S + 9, 0.1) == NEVER
    assert next_crossing(COLD, row, START_S + 9, START_S, 0.1) == NEVER
    assert next_crossing(COLD, new_rows(1), START_S, NOW_S, 0.1) == NEVER
    assert next_crossing(LEARNT, customer((0, LOGIN)), START_S, NOW_S, 0.1) == NEVER
    assert next_crossing(COLD, new_rows(0), START_S, NOW_S, 0.1).shape == (0,)


@given(second=st.integers(1, 182 * DAY_S), i=st.integers(0, 599))
def test_a_threshold_that_is_hit_exactly_counts_as_reached(second, i):
    row = ALL_ROWS[i : i + 1]
    if not row["last_at"][0, ORDER]:
        return
    from_s = int(row["last_at"][0, ORDER])
    threshold = COLD.probabilities(row, from_s + second)
    (at_s,) = next_crossing(COLD, row, from_s, from_s + 182 * DAY_S, threshold)
    assert from_s < at_s <= from_s + second
    assert COLD.probabilities(row, at_s) >= threshold


@each_scorer
def test_a_customer_has_the_same_answer_alone_and_in_any_batch(scorer):
    rows, from_s, until_s = rows_and_times(scorer)
    threshold = np.array([0.6, 0.75, 0.9, np.inf])[np.arange(len(rows)) % 4]
    whole = next_crossing(scorer, rows, from_s, until_s, threshold)
    for i in range(0, len(rows), 5):
        one = slice(i, i + 1)
        assert next_crossing(scorer, rows[one], from_s[one], until_s[one], threshold[one]) == whole[i]
    for batch in (slice(4, 21), slice(None, None, 3), np.arange(len(rows))[::-1]):
        some = next_crossing(scorer, rows[batch], from_s[batch], until_s[batch], threshold[batch])
        assert np.array_equal(some, whole[batch])


@each_scorer
def test_asking_later_in_the_same_silence_gives_the_same_second(scorer):
    rows, from_s, until_s = rows_and_times(scorer)
    whole = next_crossing(scorer, rows, from_s, until_s, 0.75)
    later = np.flatnonzero(whole > from_s + DAY_S)
    halfway = from_s[later] + (whole[later] - from_s[later]) // 2
    asked_later = next_crossing(scorer, rows[later], halfway, until_s[later], 0.75)
    differs = asked_later != whole[later]  # as above: another grid sees another short rise and fall
    assert differs.mean() <= (0.0 if scorer is COLD else 0.02)


def test_a_jump_at_midnight_is_found_to_the_second():
    """Where the shop has a calendar, the probability jumps as a holiday comes into sight."""
    rows, from_s, until_s = rows_and_times(SEASONS)
    at_s = next_crossing(SEASONS, rows, from_s, until_s, 0.6)
    found = np.flatnonzero(at_s > from_s + 1)
    assert found.size > 100
    before, now = (SEASONS.probabilities(rows[found], at_s[found] - earlier_s) for earlier_s in (1, 0))
    assert (now >= 0.6).all() and (before < 0.6).all()
    in_japan_s = at_s[found] + 9 * 3_600
    assert (in_japan_s % DAY_S == 0).any(), "some cross just then"


@pytest.mark.parametrize("scorer", [LEARNT, ALL_EXPERTS], ids=["learnt", "all experts"])
@pytest.mark.parametrize("threshold", [1e-12, 1e-6, 0.5, 1 - 1e-6, 1 - 1e-12, 1 - 2**-53])
def test_the_shift_of_the_level_is_undone_without_a_change_of_the_answer(scorer, threshold):
    """Thresholds are compared before the shift; where rounding could matter the probabilities themselves decide."""
    scorer = replace(scorer, level_shift=0.7)
    rows, from_s, until_s = rows_and_times(scorer)
    exactly = scorer.probabilities(rows, from_s + 40 * DAY_S)
    wanted = np.where(np.arange(len(rows)) % 2, exactly, threshold)
    at_s = next_crossing(scorer, rows, from_s, until_s, wanted)
    found = at_s != NEVER
    assert (scorer.probabilities(rows[found], at_s[found]) >= wanted[found]).all()
    later = at_s > from_s + 1
    assert (scorer.probabilities(rows[later], at_s[later] - 1) < wanted[later]).all()
    assert (scorer.probabilities(rows[~found], until_s[~found]) < wanted[~found]).all()


def test_more_customers_than_are_solved_at_once_are_solved_alike():
    many = np.arange(2_300) % 500
    rows, from_s, until_s = rows_and_times(LEARNT)
    together = next_crossing(LEARNT, rows[many], from_s[many], until_s[many], 0.75)
    assert np.array_equal(together, next_crossing(LEARNT, rows, from_s, until_s, 0.75)[many])


@pytest.mark.parametrize("scorer", [LEARNT, ALL_EXPERTS], ids=["learnt", "all experts"])
def test_a_customer_who_crosses_is_found_within_few_looks(monkeypatch, scorer):
    looks = []
    mixed = Outlook.mixed

    def counted(self, at_s):
        looks.append(np.size(at_s))
        return mixed(self, at_s)

    monkeypatch.setattr(Outlook, "mixed", counted)
    rows, from_s, until_s = rows_and_times(scorer)
    next_crossing(scorer, rows, from_s, until_s, 0.75)
    assert looks, "asked through this door"
    assert sum(looks) <= 15 * len(rows)  # up to 7 on the grid, then about 7; halving alone would take 22
