"""The alert in a terminal, word for word."""

import msgspec
import pytest

from models.confidence import Confidence
from models.policy import TransitionType
from models.sentences import Reasons
from streams.alert_text import render
from streams.alerts import EXAMPLE


def test_the_japanese_text_says_who_how_sure_why_and_what_to_do():
    assert render(EXAMPLE, "ja") == (
        "【離反予兆・新規】顧客 c-1024  2026-04-11 03:00 UTC\n"
        "  今後91日間注文がない確率: 81%\n"
        "  理由: ふだんは約7日ごとに注文がありますが、すでに23日間ありません。\n"
        "  理由: ログインのペースが、30日あたり約12回から約3回に落ちています。\n"
        "  顧客区分: 熱狂的ファン · 年間およそ49,000の購入を失う見込みです。\n"
        "  呼び戻し: ログイン1回で「注意」に戻ります。\n"
        "  見通し: このまま何もなければ、12日後に「危険」に達します。"
    )


def test_the_english_text_says_the_same():
    assert render(EXAMPLE, "en") == (
        "[at risk, new] customer c-1024  2026-04-11 03:00 UTC\n"
        "  risk of no order within 91 days: 81%\n"
        "  why: Usually orders about every 7 days; none for 23 days.\n"
        "  why: Usually about 12 logins per 30 days; now about 3.\n"
        "  segment: VIP fan · Spend of about 49,000 a year is at stake.\n"
        '  way back: One login returns them to "watch".\n'
        '  ahead: Reaches "critical" in 12 days if nothing happens.'
    )


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        ("ja", "  今後91日間注文がない確率: 判断材料がまだ足りません"),
        ("en", "  risk of no order within 91 days: not enough evidence yet"),
    ],
)
def test_without_enough_evidence_words_stand_in_place_of_the_percentage(lang, line):
    unsure = msgspec.structs.replace(EXAMPLE, probability=None, confidence=Confidence.NOT_ENOUGH)
    text = render(unsure, lang)
    assert text.splitlines()[1] == line
    assert "%" not in text
    assert text.count("\n") == render(EXAMPLE, lang).count("\n"), "everything else is still told"


def test_a_recovery_needs_no_way_back():
    alert = msgspec.structs.replace(
        EXAMPLE,
        type=TransitionType.RECOVERED,
        level="healthy",
        previous_level="at_risk",
        reasons=Reasons(["注文がありました。"], ["Came back: an order."]),
        value_at_stake=None,
        comeback=None,
        if_silent=None,
    )
    assert render(alert, "ja").splitlines() == [
        "【平常・回復】顧客 c-1024  2026-04-11 03:00 UTC",
        "  今後91日間注文がない確率: 81%",
        "  理由: 注文がありました。",
        "  顧客区分: 熱狂的ファン",
    ]


@pytest.mark.parametrize(
    ("lang", "head", "in_hand"),
    [
        ("ja", "【離反予兆・{}】", "  担当者が対応中です。"),
        ("en", "[at risk, {}]", "  somebody takes care of this customer"),
    ],
)
def test_that_somebody_takes_care_is_told_once_by_who_it_is_and_then_by_a_line(lang, head, in_hand):
    words = {"ja": ("対応開始", "保留"), "en": ("taken on", "snoozed")}[lang]
    taken = msgspec.structs.replace(EXAMPLE, type=TransitionType.ACKNOWLEDGED, acknowledged=True, by="Sato")
    later = msgspec.structs.replace(taken, type=TransitionType.SNOOZED)
    for alert, word, shown in ((taken, words[0], False), (later, words[1], True)):
        lines = render(alert, lang).splitlines()
        assert lines[0].startswith(head.format(word))
        assert (in_hand in lines) == shown


def test_an_alert_of_an_earlier_release_knows_no_segment():
    text = render(msgspec.structs.replace(EXAMPLE, segment=None, value_at_stake=None), "en")
    assert "segment" not in text
    assert text.count("\n") == render(EXAMPLE, "en").count("\n") - 1


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("type_", TransitionType)
@pytest.mark.parametrize("level", ["healthy", "watch", "at_risk", "critical", "churned"])
def test_every_kind_of_alert_can_be_read_in_both_languages(lang, type_, level):
    assert render(msgspec.structs.replace(EXAMPLE, type=type_, level=level), lang).count("\n") == 6


@pytest.mark.parametrize(("lang", "word"), [("ja", "（過去分）"), ("en", " (replay)")])
def test_history_is_shown_as_such(lang, word):
    first, *rest = render(msgspec.structs.replace(EXAMPLE, replay=True), lang).splitlines()
    plain = render(EXAMPLE, lang).splitlines()
    assert (first, rest) == (plain[0] + word, plain[1:])


def test_a_customer_id_cannot_steer_the_terminal():
    text = render(msgspec.structs.replace(EXAMPLE, customer_id="c\x1b[2J\n{0}"), "en")
    assert "customer c?[2J?{0}" in text
    assert "\x1b" not in text


def test_an_unknown_language_is_refused():
    with pytest.raises(KeyError):
        render(EXAMPLE, "fr")
