"""`yocho alerts`: the alert topic, for people as it comes and for scripts as JSON lines."""

import os
import sys
from typing import Any

import click
import msgspec

from models.newer import NewerVersionError, refuse_newer
from streams.alert_text import render
from streams.alerts import VERSION, AlertError, decode
from streams.cloud_events import version_of
from streams.cluster import Cluster
from streams.follow import follow
from streams.settings import Settings
from streams.topics import ALERTS


@click.command(epilog="Example: yocho alerts --json --from-start --until-idle 20 > alerts.jsonl")
@click.option("--json", "as_json", is_flag=True, help="One alert a line, as it is in the topic.")
@click.option("--from-start", is_flag=True, help="Begin with the oldest alert, not the next one.")
@click.option("--replay", is_flag=True, help="Show history of a muted backfill too.")
@click.option("--until-idle", type=click.FloatRange(min=0), help="End after so many seconds without a new alert.")
def command(as_json: bool, from_start: bool, replay: bool, until_idle: float | None) -> None:
    """Follow the alerts until Ctrl-C; YOCHO_LANG=ja or en chooses the language."""
    settings = Settings.from_env(os.environ)
    cluster = Cluster.reach(settings)
    try:
        for record in follow(cluster, ALERTS.topic(settings), from_start=from_start, until_idle_s=until_idle):
            if _is_newer(record) or (_is_history(record.value) and not replay):
                continue
            print(record.value.decode() if as_json else _pretty(record.value, settings.lang), flush=True)
    except KeyboardInterrupt:
        sys.stdout.flush()


class _Marked(msgspec.Struct):
    """The one field of an alert that says whether people should see it."""

    replay: bool = False


_marked = msgspec.json.Decoder(_Marked)


def _is_newer(record: Any) -> bool:
    """Whether a newer release wrote an alert, which is then told: neither people nor scripts should misread it."""
    try:
        refuse_newer("alert", version_of(record.headers), VERSION, VERSION)
    except NewerVersionError as error:
        click.echo(
            f"yocho alerts: {record.topic} partition {record.partition} offset {record.offset}: {error}", err=True
        )
        return True
    return False


def _is_history(value: bytes) -> bool:
    try:
        return _marked.decode(value).replay
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False  # whatever it is, nobody marked it


def _pretty(value: bytes, lang: str) -> str:
    try:
        return render(decode(value), lang) + "\n"
    except AlertError as error:
        return f"[{error}]\n"
