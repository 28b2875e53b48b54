"""What a marketer reads: every signal, every variant, word for word."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.alert_sentences import brings_back, event_name, expired, no_single_reason, returned, worsens
from models.events import Channel
from models.features import SIGNALS
from models.levels import Level
from models.sentences import Reasons, reason
from models.wording import Sentence, percent

ORDER, LOGIN, EMAIL_OPEN = Channel.ORDER, Channel.LOGIN, Channel.EMAIL_OPEN


@pytest.mark.parametrize(
    ("signal", "usual", "now", "ja", "en"),
    [
        (
            "order_silence", 7.2, 23.4,
            "ふだんは約7日ごとに注文がありますが、すでに23日間ありません。",
            "Usually orders about every 7 days; none for 23 days.",
        ),
        (
            "login_silence", 0.6, 9.0,
            "ふだんはほぼ毎日ログインがありますが、すでに9日間ありません。",
            "Usually logs in about every day; none for 9 days.",
        ),
        (
            "email_silence", 14.0, 60.0,
            "ふだんは約14日ごとにメール開封がありますが、すでに60日間ありません。",
            "Usually opens e-mails about every 14 days; none for 60 days.",
        ),
        ("order_silence", None, 23.4, "最後の注文から23日たちました。", "23 days since the last order."),
        ("order_silence", 30.0, 12.0, "最後の注文から12日たちました。", "12 days since the last order."),
        ("login_silence", None, 0.2, "最後のログインから1日たちました。", "1 day since the last login."),
        ("login_silence", None, None, "ログインの記録がありません。", "No login on record."),
        (
            "login_trend", 12.3, 3.04,
            "ログインのペースが、30日あたり約12回から約3回に落ちています。",
            "Usually about 12 logins per 30 days; now about 3.",
        ),
        (
            "order_trend", 1.52, 0.44,
            "注文のペースが、30日あたり約1.5回から約0.4回に落ちています。",
            "Usually about 1.5 orders per 30 days; now about 0.4.",
        ),
        (
            "order_trend", 0.4, 0.1,
            "注文のペースが、1年あたり約4.9回から約1.2回に落ちています。",
            "Usually about 4.9 orders per year; now about 1.2.",
        ),
        (
            "login_trend", None, 0.4,
            "ログインはまだ一度きりで、ペースはわかりません。",
            "Only one login so far, so no pace is known.",
        ),
        ("order_trend", 0.0, 0.0, "注文は1年あたり約0回です。", "About 0 orders per year."),
        (
            "email_trend", 4.0, 0.01,
            "メール開封は、ふだんの30日あたり約4回から、ほとんどなくなっています。",
            "Usually about 4 e-mail opens per 30 days; now almost none.",
        ),
        ("login_trend", 3.0, 3.0, "ログインは30日あたり約3回です。", "About 3 logins per 30 days."),
        ("login_trend", 2.0, 8.0, "ログインは30日あたり約8回です。", "About 8 logins per 30 days."),
        ("email_trend", None, None, "メール開封の記録がありません。", "No e-mail open on record."),
        ("order_history", None, 1.0, "これまでの注文は1回だけです。", "Has ordered only once so far."),
        ("order_history", None, 4.0, "これまでの注文は4回です。", "Has ordered 4 times so far."),
        ("order_history", None, 0.0, "注文はまだありません。", "Has not ordered yet."),
        (
            "basket", 5234.0, 3149.0,
            "1回の注文額が、ふだんの約5,200から約3,100に下がっています。",
            "Usually spends about 5,200 per order; lately about 3,100.",
        ),
        ("basket", 11.77, 14.2, "1回の注文額は約14です。", "About 14 per order."),
        ("basket", None, 0.5, "1回の注文額は約0.5です。", "About 0.5 per order."),
        ("basket", None, None, "注文額の記録がありません。", "No order value on record."),
        (
            "categories", 5.0, 2.0,
            "以前買っていた5カテゴリーのうち、3カテゴリーは最近買っていません。",
            "3 of 5 categories not bought lately.",
        ),
        (
            "categories", 1.0, 0.0,
            "以前買っていた1カテゴリーのうち、1カテゴリーは最近買っていません。",
            "1 of 1 category not bought lately.",
        ),
        ("categories", 2.0, 2.0, "これまでに買ったのは2カテゴリーです。", "Has bought 2 categories so far."),
        ("categories", None, None, "購入カテゴリーの記録がありません。", "No categories on record."),
        (
            "email_click_rate", 0.114, 0.021,
            "メールのクリック率は2.1%で、全体の平均11%を下回っています。",
            "Clicks on 2.1% of e-mails sent; the average customer 11%.",
        ),
        (
            "email_open_rate", 0.32, 0.0,
            "メールの開封率は0%で、全体の平均32%を下回っています。",
            "Opens 0% of e-mails sent; the average customer 32%.",
        ),
        ("email_open_rate", 0.32, 0.4, "メールの開封率は40%です。", "Opens 40% of e-mails sent."),
        ("email_click_rate", None, 0.02, "メールのクリック率は2%です。", "Clicks on 2% of e-mails sent."),
        ("email_click_rate", None, None, "メールを送った記録がありません。", "No e-mail sent on record."),
        ("calendar", 0.3, 0.4, "例年、注文が少なくなる時期です。", "At this time of year orders are rarer."),
        (
            "main_rhythm", 7.0, 23.0,
            "注文の間隔が、ふだん（約7日）の約3.3倍に延びています。",
            "The gap between orders, usually about 7 days, is now about 3.3 times as long.",
        ),
        (
            "main_rhythm", None, 23.0,
            "注文はまだ一度きりで、それから23日たちました。",
            "Only one order so far, 23 days ago.",
        ),
        ("main_rhythm", None, None, "注文の記録がありません。", "No order on record."),
        (
            "main_rhythm", 20.0, 25.0,
            "ふだんは約20日ごとに注文がありますが、すでに25日間ありません。",
            "Usually orders about every 20 days; none for 25 days.",
        ),
    ],
)  # fmt: skip
def test_each_signal_says_what_is_usual_and_what_is_now(signal, usual, now, ja, en):
    assert reason(signal, usual, now, ORDER) == Sentence(ja, en)


def test_the_rhythm_speaks_of_the_main_channel():
    assert reason("main_rhythm", 2.0, 9.0, LOGIN) == Sentence(
        "ログインの間隔が、ふだん（約2日）の約4.5倍に延びています。",
        "The gap between logins, usually about 2 days, is now about 4.5 times as long.",
    )


NUMBERS = st.none() | st.floats(0.0, 1e7)


@given(st.sampled_from(SIGNALS), NUMBERS, NUMBERS, st.sampled_from(Channel))
def test_no_sentence_is_ever_empty_or_shows_a_raw_number(signal, usual, now, main):
    ja, en = reason(signal, usual, now, main)
    for text in (ja, en):
        assert text
        assert not re.search(r"None|nan|inf|e[+-]\d|\d\.\d{4,}", text)
    assert ja.endswith("。")
    assert en.endswith(".")


def test_an_unknown_signal_is_refused():
    with pytest.raises(KeyError):
        reason("weather", 1.0, 2.0, ORDER)


@pytest.mark.parametrize(
    ("sentence", "ja", "en"),
    [
        (returned(ORDER, ORDER), "注文がありました。", "Came back: an order."),
        (returned(LOGIN, ORDER), "ログインがあり、リスクが下がりました。", "A login lowered the risk."),
        (returned(LOGIN, LOGIN), "ログインがありました。", "Came back: a login."),
        (
            returned(EMAIL_OPEN, ORDER),
            "メール開封があり、リスクが下がりました。",
            "An e-mail open lowered the risk.",
        ),
        (
            expired(ORDER, 182.0),
            "最後の注文から182日たち、離反とみなしました。",
            "182 days since the last order: now counted as churned.",
        ),
        (
            brings_back(ORDER, Level.HEALTHY),
            "注文1回で「平常」に戻ります。",
            'One order returns them to "healthy".',
        ),
        (
            brings_back(LOGIN, Level.WATCH),
            "ログイン1回で「注意」に戻ります。",
            'One login returns them to "watch".',
        ),
        (
            no_single_reason(0.724),
            "特に目立つ変化はありませんが、全体として離反の可能性は72%です。",
            "No single signal stands out; taken together the risk of churn is 72%.",
        ),
        (
            no_single_reason(None),
            "特に目立つ変化はありません。判断材料がまだ足りません。",
            "No single signal stands out; not enough evidence yet.",
        ),
        (
            worsens(Level.AT_RISK, 0.3),
            "このまま何もなければ、7時間後に「離反予兆」に達します。",
            'Reaches "at risk" in 7 hours if nothing happens.',
        ),
        (
            worsens(Level.CRITICAL, 3.24),
            "このまま何もなければ、3.2日後に「危険」に達します。",
            'Reaches "critical" in 3.2 days if nothing happens.',
        ),
        (
            worsens(Level.CHURNED, 34.6),
            "このまま何もなければ、35日後に離反とみなします。",
            "Counts as churned in 35 days if nothing happens.",
        ),
        (event_name(EMAIL_OPEN), "メール開封", "e-mail open"),
    ],
)
def test_the_other_sentences_of_an_alert(sentence, ja, en):
    assert sentence == Sentence(ja, en)


@pytest.mark.parametrize(("p", "text"), [(0.6, "60%"), (0.0, "1%"), (1.0, "99%"), (0.005, "1%"), (0.994, "99%")])
def test_a_probability_is_rounded_but_never_certain(p, text):
    assert percent(p) == text


def test_reasons_hold_both_languages_in_the_same_order():
    sentences = [Sentence("一", "one"), Sentence("二", "two")]
    assert Reasons.of(sentences) == Reasons(["一", "二"], ["one", "two"])
