"""Climates: what they promise about activity, newcomers and rhythm shows in the events, and the truth stays exact."""

import hashlib
from collections import defaultdict
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import Channel
from models.simulator import CLIMATES, Climate, Shop, State
from models.simulator.character import Population
from models.simulator.climate import Shock, Trend
from models.simulator.life import Life
from models.simulator.stretch import TABLE_DAYS, Even, Uneven, stretch

DAY_S = 86_400
START_S = 1_704_067_200  # 2024-01-01
OPENED = START_S / DAY_S
CUSTOMERS = 600
OPENING_DAYS = 90


@cache
def shop(name: str) -> Shop:
    return Shop(7, CUSTOMERS, START_S, climate=CLIMATES[name])


@cache
def lives(name: str, days: int = 550) -> tuple[Life, ...]:
    """Everybody who joins within so many days."""
    found: list[Life] = []
    while not found or found[-1].state_at_ms[0] < (START_S + days * DAY_S) * 1000:
        found.append(shop(name)._life(len(found)))
    return tuple(found[:-1])


def joined_days(name: str) -> np.ndarray:
    return np.array([days_of(life.state_at_ms[:1])[0] for life in lives(name)])


def days_of(at_ms: np.ndarray) -> np.ndarray:
    """Days since the shop opened."""
    return (at_ms / 1000 - START_S) / DAY_S


def share_active(name: str, day: float) -> float:
    """Share in state active, among those who joined before."""
    at_s = START_S + day * DAY_S
    here = [number for number, life in enumerate(lives(name)) if life.state_at_ms[0] <= at_s * 1000]
    return sum(shop(name).truth(f"c{number:07d}", at_s) is State.ACTIVE for number in here) / len(here)


def rate(name: str, begin: float, end: float) -> float:
    """Main events per day that somebody is active, over some days of the shop."""
    events = days = 0.0
    for life in lives(name):
        states = days_of(life.state_at_ms)
        for from_day, to_day, state in zip(states, states[1:], life.states, strict=False):
            low, high = max(from_day, begin), min(to_day, end)
            if state is State.ACTIVE and low < high:
                events += np.diff(np.searchsorted(days_of(life.main_at_ms), (low, high))).item()
                days += high - low
    return events / days


def test_the_steady_climate_is_the_shop_there_was_before_there_were_climates_event_for_event():
    """The digest was taken from the simulator when it knew no climates."""
    found = hashlib.sha256()
    for event in Shop(7, 400, 1_577_836_800).events(1_577_836_800 + 300 * DAY_S):
        found.update(repr(event).replace(", categories=0", "").encode())
    assert found.hexdigest()[:32] == "20faba86af0fdb94859e5c1f6819dec3"


@pytest.mark.parametrize("name", CLIMATES)
@pytest.mark.parametrize("horizon_days", [28, 91])
def test_leaving_is_what_the_events_to_come_say_in_any_climate(name, horizon_days):
    small = Shop(5, 60, START_S, climate=CLIMATES[name])
    at_s, horizon_s = START_S + 310 * DAY_S, horizon_days * DAY_S
    times: dict[str, list[float]] = defaultdict(list)
    for event in small.events(at_s + horizon_s):
        if event.channel is CLIMATES[name].main:
            times[event.customer_id].append(event.occurred_at_ms / 1000)
    joined = {who: at for who, at in times.items() if at[0] < at_s}
    left = {who: not any(at_s <= at for at in known) for who, known in joined.items()}
    assert {who: small.leaving(who, at_s, horizon_s) for who in joined} == left
    asked = [who for who, known in joined.items() if any(at_s - 2 * horizon_s <= at < at_s for at in known)]
    assert small.leaving_ratio(at_s, horizon_s) == sum(left[who] for who in asked) / len(asked)


@pytest.mark.parametrize("name", CLIMATES)
def test_any_climate_gives_equal_shops_for_equal_seeds_and_prefixes_for_shorter_runs(name):
    whole = [repr(event) for event in Shop(5, 40, START_S, climate=CLIMATES[name]).events(START_S + 350 * DAY_S)]
    again = [repr(event) for event in Shop(5, 40, START_S, climate=CLIMATES[name]).events(START_S + 320 * DAY_S)]
    assert 100 < len(again) < len(whole)
    assert whole[: len(again)] == again


@pytest.mark.parametrize("name", sorted(CLIMATES.keys() - {"grocery"}))
def test_over_91_days_a_third_to_two_thirds_of_recent_customers_do_not_come(name):
    ratios = [shop(name).leaving_ratio(START_S + day * DAY_S, 91 * DAY_S) for day in (250, 350, 450)]
    assert min(ratios) > 0.3
    assert max(ratios) < 0.7


def test_a_season_swings_activity_around_its_peak_day():
    """Peak 340 = 6 December, amplitude 0.6: within 30 days of it 1.58 times the even rhythm, half a year off 0.42."""
    peak, trough = rate("season", 310, 370), rate("season", 127, 187)
    assert peak / trough == pytest.approx(1.58 / 0.42, rel=0.2)


def test_growth_brings_ever_more_newcomers_and_decline_ever_fewer():
    for name, ratio in (("growth", 4.0), ("decline", 0.2), ("steady", 1.0)):
        joined = joined_days(name)
        early, late = (np.sum((joined >= day) & (joined < day + 60)) for day in (90, 480))
        assert late / early == pytest.approx(ratio ** (390 / 540), rel=0.1)


def test_activity_declines_as_the_trend_says():
    assert rate("decline", 480, 550) / rate("decline", 100, 170) == pytest.approx(0.35 ** (380 / 540), rel=0.15)


def test_a_small_decline_lives_on_few_newcomers():
    assert np.sum(joined_days("small-decline") > OPENING_DAYS) == pytest.approx(CUSTOMERS * 0.001 * 460, abs=3)


def test_a_launch_lifts_activity_and_newcomers_for_a_while():
    """A factor 6 that halves every 30 days brings 5 * 30 / ln 2 days' worth of newcomers on top."""
    joined = joined_days("launch")
    on_top = np.sum((joined >= 300) & (joined < 540)) - 0.003 * CUSTOMERS * 240
    assert on_top == pytest.approx(0.003 * CUSTOMERS * 5 * 30 / np.log(2), rel=0.05)
    before, during, after = rate("launch", 200, 290), rate("launch", 300, 330), rate("launch", 480, 550)
    assert during / before == pytest.approx(1.72, rel=0.15)
    assert after / before == pytest.approx(1.0, rel=0.15)


def test_a_price_rise_raises_order_values_slows_customers_and_drives_some_away():
    orders = [(days_of(life.at_ms), life) for life in lives("price-rise")]
    values = [
        np.concatenate(
            [life.amount[(life.channel == Channel.ORDER) & (at >= low) & (at < high)] for at, life in orders]
        )
        for low, high in ((200, 300), (300, 400))
    ]
    assert np.median(values[1]) / np.median(values[0]) == pytest.approx(1.2, rel=0.06)
    assert all(np.array_equal(part, np.round(part)) for part in values)
    assert rate("price-rise", 310, 420) / rate("price-rise", 180, 290) == pytest.approx(0.75, rel=0.15)
    assert share_active("price-rise", 301) / share_active("price-rise", 299) == pytest.approx(0.7, abs=0.06)


def test_grocery_customers_come_like_clockwork_every_week_or_two():
    means, spreads = [], []
    for life in lives("grocery"):
        if life.states[0] is State.ACTIVE:
            gaps = np.diff(days_of(life.main_at_ms[life.main_at_ms < life.state_at_ms[1]]))
            if gaps.size >= 8:
                means.append(gaps.mean())
                spreads.append(gaps.std() / gaps.mean())
    weekly = np.mean(np.abs(np.array(means) - 7) < 2.5)
    assert weekly == pytest.approx(0.5, abs=0.1)
    assert np.mean(np.abs(np.array(means) - 14) < 5) == pytest.approx(1 - weekly, abs=0.05)
    assert np.median(spreads) < 0.25
    one_time = sum(life.states[0] is State.FADING for life in lives("grocery"))
    assert one_time / len(lives("grocery")) == pytest.approx(0.1, abs=0.03)


def test_a_community_lives_on_logins_and_its_lost_members_do_not_log_in():
    joined = lives("community")
    assert {int(life.channel[0]) for life in joined} == {int(Channel.LOGIN)}
    channels = np.concatenate([life.channel[days_of(life.at_ms) < 550] for life in joined])
    logins, orders = np.sum(channels == Channel.LOGIN), np.sum(channels == Channel.ORDER)
    assert 0.05 < orders / logins < 0.8
    for life in joined[:200]:
        assert np.array_equal(life.main_at_ms, life.at_ms[life.channel == Channel.LOGIN])
        state = np.searchsorted(life.state_at_ms, life.main_at_ms, "right") - 1
        assert State.LOST not in {life.states[place] for place in state}
    assert rate("community", 480, 550) / rate("community", 100, 170) == pytest.approx(0.3 ** (380 / 730), rel=0.15)


@pytest.mark.parametrize("name", CLIMATES)
def test_rates_stay_positive_for_ever(name):
    days = np.arange(0, 50 * 365, 5.0)
    assert CLIMATES[name].level(days, OPENED).min() > 0.1
    assert CLIMATES[name].arrivals(days).min() > 0


@given(
    st.lists(st.floats(0.01, 50), min_size=1, max_size=40),
    st.floats(-100, 25_000),
    st.lists(st.floats(-60, 120), min_size=2, max_size=2, unique=True),
)
def test_stretched_time_keeps_its_order_and_can_be_undone_on_and_off_the_table(rates, begin, offsets):
    table = Uneven(begin, np.array(rates))
    at = begin + np.sort(offsets)
    done = table.done(at)
    assert at[0] == at[1] or done[0] < done[1]
    assert np.allclose(table.at(done), at, rtol=0, atol=1e-6)


def test_the_amount_done_is_the_integral_of_the_rate():
    table = stretch(100.0, lambda at: np.where(at < 110, 1.0, 3.0))
    assert table.done(np.array([100.0, 110.0, 111.5])).tolist() == [0.0, 10.0, 14.5]
    end = 100.0 + TABLE_DAYS
    assert np.diff(table.done(np.array([end, end + 10]))) == pytest.approx(30)


def test_a_rate_that_never_changes_is_not_tabulated():
    assert isinstance(stretch(5.0, lambda at: np.full(at.shape, 0.003)), Even)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Trend(to_ratio=0.0), "to_ratio"),
        (lambda: Trend(over_days=0), "over_days"),
        (lambda: Shock(-1), "on_day"),
        (lambda: Shock(1, activity_ratio=0), "activity_ratio"),
        (lambda: Shock(1, newcomers_ratio=-1), "newcomers_ratio"),
        (lambda: Shock(1, wears_off_days=0), "wears_off_days"),
        (lambda: Shock(1, price_ratio=float("nan")), "price_ratio"),
        (lambda: Shock(1, leaving_ratio=1.1), "leaving_ratio"),
        (lambda: Climate(season_ratio=1.0), "season_ratio"),
        (lambda: Climate(newcomers_per_day_ratio=0), "newcomers_per_day_ratio"),
        (lambda: Climate(main=Channel.EMAIL_OPEN), "main"),
        (lambda: Population(one_time_ratio=1.5), "one_time_ratio"),
        (lambda: Population(regularity=(4.0, 2.0)), "regularity"),
        (lambda: Population(rhythm_days=()), "rhythm_days"),
        (lambda: Population(rhythm_days=(7.0, 0.0)), "rhythm_days"),
        (lambda: Population(gap_spread=-0.1), "gap_spread"),
        (lambda: Population(life_days=0), "life_days"),
    ],
)
def test_an_impossible_climate_is_refused_by_name(make, named):
    with pytest.raises(ValueError, match=named):
        make()
