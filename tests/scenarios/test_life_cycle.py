"""How an alert lives on: what people say about it, when it keeps quiet, and whom a day has room for. Stories by day.

Settings are those of a new deployment, where a story does not name others: see `tests.scenarios.test_stories`.
"""

from collections import Counter
from datetime import timedelta

from tests import builders
from tests.builders import START_MS
from tests.scenarios.learnt_shop import learnt
from tests.scenarios.story import DAY_MS, alerts, day_of, every, in_words, login, order, played, story

WEEKLY_UNTIL_DAY_63 = every(7, order, until=63)
LEFT_ALONE = [
    "day 101: opened watch",
    "day 109: escalated at_risk",
    "day 125: escalated critical",
    "day 245: expired",
]


def at_ms(day: float) -> int:
    return START_MS + round(day * DAY_MS)


def ack(day: float, **fields):
    return builders.ack(at=at_ms(day), **fields)


def snooze(day: float, until_day: float, **fields):
    return builders.snooze(at=at_ms(day), until=at_ms(until_day), **fields)


# -- somebody takes care


def test_who_takes_care_of_a_customer_is_told_and_later_alerts_say_that_somebody_does():
    told = alerts(WEEKLY_UNTIL_DAY_63, ack(102, by="Sato"), order(120), look_until=200)
    assert [(in_words(alert), alert.acknowledged) for alert in told] == [
        ("day 101: opened watch", False),
        ("day 102: acknowledged watch", True),
        ("day 109: escalated at_risk", True),
        ("day 120: recovered", True),
        ("day 196: opened watch", False),
    ]
    assert [alert.by for alert in told] == [None, "Sato", None, None, None]


def test_there_is_nothing_to_take_care_of_while_all_is_well():
    assert story(WEEKLY_UNTIL_DAY_63, ack(90), look_until=300) == LEFT_ALONE


def test_taking_care_changes_no_other_alert():
    """Mailers act once per id, and the ids of all other alerts are those they would have been."""
    alone, cared = (alerts(WEEKLY_UNTIL_DAY_63, *said, look_until=300) for said in ([], [ack(102), ack(115)]))
    assert [a.alert_id for a in cared if a.type != "acknowledged"] == [a.alert_id for a in alone]


# -- snooze


def test_whoever_is_snoozed_while_all_is_well_is_told_about_when_the_snooze_ends():
    """A customer has said that they will be travelling until day 115."""
    assert story(WEEKLY_UNTIL_DAY_63, snooze(90, 115), look_until=300) == [
        "day 115: opened at_risk",
        "day 125: escalated critical",
        "day 245: expired",
    ]


def test_whoever_comes_back_before_the_snooze_ends_was_never_worth_a_word():
    assert story(WEEKLY_UNTIL_DAY_63, snooze(90, 115), order(112), look_until=150) == []


def test_a_snoozed_alert_that_gets_worse_speaks_again():
    told = alerts(WEEKLY_UNTIL_DAY_63, snooze(105, 140, by="Mori"), look_until=300)
    assert [in_words(alert) for alert in told] == [LEFT_ALONE[0], "day 105: snoozed watch", *LEFT_ALONE[1:]]
    assert (told[1].by, told[1].until.timestamp() * 1000) == ("Mori", at_ms(140))


def test_the_end_of_a_snoozed_alert_is_told_because_the_mailer_has_to_stop():
    assert story(WEEKLY_UNTIL_DAY_63, snooze(105, 119), order(108), look_until=170) == [
        "day 101: opened watch",
        "day 105: snoozed watch",
        "day 108: recovered",
    ]


def test_a_snooze_can_be_taken_back():
    assert story(WEEKLY_UNTIL_DAY_63, snooze(90, 150), snooze(106, 106), look_until=109) == ["day 106: opened watch"]


def test_a_snooze_outlives_the_alert_it_was_said_about():
    daily_until_day_63 = every(1, order, until=63)
    back_on_day_72 = ["day 70: opened watch", "day 71: snoozed watch", "day 72: recovered"]
    assert story(daily_until_day_63, order(72), look_until=99)[-1] == "day 94: opened watch"
    assert story(daily_until_day_63, snooze(71, 98), order(72), look_until=99) == [
        *back_on_day_72, "day 98: opened watch",
    ]  # fmt: skip


def test_a_snooze_about_a_stranger_is_set_aside_and_founds_no_customer():
    line = played(order(0), snooze(1, 20, customer_id="typo"), look_until=30)
    (dead,) = line.dead_letters()
    assert (dead.key, dict(dead.headers)["x-reason"]) == (b"typo", b"unknown_customer")
    assert b"typo" not in line.partition


# -- keeping quiet


def visits(days: float, until: float = 200) -> list:
    """Somebody who bought weekly until day 63 and after that only looks in every so many days, until a day."""
    return [*every(7, order, until=63), *every(2, login, until=64), *every(days, login, start=64 + days, until=until)]


def test_after_an_alert_has_ended_there_is_a_week_of_peace():
    hasty, calm = (alerts(visits(8), look_until=200, model=learnt(), **how) for how in ({"cool_down": 0}, {}))
    assert [in_words(alert) for alert in hasty[1:3]] == ["day 136: recovered", "day 142: opened watch"]
    assert [in_words(alert) for alert in calm[1:3]] == ["day 136: recovered", "day 143: opened watch"]
    assert calm[2].occurred_at - calm[1].occurred_at == timedelta(days=7)


def test_a_flapper_is_told_about_twice_and_then_not_before_the_first_alert_has_proved_right_or_wrong():
    """Each visit calms the alert, each pause raises it again. A quarter after the first one nothing was bought."""
    assert story(visits(12, until=150), look_until=330, model=learnt()) == [
        "day 121: opened watch", "day 124: recovered", "day 131: opened watch", "day 136: recovered",
        "day 212: opened critical", "day 245: expired",
    ]  # fmt: skip


def test_a_flapper_who_buys_has_proved_the_alerts_wrong_and_may_be_told_about_again_at_any_time():
    assert story(visits(12, until=150), order(152), look_until=225, model=learnt()) == [
        "day 121: opened watch", "day 124: recovered", "day 131: opened watch", "day 136: recovered",
        "day 182: opened watch", "day 194: escalated at_risk", "day 224: escalated critical",
    ]  # fmt: skip


def test_an_alert_says_what_brought_the_customer_back():
    told = alerts(visits(12), order(230), look_until=231, model=learnt())
    assert [alert.recovered_by for alert in told if alert.type == "recovered"] == ["login", "login", "order"]


# -- a day has only so much room


def shop(amounts) -> list:
    """Four weekly buyers for each amount, who all stop on the same day."""
    return [
        order(7 * week, customer_id=f"{amount}-{n}", amount=amount)
        for week in range(10)
        for amount in amounts
        for n in range(4)
    ]


def test_without_a_capacity_everybody_is_told_about_on_the_day():
    assert Counter(day_of(alert) for alert in alerts(shop([1_000, 5_000, 20_000]), look_until=108)) == {101: 12}


def test_two_alerts_a_day_go_to_those_with_the_most_at_stake_and_the_others_wait_their_turn():
    """On the first day nobody knows yet what is much; from the second on, first those who spend 20,000 a week."""
    told = [one for one in alerts(shop([1_000, 5_000, 20_000]), look_until=120, capacity=2) if one.type == "opened"]
    assert max(Counter(day_of(alert) for alert in told).values()) == 2
    waited = [alert.customer_id for alert in told[2:]]
    assert {customer.split("-")[0] for customer in waited[:2]} == {"20000"}
    assert len(told) == 12, "in the end everybody's turn has come"


def test_whoever_comes_back_while_waiting_gives_no_alert():
    back = [order(102, customer_id=f"1000-{n}", amount=1_000) for n in range(4)]
    told = alerts(shop([1_000]), back, look_until=108, capacity=1)
    assert len({alert.customer_id for alert in told}) == 1


def test_an_alert_that_is_open_needs_no_room_to_get_worse():
    assert story(WEEKLY_UNTIL_DAY_63, look_until=300, capacity=1) == LEFT_ALONE


def test_what_a_day_has_let_in_is_known_after_a_restart():
    line = played(shop([1_000, 5_000]), look_until=101.9, capacity=3)
    assert len(line.alerts()) == 3
    line.restart()
    line.partition.memory = {name: part.to_dict() for name, part in line.partition.memory.items()}
    line.pass_time(at_ms(102))
    assert len(line.alerts()) == 3
    line.pass_time(at_ms(104))
    assert max(Counter(day_of(alert) for alert in line.alerts()).values()) == 3


def test_leaps_of_time_are_taken_day_by_day():
    leap, steps = (played(shop([1_000, 5_000]), look_until=day, capacity=2) for day in (200, 100))
    for day in range(101, 201):
        steps.pass_time(at_ms(day))
    told = [[(alert.alert_id, alert.occurred_at) for alert in line.alerts()] for line in (leap, steps)]
    assert sorted(told[0]) == sorted(told[1])
