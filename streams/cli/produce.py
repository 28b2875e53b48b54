"""`yocho produce`: a CSV file into the input topics."""

import os
from pathlib import Path

import click

from streams.cli.bars import bar
from streams.cli.types import SPEED
from streams.cluster import Cluster
from streams.produce import replay
from streams.settings import Settings


@click.command(epilog="Example: yocho produce orders-1997.csv.gz --speed 86400x  (a day of the file each second)")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--speed", type=SPEED, default="max", show_default=True, help="max, or so many times real time: 86400x.")
@click.option("--main", "main_name", help="Event type in the file that is the main channel (YOCHO_MAIN).")
@click.option("--limit", type=click.IntRange(min=1), help="Send only so many rows.")
def command(file: Path, speed: float, main_name: str | None, limit: int | None) -> None:
    """Replay FILE, a CSV with customer_id, event_type, ts, value (plain or .gz), keyed and typed for the worker.

    The file is checked before anything is sent. Sending it again sends the same event ids.
    """
    settings = Settings.from_env(os.environ)
    cluster = Cluster.reach(settings)
    with bar(f"checking {file.name}") as show:
        report = replay(
            file,
            cluster,
            settings,
            speed=speed,
            main_name=main_name,
            limit=limit,
            progress=lambda done, total: show(done, total, "sent"),
        )
    topics = ", ".join(f"{count:,} to {topic}" for topic, count in sorted(report.sent.items()))
    click.echo(f"sent {topics} in {report.seconds:.1f} s ({report.per_second:,.0f} events/s)")
