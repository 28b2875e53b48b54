"""`yocho simulate`: a simulated shop into the input topics, or into an event log."""

import itertools
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from models.events import Event
from models.simulator import CLIMATES, Shop, write_events
from streams.cli.types import SPEED
from streams.cluster import Cluster
from streams.produce import Sender
from streams.settings import Settings
from streams.simulate import Pace, chunks, send
from streams.topics import event_inputs

HISTORY_DAYS = 365
REPORT_S = 2.0


class _Start(click.ParamType):
    """A time gone by, RFC 3339 or a date; without a zone it is UTC."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            start = datetime.fromisoformat(str(value))
            start = start if start.tzinfo else start.replace(tzinfo=UTC)
            in_range = 1 <= start.timestamp() <= time.time()
        except (ValueError, OverflowError):
            in_range = False
        if not in_range:
            self.fail(
                f"{value!r} is not a time since 1970 and before now, such as 2025-01-06 or 2025-01-06T00:00:00+09:00",
                param,
                ctx,
            )
        return start


@click.command(epilog="Example: yocho simulate --customers 500 --start 2025-01-06 --days 120 --speed max")
@click.option(
    "--customers", type=click.IntRange(1, 9_000_000), default=1_000, show_default=True, help="Size of the shop."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another seed, another shop.")
@click.option("--speed", type=SPEED, default="86400x", show_default=True, help="max, or so many times real time.")
@click.option("--events", type=click.IntRange(min=1), help="End after so many events.")
@click.option("--days", type=click.FloatRange(0, 100_000, min_open=True), help="End after so many days of the shop.")
@click.option("--start", type=_Start(), help="When the shop opens.  [default: a year before today, midnight UTC]")
@click.option(
    "--climate", type=click.Choice(list(CLIMATES)), default="steady", show_default=True, help="How the shop fares."
)
@click.option(
    "--csv",
    "file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write an event log there instead (.gz: gzipped), at once, without a broker; needs --days or --events.",
)
def command(
    *,
    customers: int,
    seed: int,
    speed: float,
    events: int | None,
    days: float | None,
    start: datetime | None,
    climate: str,
    file: Path | None,
) -> None:
    """Send orders, logins and e-mail opens of a simulated shop, without end unless told otherwise.

    Equal seed, size, start and climate give equal events. No event is sent before it happens: when the shop's time
    reaches now, it goes on in real time. An event log is for `yocho evaluate`; it leaves out what machines opened.
    """
    if file is not None and days is None and events is None:
        raise click.UsageError("--csv needs --days or --events: a shop has no end of its own")
    opens_at = start or _midnight() - timedelta(days=HISTORY_DAYS)
    start_s = int(opens_at.timestamp())
    until_s = None if days is None else start_s + int(days * 86_400)
    shop = Shop(seed, customers, start_s, climate=CLIMATES[climate])
    stream = itertools.islice(shop.events(until_s), events)
    if file is not None:
        click.echo(f"wrote {write_events(stream, file):,} events to {file}")
    else:
        name = f"shop {seed} with {customers:,} customers, climate {climate},"
        _to_topics(stream, speed, f"{name} opens on {opens_at.isoformat()}")


def _to_topics(stream: Iterator[Event], speed: float, headline: str) -> None:
    settings = Settings.from_env(os.environ)
    cluster = Cluster.reach(settings)
    click.echo(headline, err=True)
    began_s = reported_s = time.monotonic()
    with Sender(cluster, settings, event_inputs(settings)) as sender:
        try:
            for chunk in chunks(stream, Pace(speed), now=time.time, wait=_sleep):
                send(chunk, sender)
                if time.monotonic() - reported_s >= REPORT_S:
                    reported_s = time.monotonic()
                    click.echo(f"{_date(chunk[-1].at_s)}  {sender.total:,} events", err=True)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
        seconds = time.monotonic() - began_s
        click.echo(f"sent {sender.total:,} events in {seconds:.1f} s ({sender.total / seconds:,.0f} events/s)")


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _date(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M}"
