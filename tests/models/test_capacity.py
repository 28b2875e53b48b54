"""Only so many new alerts a day, and those for whom most is at stake."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.capacity import Capacity, Share
from models.target import DAY_S

NAN = float("nan")


def day_of(capacity: Capacity, day: int, stakes, p: float = 0.7) -> list[int]:
    """A day of candidates, an hour apart; the places of those let in."""
    capacity.close(day * DAY_S)
    answers = [capacity.full_until(day * DAY_S + 60 * i, stake, p, 0) for i, stake in enumerate(stakes)]
    return [i for i, answer in enumerate(answers) if answer == 0]


def used(capacity: Capacity, days: int, seed: int, n: int = 100) -> list[float]:
    """Days with n candidates of log-normal stakes; what was let in, of all days but the first fourteen."""
    rng = np.random.default_rng(seed)
    let_in: list[float] = []
    for day in range(1, days + 1):
        stakes = np.exp(rng.normal(9, 1, n))
        chosen = day_of(capacity, day, stakes.tolist())
        let_in += stakes[chosen].tolist() if day > 14 else []
    return let_in


@given(st.integers(1, 50), st.integers(1, 13), st.integers(0, 30_000))
def test_the_partitions_of_a_shop_share_its_capacity_exactly_every_day(per_day, partitions, day):
    shares = [Share(per_day, partition, partitions) for partition in range(partitions)]
    assert sum(share.cap(day) for share in shares) == per_day
    assert sum(shares[0].cap(day + n) for n in range(partitions)) == per_day


@given(st.integers(1, 5), st.lists(st.lists(st.floats(0, 1e9) | st.just(NAN), max_size=12), max_size=20))
def test_no_day_lets_in_more_than_its_cap(per_day, days):
    capacity = Capacity(Share(per_day))
    for day, stakes in enumerate(days, 1):
        assert len(day_of(capacity, day, stakes)) <= per_day


def test_as_long_as_there_are_fewer_candidates_than_places_everybody_is_let_in():
    capacity = Capacity(Share(5))
    for day in range(1, 30):
        assert day_of(capacity, day, [1.0, 100.0, 10_000.0, NAN]) == [0, 1, 2, 3]


def test_the_first_day_takes_whoever_comes_first():
    assert day_of(Capacity(Share(2)), 1, [5.0, 1.0, 9_000.0]) == [0, 1]


def test_from_then_on_the_best_are_let_in_and_the_days_are_used():
    """Ten of a hundred a day: what is at stake for them is the top tenth of all, on most days all ten."""
    let_in = used(Capacity(Share(10)), days=114, seed=3)
    assert 850 <= len(let_in) <= 1_000
    assert np.mean(np.log(let_in) > 9 + 1.2816) > 0.85, "beyond the 90 % quantile of the normal distribution"


def test_a_candidate_who_is_put_off_is_asked_again_at_a_place_of_the_next_day_that_is_theirs():
    capacity = Capacity(Share(1))
    day_of(capacity, 7, [1.0])
    answers = [capacity.full_until(7 * DAY_S + 5, 1.0, 0.7, phase) for phase in (0, 32_768, 65_535)]
    assert answers == [8 * DAY_S, 8 * DAY_S + DAY_S // 2, 9 * DAY_S - 2]
    assert capacity.put_off == 3


def test_candidates_who_are_all_alike_still_use_the_day():
    """All cross the threshold at its very probability: the bar must not lie above everybody."""
    capacity = Capacity(Share(3))
    for day in range(1, 40):
        assert day_of(capacity, day, [NAN] * 50) == [0, 1, 2]


def test_where_no_value_is_known_the_probability_ranks():
    capacity = Capacity(Share(1))
    for day in range(1, 10):
        capacity.close(day * DAY_S)
        risks = [0.70 + 0.01 * i for i in range(20)]
        chosen = [p for p in risks if capacity.full_until(day * DAY_S, NAN, p, 0) == 0]
    assert chosen == [pytest.approx(0.89, abs=0.011)]


def test_whose_value_is_not_known_is_taken_for_the_median():
    capacity = Capacity(Share(2))
    for day in range(1, 15):
        day_of(capacity, day, [10.0, 20.0, 30.0, 4_000.0, 5_000.0])
    assert day_of(capacity, 15, [NAN, 5_000.0, NAN]) == [1]


def test_when_values_become_known_probabilities_are_forgotten():
    capacity = Capacity(Share(1))
    for day in range(1, 15):
        day_of(capacity, day, [NAN] * 9, p=0.9)
    assert day_of(capacity, 15, [0.01, 0.02]) == [0], "no bar yet"


def test_the_bar_stands_still_for_a_day():
    one, other = Capacity(Share(3)), Capacity(Share(3))
    for capacity in (one, other):
        for day in range(1, 15):
            day_of(capacity, day, range(1, 100))
    assert day_of(one, 15, [5.0] * 1_000) == day_of(other, 15, []) == []
    assert one.full_until(15 * DAY_S, 96.0, 0.7, 0) == other.full_until(15 * DAY_S, 96.0, 0.7, 0)


def test_a_day_begins_once():
    capacity = Capacity(Share(1))
    assert capacity.next_day_s(0) is None
    assert [capacity.close(at_s) for at_s in (5 * DAY_S, 5 * DAY_S + 9, 6 * DAY_S - 1, 6 * DAY_S)] == [
        True, False, False, True,
    ]  # fmt: skip
    assert capacity.next_day_s(6 * DAY_S) == 7 * DAY_S


def test_days_without_candidates_lower_what_is_usual():
    busy, quiet = Capacity(Share(10)), Capacity(Share(10))
    for day in range(1, 60):
        day_of(busy, day, range(1, 40))
        day_of(quiet, day, range(1, 40) if day % 7 == 0 else [])
    assert 0 not in day_of(busy, 60, [1.0])
    assert 0 in day_of(quiet, 60, [1.0])


@given(st.lists(st.lists(st.floats(0.01, 1e6), max_size=8), max_size=12), st.integers(0, 12))
def test_what_a_partition_remembers_goes_on_as_if_nothing_had_happened(days, cut):
    memory = {}
    alone = Capacity(Share(2))
    for day, stakes in enumerate(days, 1):
        if day == cut and memory:
            memory = {"capacity": json.loads(json.dumps(memory["capacity"].to_dict()))}
        assert day_of(Capacity.of(memory, Share(2)), day, stakes) == day_of(alone, day, stakes)


def test_another_capacity_keeps_what_was_learnt():
    memory = {}
    for day in range(1, 15):
        day_of(Capacity.of(memory, Share(3)), day, range(1, 100))
    larger = Capacity.of(memory, Share(50))
    assert larger.to_dict()["past"]
    assert Capacity.of(memory, Share(50)) is larger
