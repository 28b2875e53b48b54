"""Evidence in words a marketer can act on, Japanese first and English beside it.

Serves the alert, last word of the line from event to alert. Pure text: numbers come in, rounded sentences go
out. No sentence holds a customer id. One function per kind of signal, with variants for what is not known and
for a value that moved the other way (a model may hold it against a customer all the same; the sentence then
claims no trend).
"""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct

from models.events import Channel
from models.wording import WORDS, Sentence, Words, amount, days_en, days_ja, every_en, every_ja, rate, share


class Reasons(Struct, frozen=True):
    """Sentences in both languages, in the same order."""

    ja: Annotated[list[str], Meta(description="Japanese.")]
    en: Annotated[list[str], Meta(description="English.")]

    @classmethod
    def of(cls, sentences: list[Sentence]) -> "Reasons":
        """Split sentences by language."""
        return cls([sentence.ja for sentence in sentences], [sentence.en for sentence in sentences])


LEAST_FALL = 0.9  # a fall by less than a tenth is not worth a word
_MONTHLY = ("30日あたり", "per 30 days", 1.0)
_YEARLY = ("1年あたり", "per year", 365 / 30)


def reason(signal: str, usual: float | None, now: float | None, main: Channel) -> Sentence:
    r"""Say what one signal shows.

    Parameters
    ----------
    signal
        One of `models.features.SIGNALS`.
    usual, now
        Its usual value and its value now, in the unit of `models.evidence`; None = unknown.
    main
        Main channel, of which ``main_rhythm`` speaks.

    Raises
    ------
    KeyError
        There is no such signal.

    Examples
    --------
    >>> print(*reason("order_silence", 7.2, 23.4, Channel.ORDER), sep="\n")
    ふだんは約7日ごとに注文がありますが、すでに23日間ありません。
    Usually orders about every 7 days; none for 23 days.
    """
    tell, words = _TELL[signal]
    return tell(WORDS[main] if words is None else words, usual, now)


def _silence(words: Words, usual: float | None, now: float | None) -> Sentence:
    if now is None:
        return Sentence(f"{words.ja}の記録がありません。", f"No {words.one} on record.")
    if usual is None or now <= usual:
        return Sentence(
            f"最後の{words.ja}から{days_ja(now)}たちました。", f"{days_en(now)} since the last {words.one}."
        )
    return Sentence(
        f"ふだんは{every_ja(usual)}{words.ja}がありますが、すでに{days_ja(now)}間ありません。",
        f"Usually {words.verb} about every {every_en(usual)}; none for {days_en(now)}.",
    )


def _trend(words: Words, usual: float | None, now: float | None) -> Sentence:
    if now is None:
        return Sentence(f"{words.ja}の記録がありません。", f"No {words.one} on record.")
    if usual is None:
        return Sentence(
            f"{words.ja}はまだ一度きりで、ペースはわかりません。", f"Only one {words.one} so far, so no pace is known."
        )
    # Less than one event in 30 days is told by the year: nobody orders 0.2 times.
    ja, en, times = _MONTHLY if max(usual, now) >= 1 else _YEARLY
    before, latest = rate(usual * times), rate(now * times)
    if now > LEAST_FALL * usual or before == latest:
        return Sentence(f"{words.ja}は{ja}約{latest}回です。", f"About {latest} {words.many} {en}.")
    if now < 0.1 * usual or latest == "0":
        return Sentence(
            f"{words.ja}は、ふだんの{ja}約{before}回から、ほとんどなくなっています。",
            f"Usually about {before} {words.many} {en}; now almost none.",
        )
    return Sentence(
        f"{words.ja}のペースが、{ja}約{before}回から約{latest}回に落ちています。",
        f"Usually about {before} {words.many} {en}; now about {latest}.",
    )


def _history(words: Words, usual: float | None, now: float | None) -> Sentence:
    count = round(now or 0)
    if count == 0:
        return Sentence("注文はまだありません。", "Has not ordered yet.")
    if count == 1:
        return Sentence("これまでの注文は1回だけです。", "Has ordered only once so far.")
    return Sentence(f"これまでの注文は{count}回です。", f"Has ordered {count} times so far.")


def _basket(words: Words, usual: float | None, now: float | None) -> Sentence:
    if now is None:
        return Sentence("注文額の記録がありません。", "No order value on record.")
    before, latest = amount(usual or 0.0), amount(now)
    if usual is None or now > LEAST_FALL * usual or before == latest:
        return Sentence(f"1回の注文額は約{latest}です。", f"About {latest} per order.")
    return Sentence(
        f"1回の注文額が、ふだんの約{before}から約{latest}に下がっています。",
        f"Usually spends about {before} per order; lately about {latest}.",
    )


def _categories(words: Words, usual: float | None, now: float | None) -> Sentence:
    if usual is None or now is None:
        return Sentence("購入カテゴリーの記録がありません。", "No categories on record.")
    ever, gone = round(usual), round(usual) - round(now)
    if gone < 1:
        return Sentence(f"これまでに買ったのは{ever}カテゴリーです。", f"Has bought {_categories_en(ever)} so far.")
    return Sentence(
        f"以前買っていた{ever}カテゴリーのうち、{gone}カテゴリーは最近買っていません。",
        f"{gone} of {_categories_en(ever)} not bought lately.",
    )


def _categories_en(count: int) -> str:
    return "1 category" if count == 1 else f"{count} categories"


def _followed(words: Words, usual: float | None, now: float | None) -> Sentence:
    """Of the e-mails sent, how many are followed; beside it what is usual in the shop."""
    if now is None:
        return Sentence("メールを送った記録がありません。", "No e-mail sent on record.")
    if usual is None or now > LEAST_FALL * usual or share(now) == share(usual):
        return Sentence(f"メールの{words.ja}率は{share(now)}です。", f"{words.verb} {share(now)} of e-mails sent.")
    return Sentence(
        f"メールの{words.ja}率は{share(now)}で、全体の平均{share(usual)}を下回っています。",
        f"{words.verb} {share(now)} of e-mails sent; the average customer {share(usual)}.",
    )


def _rhythm(words: Words, usual: float | None, now: float | None) -> Sentence:
    if usual is None and now is not None:  # one visit ever, or there would be a gap
        return Sentence(
            f"{words.ja}はまだ一度きりで、それから{days_ja(now)}たちました。",
            f"Only one {words.one} so far, {days_en(now)} ago.",
        )
    if usual is None or now is None or now < 1.5 * usual:
        return _silence(words, usual, now)
    times = rate(now / max(usual, 1.0))  # as in a row, no gap is shorter than a day
    return Sentence(
        f"{words.ja}の間隔が、ふだん（約{days_ja(usual)}）の約{times}倍に延びています。",
        f"The gap between {words.many}, usually about {days_en(usual)}, is now about {times} times as long.",
    )


def _calendar(words: Words, usual: float | None, now: float | None) -> Sentence:
    return Sentence(f"例年、{words.ja}が少なくなる時期です。", f"At this time of year {words.many} are rarer.")


_OPENED, _CLICKED = Words("開封", "open", "opens", "Opens"), Words("クリック", "click", "clicks", "Clicks on")
_TELL: dict[str, tuple[Callable[[Words, float | None, float | None], Sentence], Words | None]] = {
    "order_silence": (_silence, WORDS[Channel.ORDER]),
    "order_trend": (_trend, WORDS[Channel.ORDER]),
    "order_history": (_history, WORDS[Channel.ORDER]),
    "basket": (_basket, WORDS[Channel.ORDER]),
    "categories": (_categories, WORDS[Channel.ORDER]),
    "login_silence": (_silence, WORDS[Channel.LOGIN]),
    "login_trend": (_trend, WORDS[Channel.LOGIN]),
    "email_silence": (_silence, WORDS[Channel.EMAIL_OPEN]),
    "email_trend": (_trend, WORDS[Channel.EMAIL_OPEN]),
    "email_open_rate": (_followed, _OPENED),
    "email_click_rate": (_followed, _CLICKED),
    "main_rhythm": (_rhythm, None),  # None = the main channel
    "calendar": (_calendar, None),
}
