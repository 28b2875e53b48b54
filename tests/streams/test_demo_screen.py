"""The demo's score and screen: warnings are checked against the truth, and shown so that they can be read."""

import io
from datetime import UTC, datetime

from rich.console import Console

from models.confidence import Confidence
from models.policy import TransitionType
from models.scorer import COLD
from models.sentences import Reasons
from models.simulator import Shop
from streams.alerts import Alert, EpisodeRef, Receipt
from streams.demo.screen import BURST, Screen, Status
from streams.demo.tally import Tally, hit_ratio

START_S = 1_577_836_800
DAY_S = 86_400
H_S = 28 * DAY_S
NOW = Status(sent=1000, processed=900, per_s=450.0, stream_date="2010-03-01", alerts=7, phase="live")


def alert(customer_id="c0000001", *, type_=TransitionType.OPENED, level="watch", at_s=START_S + 100 * DAY_S):
    return Alert(
        alert_id="yocho-" + "0" * 32,
        type=type_,
        level=level,
        previous_level="healthy",
        customer_id=customer_id,
        occurred_at=datetime.fromtimestamp(at_s, UTC),
        probability=0.81,
        confidence=Confidence.ENOUGH,
        horizon_days=28.0,
        main_event="order",
        baseline=0.0,
        evidence=[],
        reasons=Reasons(ja=["注文がありません。"], en=["No orders."]),
        episode=EpisodeRef(number=1, step=1, opened_at=datetime.fromtimestamp(at_s, UTC)),
        receipt=Receipt(
            model_version=COLD,
            source_offsets={},
            thresholds={},
            state_version=1,
            partition=0,
            code_version="0",
        ),
    )


def test_each_warning_is_checked_against_what_the_customer_did_next():
    shop = Shop(1, 200, START_S)
    tally = Tally(shop, H_S)
    at_s = START_S + 100 * DAY_S
    customers = [f"c{number:07d}" for number in range(200)]
    truths = [tally.add(alert(customer, at_s=at_s)) for customer in customers]
    assert truths == [shop.leaving(customer, at_s, H_S) for customer in customers]
    assert set(truths) == {True, False}
    assert list(tally.levels()) == [("watch", 200, sum(truths)), ("at_risk", 0, 0), ("critical", 0, 0)]
    assert hit_ratio(tally.levels()) == sum(truths) / 200
    assert tally.base_ratio() == shop.leaving_ratio(at_s, H_S)


def test_only_openings_and_escalations_are_warnings():
    tally = Tally(Shop(1, 10, START_S), H_S)
    assert [tally.add(alert(type_=type_)) is None for type_ in TransitionType] == [
        type_ not in ("opened", "escalated") for type_ in TransitionType
    ]
    assert tally.total == len(TransitionType)
    assert sum(tally.warned.values()) == 2
    assert len(tally.customers) == 1


def test_without_warnings_there_is_no_ratio():
    tally = Tally(Shop(1, 10, START_S), H_S)
    assert hit_ratio(tally.levels()) != hit_ratio(tally.levels())
    assert tally.base_ratio() != tally.base_ratio()


def shown(lang="ja", terminal=False):
    out = io.StringIO()
    return Screen(Console(file=out, force_terminal=terminal, width=200), lang), out


def test_alerts_are_sampled_so_that_they_can_be_read():
    screen, out = shown()
    for _ in range(50):
        screen.alert(alert(), True)
    assert out.getvalue().count("注文がありません") == int(BURST)
    assert screen.unseen == 50 - BURST


def test_alerts_and_the_truth_are_told_in_the_language_asked_for():
    for lang, words in (("ja", ("注文がありません。", "実際: ✓")), ("en", ("No orders.", "in truth: ✓"))):
        screen, out = shown(lang)
        screen.alert(alert(), True)
        assert all(word in out.getvalue() for word in (*words, "c0000001", "81"))


def test_a_recovery_is_counted_and_not_shown():
    screen, out = shown()
    screen.alert(alert(type_=TransitionType.RECOVERED), None)
    assert (out.getvalue(), screen.unseen) == ("", 1)


def test_without_a_terminal_the_status_is_a_plain_line_now_and_then():
    screen, out = shown()
    tally = Tally(Shop(1, 10, START_S), H_S)
    with screen:
        for _ in range(20):
            screen.status(NOW, tally)
    assert out.getvalue().count("\n") == 1
    assert "1,000 events sent, 900 processed" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_in_a_terminal_the_status_is_redrawn():
    screen, out = shown(terminal=True)
    with screen:
        screen.status(NOW, Tally(Shop(1, 10, START_S), H_S))
        screen.stage("a stage")
    assert "a stage" in out.getvalue()
    assert "\x1b[" in out.getvalue()


def test_the_summary_names_events_alerts_truth_and_dead_letters():
    screen, out = shown()
    tally = Tally(Shop(1, 200, START_S), H_S)
    for number in range(100):
        tally.add(alert(f"c{number:07d}", level="critical"))
    screen.summary(NOW._replace(sent=5_000, processed=4_999), 3, {"history": tally, "live": Tally(tally.shop, H_S)})
    text = out.getvalue()
    for words in (
        "5,000 produced, 4,999 processed",
        "100 critical opened",
        "dead letters: 3",
        "history, critical",
        "live, watch",
        "times chance",
    ):
        assert words in text


def test_a_summary_of_nothing_is_no_error():
    screen, out = shown()
    screen.summary(NOW, 0, {"history": Tally(Shop(1, 10, START_S), H_S)})
    assert "alerts: none" in out.getvalue()
