"""What customers do, as frozen values: the first word of the line from event to alert.

An `Event` is what is left of an input record once it has been decoded and checked: who, on which channel, when, and
the few numbers that state needs. Unknown fields of the record stay behind at the codec.
"""

import enum

import msgspec


class Channel(enum.IntEnum):
    """A kind of engagement. The value is the column in a row's per-channel arrays, so it never changes."""

    ORDER = 0
    LOGIN = 1
    EMAIL_OPEN = 2


class Source(enum.IntEnum):
    """An input that events come from. The value is the place in a row's ``applied`` offsets, so it never changes.

    The first three are engagement on the channel of the same value. A send is not engagement; a click is
    engagement on the channel EMAIL_OPEN. `models.apply` says what each changes. A command is what a person says about
    the customer's episode (`models.commands`), nothing the customer did.
    """

    ORDERS = 0
    LOGINS = 1
    EMAIL_OPENS = 2
    EMAIL_SENDS = 3
    EMAIL_CLICKS = 4
    COMMANDS = 5


N_CHANNELS = len(Channel)
N_SOURCES = len(Source)


class Event(msgspec.Struct, frozen=True, gc=False):
    """One thing a customer did, in event time.

    Parameters
    ----------
    customer_id
        Pseudonymous id, UTF-8, the Kafka key.
    event_id
        Id given by the producer; the same id twice is the same event.
    channel
        Kind of engagement; of an e-mail sent, the kind it invites to.
    occurred_at_ms
        Event time, epoch milliseconds, > 0.
    amount
        Order value in `currency` units, session length in seconds, or NaN where the channel has none.
    engaged
        False for an e-mail opened or followed by a machine (privacy proxy, scanner): counted, not engagement.
    categories
        What an order holds, as `models.baskets.category_mask` gives it; 0 = not told.

    Examples
    --------
    >>> Event("c1", "o-1", Channel.ORDER, 852_076_800_000, amount=11.77).at_s
    852076800
    """

    customer_id: str
    event_id: str
    channel: Channel
    occurred_at_ms: int
    amount: float = float("nan")
    engaged: bool = True
    categories: int = 0

    @property
    def at_s(self) -> int:
        """Event time in whole epoch seconds, rounded down."""
        return self.occurred_at_ms // 1000
