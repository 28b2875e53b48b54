"""Whom an alert is about: what kind of customer, and what a year of them is worth.

Every story happens in a small shop where sixty people ordered once, for 20 to 80 each. After some weeks the shop knows
what is usual there, and nobody tells it which amount is much.
"""

import pytest

from models.target import DAY_S
from streams.alerts import Alert
from tests.builders import START_MS
from tests.scenarios.story import DAY_MS, every, order
from tests.streams.harness import FirstLine

OTHERS = [order(n / 4, customer_id=f"other-{n}", amount=20.0 + n) for n in range(60)]


def told_of_c1(events, *, look_until, others=OTHERS) -> list[Alert]:
    """Every alert about customer c1."""
    line = FirstLine(horizon_s=91 * DAY_S, breaker=0)  # sixty customers who all leave at once are no accident here
    line.take(*others)
    line.take(*events)
    line.pass_time(START_MS + look_until * DAY_MS)
    return [alert for alert in line.alerts() if alert.customer_id == "c1"]


def last_opened(events, *, look_until, others=OTHERS) -> Alert:
    """The alert that opened the last episode of customer c1."""
    return [alert for alert in told_of_c1(events, look_until=look_until, others=others) if alert.type == "opened"][-1]


def test_the_best_customer_falls_silent():
    """Every week for 90, for more than two months: 52 orders and 4,700 a year, seven tenths of it at stake."""
    alert = last_opened(every(7, order, until=133, amount=90.0), look_until=210)
    assert (alert.segment.name, alert.segment.ja, alert.segment.en) == ("vip", "熱狂的ファン", "VIP fan")
    assert alert.value_at_stake == pytest.approx(alert.probability * 365 / 7 * 90.0, rel=0.001)
    assert 3_200 < alert.value_at_stake < 3_500


def test_the_level_rises_with_the_silence_and_so_does_what_is_at_stake_but_the_customer_stays_who_they_were():
    told = told_of_c1(every(7, order, until=133, amount=90.0), look_until=320)
    assert [alert.level for alert in told] == ["watch", "at_risk", "critical", "churned"]
    assert {alert.segment.name for alert in told} == {"vip"}
    at_stake = [alert.value_at_stake for alert in told]
    assert at_stake == sorted(at_stake)


def test_an_order_takes_the_stake_back():
    opened, recovered = told_of_c1([*every(7, order, until=133, amount=90.0), order(174, amount=90.0)], look_until=175)
    assert (opened.type, recovered.type) == ("opened", "recovered")
    assert recovered.value_at_stake < opened.value_at_stake / 2


def test_whose_orders_shrink_while_they_still_come_was_slipping_before_the_silence():
    faithful = every(30, order, until=210, amount=40.0)
    shrinking = [order(30 * n, amount=40.0 if n < 5 else 15.0) for n in range(8)]
    assert last_opened(faithful, look_until=500).segment.name != "slipping"
    assert last_opened(shrinking, look_until=500).segment.ja == "離脱予備軍"


def test_whose_orders_come_ever_more_seldom_was_slipping_too():
    fading = [*every(7, order, until=140, amount=40.0), *every(35, order, start=175, until=280, amount=40.0)]
    assert last_opened(fading, look_until=600).segment.name == "slipping"


def test_somebody_with_one_large_order_is_worth_nurturing():
    alert = last_opened([order(40, amount=400.0)], look_until=80)
    assert alert.segment.ja == "育成候補"
    assert alert.value_at_stake is None, "one order is not enough evidence for a number"


def test_somebody_with_one_order_like_everybody_else_is_nothing_special():
    assert last_opened([order(40, amount=50.0)], look_until=80).segment.ja == "一般"


def test_before_the_shop_knows_its_customers_nobody_is_special():
    assert last_opened(every(7, order, until=133, amount=90.0), look_until=210, others=[]).segment.name == "regular"


def test_the_same_shop_in_yen_has_the_same_segments():
    in_yen = [order(n / 4, customer_id=f"other-{n}", amount=150 * (20.0 + n)) for n in range(60)]
    stories = [
        lambda price: every(7, order, until=133, amount=90.0 * price),
        lambda price: [order(40, amount=400.0 * price)],
        lambda price: [order(40, amount=50.0 * price)],
    ]
    for story in stories:
        euro = last_opened(story(1), look_until=210)
        yen = last_opened(story(150), look_until=210, others=in_yen)
        assert yen.segment == euro.segment
        if euro.value_at_stake is not None:
            assert yen.value_at_stake == pytest.approx(150 * euro.value_at_stake)
