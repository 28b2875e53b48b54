"""Every topic in one table: name, record key, partitions, how it is kept, and who alone writes it.

Provisioning, the worker, the commands and the README all read this table. Topics with ``per_customer`` are
keyed by customer id and co-partitioned, so that one worker sees everything about one customer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from models.events import N_SOURCES, Channel, Source
from streams.settings import SETTINGS, Settings, SettingsError

DAY_MS = 86_400_000
DEAD_LETTER_BYTES = 2 * 1024 * 1024
"""A rejected record of the usual limit (1 MiB) with its headers must fit."""


@dataclass(frozen=True)
class Topic:
    """One topic.

    Parameters
    ----------
    key
        Word for it in code and on the command line; the name without prefix.
    what
        What its records are.
    record_key
        What the record key holds.
    writer
        Who alone writes to it.
    kept
        ``delete`` after a time, ``compact``, or as its ``producer`` decides.
    config
        Topic configuration that must hold, as Kafka names and writes it.
    per_customer
        Keyed by customer and co-partitioned; else one partition.
    template
        Name with ``{prefix}``, ``{group}`` and ``{key}`` to be filled in.
    readers
        Who reads it: roles, as `writer` is one.
    """

    key: str
    what: str
    record_key: str
    writer: str
    kept: Literal["delete", "compact", "producer"]
    config: Mapping[str, str] = field(default_factory=dict, hash=False)
    per_customer: bool = True
    template: str = "{prefix}{key}"
    readers: tuple[str, ...] = ()

    def topic(self, settings: Settings) -> str:
        """Return the name in Kafka.

        Examples
        --------
        >>> ALERTS.topic(Settings(topic_prefix="test.")), CHANGELOG.topic(Settings(group="shop"))
        ('test.churn-alerts', 'shop-customers-changelog')
        """
        return self.template.format(prefix=settings.topic_prefix, group=settings.group, key=self.key)

    def partitions(self, settings: Settings) -> int:
        """Return how many partitions it has."""
        return settings.partitions if self.per_customer else 1


@dataclass(frozen=True, kw_only=True)
class InputTopic(Topic):
    """A topic of events.

    Parameters
    ----------
    source
        Place in a row's ``applied`` offsets, so it never changes.
    event_type
        Word in metrics, CSV files and the optional `type` field of events; names the decoder in
        `streams.codec`.
    channel
        Kind of engagement; None where it has no counts of its own in the row.
    setting
        Field of `Settings` that names the topic and thereby switches it on; "" = always on, named by its key.
    """

    source: int
    event_type: str
    channel: Channel | None = None
    setting: str = ""

    @property
    def is_readable(self) -> bool:
        """Whether there is a decoder and a place in the row for it."""
        return self.source < N_SOURCES

    def topic(self, settings: Settings) -> str:
        """Return the name in Kafka; that of an input which is off is its key.

        Examples
        --------
        >>> EMAIL_SENDS.topic(Settings(email_sends_topic="mails", topic_prefix="eu."))
        'eu.mails'
        """
        name = self._name(settings) or self.key
        return self.template.format(prefix=settings.topic_prefix, group=settings.group, key=name)

    @property
    def variable(self) -> str:
        """The variable behind `setting`.

        Examples
        --------
        >>> EMAIL_SENDS.variable
        'YOCHO_EMAIL_SENDS_TOPIC'
        """
        return next(setting.variable for setting in SETTINGS if setting.field == self.setting)

    def is_enabled(self, settings: Settings) -> bool:
        """Tell whether workers read it."""
        return self.is_readable and (not self.setting or self._name(settings) is not None)

    def _name(self, settings: Settings) -> str | None:
        return getattr(settings, self.setting) if self.setting else None


def _kept_days(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}


def _input(
    key: str, source: int, event_type: str, what: str, channel: Channel | None = None, *, setting: str = ""
) -> InputTopic:
    return InputTopic(
        key, what, "customer_id", "producers", "producer",
        source=source, event_type=event_type, channel=channel, setting=setting, readers=("worker",),
    )  # fmt: skip


ORDERS = _input("orders", Source.ORDERS, "order", "an order: amount, currency, items", Channel.ORDER)
LOGINS = _input("logins", Source.LOGINS, "login", "a login: session_seconds", Channel.LOGIN)
EMAIL_OPENS = _input(
    "email-opens", Source.EMAIL_OPENS, "email_open", "an e-mail opened: campaign_id, machine", Channel.EMAIL_OPEN
)
EMAIL_SENDS = _input(
    "email-sends", Source.EMAIL_SENDS, "email_send", "an e-mail sent: campaign_id", setting="email_sends_topic"
)
EMAIL_CLICKS = _input(
    "email-clicks", Source.EMAIL_CLICKS, "email_click", "a link in an e-mail followed: campaign_id, machine",
    setting="email_clicks_topic",
)  # fmt: skip
COMMANDS = InputTopic(
    "churn-commands", "what people say of a customer: acknowledged, snoozed, to be erased", "customer_id", "people",
    "delete", _kept_days(30), source=Source.COMMANDS, event_type="command", readers=("worker", "operators"),
)  # fmt: skip
INPUTS: tuple[InputTopic, ...] = (
    ORDERS,
    LOGINS,
    EMAIL_OPENS,
    EMAIL_SENDS,
    EMAIL_CLICKS,
    COMMANDS,
    # Declared, not read: enabling one takes a `models.events.Source`, a decoder, and a place in row and features.
    _input("page-views", 6, "page_view", "a page seen"),
    _input("carts", 7, "cart", "a cart filled or abandoned"),
    _input("inquiries", 8, "inquiry", "a question or complaint"),
    _input("feedback", 9, "feedback", "an NPS, CSAT or CES score"),
)
"""Inputs by source number: the three of the mission, two that a setting switches on, commands, four that are off."""
READABLE: tuple[InputTopic, ...] = tuple(topic for topic in INPUTS if topic.is_readable)
"""Inputs a worker can read."""


COMPACTED = {
    "cleanup.policy": "compact",
    # Tombstones outlive the longest outage of a worker, or a stale copy would bring an erased customer back.
    "delete.retention.ms": str(7 * DAY_MS),
    # An erased customer's last state is gone within a week and a day.
    "max.compaction.lag.ms": str(7 * DAY_MS),
    "segment.ms": str(DAY_MS),
}
ALERTS = Topic(
    "churn-alerts", "離反予兆 and its life cycle, for people and mailers", "customer_id", "worker", "delete",
    _kept_days(30), readers=("people", "mailers"),
)  # fmt: skip
OUTCOMES = Topic(
    "churn-outcomes", "what became of each told episode: returned, churned", "customer_id", "worker", "delete",
    _kept_days(90), readers=("people",),
)  # fmt: skip
LABELS = Topic(
    "churn-labels", "resolved examples: features when scored, outcome", "customer_id", "worker", "delete",
    _kept_days(30), readers=("trainer", "operators"),
)  # fmt: skip
MODEL = Topic(
    "churn-model", "the trained model: latest, each version, and the trainer's state", "model name, version or trainer",
    "trainer", "compact", COMPACTED, per_customer=False, readers=("worker", "trainer", "people"),
)  # fmt: skip
DEAD_LETTERS = Topic(
    "dead-letters", "records that could not be processed: bytes and reason", "as in the record", "worker",
    "delete", _kept_days(14) | {"max.message.bytes": str(DEAD_LETTER_BYTES)}, readers=("operators",),
)  # fmt: skip
CHANGELOG = Topic(
    "customers-changelog", "state of each customer", "customer_id", "worker", "compact",
    COMPACTED, template="{group}-{key}", readers=("worker", "people"),
)  # fmt: skip
OUTPUTS: tuple[Topic, ...] = (ALERTS, OUTCOMES, LABELS, MODEL, DEAD_LETTERS, CHANGELOG)
TOPICS: tuple[Topic, ...] = INPUTS + OUTPUTS
"""Everything, in the order people are shown it."""


def enabled_inputs(settings: Settings) -> tuple[InputTopic, ...]:
    """Return the inputs workers read, in source order.

    Raises
    ------
    SettingsError
        A setting gives an optional input the name of another topic.

    Examples
    --------
    >>> [topic.key for topic in enabled_inputs(Settings(email_clicks_topic="email-clicks"))]
    ['orders', 'logins', 'email-opens', 'email-clicks', 'churn-commands']
    """
    inputs = tuple(topic for topic in INPUTS if topic.is_enabled(settings))
    taken = {topic.topic(settings) for topic in (*OUTPUTS, *(topic for topic in inputs if not topic.setting))}
    for topic in inputs:
        if topic.setting and topic.topic(settings) in taken:
            raise SettingsError(f"{topic.variable}={topic.topic(settings)!r}: another topic has this name")
        taken.add(topic.topic(settings))
    return inputs


def event_inputs(settings: Settings) -> tuple[InputTopic, ...]:
    """Return the inputs that hold what customers do: enabled ones but for commands."""
    return tuple(topic for topic in enabled_inputs(settings) if topic is not COMMANDS)


def in_use(settings: Settings) -> tuple[Topic, ...]:
    """Return the topics a deployment needs: enabled inputs and all outputs."""
    return (*enabled_inputs(settings), *OUTPUTS)


def input_of(event_type: str) -> InputTopic:
    """Return the readable input of something customers do, by its event type.

    Raises
    ------
    KeyError
        No readable input has this type.
    """
    return _BY_TYPE[event_type]


_BY_TYPE = {topic.event_type: topic for topic in READABLE if topic is not COMMANDS}
