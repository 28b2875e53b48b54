"""What the alert policy is made of: thresholds and waiting times, episodes, moments, and the news about them.

Serves the last decision on the line from event to alert. An *episode* is one stretch of trouble of one customer; a
*moment* is a second at which the customer is looked at. `models.life_cycle` says what a moment changes in an episode,
`models.episodes` carries that over a partition's rows. Only probabilities and seconds are known here, never rows,
topics or clocks.
"""

import enum
import hashlib
from dataclasses import dataclass

from models.commands import Command
from models.events import Channel
from models.levels import ALERT_LEVELS, Level
from models.target import Target

# How far an episode has been told: 1 to 3 are the levels published so far, then how it ended. A level is told
# by its own number, so the step also remembers the highest level people know, only rises, and may skip; and
# (customer, episode, step) names one alert.
STEP_EXPIRED = 4
STEP_RECOVERED = 5
MAX_NUMBER = 65_535  # an episode number is 16 bits in a row; the anchor keeps ids apart if it ever wraps


class Cause(enum.IntEnum):
    """Why a customer is looked at."""

    SILENCE = 0  # a timer fell due: nothing happened
    ACTIVITY = 1  # an event on a channel that is not the main one
    MAIN_EVENT = 2  # an event of the kind whose absence is churn
    EXPIRY = 3  # the last main event is `Policy.expire_s` ago
    ACKNOWLEDGEMENT = 4  # somebody takes care of the customer
    SNOOZE = 5  # somebody wants no news for a while


class TransitionType(enum.StrEnum):
    """What is news about an episode."""

    OPENED = "opened"
    ESCALATED = "escalated"
    RECOVERED = "recovered"
    EXPIRED = "expired"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"


WARNINGS = (TransitionType.OPENED, TransitionType.ESCALATED)
"""News of a new or worse risk."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds and waiting times, one `enter` and one `exit` probability for watch, at risk and critical.

    Parameters
    ----------
    enter
        A level is reached at this probability or above, each in (0, 1), rising.
    exit
        A level is left below this probability, each above 0 and below its `enter` (hysteresis), not falling.
    dwell_s
        Seconds since the last activity on any channel before a level may rise, >= 0. It protects only those whose last
        main event is less than a horizon old.
    expire_s
        Seconds since the last main event after which a customer counts as churned, > `dwell_s`.
    cool_down_s
        Seconds after the end of an episode before another one may open, >= 0. Whoever has just come back and vanishes
        again is the same story to the people who read alerts. There is no exception for critical: the dwell holds from
        the same moment on, so it would save no more than the difference of the two.

    Raises
    ------
    ValueError
        A threshold or time breaks the rules above; the message names them.

    Examples
    --------
    >>> policy = Policy(dwell_s=300_000, expire_s=15_000_000)
    >>> policy.reached(0.8), policy.kept(Level.AT_RISK, 0.7), policy.kept(Level.AT_RISK, 0.6)
    (<Level.AT_RISK: 2>, <Level.AT_RISK: 2>, <Level.WATCH: 1>)
    """

    dwell_s: int
    expire_s: int
    enter: tuple[float, float, float] = (0.70, 0.80, 0.90)
    exit: tuple[float, float, float] = (0.60, 0.70, 0.80)
    cool_down_s: int = 0

    def __post_init__(self) -> None:
        if not len(self.enter) == len(self.exit) == len(ALERT_LEVELS):
            raise ValueError("enter and exit need one probability each for watch, at_risk and critical")
        if not 0.0 < self.enter[0] < self.enter[1] < self.enter[2] < 1.0:
            raise ValueError(f"enter thresholds must rise within (0, 1), got {self.enter}")
        if not 0.0 < self.exit[0] <= self.exit[1] <= self.exit[2]:
            raise ValueError(f"exit thresholds must be above 0 and not fall, got {self.exit}")
        if not all(low < high for low, high in zip(self.exit, self.enter, strict=True)):
            raise ValueError(f"each exit threshold must be below its enter, got {self.exit} for {self.enter}")
        if not 0 <= self.dwell_s < self.expire_s:
            raise ValueError(f"need 0 <= dwell_s < expire_s, got {self.dwell_s} and {self.expire_s}")
        if self.cool_down_s < 0:
            raise ValueError(f"cool_down_s must be at least 0, got {self.cool_down_s}")

    @classmethod
    def for_target(cls, target: Target) -> "Policy":
        """Return the default policy: dwell H/26, expired two horizons after the last main event, cool-down H/13.

        For a horizon of a quarter that is half a week, half a year and a week.

        Examples
        --------
        >>> from models.events import Channel
        >>> policy = Policy.for_target(Target(Channel.ORDER, 91 * 86_400))
        >>> policy.dwell_s / 86_400, policy.expire_s / 86_400, policy.cool_down_s / 86_400
        (3.5, 182.0, 7.0)
        """
        horizon_s = target.horizon_s
        return cls(dwell_s=horizon_s // 26, expire_s=2 * horizon_s, cool_down_s=horizon_s // 13)

    def reached(self, probability: float) -> Level:
        """Return the highest level whose enter threshold this probability reaches."""
        return Level(sum(probability >= threshold for threshold in self.enter))

    def kept(self, level: Level, probability: float) -> Level:
        """Return the level that is left of `level`: it falls past every exit above the probability."""
        while level and probability < self.exit[level - 1]:
            level = Level(level - 1)
        return level


@dataclass(frozen=True, slots=True)
class Episode:
    """Where a customer stands: the current or last episode. Times are epoch seconds of event time."""

    level: Level = Level.HEALTHY  # healthy: no episode is open
    number: int = 0  # counts from 1; 0 = there never was one
    step: int = 0  # how far it has been told: 1..3 the highest level, STEP_EXPIRED, STEP_RECOVERED
    opened_at_s: int = 0
    anchor_at_s: int = 0  # last activity of any channel when it opened: the same in every replay
    expired: bool = False  # counts as churned; nothing opens until a main event
    closed_at_s: int = 0  # when the last episode ended, 0 = none did; the cool-down counts from there
    snoozed_until_s: int = 0  # nothing opens before: somebody said so, or the day had no room for one more alert
    acknowledged: int = 0  # the step up to which somebody takes care, 0 = nobody does

    @property
    def is_open(self) -> bool:
        """True while people have an alert about this customer that has not ended."""
        return self.level > Level.HEALTHY

    @property
    def standing(self) -> Level:
        """The level to show to people: churned once expired."""
        return Level.CHURNED if self.expired else self.level


@dataclass(frozen=True, slots=True)
class Moment:
    """A second at which a customer is looked at, and what is known then.

    Parameters
    ----------
    at_s
        Time of the event or command, or of the look.
    probability
        P(churn) in [0, 1].
    cause
        Why they are looked at.
    last_activity_at_s
        Last activity on any channel.
    channel
        Of the event, if there was one.
    command
        What somebody said, if anybody did.
    damped_until_s
        As many told episodes as a row keeps have no known outcome yet; before this second no other one opens.
    full_until_s
        There is no room for one more new alert; before this second there is no use in asking again.
    lost_at_s
        When the last main event is a horizon old: from then on no visit holds a level back. None = never.
    """

    at_s: int
    probability: float
    cause: Cause
    last_activity_at_s: int
    channel: Channel | None = None
    command: Command | None = None
    damped_until_s: int = 0
    full_until_s: int = 0
    lost_at_s: int | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One piece of news about one episode; becomes exactly one alert.

    `channel` is what brought the customer back, `command` what somebody said, each None otherwise.
    """

    type: TransitionType
    level: Level
    previous_level: Level
    at_s: int
    number: int
    step: int
    opened_at_s: int
    anchor_at_s: int
    cause: Cause
    channel: Channel | None = None
    command: Command | None = None

    def alert_id(self, customer_id: str) -> str:
        """Name the alert of this transition: `alert_id`, or `command_alert_id` if somebody's command was the cause."""
        if self.command is not None:
            return command_alert_id(customer_id, self.command.event_id, self.type)
        return alert_id(customer_id, self.number, self.anchor_at_s, self.step, self.type)


def alert_id(customer_id: str, number: int, anchor_at_s: int, step: int, type: TransitionType) -> str:
    """Name the alert of one transition: the same history gives the same id in every process and every replay.

    ``yocho-`` and the first 32 hex digits (128 bits) of the SHA-256 of the line
    ``1|<number>|<anchor_at_s>|<step>|<type>|<customer_id>`` in UTF-8. Only exact integers and words enter:
    never a float, a model version or a wall-clock time. The customer id stands last, so that no id imitates a
    field.

    Examples
    --------
    >>> alert_id("c1", 1, 852_076_800, 1, TransitionType.OPENED)
    'yocho-249bbbfe7af575bdfec533914aef183c'
    """
    return derived_id("yocho", f"1|{number}|{anchor_at_s}|{step}|{type}|{customer_id}")


def command_alert_id(customer_id: str, command_id: str, type: TransitionType) -> str:
    """Name the alert that answers a command, as `alert_id` does, from ``2|<type>|<length>|<command_id>|<customer_id>``.

    The length is that of the command id in characters, so that no id imitates a field.

    Examples
    --------
    >>> command_alert_id("c1", "k1", TransitionType.SNOOZED)
    'yocho-aec672d8fcc645750cb4ab073c47be6a'
    """
    return derived_id("yocho", f"2|{type}|{len(command_id)}|{command_id}|{customer_id}")


def derived_id(prefix: str, line: str) -> str:
    """Make an id of exact words and integers: the prefix and the first 32 hex digits of the SHA-256 of the line."""
    return f"{prefix}-{hashlib.sha256(line.encode()).hexdigest()[:32]}"
