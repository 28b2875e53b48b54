"""`yocho upcoming`: everyone who will cross a level in the next days if they stay silent, soonest first."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from models.alert_sentences import NOT_ENOUGH_EVIDENCE
from models.levels import ALERT_LEVELS, LEVELS, LevelName
from models.target import DAY_S
from models.wording import amount, percent, wait_en, wait_ja
from streams import provision
from streams.cli.types import DURATION_S
from streams.cluster import Cluster
from streams.settings import Settings
from streams.topics import CHANGELOG, MODEL
from streams.upcoming import Upcoming, soonest, to_json

_LEVEL_OF = {LEVELS[level].name: level for level in ALERT_LEVELS}
WIDTH = 120
"""Of the table where the output is no terminal."""


class NoStateError(RuntimeError):
    """There is nothing to ask: no worker of this group has kept anything yet."""


class _Words(NamedTuple):
    """What the table says in one language."""

    columns: tuple[str, ...]
    wait: Callable[[float], str]
    nobody: str
    total: str


_WORDS = {
    "ja": _Words(
        ("顧客", "区分", "現在", "次", "到達時刻", "あと", "離反確率", "損失見込み（年）"),
        wait_ja,
        "このまま何もなくても、{within}以内に次のレベルに達する顧客はいません。",
        "{n:,}人 · {as_of} 時点",
    ),
    "en": _Words(
        ("customer", "segment", "now", "next", "when", "in", "risk now", "at stake a year"),
        wait_en,
        "Nobody reaches another level within {within} by silence alone.",
        "{n:,} customers, as of {as_of}",
    ),
}


@click.command(epilog="Example: yocho upcoming --within 7d --level at_risk --limit 20")
@click.option("--within", "within_s", type=DURATION_S, default="7d", show_default=True, help="How far to look ahead.")
@click.option(
    "--level",
    type=click.Choice(list(_LEVEL_OF)),
    default="watch",
    show_default=True,
    help="Who reaches this level or a higher one.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only so many, the soonest.")
@click.option("--json", "as_json", is_flag=True, help="One customer a line.")
def command(within_s: int, level: LevelName, limit: int | None, as_json: bool) -> None:
    """List everyone who will cross a level if they stay silent, soonest first; YOCHO_LANG chooses the language.

    Asked are the state the workers committed last and the model in effect, by the settings of this shell, which should
    be those of the workers. Time counts from how far the events have come. The customers of one partition are in memory
    at a time.
    """
    settings = Settings.from_env(os.environ)
    _require_state(settings)
    found = asyncio.run(soonest(settings, within_s, _LEVEL_OF[level], limit))
    if as_json:
        for one in found:
            print(to_json(one))
    else:
        _print(found, settings.lang, within_s)


def _require_state(settings: Settings) -> None:
    """Refuse where a topic is missing or another one: reading would wait for it without a word."""
    cluster = Cluster.reach(settings)
    cluster.require_known(topic.topic(settings) for topic in (CHANGELOG, MODEL))
    topics = provision.describe(cluster, settings)
    for topic in (CHANGELOG, MODEL):
        if (name := topic.topic(settings)) not in topics:
            raise NoStateError(f"topic {name} is missing: no worker of group {settings.group} has run here")
    if (count := topics[CHANGELOG.topic(settings)].partitions) != settings.partitions:
        raise NoStateError(f"{CHANGELOG.topic(settings)} has {count} partitions, YOCHO_PARTITIONS says otherwise")


def _print(found: Sequence[Upcoming], lang: str, within_s: int) -> None:
    words = _WORDS[lang]
    if not found:
        click.echo(words.nobody.format(within=words.wait(within_s / DAY_S)))
        return
    table = Table(box=None, pad_edge=False)
    for column in words.columns:
        table.add_column(column)
    for one in found:
        table.add_row(*_cells(one, lang))
    width = None if Console().is_terminal else WIDTH
    Console(width=width, markup=False, highlight=False, emoji=False).print(table)
    as_of = max(one.as_of for one in found)
    click.echo(words.total.format(n=len(found), as_of=f"{as_of:%Y-%m-%d %H:%M} UTC"))


def _cells(one: Upcoming, lang: str) -> tuple[str, ...]:
    titles = {title.name: getattr(title, lang) for title in LEVELS}
    unsure: str = getattr(NOT_ENOUGH_EVIDENCE, lang)
    return (
        "".join(c if c.isprintable() else "?" for c in one.customer_id),
        getattr(one.segment, lang),
        titles[one.level],
        titles[one.next_level],
        f"{one.at:%Y-%m-%d %H:%M} UTC",
        _WORDS[lang].wait(one.days),
        unsure if one.probability is None else percent(one.probability),
        "" if one.value_at_stake is None else amount(one.value_at_stake),
    )
