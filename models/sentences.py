"""Evidence in words a marketer can act on, Japanese first and English beside it.

Serves the alert, last word of the line from event to alert. Pure text: numbers come in, rounded sentences go
out. No sentence holds a customer id. One function per kind of signal, with variants for what is not known and
for a value that moved the other way (a model may hold it against a customer all the same; the sentence then
claims no trend).
"""

import math
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from models.events import Channel
from models.levels import LEVELS, Level


class Sentence(NamedTuple):
    """The same statement in both languages."""

    ja: str
    en: str


class Reasons(Struct, frozen=True):
    """Sentences in both languages, in the same order."""

    ja: Annotated[list[str], Meta(description="Japanese.")]
    en: Annotated[list[str], Meta(description="English.")]

    @classmethod
    def of(cls, sentences: list[Sentence]) -> "Reasons":
        """Split sentences by language."""
        return cls([sentence.ja for sentence in sentences], [sentence.en for sentence in sentences])


class _Words(NamedTuple):
    ja: str
    one: str
    many: str
    verb: str


_WORDS = {
    Channel.ORDER: _Words("注文", "order", "orders", "orders"),
    Channel.LOGIN: _Words("ログイン", "login", "logins", "logs in"),
    Channel.EMAIL_OPEN: _Words("メール開封", "e-mail open", "e-mail opens", "opens e-mails"),
}
LEAST_FALL = 0.9  # a fall by less than a tenth is not worth a word
_MONTHLY = ("30日あたり", "per 30 days", 1.0)
_YEARLY = ("1年あたり", "per year", 365 / 30)
_CHANNELS = {"order": Channel.ORDER, "login": Channel.LOGIN, "email": Channel.EMAIL_OPEN}


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
    if signal == "main_rhythm":
        return _rhythm(_WORDS[main], usual, now)
    if signal == "basket":
        return _basket(usual, now)
    if signal == "order_history":
        return _history(now)
    channel, _, kind = signal.partition("_")
    return {"silence": _silence, "trend": _trend}[kind](_WORDS[_CHANNELS[channel]], usual, now)


def _silence(words: _Words, usual: float | None, now: float | None) -> Sentence:
    if now is None:
        return Sentence(f"{words.ja}の記録がありません。", f"No {words.one} on record.")
    if usual is None or now <= usual:
        return Sentence(
            f"最後の{words.ja}から{_days_ja(now)}たちました。", f"{_days_en(now)} since the last {words.one}."
        )
    return Sentence(
        f"ふだんは{_every_ja(usual)}{words.ja}がありますが、すでに{_days_ja(now)}間ありません。",
        f"Usually {words.verb} about every {_every_en(usual)}; none for {_days_en(now)}.",
    )


def _trend(words: _Words, usual: float | None, now: float | None) -> Sentence:
    if now is None:
        return Sentence(f"{words.ja}の記録がありません。", f"No {words.one} on record.")
    # Less than one event in 30 days is told by the year: nobody orders 0.2 times.
    ja, en, times = _MONTHLY if max(usual or 0.0, now) >= 1 else _YEARLY
    before, latest = _rate((usual or 0.0) * times), _rate(now * times)
    if usual is None or now > LEAST_FALL * usual or before == latest:
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


def _history(now: float | None) -> Sentence:
    count = round(now or 0)
    if count == 0:
        return Sentence("注文はまだありません。", "Has not ordered yet.")
    if count == 1:
        return Sentence("これまでの注文は1回だけです。", "Has ordered only once so far.")
    return Sentence(f"これまでの注文は{count}回です。", f"Has ordered {count} times so far.")


def _basket(usual: float | None, now: float | None) -> Sentence:
    if now is None:
        return Sentence("注文額の記録がありません。", "No order value on record.")
    before, latest = _amount(usual or 0.0), _amount(now)
    if usual is None or now > LEAST_FALL * usual or before == latest:
        return Sentence(f"1回の注文額は約{latest}です。", f"About {latest} per order.")
    return Sentence(
        f"1回の注文額が、ふだんの約{before}から約{latest}に下がっています。",
        f"Usually spends about {before} per order; lately about {latest}.",
    )


def _rhythm(words: _Words, usual: float | None, now: float | None) -> Sentence:
    if usual is None and now is not None:  # one visit ever, or there would be a gap
        return Sentence(
            f"{words.ja}はまだ一度きりで、それから{_days_ja(now)}たちました。",
            f"Only one {words.one} so far, {_days_en(now)} ago.",
        )
    if usual is None or now is None or now < 1.5 * usual:
        return _silence(words, usual, now)
    times = _rate(now / max(usual, 1.0))  # as in a row, no gap is shorter than a day
    return Sentence(
        f"{words.ja}の間隔が、ふだん（約{_days_ja(usual)}）の約{times}倍に延びています。",
        f"The gap between {words.many}, usually about {_days_en(usual)}, is now about {times} times as long.",
    )


def event_name(channel: Channel) -> Sentence:
    """Return what an event on a channel is called.

    Examples
    --------
    >>> event_name(Channel.LOGIN).en
    'login'
    """
    return Sentence(_WORDS[channel].ja, _WORDS[channel].one)


def no_single_reason(probability: float) -> Sentence:
    """Say that no signal raises the risk on its own: what an alert gives as reason when there is none."""
    return Sentence(
        f"特に目立つ変化はありませんが、全体として離反の可能性は{percent(probability)}です。",
        f"No single signal stands out; taken together the risk of churn is {percent(probability)}.",
    )


def returned(channel: Channel, main: Channel) -> Sentence:
    """Say what brought a customer back."""
    words = _WORDS[channel]
    if channel == main:
        return Sentence(f"{words.ja}がありました。", f"Came back: {_a(words.one)}.")
    return Sentence(f"{words.ja}があり、リスクが下がりました。", f"{_a(words.one).capitalize()} lowered the risk.")


def expired(main: Channel, silent_days: float) -> Sentence:
    """Say that a customer now counts as churned."""
    words = _WORDS[main]
    return Sentence(
        f"最後の{words.ja}から{_days_ja(silent_days)}たち、離反とみなしました。",
        f"{_days_en(silent_days)} since the last {words.one}: now counted as churned.",
    )


def brings_back(channel: Channel, level: Level) -> Sentence:
    r"""Say that one event on a channel returns the customer to a level.

    Examples
    --------
    >>> print(*brings_back(Channel.LOGIN, Level.WATCH), sep="\n")
    ログイン1回で「注意」に戻ります。
    One login returns them to "watch".
    """
    words, title = _WORDS[channel], LEVELS[level]
    return Sentence(f"{words.ja}1回で「{title.ja}」に戻ります。", f'One {words.one} returns them to "{title.en}".')


def percent(probability: float) -> str:
    """Round a probability for people; never 0% or 100%, because nobody knows that.

    Examples
    --------
    >>> percent(0.724), percent(0.9999), percent(0.0)
    ('72%', '99%', '1%')
    """
    return f"{min(99, max(1, round(100 * probability)))}%"


def _days_ja(days: float) -> str:
    return f"{max(1, round(days))}日"


def _days_en(days: float) -> str:
    count = max(1, round(days))
    return "1 day" if count == 1 else f"{count} days"


def _every_ja(days: float) -> str:
    return "ほぼ毎日" if round(days) <= 1 else f"約{_days_ja(days)}ごとに"


def _every_en(days: float) -> str:
    return "day" if round(days) <= 1 else _days_en(days)


def _rate(value: float) -> str:
    """One decimal below ten, none above."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


def _amount(value: float) -> str:
    """Two significant digits, thousands separated: 5234 is "5,200"."""
    if value < 1:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    digits = max(0, math.floor(math.log10(value)) - 1)
    return f"{round(value, -digits):,.0f}"


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
