"""The breaker: how many alerts a day are too many, and what closes it."""

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from models.breaker import BUSY, DAYS, LEAST, UNLIMITED, Breaker
from models.target import DAY_S


def admit(breaker: Breaker, at_s: int) -> bool:
    if has_room := breaker.has_room(at_s):
        breaker.tell(at_s)
    return has_room


def known(per_day, days: int = DAYS, multiple: float = 5.0) -> Breaker:
    """After so many days, each with so many alerts; the next day is `days`."""
    breaker = Breaker(multiple)
    for day in range(days):
        for n in range(per_day(day) if callable(per_day) else per_day):
            assert admit(breaker, (100 + day) * DAY_S + n)
    return breaker


def let_through(breaker: Breaker, day: int, wanted: int = 10_000) -> int:
    return sum(admit(breaker, (100 + day) * DAY_S + n) for n in range(wanted))


def test_it_lets_a_stated_multiple_of_the_usual_through_and_no_more():
    assert let_through(known(30), DAYS) == 150


def test_a_small_shop_has_room_for_its_least():
    assert let_through(known(1), DAYS) == LEAST


def test_a_shop_whose_alerts_come_in_waves_has_room_for_twice_its_busiest_day():
    assert let_through(known(lambda day: 700 if day % 14 == 0 else 1), DAYS) == BUSY * 700


def test_nothing_trips_before_four_weeks_are_known():
    breaker = known(1, days=DAYS - 1)
    assert breaker.limit(100 + DAYS - 1) == UNLIMITED
    assert let_through(breaker, DAYS - 1) == 10_000


def test_switched_off_it_never_trips():
    assert let_through(known(1, multiple=0.0), DAYS) == 10_000


def test_a_release_keeps_it_closed_for_a_day_and_its_flood_is_not_usual():
    breaker = known(30)
    let_through(breaker, DAYS)
    assert breaker.release((100 + DAYS) * DAY_S + 50_000)
    assert all(admit(breaker, (100 + DAYS) * DAY_S + 50_000 + n) for n in range(3_000))
    assert breaker.limit(100 + DAYS + 2) == 150
    assert not breaker.release((100 + DAYS) * DAY_S + 60_000)


def test_the_return_of_a_source_closes_it_only_if_that_was_why():
    plain, stale = known(30), known(30)
    for breaker in (plain, stale):
        let_through(breaker, DAYS)
    stale.closes_with_source = True
    assert not plain.source_returned((100 + DAYS) * DAY_S + 20_000)
    assert stale.source_returned((100 + DAYS) * DAY_S + 20_000)
    assert sum(admit(stale, (100 + DAYS) * DAY_S + 20_000 + n) for n in range(1_000)) == 150


def test_alerts_that_are_met_out_of_order_still_have_one_limit_a_day():
    breaker = known(30)
    seconds = [(100 + DAYS) * DAY_S + (n * 7_919) % DAY_S for n in range(2_000)]
    assert sum(admit(breaker, second) for second in seconds) == 150


def test_who_is_held_waits_an_hour_on_the_first_day_and_an_hour_more_each_day():
    breaker = known(30)
    let_through(breaker, DAYS)
    opened_s = breaker.opened_at_s
    days = opened_s // DAY_S * DAY_S - opened_s + np.array([1, 2, 3, 29]) * DAY_S - 1
    assert breaker.hold_s(opened_s + np.array([0, *days])).tolist() == [3_600, 3_600, 3_600, 7_200, 28 * 3_600]


def test_a_long_history_is_not_kept():
    breaker = known(2, days=400)
    assert len(orjson.dumps(breaker.to_dict())) < 1_000
    assert breaker.limit(100 + 400) == LEAST


@given(st.lists(st.integers(0, 40 * DAY_S), max_size=200), st.integers(0, 200))
def test_stored_and_read_again_it_goes_on_exactly(seconds, cut):
    once, twice = known(1), known(1)
    seconds = [(100 + DAYS) * DAY_S + second for second in seconds]
    whole = [admit(once, second) for second in seconds]
    parts = [admit(twice, second) for second in seconds[:cut]]
    twice = Breaker.from_dict(orjson.loads(orjson.dumps(twice.to_dict())), 5.0)
    parts += [admit(twice, second) for second in seconds[cut:]]
    assert whole == parts
    assert once.to_dict() == twice.to_dict()
