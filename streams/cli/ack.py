"""`yocho ack`: say that somebody takes care of a customer."""

import os
import time

import click

from models.commands import CommandKind
from streams.cli.types import BY, CUSTOMER, TIME_S
from streams.command_sending import new_command, send
from streams.settings import Settings


@click.command(epilog="Example: yocho ack c-1024 --by Sato")
@click.argument("customer", type=CUSTOMER)
@click.option("--by", type=BY, required=True, help="Who takes care, for people to read.")
@click.option("--at", "at_s", type=TIME_S, help="When it was said, in a replayed history.  [default: now]")
def command(customer: str, by: str, at_s: int | None) -> None:
    """Say that somebody takes care of CUSTOMER: the open alert is answered, and what follows says so too.

    Without an open alert it does nothing.
    """
    settings = Settings.from_env(os.environ)
    issued_at_ms = int(time.time() * 1000) if at_s is None else at_s * 1000
    said = new_command(customer, issued_at_ms, kind=CommandKind.ACK, by=by)
    topic, partition = send(settings, said)
    click.echo(f"{by} takes care of {customer}: sent to {topic}, partition {partition}, as {said.event_id}")
