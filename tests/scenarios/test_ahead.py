"""What is foretold of silence, in alerts and in the list of `yocho upcoming`, and what then happens."""

import itertools

from models.levels import Level
from models.target import DAY_S
from streams.upcoming import ahead, watch_in_effect
from tests import builders
from tests.builders import START_MS
from tests.scenarios.story import DAY_MS, alerts, day_of, every, login, order, played

WEEKLY_UNTIL_DAY_63 = every(7, order, until=63)


def listed(*events, today, within):
    """Day and level of everybody who is listed on a day."""
    line = played(*events, look_until=today)
    found = ahead(
        watch_in_effect(line.settings, line.book, line.partition), line.partition, within * DAY_S, Level.WATCH
    )
    return [(one.customer_id, int((one.at.timestamp() * 1000 - START_MS) // DAY_MS), one.next_level) for one in found]


def test_each_alert_names_the_next_one_to_the_second():
    told = alerts(WEEKLY_UNTIL_DAY_63, look_until=300)
    assert [alert.level for alert in told] == ["watch", "at_risk", "critical", "churned"]
    for alert, following in itertools.pairwise(told):
        assert (alert.if_silent.level, alert.if_silent.at) == (following.level, following.occurred_at)
    assert told[0].if_silent.sentence.ja == "このまま何もなければ、8.5日後に「離反予兆」に達します。"
    assert told[0].if_silent.sentence.en == 'Reaches "at risk" in 8.5 days if nothing happens.'


def test_the_list_of_the_week_holds_who_will_be_news_in_it():
    """On day 95 nobody has heard of either; c1 is a week from the first alert, c2 bought yesterday."""
    c2 = every(7, order, start=5, until=94, customer_id="c2")
    assert listed(WEEKLY_UNTIL_DAY_63, c2, today=95, within=7) == [("c1", 101, "watch")]
    assert listed(WEEKLY_UNTIL_DAY_63, c2, today=95, within=5) == []


def test_a_visit_takes_a_customer_off_the_list_for_as_long_as_it_calms():
    assert listed(WEEKLY_UNTIL_DAY_63, login(94), today=95, within=7) == [("c1", 101, "watch")]
    assert listed(WEEKLY_UNTIL_DAY_63, order(94), today=95, within=7) == []


def test_a_snoozed_customer_is_listed_for_the_end_of_the_snooze():
    """Whoever answered for them is asked again then, not before."""
    hushed = builders.snooze("c1", at=START_MS + 90 * DAY_MS, until=START_MS + 108 * DAY_MS)
    assert listed(WEEKLY_UNTIL_DAY_63, hushed, today=95, within=20) == [("c1", 108, "watch")]
    told = alerts(WEEKLY_UNTIL_DAY_63, hushed, look_until=112)
    assert [(alert.type, day_of(alert)) for alert in told if alert.type == "opened"] == [("opened", 108)]
