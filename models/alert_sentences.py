"""What an alert says beside its reasons: how sure it is, what would help, what time will do, how it ended.

Serves the alert, last word of the line from event to alert. Pure text, Japanese first and English beside it, as in
`models.sentences`.
"""

from models.events import Channel
from models.levels import LEVELS, Level
from models.wording import WORDS, Sentence, amount, days_en, days_ja, percent, wait_en, wait_ja, with_article

NOT_ENOUGH_EVIDENCE = Sentence("判断材料がまだ足りません", "not enough evidence yet")
"""Stands in place of a percentage; no full stop."""


def event_name(channel: Channel) -> Sentence:
    """Return what an event on a channel is called.

    Examples
    --------
    >>> event_name(Channel.LOGIN).en
    'login'
    """
    return Sentence(WORDS[channel].ja, WORDS[channel].one)


def no_single_reason(probability: float | None) -> Sentence:
    """Say that no signal raises the risk on its own: what an alert gives as reason when there is none.

    The probability is left out where there is not enough evidence for one.
    """
    if probability is None:
        return Sentence(
            f"特に目立つ変化はありません。{NOT_ENOUGH_EVIDENCE.ja}。",
            f"No single signal stands out; {NOT_ENOUGH_EVIDENCE.en}.",
        )
    return Sentence(
        f"特に目立つ変化はありませんが、全体として離反の可能性は{percent(probability)}です。",
        f"No single signal stands out; taken together the risk of churn is {percent(probability)}.",
    )


def at_stake(value: float) -> Sentence:
    r"""Say what spend of a year is lost to be expected, in the unit of the shop's amounts.

    Parameters
    ----------
    value
        `models.value.value_at_stake`, >= 0.

    Examples
    --------
    >>> print(*at_stake(48_612.0), sep="\n")
    年間およそ49,000の購入を失う見込みです。
    Spend of about 49,000 a year is at stake.
    """
    return Sentence(
        f"年間およそ{amount(value)}の購入を失う見込みです。", f"Spend of about {amount(value)} a year is at stake."
    )


def returned(channel: Channel, main: Channel) -> Sentence:
    """Say what brought a customer back."""
    words = WORDS[channel]
    if channel == main:
        return Sentence(f"{words.ja}がありました。", f"Came back: {with_article(words.one)}.")
    return Sentence(
        f"{words.ja}があり、リスクが下がりました。", f"{with_article(words.one).capitalize()} lowered the risk."
    )


def acknowledged(by: str) -> Sentence:
    """Say that somebody takes care of a customer."""
    return Sentence(f"{by}さんが対応します。", f"{by} takes care of it.")


def snoozed(by: str, until: str) -> Sentence:
    r"""Say that somebody wants no news of a customer before a moment.

    Examples
    --------
    >>> print(*snoozed("Sato", "2026-04-25 03:00 UTC"), sep="\n")
    Satoさんが2026-04-25 03:00 UTCまで通知を止めました。悪化したときだけお知らせします。
    Snoozed by Sato until 2026-04-25 03:00 UTC, unless it gets worse.
    """
    return Sentence(
        f"{by}さんが{until}まで通知を止めました。悪化したときだけお知らせします。",
        f"Snoozed by {by} until {until}, unless it gets worse.",
    )


def expired(main: Channel, silent_days: float) -> Sentence:
    """Say that a customer now counts as churned."""
    words = WORDS[main]
    return Sentence(
        f"最後の{words.ja}から{days_ja(silent_days)}たち、離反とみなしました。",
        f"{days_en(silent_days)} since the last {words.one}: now counted as churned.",
    )


def brings_back(channel: Channel, level: Level) -> Sentence:
    r"""Say that one event on a channel returns the customer to a level.

    Examples
    --------
    >>> print(*brings_back(Channel.LOGIN, Level.WATCH), sep="\n")
    ログイン1回で「注意」に戻ります。
    One login returns them to "watch".
    """
    words, title = WORDS[channel], LEVELS[level]
    return Sentence(f"{words.ja}1回で「{title.ja}」に戻ります。", f'One {words.one} returns them to "{title.en}".')


def worsens(level: Level, days: float) -> Sentence:
    r"""Say when silence alone will carry the customer to a level.

    Examples
    --------
    >>> print(*worsens(Level.CRITICAL, 3.21), sep="\n")
    このまま何もなければ、3.2日後に「危険」に達します。
    Reaches "critical" in 3.2 days if nothing happens.
    """
    if level == Level.CHURNED:
        return Sentence(
            f"このまま何もなければ、{wait_ja(days)}後に離反とみなします。",
            f"Counts as churned in {wait_en(days)} if nothing happens.",
        )
    title = LEVELS[level]
    return Sentence(
        f"このまま何もなければ、{wait_ja(days)}後に「{title.ja}」に達します。",
        f'Reaches "{title.en}" in {wait_en(days)} if nothing happens.',
    )
