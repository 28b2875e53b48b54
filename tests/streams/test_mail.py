"""E-mails sent and clicked: read where a setting names their topics, and a send is nothing the customer did."""

from tests.builders import at_ms, email_click, email_open, email_send, login, order
from tests.streams.harness import FirstLine

MAIL = {"email_sends_topic": "email-sends", "email_clicks_topic": "email-clicks"}


def news(line):
    """What people were told, without what depends on the number of records read."""
    return [
        (alert.alert_id, alert.type, alert.level, alert.occurred_at, alert.probability, alert.reasons)
        for alert in line.alerts()
    ]


def test_a_send_neither_delays_nor_brings_an_alert():
    """The shop did something; the customer is as silent as before."""
    silent, mailed = FirstLine(**MAIL), FirstLine(**MAIL)
    silent.take(order())
    mailed.take(order(), *[email_send(at=f"+{hour}h") for hour in range(5, 400, 7)])
    for line in (silent, mailed):
        line.pass_time("+20d")
    assert [str(alert.type) for alert in silent.alerts()] == ["opened", "escalated", "expired"]
    assert news(mailed) == news(silent)


def test_who_only_got_mail_is_forgotten_as_long_after_the_last_one():
    line = FirstLine(**MAIL)
    line.take(email_send(at="+0d"), email_send(at="+20d"))
    line.pass_time("+54d")
    assert line.row()["sends_long"] > 1.5
    line.pass_time("+56d")
    assert len(line.partition) == 0


def test_mail_to_a_silent_customer_does_not_keep_what_is_known_about_them():
    line = FirstLine(**MAIL)
    line.take(order(), *[email_send(at=f"+{day}d") for day in range(1, 40)])
    assert line.row()["count"].tolist() == [0, 0, 0]
    assert line.row()["sends_at"] > 0


def test_a_click_is_a_sign_of_life():
    line = FirstLine(**MAIL)
    line.take(*[order(at=f"+{week}w") for week in range(8)], email_click(at="+60d"))
    assert line.row()["last_at"].max() == at_ms("+60d") // 1000


def test_receipts_name_the_offsets_of_every_input_that_is_read():
    line = FirstLine(email_clicks_topic="email-clicks")
    line.take(order(), email_click(at="+1h"))
    line.pass_time("+10d")
    assert line.alerts()[-1].receipt.source_offsets == {"orders": 0, "email-clicks": 0}


def test_events_of_five_inputs_meet_in_event_time():
    line = FirstLine(**MAIL)
    line.take(email_click(at="+3d"), email_send(at="+1d"), email_open(at="+2d"), login(at="+4d"), order(at="+0d"))
    assert line.row()["applied"].tolist() == [0, 0, 0, 0, 0, -1]
    assert line.dead_letters() == []
