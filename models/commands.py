"""What a person says about a customer's episode: a command, read from its topic like an event.

Beside the events on the line from event to alert. A command is no engagement: it counts nowhere and ends no silence.
`models.life_cycle` says what it changes in an episode.
"""

import enum

from models.events import Channel, Event

MAX_BY_CHARACTERS = 64


class CommandKind(enum.StrEnum):
    """What is said."""

    ACK = "ack"  # I take care of this customer
    SNOOZE = "snooze"  # tell me nothing new about this customer for a while


class Command(Event, frozen=True, gc=False):
    """An event of the source COMMANDS; `event_id` is the id of the command, `occurred_at_ms` when it was given.

    Parameters
    ----------
    kind
        What is said.
    by
        Who says it, for people to read: at most `MAX_BY_CHARACTERS` without control characters.
    until_s
        End of a snooze, epoch seconds; 0 of an acknowledgement.
    """

    kind: CommandKind = CommandKind.ACK
    by: str = ""
    until_s: int = 0

    @classmethod
    def of(
        cls, customer_id: str, command_id: str, issued_at_ms: int, *, kind: CommandKind, by: str, until_s: int = 0
    ) -> "Command":
        """Make a command. The channel that every event has means nothing here.

        Examples
        --------
        >>> snooze = CommandKind.SNOOZE
        >>> command = Command.of("c1", "k1", 852_076_800_000, kind=snooze, by="Sato", until_s=852_163_200)
        >>> command.at_s, command.engaged
        (852076800, False)
        """
        return cls(
            customer_id, command_id, Channel.ORDER, issued_at_ms, engaged=False, kind=kind, by=by, until_s=until_s
        )
