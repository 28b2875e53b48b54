"""What a command says beside its envelope: its fields checked, and a command as bytes for its topic.

`streams.codec` reads the envelope, `yocho ack`, `yocho snooze` and `yocho erase` write. JSON: ``command_id``,
``customer_id``, ``kind`` (ack, snooze or erase), ``by``, ``issued_at``, and ``until`` of a snooze; times as in events.
A null value behind an erasure is its tombstone and says nothing more.
"""

from dataclasses import dataclass

import orjson

from models.commands import MAX_BY_CHARACTERS, Command, CommandKind
from streams.checks import check_time_of
from streams.reasons import Reason, RejectedError

RELEASE, ERASE = "release", "erase"
FIELDS = ("version", "schema_version", "type", "customer_id", "command_id", "issued_at", "kind", "by", "until")
IDEOGRAPHIC_SPACE = "\u3000"  # between the parts of a Japanese name; Python calls it unprintable


@dataclass(frozen=True, slots=True)
class Saying:
    """Something said that is no command about an episode.

    Parameters
    ----------
    issued_at_ms
        When it was said, epoch milliseconds.
    """

    issued_at_ms: int

    @property
    def at_s(self) -> int:
        """The same in whole epoch seconds, rounded down."""
        return self.issued_at_ms // 1000


class Release(Saying):
    """Somebody lets the alerts go that the breaker of a partition holds (`models.breaker`).

    It is about the partition it is sent to, not about a customer; its key says nothing.
    """

    __slots__ = ()


class Erase(Saying):
    """A customer is to be erased: what they did until then is to be found nowhere and never to count again."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A null value among the commands: it follows an erasure, for whoever keeps the latest command of a customer."""


def encode_release(command_id: str, issued_at_ms: int, by: str) -> bytes:
    """Write a release as `streams.codec.decode` reads it."""
    return orjson.dumps({"command_id": command_id, "kind": RELEASE, "by": by, "issued_at": issued_at_ms})


def encode_erase(customer_id: str, command_id: str, issued_at_ms: int, by: str) -> bytes:
    """Write an erasure as `streams.codec.decode` reads it."""
    body = {"command_id": command_id, "customer_id": customer_id, "kind": ERASE, "by": by, "issued_at": issued_at_ms}
    return orjson.dumps(body)


def check_kind(value: object) -> CommandKind:
    """Check what is to be done.

    Examples
    --------
    >>> check_kind("ack")
    <CommandKind.ACK: 'ack'>
    """
    if type(value) is not str or value not in _KINDS:
        raise RejectedError(Reason.UNKNOWN_COMMAND, f"kind must be {' or '.join(_KINDS)}")
    return CommandKind(value)


def check_by(value: object) -> str:
    """Check who says it: 1 to 64 characters that can be printed, as it is shown to people.

    Examples
    --------
    >>> check_by("佐藤\u3000花子")
    '佐藤\u3000花子'
    """
    if type(value) is not str or not 0 < len(value.strip()) <= len(value) <= MAX_BY_CHARACTERS:
        raise RejectedError(Reason.INVALID_BY, f"by must be text of 1 to {MAX_BY_CHARACTERS} characters")
    if not value.replace(IDEOGRAPHIC_SPACE, " ").isprintable():
        raise RejectedError(Reason.INVALID_BY, "by must hold characters that can be printed, and no others")
    return value


def check_until_s(value: object, issued_at_ms: int) -> int:
    """Check the end of a snooze: not before it was issued. That very moment ends a snooze that is running.

    Returns
    -------
    int
        Whole epoch seconds, rounded down.

    Examples
    --------
    >>> check_until_s("1997-01-02T00:00:00Z", 852_076_800_000) - 852_076_800
    86400
    """
    try:
        until_ms = check_time_of(value)
    except RejectedError as error:
        raise RejectedError(Reason.INVALID_UNTIL, "until must be epoch milliseconds or RFC 3339 text") from error
    if not issued_at_ms <= until_ms < LATEST_MS:
        raise RejectedError(Reason.INVALID_UNTIL, "until must not lie before issued_at, nor a century ahead")
    return until_ms // 1000


def encode(command: Command) -> bytes:
    """Write a command as `streams.codec.decode` reads it."""
    body: dict[str, object] = {
        "command_id": command.event_id,
        "customer_id": command.customer_id,
        "kind": str(command.kind),
        "by": command.by,
        "issued_at": command.occurred_at_ms,
    }
    if command.kind == CommandKind.SNOOZE:
        body["until"] = command.until_s * 1000
    return orjson.dumps(body)


_KINDS = tuple(str(kind) for kind in CommandKind)
LATEST_MS = 4_102_444_800_000
"""2100-01-01 UTC, as far as the seconds of a row reach."""
