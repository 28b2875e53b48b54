"""`yocho dead-letters`: what was set aside, why, its bytes safely printed, and the way back after a fix."""

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.table import Table

from streams.cli.bars import bar
from streams.cli.types import LETTER, TIME_S
from streams.cluster import Cluster
from streams.letter_listing import Listing, Marked, find, listed, save, to_json
from streams.printable import pretty, safe_bytes, safe_text
from streams.reasons import Reason
from streams.redrive import Plan, Selection, plan, send
from streams.settings import Settings
from streams.times import time_text

WIDTH = 160
"""Of the table where the output is no terminal."""
MAX_SHOWN = 16 * 1024
"""Characters of a value that are printed; files hold all of it."""
_REASONS = [str(reason) for reason in Reason]


class _Place(NamedTuple):
    """Where to look, from the variables of this shell."""

    cluster: Cluster
    settings: Settings


def _place() -> _Place:
    settings = Settings.from_env(os.environ)
    return _Place(Cluster.reach(settings), settings)


def _selecting(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which letters are meant; the command is handed a `Selection`."""

    @click.option("--reason", type=click.Choice(_REASONS), metavar="REASON", help="For this one, as in late.")
    @click.option("--topic", help="From this topic.")
    @click.option("--since", "since_s", type=TIME_S, default=0, help="Set aside from then on: RFC 3339.")
    @functools.wraps(command)
    def selected(
        *, reason: str | None, topic: str | None, since_s: int, ids: tuple[str, ...] = (), **others: Any
    ) -> None:
        command(Selection(frozenset(ids), reason, topic, 1000 * since_s), **others)

    return selected


@click.group(epilog="Example: yocho dead-letters list --reason late --since 2025-04-01T00:00:00+09:00")
def command() -> None:
    """List, show and send back the records that could not be processed."""


@command.command("list", epilog="Example: yocho dead-letters list --topic orders --limit 20")
@_selecting
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Only so many, the newest.")
@click.option("--payload", is_flag=True, help="With keys and values, which may be personal.")
@click.option("--json", "as_json", is_flag=True, help="One letter a line.")
def list_command(selection: Selection, *, limit: int, payload: bool, as_json: bool) -> None:
    """List dead letters, the newest first, and count all of them by reason; neither key nor value is shown."""
    listing = listed(*_place(), selection, limit)
    if as_json:
        for one in listing.newest:
            click.echo(json.dumps(to_json(one, payload=payload)))
        return
    if listing.newest:
        _print_table(listing, payload=payload)
    for (name, why), count in sorted(listing.kinds.items(), key=lambda kind: -kind[1]):
        click.echo(f"{count:>9,} {safe_text(why)} from {safe_text(name)}")
    click.echo(f"{listing.kinds.total():>9,} dead letters")


@command.command("show", epilog="Example: yocho dead-letters show orders-3-41 --save letters/")
@click.argument("ids", metavar="ID...", type=LETTER, nargs=-1, required=True)
@click.option("--save", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write bytes to files here.")
@click.option("--json", "as_json", is_flag=True, help="One letter a line.")
def show_command(ids: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Show dead letters whole: where from, why, headers, key and value, with control characters escaped.

    They may hold personal data. With --save, DIR gets ID.key, ID.value and ID.json, which nobody else may read.
    """
    found = find(*_place(), Selection(frozenset(ids)))
    for one in found:
        if folder is not None:
            save(one, folder)
        if as_json:
            click.echo(json.dumps(to_json(one, payload=True)))
        else:
            _print_whole(one)
    if absent := sorted(set(ids) - {one.letter.id for one in found}):
        raise click.ClickException(f"no dead letter {', '.join(absent)}")


@command.command("redrive", epilog="Example: yocho dead-letters redrive --reason wrong_partition --dry-run")
@click.argument("ids", metavar="[ID]...", type=LETTER, nargs=-1)
@_selecting
@click.option("--all", "all_of_them", is_flag=True, help="Every dead letter there is.")
@click.option("--again", is_flag=True, help="Also what was sent back before.")
@click.option("--dry-run", is_flag=True, help="Say what would go back, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def redrive_command(selection: Selection, *, all_of_them: bool, again: bool, dry_run: bool, yes: bool) -> None:
    """Send records back to their topics, after what was wrong has been mended: key, value and own headers unchanged.

    They go to the partition of their key and are judged as if they had just come: an event that is late stays late.
    What was sent back before stays without --again, as it could count twice: only a customer's last six event ids are
    known.
    """
    if not all_of_them and selection == Selection():
        raise click.UsageError("say which: IDs, --reason, --topic, --since, or --all")
    place = _place()
    planned = plan(*place, selection, again=again)
    _print_plan(planned)
    if dry_run or not planned.ids:
        click.echo("nothing is sent")
        return
    if not (yes or click.confirm(f"send {len(planned.ids):,} back? (--yes does not ask)")):
        click.echo("nothing is sent")
        return
    with bar("sending back") as show:
        sent = send(*place, selection, planned, lambda done, total: show(done, total, "sent"))
    click.echo(f"sent {sent:,} back")


def _print_plan(planned: Plan) -> None:
    for (topic, why), count in sorted(planned.kinds.items()):
        click.echo(f"{count:>9,} {safe_text(why)} to {safe_text(topic)}")
    if planned.incomplete:
        click.echo(f"{planned.incomplete:>9,} of them without some of their own headers, which the letter dropped")
    if planned.gone:
        click.echo(f"{len(planned.gone):>9,} stay: sent back before (--again sends them once more)")
    if planned.empty:
        click.echo(f"{planned.empty:>9,} stay: null, so there is nothing to send")
    for topic, count in sorted(planned.homeless.items()):
        click.echo(f"{count:>9,} stay: {safe_text(topic)} is no input of these settings")


def _print_table(listing: Listing, *, payload: bool) -> None:
    columns = ("set aside", "id", "reason", "rule", "bytes", "note", *(("key", "value") if payload else ()))
    table = Table(*columns, box=None, pad_edge=False)
    for one in listing.newest:
        letter = one.letter
        cells = (
            time_text(letter.at_ms // 1000),
            letter.id,
            safe_text(letter.reason),
            safe_text(letter.detail),
            "null" if letter.value is None else f"{len(letter.value):,}",
            one.note,
        )
        shown = (_line(letter.key), _line(letter.value)) if payload else ()
        table.add_row(*cells, *shown)
    Console(width=None if Console().is_terminal else WIDTH, markup=False, highlight=False, emoji=False).print(table)


def _line(data: bytes | None, most: int = 120) -> str:
    if data is None:
        return "null"
    text = safe_bytes(data[:most])
    return text if len(data) <= most else text + "…"


def _print_whole(one: Marked) -> None:
    letter = one.letter
    for name, text in (
        ("id", letter.id),
        ("set aside", f"{time_text(letter.at_ms // 1000)} by yocho {letter.app_version}"),
        ("reason", letter.reason),
        ("rule", letter.detail),
        ("error class", letter.error_class),
        ("from", f"{letter.topic}, partition {letter.partition}, offset {letter.offset}"),
        ("note", one.note),
    ):
        if text:
            click.echo(f"{name + ':':13}{safe_text(text)}")
    for name, data in letter.headers:
        click.echo(f"{'header:':13}{safe_text(name)} = {safe_bytes(data)}")
    click.echo(f"{'key:':13}{'null' if letter.key is None else safe_bytes(letter.key)}")
    if letter.value is None:
        click.echo("value:       null\n")
        return
    text = pretty(letter.value)
    click.echo(f"value, {len(letter.value):,} bytes:\n{text[:MAX_SHOWN]}")
    if len(text) > MAX_SHOWN:
        click.echo(f"… {len(text) - MAX_SHOWN:,} more characters: --save DIR writes all of them")
    click.echo()
