"""The simulated shop: same seed, same shop; time runs forward; what it says is true is true of its events."""

import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import Channel, Event
from models.simulator import Shop, State, calendar, campaign_id

DAY_S = 86_400
START_S = 1_577_836_800
END_S = START_S + 300 * DAY_S
JST_S = 9 * 3600


def shop(seed: int = 7, customers: int = 400) -> Shop:
    return Shop(seed, customers, START_S)


@pytest.fixture(scope="module")
def stream() -> list[Event]:
    return list(shop().events(END_S))


@pytest.fixture(scope="module")
def told() -> Shop:
    return shop()


def orders(stream: list[Event]) -> dict[str, list[float]]:
    """Order times in seconds per customer."""
    found = defaultdict(list)
    for event in stream:
        if event.channel is Channel.ORDER:
            found[event.customer_id].append(event.occurred_at_ms / 1000)
    return found


def as_values(events: list[Event]) -> list[str]:
    return [repr(event) for event in events]  # NaN amounts are unequal to themselves, their text is not


def test_equal_seeds_give_equal_shops_event_for_event(stream):
    assert as_values(list(shop().events(END_S))) == as_values(stream)


def test_another_seed_gives_another_shop(stream):
    other = list(itertools.islice(shop(seed=8).events(), 100))
    assert as_values(other) != as_values(stream[:100])


@pytest.mark.parametrize("days", [0, 1, 33.3, 120])
def test_a_shorter_run_is_a_prefix_of_a_longer_one(stream, days):
    shorter = list(shop().events(START_S + int(days * DAY_S)))
    assert as_values(shorter) == as_values(stream[: len(shorter)])
    assert stream[len(shorter)].at_s >= START_S + int(days * DAY_S)


def test_an_endless_run_is_drawn_lazily_and_begins_like_a_bounded_one(stream):
    assert as_values(list(itertools.islice(shop().events(), 5_000))) == as_values(stream[:5_000])


def test_asking_for_truth_does_not_change_the_events(stream):
    asked = shop()
    asked.leaving_ratio(END_S, 28 * DAY_S)
    assert as_values(list(itertools.islice(asked.events(), 1_000))) == as_values(stream[:1_000])


def test_events_come_in_time_order_within_the_run_and_with_ids_of_their_own(stream):
    times = [event.occurred_at_ms for event in stream]
    assert times == sorted(times)
    assert times[0] >= START_S * 1000
    assert times[-1] < END_S * 1000
    assert len({event.event_id for event in stream}) == len(stream)


def test_a_customer_begins_with_an_order(stream):
    first = {}
    for event in stream:
        first.setdefault(event.customer_id, event.channel)
    assert set(first.values()) == {Channel.ORDER}


def test_customers_join_over_the_whole_opening_and_go_on_joining(told):
    ids = {event.customer_id for event in told.events(START_S + 45 * DAY_S)}
    assert 180 < len(ids) < 220
    ids = {event.customer_id for event in told.events(END_S)}
    assert pytest.approx(len(ids), abs=3) == 400 + 210 * 400 * 0.003


def test_lost_customers_neither_order_nor_log_in_but_their_mail_is_still_opened_by_machines(stream, told):
    during = Counter(
        (event.channel, event.engaged)
        for event in stream
        if told.truth(event.customer_id, event.occurred_at_ms / 1000) is State.LOST
    )
    assert during[Channel.ORDER, True] == during[Channel.LOGIN, True] == 0
    assert during[Channel.EMAIL_OPEN, False] > 100
    assert during[Channel.EMAIL_OPEN, True] < 0.2 * during[Channel.EMAIL_OPEN, False]


def test_all_four_states_occur_and_a_return_begins_with_an_order(stream, told):
    ordered = orders(stream)
    returns = 0
    seen = set()
    for customer_id in ordered:
        life = told._life(int(customer_id[1:]))
        seen |= set(life.states)
        for begin_ms, state in zip(life.state_at_ms, life.states, strict=True):
            if state is State.RETURNING and begin_ms < END_S * 1000:
                returns += 1
                assert begin_ms / 1000 in ordered[customer_id]
    assert seen == set(State)
    assert returns > 20


def test_about_half_of_all_opens_are_machine_opens(stream):
    opens = [event.engaged for event in stream if event.channel is Channel.EMAIL_OPEN]
    assert 0.4 < opens.count(False) / len(opens) < 0.6


def test_nobody_opens_a_campaign_twice(stream):
    opens = Counter((event.customer_id, campaign_id(event)) for event in stream if event.channel is Channel.EMAIL_OPEN)
    assert max(opens.values()) == 1


@pytest.mark.parametrize("horizon_days", [7, 28, 91])
def test_leaving_is_what_the_events_to_come_say(told, horizon_days):
    at_s, horizon_s = START_S + 150 * DAY_S, horizon_days * DAY_S
    ordered = orders(list(told.events(at_s + horizon_s)))
    joined = {who: times for who, times in ordered.items() if times[0] < at_s}
    left = {who: not any(at_s <= at for at in times) for who, times in joined.items()}
    assert {who: told.leaving(who, at_s, horizon_s) for who in joined} == left

    asked = [who for who, times in joined.items() if any(at_s - 2 * horizon_s <= at < at_s for at in times)]
    assert told.leaving_ratio(at_s, horizon_s) == sum(left[who] for who in asked) / len(asked)


def test_customers_lost_for_good_are_leaving_at_any_time_after(told):
    for number in range(400):
        life = told._life(number)
        assert told.leaving(f"c{number:07d}", life.state_at_ms[-1] / 1000, 10_000 * DAY_S)


def test_active_customers_order_at_the_rhythm_of_the_population(told):
    """Median personal gap 12 d; the median of estimates of few gaps lies somewhat off."""
    means = []
    spreads = []
    for number in range(2_000):
        life = told._life(number)
        if life.states[0] is State.ACTIVE:
            gaps = np.diff(life.main_at_ms[life.main_at_ms < life.state_at_ms[1]]) / 1000 / DAY_S
            if gaps.size >= 8:
                means.append(gaps.mean())
                spreads.append(gaps.std() / gaps.mean())
    assert 9 < np.median(means) < 14
    assert np.mean(np.array(spreads) < 0.6) == pytest.approx(0.4, abs=0.12)  # the regular ones


def test_interest_goes_before_orders_do(stream, told):
    """Per customer-day, logins fall further from active to fading than orders do."""
    acts: Counter[tuple[Channel, State]] = Counter(
        (event.channel, told.truth(event.customer_id, event.occurred_at_ms / 1000))
        for event in stream
        if event.at_s > START_S + 100 * DAY_S
    )
    orders_kept = acts[Channel.ORDER, State.FADING] / acts[Channel.ORDER, State.ACTIVE]
    logins_kept = acts[Channel.LOGIN, State.FADING] / acts[Channel.LOGIN, State.ACTIVE]
    opens_kept = acts[Channel.EMAIL_OPEN, State.FADING] / acts[Channel.EMAIL_OPEN, State.ACTIVE]
    assert logins_kept < 0.9 * orders_kept
    assert opens_kept > 0


def test_late_evening_is_busiest_noon_second_and_sunday_the_best_day(stream):
    seconds = np.array([event.at_s + JST_S for event in stream if event.channel is Channel.ORDER])
    hours = np.bincount(seconds // 3600 % 24, minlength=24)
    assert 21 <= hours.argmax() <= 22
    assert hours[12] > max(hours[9], hours[15])
    assert hours[22] / hours[9] == pytest.approx(1.87, rel=0.15)
    weekdays = np.bincount((seconds // DAY_S + 3) % 7, minlength=7)  # 1970-01-01 was a Thursday
    assert weekdays[6] > weekdays[5]


@given(st.floats(15_000, 25_000), st.floats(1e-3, 100))
def test_the_week_bends_time_without_reordering_it_and_can_be_undone(day, later_days):
    bent = calendar.to_wall(np.array([day, day + later_days]))
    assert bent[0] < bent[1]
    assert np.allclose(calendar.to_shop(bent), [day, day + later_days], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"seed": -1}, "seed"), ({"customers": 0}, "customers"), ({"start_at_s": 0}, "start_at_s")],
)
def test_an_impossible_shop_is_refused_by_name(change, named):
    with pytest.raises(ValueError, match=named):
        Shop(**{"seed": 1, "customers": 1, "start_at_s": START_S, **change})


def test_an_opening_of_no_length_is_refused():
    with pytest.raises(ValueError, match="opening_days"):
        Shop(1, 1, START_S, opening_days=0)


@pytest.mark.parametrize("customer_id", ["17", "x0000001", "c", "c-1", ""])
def test_a_stranger_is_a_key_error(told, customer_id):
    with pytest.raises(KeyError):
        told.leaving(customer_id, END_S, DAY_S)


def test_truth_about_somebody_who_has_not_joined_is_a_key_error(told):
    with pytest.raises(KeyError, match="not joined"):
        told.truth("c0000399", START_S)


def test_before_anybody_joined_there_is_no_ratio(told):
    assert np.isnan(told.leaving_ratio(START_S, DAY_S))
