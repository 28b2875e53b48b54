"""`yocho release`: let the alerts go that a breaker holds."""

import os

import click

from streams.cli.types import BY, SAID_AT
from streams.command_sending import send_release
from streams.settings import Settings


@click.command(epilog="Example: yocho release --partition 3 --by Sato")
@click.option("--partition", type=click.IntRange(min=0), help="Only this one.  [default: all of them]")
@click.option("--by", type=BY, required=True, help="Who knows why there are so many alerts.")
@SAID_AT
def command(partition: int | None, by: str, issued_at_ms: int) -> None:
    """Let the alerts go that the breaker of a partition holds, within two hours; it stays closed for a day.

    Where no breaker is open it does nothing.
    """
    settings = Settings.from_env(os.environ)
    if partition is not None and partition >= settings.partitions:
        raise click.BadParameter(f"there are {settings.partitions} partitions, from 0 on", param_hint="--partition")
    numbers = range(settings.partitions) if partition is None else [partition]
    topic = send_release(settings, numbers, issued_at_ms, by)
    which = "all partitions" if partition is None else f"partition {partition}"
    click.echo(f"{by} releases {which}: sent to {topic}")
