"""Sends what a person says to the worker that knows the customer: behind `yocho ack` and `yocho snooze`."""

import uuid

from models.commands import Command, CommandKind
from streams.cluster import Cluster
from streams.commands import encode
from streams.event_csv import Outgoing
from streams.partitioner import partition_of
from streams.produce import Sender
from streams.settings import Settings
from streams.topics import COMMANDS


def new_command(customer_id: str, issued_at_ms: int, *, kind: CommandKind, by: str, until_s: int = 0) -> Command:
    """Make a command with an id of its own: said twice, it is two commands."""
    return Command.of(customer_id, f"cmd-{uuid.uuid4()}", issued_at_ms, kind=kind, by=by, until_s=until_s)


def send(settings: Settings, command: Command) -> tuple[str, int]:
    """Send a command to the partition of its customer and wait until it is there; gives topic and partition.

    Raises
    ------
    UnreachableError
        No broker answers.
    ProduceError
        The topic is not there or has another partition count, or the record was not taken.
    """
    key = command.customer_id.encode()
    with Sender(Cluster.reach(settings), settings, [COMMANDS]) as sender:
        sender.send(Outgoing(COMMANDS, key, encode(command), command.occurred_at_ms))
        sender.flush()
    return COMMANDS.topic(settings), partition_of(key, settings.partitions)
