"""The words and numbers that sentences are made of, in Japanese and English.

Serves `models.sentences` and `models.alert_sentences`. Numbers become what people say: whole days, one decimal of a
rate, two digits of an amount. Every function takes a finite number >= 0.
"""

import math
from typing import NamedTuple

from models.events import Channel


class Sentence(NamedTuple):
    """The same statement in both languages."""

    ja: str
    en: str


class Words(NamedTuple):
    """What people call an event; the verb is the third person's."""

    ja: str
    one: str
    many: str
    verb: str


WORDS: dict[Channel, Words] = {
    Channel.ORDER: Words("注文", "order", "orders", "orders"),
    Channel.LOGIN: Words("ログイン", "login", "logins", "logs in"),
    Channel.EMAIL_OPEN: Words("メール開封", "e-mail open", "e-mail opens", "opens e-mails"),
}


def percent(probability: float) -> str:
    """Round a probability for people; never 0% or 100%, because nobody knows that.

    Examples
    --------
    >>> percent(0.724), percent(0.9999), percent(0.0)
    ('72%', '99%', '1%')
    """
    return f"{min(99, max(1, round(100 * probability)))}%"


def share(ratio: float) -> str:
    """Round a share that was counted, so 0% and 100% are possible; one decimal below 10 %.

    Examples
    --------
    >>> share(0.0), share(0.0213), share(0.324)
    ('0%', '2.1%', '32%')
    """
    return f"{rate(100 * ratio)}%"


def days_ja(days: float) -> str:
    """Say a number of days in Japanese; at least one."""
    return f"{max(1, round(days))}日"


def days_en(days: float) -> str:
    """Say a number of days in English; at least one.

    Examples
    --------
    >>> days_en(0.2), days_en(23.4)
    ('1 day', '23 days')
    """
    count = max(1, round(days))
    return "1 day" if count == 1 else f"{count} days"


def wait_ja(days: float) -> str:
    """Say in Japanese how far away something is: hours on the last day, one decimal below ten days."""
    hours = round(24 * days)
    return f"{max(1, hours)}時間" if hours < 24 else f"{rate(days)}日"


def wait_en(days: float) -> str:
    """Say the same in English.

    Examples
    --------
    >>> wait_en(0.01), wait_en(0.3), wait_en(1.0), wait_en(3.24), wait_en(12.2)
    ('1 hour', '7 hours', '1 day', '3.2 days', '12 days')
    """
    hours = round(24 * days)
    count, unit = (str(max(1, hours)), "hour") if hours < 24 else (rate(days), "day")
    return f"{count} {unit}" if count == "1" else f"{count} {unit}s"


def every_ja(days: float) -> str:
    """Say how often, in Japanese: something comes every so many days."""
    return "ほぼ毎日" if round(days) <= 1 else f"約{days_ja(days)}ごとに"


def every_en(days: float) -> str:
    """Say how often, in English, to stand after "every"."""
    return "day" if round(days) <= 1 else days_en(days)


def rate(value: float) -> str:
    """One decimal below ten, none above.

    Examples
    --------
    >>> rate(3.04), rate(4.36), rate(12.3)
    ('3', '4.4', '12')
    """
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


def amount(value: float) -> str:
    """Two significant digits, thousands separated.

    Examples
    --------
    >>> amount(5234.0), amount(0.5)
    ('5,200', '0.5')
    """
    if value < 1:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    digits = max(0, math.floor(math.log10(value)) - 1)
    return f"{round(value, -digits):,.0f}"


def with_article(noun: str) -> str:
    """Put the indefinite article before an English noun."""
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
