"""Somebody asks to be forgotten: what the shop is still told of them, and what happens if they come back."""

from tests import builders
from tests.scenarios.story import _at_day, every, login, order, outcomes, played, story

WEEKLY = every(7, order, until=63)
"""Ten weekly orders, then silence."""


def erase(day, customer_id="c1"):
    """They ask to be erased."""
    return _at_day(builders.erase, day, customer_id)


def test_who_was_erased_is_never_alerted_on_again():
    told = story(WEEKLY, look_until=300)
    first_day = int(told[0].split(":")[0].removeprefix("day "))
    assert len(told) > 1
    assert story(WEEKLY, erase(first_day - 1), look_until=300) == []
    assert story(WEEKLY, erase(first_day + 1), look_until=300) == told[:1]


def test_an_open_alert_of_somebody_erased_has_no_outcome():
    """It is neither a success nor a failure of the campaign."""
    told = story(WEEKLY, look_until=300)
    first_day = int(told[0].split(":")[0].removeprefix("day "))
    assert outcomes(WEEKLY, look_until=300) != []
    assert outcomes(WEEKLY, erase(first_day + 1), look_until=300) == []


def test_the_same_history_loaded_again_brings_nobody_back():
    """A data warehouse sends last year once more: everybody else's orders are repeats, theirs are of nobody."""
    line = played(WEEKLY, every(7, order, until=63, customer_id="c2"), erase(64), look_until=64)
    told = len(line.out)
    line.take(*WEEKLY)
    assert line.rows().keys() == {b"c2"}
    assert line.out[told:] == []
    assert line.metric("yocho_events_total", type="order", outcome="erased") == len(WEEKLY)


def test_who_comes_back_after_that_is_a_new_customer_with_habits_yet_to_be_learnt():
    """Two old years must not speak through the first new order."""
    back = every(3, order, start=100, until=160)
    after = played(WEEKLY, erase(64), back, look_until=400)
    fresh = played(back, look_until=400)
    assert (
        [(a.alert_id, a.probability, a.reasons) for a in after.alerts()]
        == [(a.alert_id, a.probability, a.reasons) for a in fresh.alerts()]
        != []
    )
    assert after.row()["first_at"] == fresh.row()["first_at"]


def test_a_neighbour_notices_nothing():
    neighbour = [*every(5, order, until=60, customer_id="c2"), *every(2, login, until=64, customer_id="c2")]
    beside, alone = played(WEEKLY, neighbour, erase(64), look_until=300), played(neighbour, look_until=300)
    theirs = [alert for alert in beside.alerts() if alert.customer_id == "c2"]
    assert [(a.alert_id, a.probability) for a in theirs] == [(a.alert_id, a.probability) for a in alone.alerts()] != []


def test_an_erasure_asked_for_twice_is_one_and_a_second_one_erases_the_second_life_too():
    back = every(3, order, start=100, until=115)
    line = played(WEEKLY, erase(64), erase(64), back, erase(116), look_until=117)
    assert line.rows() == {}
    assert story(WEEKLY, erase(64), back, erase(116), look_until=400) == []
