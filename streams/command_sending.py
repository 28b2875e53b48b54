"""Sends what a person says to the worker it concerns: behind `yocho ack`, `snooze`, `release` and `erase`."""

import itertools
import uuid
from collections.abc import Iterable

from models.commands import Command, CommandKind
from streams.cluster import Cluster
from streams.commands import encode, encode_erase, encode_release
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


def send_release(settings: Settings, numbers: Iterable[int], issued_at_ms: int, by: str) -> str:
    """Release the breakers of these partitions and wait until it is said; gives the topic, raises as `send`."""
    with Sender(Cluster.reach(settings), settings, [COMMANDS]) as sender:
        for number in numbers:
            value = encode_release(f"cmd-{uuid.uuid4()}", issued_at_ms, by)
            sender.send(Outgoing(COMMANDS, release_key(number, settings.partitions), value, issued_at_ms))
        sender.flush()
    return COMMANDS.topic(settings)


def send_erasures(settings: Settings, customer_ids: Iterable[str], issued_at_ms: int, by: str) -> str:
    """Have customers erased and wait until it is said; gives the topic, raises as `send`.

    Behind each erasure goes a tombstone: whoever keeps the latest command of each customer then keeps none of theirs.
    """
    with Sender(Cluster.reach(settings), settings, [COMMANDS]) as sender:
        for customer_id in customer_ids:
            erasure = encode_erase(customer_id, f"cmd-{uuid.uuid4()}", issued_at_ms, by)
            for value in (erasure, None):
                record = Outgoing(COMMANDS, customer_id.encode(), value, issued_at_ms)
                if sender.is_full(record):
                    sender.flush()
                sender.send(record)
        sender.flush()
    return COMMANDS.topic(settings)


def release_key(number: int, partitions: int) -> bytes:
    """Return a key that belongs to a partition, as a release has no customer to name it.

    Examples
    --------
    >>> [partition_of(release_key(number, 12), 12) for number in range(12)] == list(range(12))
    True
    """
    keys = (b"release-%d" % attempt for attempt in itertools.count())
    return next(key for key in keys if partition_of(key, partitions) == number)
