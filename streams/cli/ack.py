"""`yocho ack`: say that somebody takes care of a customer."""

import os

import click

from models.commands import CommandKind
from streams.cli.types import BY, CUSTOMER, SAID_AT
from streams.command_sending import new_command, send
from streams.settings import Settings


@click.command(epilog="Example: yocho ack c-1024 --by Sato")
@click.argument("customer", type=CUSTOMER)
@click.option("--by", type=BY, required=True, help="Who takes care, for people to read.")
@SAID_AT
def command(customer: str, by: str, issued_at_ms: int) -> None:
    """Say that somebody takes care of CUSTOMER: the open alert is answered, and what follows says so too.

    Without an open alert it does nothing.
    """
    settings = Settings.from_env(os.environ)
    said = new_command(customer, issued_at_ms, kind=CommandKind.ACK, by=by)
    topic, partition = send(settings, said)
    click.echo(f"{by} takes care of {customer}: sent to {topic}, partition {partition}, as {said.event_id}")
