"""`yocho snooze`: say that somebody wants no news of a customer for a while."""

import os
from datetime import UTC, datetime, timedelta

import click

from models.commands import CommandKind
from streams.cli.types import BY, CUSTOMER, SAID_AT, UNTIL
from streams.command_sending import new_command, send
from streams.durations import duration_text
from streams.settings import Settings


@click.command(epilog="Example: yocho snooze c-1024 --until 14d --by Sato")
@click.argument("customer", type=CUSTOMER)
@click.option(
    "--until", type=UNTIL, required=True, help="For how long (14d) or until when (RFC 3339); 0d ends a snooze."
)
@click.option("--by", type=BY, required=True, help="Who wants no news, for people to read.")
@SAID_AT
def command(customer: str, until: timedelta | int, by: str, issued_at_ms: int) -> None:
    """Say that nothing new is to be told of CUSTOMER for a while, at most a horizon.

    An open alert that gets worse speaks all the same, and that ends the snooze; how it ends is told too.
    """
    settings = Settings.from_env(os.environ)
    until_s = _until_s(until, issued_at_ms, settings.horizon_s)
    said = new_command(customer, issued_at_ms, kind=CommandKind.SNOOZE, by=by, until_s=until_s)
    topic, partition = send(settings, said)
    click.echo(
        f"{customer} snoozed by {by} until {datetime.fromtimestamp(until_s, UTC):%Y-%m-%d %H:%M} UTC:"
        f" sent to {topic}, partition {partition}, as {said.event_id}"
    )


def _until_s(until: timedelta | int, issued_at_ms: int, horizon_s: int) -> int:
    """Whole epoch seconds, rounded up so that it is not before the command; what a worker would refuse is refused."""
    until_ms = issued_at_ms + int(until.total_seconds()) * 1000 if isinstance(until, timedelta) else until * 1000
    if not issued_at_ms <= until_ms <= issued_at_ms + horizon_s * 1000:
        longest = f"{duration_text(horizon_s)} (YOCHO_HORIZON)"
        raise click.BadParameter(f"must not lie in the past nor more than {longest} ahead", param_hint="--until")
    return min(-(-until_ms // 1000), issued_at_ms // 1000 + horizon_s)
