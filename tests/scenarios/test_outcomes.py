"""How it turned out: each story ends with what became of the people that the shop was told about.

An outcome answers the alert's own question: did an order come within 91 days of the first alert of the episode? It is
published when it is certain, on the day of the order or on the 91st day.
"""

import pytest

from models.target import DAY_S
from tests.scenarios.story import every, login, order, outcomes, played, story

WEEKLY_UNTIL_DAY_63 = every(7, order, until=63)


def test_who_buys_again_twelve_days_after_the_alert_has_returned_after_twelve_days():
    told = WEEKLY_UNTIL_DAY_63, order(113)
    assert story(*told, look_until=120) == [
        "day 101: opened watch",
        "day 109: escalated at_risk",
        "day 113: recovered",
    ]
    assert outcomes(*told, look_until=120) == ["day 113: at_risk alert of day 101 returned after 12 days"]


def test_who_stays_away_for_a_quarter_has_churned():
    assert outcomes(WEEKLY_UNTIL_DAY_63, look_until=191) == []
    assert outcomes(WEEKLY_UNTIL_DAY_63, look_until=193) == ["day 192: critical alert of day 101 churned"]


def test_who_comes_back_after_the_quarter_had_churned_all_the_same():
    """The alert is closed by the order of day 200, the outcome had been certain a week before."""
    told = WEEKLY_UNTIL_DAY_63, order(200)
    assert story(*told, look_until=210)[-1] == "day 200: recovered"
    assert outcomes(*told, look_until=210) == ["day 192: critical alert of day 101 churned"]


def test_a_return_counts_up_to_the_last_second_of_the_quarter():
    assert outcomes(WEEKLY_UNTIL_DAY_63, order(192), look_until=210) == [
        "day 192: critical alert of day 101 returned after 91 days"
    ]
    assert outcomes(WEEKLY_UNTIL_DAY_63, order(193), look_until=210) == ["day 192: critical alert of day 101 churned"]


def test_two_episodes_a_year_have_two_outcomes():
    assert outcomes(WEEKLY_UNTIL_DAY_63, order(113), order(270), look_until=365) == [
        "day 113: at_risk alert of day 101 returned after 12 days",
        "day 270: critical alert of day 186 returned after 84 days",
    ]


def test_a_flapper_who_only_logs_in_again_and_again_has_one_episode_and_one_outcome():
    assert outcomes(WEEKLY_UNTIL_DAY_63, every(4, login, start=67, until=200), look_until=330) == [
        "day 193: critical alert of day 102 churned"
    ]


def test_a_flapper_who_buys_each_time_has_returned_each_time():
    """Long silences, and always an order in the end: two alerts, both of which were wrong, and both say so."""
    told = WEEKLY_UNTIL_DAY_63, order(144), every(30, order, start=151, until=211), order(400)
    assert [words.split(" alert ")[1].split(" ")[3] for words in outcomes(*told, look_until=410)] == ["returned"] * 2


def test_an_alert_that_a_late_order_calls_off_is_judged_by_what_came_after_it():
    """The order of day 100 arrives when people have been alerted already. It ends the episode at once; whether the
    customer comes back from then on is still to be seen."""
    late = WEEKLY_UNTIL_DAY_63, order(103, customer_id="clock"), order(100)
    told = story(*late, look_until=120, in_order=False)
    assert told == ["day 101: opened watch", "day 100: recovered"]
    assert outcomes(*late, look_until=120, in_order=False) == []
    assert outcomes(*late, order(160), look_until=170, in_order=False) == [
        "day 160: watch alert of day 101 returned after 59 days"
    ]


def test_nobody_who_was_not_told_about_has_an_outcome():
    assert outcomes(every(7, order, until=364), look_until=371) == []


def test_an_outcome_names_the_alert_that_opened_the_episode():
    line = played(WEEKLY_UNTIL_DAY_63, order(190), look_until=200)
    opened, *_, recovered = line.alerts()
    (outcome,) = line.outcomes()
    assert (outcome.alert_id, outcome.opened_at, outcome.episode) == (opened.alert_id, opened.occurred_at, 1)
    assert (outcome.occurred_at, outcome.level, outcome.warnings) == (recovered.occurred_at, "critical", 3)
    assert outcome.days_to_return == (recovered.occurred_at - opened.occurred_at).total_seconds() / DAY_S


# -- what the shop learns from it


def test_of_two_who_were_told_about_one_comes_back_and_the_alerts_were_half_right():
    back = [*every(7, order, until=63, customer_id="c2"), *every(7, order, start=107, until=226, customer_id="c2")]
    line = played(WEEKLY_UNTIL_DAY_63, back, look_until=227)
    assert line.metric("yocho_outcomes_total", outcome="churned", level="critical") == 1
    assert line.metric("yocho_outcomes_total", outcome="returned", level="watch") == 1
    assert line.metric("yocho_alert_precision_ratio", level="watch") == 0.5, "one of two"
    assert line.metric("yocho_alert_precision_ratio", level="critical") == 1.0, "the only one told as critical"
    assert line.metric("yocho_alerts_per_return_ratio", level="watch") == 4.0, "three and one, for one who came back"
    assert line.metric("yocho_alerts_per_return_ratio", level="critical") is None, "nobody came back from there"


def test_lost_is_who_stays_away_for_a_quarter_and_recall_says_who_of_them_had_been_told():
    """Somebody who buys every ten days is lost on day 60 + 91 = 151, five weeks after the first alert."""
    line = played(every(10, order, until=60), look_until=152)
    assert line.metric("yocho_lost_customers_total", told="at_risk") == 1
    assert line.metric("yocho_alert_recall_ratio", level="at_risk") == 1.0
    assert line.metric("yocho_alert_recall_ratio", level="critical") == 0.0, "critical on day 153 would be too late"
    lead_days = line.metric("yocho_lead_time_seconds_sum", level="at_risk") / DAY_S
    assert lead_days == pytest.approx(151 - 115, abs=1)


def test_a_silence_counts_as_one_loss_however_often_the_customer_logs_in():
    line = played(WEEKLY_UNTIL_DAY_63, every(1, login, start=64, until=400), look_until=400)
    assert line.metric("yocho_lost_customers_total", told="none") == 1
