"""When an alert opens, rises and closes: the last decision on the line from event to alert.

A pure state machine per customer, `(policy, episode, moment) -> (episode, transitions)`. It knows
probabilities and seconds, never rows, topics or clocks; `models.episodes` carries it over a partition's rows.

An *episode* is one stretch of trouble of one customer. Rows of this table are tried from the top:

==============  =======================================  ===================================================
cause           while                                    then
==============  =======================================  ===================================================
main event      no later than the episode's anchor       old news arriving late: counts as activity
main event      open                                     closes, publishes ``recovered``
main event      expired after people had been told       publishes ``recovered``: the lost customer is back
main event      expired quietly                          healthy again, no news: nobody had been told
activity        open, p < exit of watch                  closes, publishes ``recovered``
activity        open, p < exit of its level              level falls, no news
silence         expired                                  nothing, until the next main event
silence         healthy, dwelt, p >= an enter            opens at the highest such level, publishes ``opened``
silence         open, dwelt, p >= a higher enter         level rises, ``escalated`` if higher than ever told
silence         open, p < exit of its level              level falls, never below watch, no news
expiry          open                                     closes, publishes ``expired`` at level churned
expiry          healthy                                  expired quietly, no news: nobody had been told
==============  =======================================  ===================================================

*Dwelt* means that the last activity on any channel is at least `Policy.dwell_s` ago: somebody who is here
right now is not leaving. Silence alone never recovers anyone, and a level that fell and rises again to where
people already believe it to be is no news. So an episode publishes each of its five steps at most once.
"""

import enum
import hashlib
from dataclasses import dataclass, replace

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


class TransitionType(enum.StrEnum):
    """What is news about an episode."""

    OPENED = "opened"
    ESCALATED = "escalated"
    RECOVERED = "recovered"
    EXPIRED = "expired"


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
        Seconds since the last activity on any channel before a level may rise, >= 0.
    expire_s
        Seconds since the last main event after which a customer counts as churned, > `dwell_s`.

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

    @classmethod
    def for_target(cls, target: Target) -> "Policy":
        """Return the default policy: dwell H/26, expired two horizons after the last main event.

        H/26 is a week of half a year: half a week for a horizon of a quarter.

        Examples
        --------
        >>> from models.events import Channel
        >>> policy = Policy.for_target(Target(Channel.ORDER, 91 * 86_400))
        >>> policy.dwell_s / 86_400, policy.expire_s / 86_400
        (3.5, 182.0)
        """
        return cls(dwell_s=target.horizon_s // 26, expire_s=2 * target.horizon_s)

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

    `at_s` is the time of the event, or of the look. `probability` is P(churn) in [0, 1].
    """

    at_s: int
    probability: float
    cause: Cause
    last_activity_at_s: int


@dataclass(frozen=True, slots=True)
class Transition:
    """One piece of news about one episode; becomes exactly one alert."""

    type: TransitionType
    level: Level
    previous_level: Level
    at_s: int
    number: int
    step: int
    opened_at_s: int
    anchor_at_s: int
    cause: Cause


def step(policy: Policy, episode: Episode, moment: Moment) -> tuple[Episode, tuple[Transition, ...]]:
    """Decide one moment of one customer by the table at the top of this module.

    Taking the same step again from its result changes nothing more and publishes nothing.

    Returns
    -------
    tuple
        The episode afterwards and what is news (none or one transition).

    Examples
    --------
    >>> policy = Policy(dwell_s=3 * 86_400, expire_s=182 * 86_400)
    >>> silent = Moment(at_s=30 * 86_400, probability=0.8, cause=Cause.SILENCE, last_activity_at_s=9 * 86_400)
    >>> episode, news = step(policy, Episode(), silent)
    >>> episode.level.name, [str(transition.type) for transition in news]
    ('AT_RISK', ['opened'])
    >>> now = 31 * 86_400
    >>> ordered = Moment(at_s=now, probability=0.2, cause=Cause.MAIN_EVENT, last_activity_at_s=now)
    >>> [str(transition.type) for transition in step(policy, episode, ordered)[1]]
    ['recovered']
    """
    after = _NEXT[moment.cause](policy, episode, moment)
    if after.step == episode.step and after.number == episode.number:
        return after, ()
    return after, (_news(episode, after, moment),)


def _on_silence(policy: Policy, episode: Episode, moment: Moment) -> Episode:
    if episode.expired:
        return episode
    dwelt = moment.at_s - moment.last_activity_at_s >= policy.dwell_s
    reached = policy.reached(moment.probability) if dwelt else Level.HEALTHY
    if reached > episode.level and not episode.is_open:
        number = episode.number % MAX_NUMBER + 1
        return Episode(reached, number, int(reached), moment.at_s, moment.last_activity_at_s)
    if reached > episode.level:
        return replace(episode, level=reached, step=max(episode.step, int(reached)))
    if episode.is_open:
        return replace(episode, level=max(Level.WATCH, policy.kept(episode.level, moment.probability)))
    return episode


def _on_activity(policy: Policy, episode: Episode, moment: Moment) -> Episode:
    if not episode.is_open:
        return episode
    level = policy.kept(episode.level, moment.probability)
    return replace(episode, level=level, step=episode.step if level else STEP_RECOVERED)


def _on_main_event(policy: Policy, episode: Episode, moment: Moment) -> Episode:
    if moment.at_s <= episode.anchor_at_s:
        return _on_activity(policy, episode, moment)
    told = episode.is_open or (episode.expired and episode.step == STEP_EXPIRED)
    step = STEP_RECOVERED if told else episode.step
    return replace(episode, level=Level.HEALTHY, step=step, expired=False)


def _on_expiry(policy: Policy, episode: Episode, moment: Moment) -> Episode:
    step = STEP_EXPIRED if episode.is_open else episode.step
    return replace(episode, level=Level.HEALTHY, step=step, expired=True)


_NEXT = {
    Cause.SILENCE: _on_silence,
    Cause.ACTIVITY: _on_activity,
    Cause.MAIN_EVENT: _on_main_event,
    Cause.EXPIRY: _on_expiry,
}


def _news(before: Episode, after: Episode, moment: Moment) -> Transition:
    if after.step == STEP_RECOVERED:
        type_ = TransitionType.RECOVERED
    elif after.step == STEP_EXPIRED:
        type_ = TransitionType.EXPIRED
    else:
        type_ = TransitionType.ESCALATED if before.is_open else TransitionType.OPENED
    return Transition(
        type=type_,
        level=after.standing,
        previous_level=before.standing,
        at_s=moment.at_s,
        number=after.number,
        step=after.step,
        opened_at_s=after.opened_at_s,
        anchor_at_s=after.anchor_at_s,
        cause=moment.cause,
    )


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
    line = f"1|{number}|{anchor_at_s}|{step}|{type}|{customer_id}"
    return "yocho-" + hashlib.sha256(line.encode()).hexdigest()[:32]
