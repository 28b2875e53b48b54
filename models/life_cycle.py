"""When an alert opens, rises and closes: the last decision on the line from event to alert.

A pure state machine per customer, `step(policy, episode, moment) -> (episode, news)`, which is the table `RULES` and
nothing else: the first rule of the cause whose condition holds says what becomes of the episode and what is published.
`models.life_cycle_document` writes the same table for people, into deploy/LIFE-CYCLE.md.

Levels rise only in silence, and silence alone never recovers anyone. A level that fell and rises again to where people
already believe it to be is no news, so an episode publishes each of its five steps at most once. What somebody says is
answered each time.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from models.levels import Level
from models.policy import (
    MAX_NUMBER,
    STEP_EXPIRED,
    STEP_RECOVERED,
    Cause,
    Episode,
    Moment,
    Policy,
    Transition,
    TransitionType,
)


class Case(NamedTuple):
    """One moment of one customer: what rules ask about it and do to the episode."""

    policy: Policy
    episode: Episode
    moment: Moment

    @property
    def cause(self) -> Cause:
        """The cause that counts: a main event from before the silence is old news arriving late, so mere activity."""
        is_late = self.moment.cause == Cause.MAIN_EVENT and self.moment.at_s <= self.episode.anchor_at_s
        return Cause.ACTIVITY if is_late else self.moment.cause

    @property
    def reached(self) -> Level:
        """The highest level whose enter the probability reaches."""
        return self.policy.reached(self.moment.probability)

    @property
    def kept(self) -> Level:
        """What the probability leaves of the present level."""
        return self.policy.kept(self.episode.level, self.moment.probability)

    @property
    def dwelt_at_s(self) -> int:
        """The second from which on a level may rise: no visit protects whoever has not ordered for a horizon."""
        dwelt_at_s, lost_at_s = self.moment.last_activity_at_s + self.policy.dwell_s, self.moment.lost_at_s
        return dwelt_at_s if lost_at_s is None else min(dwelt_at_s, lost_at_s)

    @property
    def may_open_at_s(self) -> int:
        """The second from which on an episode may open: dwell, cool-down, snooze and damping are over."""
        closed_at_s = self.episode.closed_at_s
        return max(
            self.dwelt_at_s,
            closed_at_s + self.policy.cool_down_s if closed_at_s else 0,
            self.episode.snoozed_until_s,
            self.moment.damped_until_s,
        )

    # -- conditions

    def is_open(self) -> bool:
        return self.episode.is_open

    def is_closed(self) -> bool:
        return not self.episode.is_open

    def is_expired(self) -> bool:
        return self.episode.expired

    def was_told_lost(self) -> bool:
        return self.episode.expired and self.episode.step == STEP_EXPIRED

    def opens(self) -> bool:
        return self.is_closed() and self.reached > Level.HEALTHY and self.moment.at_s >= self.may_open_at_s

    def is_crowded_out(self) -> bool:
        return self.opens() and self.moment.full_until_s > self.moment.at_s

    def rises(self) -> bool:
        return self.is_open() and self.moment.at_s >= self.dwelt_at_s and self.reached > self.episode.level

    def rises_beyond_told(self) -> bool:
        return self.rises() and self.reached > self.episode.step

    def falls(self) -> bool:
        return self.episode.level > Level.WATCH and self.kept < self.episode.level

    def falls_to_healthy(self) -> bool:
        return self.is_open() and self.kept == Level.HEALTHY

    # -- effects

    def stay(self) -> Episode:
        return self.episode

    def open(self) -> Episode:
        before, now = self.episode, self.moment
        return Episode(
            level=self.reached,
            number=before.number % MAX_NUMBER + 1,
            step=int(self.reached),
            opened_at_s=now.at_s,
            anchor_at_s=now.last_activity_at_s,
            closed_at_s=before.closed_at_s,
            snoozed_until_s=before.snoozed_until_s,
        )

    def wait_for_room(self) -> Episode:
        return replace(self.episode, snoozed_until_s=self.moment.full_until_s)

    def rise(self) -> Episode:
        return replace(self.episode, level=self.reached)

    def escalate(self) -> Episode:
        return replace(self.episode, level=self.reached, step=int(self.reached), snoozed_until_s=0)

    def fall(self) -> Episode:
        return replace(self.episode, level=max(Level.WATCH, self.kept))

    def recover(self) -> Episode:
        return replace(self._closed(STEP_RECOVERED), expired=False)

    def expire(self) -> Episode:
        return replace(self._closed(STEP_EXPIRED), expired=True)

    def return_quietly(self) -> Episode:
        return replace(self.episode, expired=False)

    def expire_quietly(self) -> Episode:
        return replace(self.episode, expired=True)

    def acknowledge(self) -> Episode:
        return replace(self.episode, acknowledged=self.episode.step)

    def snooze(self) -> Episode:
        command = self.moment.command
        return self.episode if command is None else replace(self.episode, snoozed_until_s=command.until_s)

    def _closed(self, step: int) -> Episode:
        return replace(self.episode, level=Level.HEALTHY, step=step, closed_at_s=self.moment.at_s)


class Rule(NamedTuple):
    """One row of the table: `condition` says what `holds` asks, and `effect` what `then` does."""

    cause: Cause
    condition: str
    holds: Callable[[Case], bool]
    effect: str
    then: Callable[[Case], Episode]
    news: TransitionType | None = None


_SILENCE, _ACTIVITY, _MAIN, _EXPIRY = Cause.SILENCE, Cause.ACTIVITY, Cause.MAIN_EVENT, Cause.EXPIRY
_ACK, _SNOOZE, _News = Cause.ACKNOWLEDGEMENT, Cause.SNOOZE, TransitionType
# fmt: off
RULES: tuple[Rule, ...] = (
    Rule(_SILENCE, "expired", Case.is_expired,
         "nothing, until the next main event", Case.stay),
    Rule(_SILENCE, "healthy, may open, p >= an enter, no room", Case.is_crowded_out,
         "waits for its turn on the next day", Case.wait_for_room),
    Rule(_SILENCE, "healthy, may open, p >= an enter", Case.opens,
         "opens at the highest such level", Case.open, _News.OPENED),
    Rule(_SILENCE, "open, dwelt, p >= an enter above all told", Case.rises_beyond_told,
         "level rises; a snooze ends", Case.escalate, _News.ESCALATED),
    Rule(_SILENCE, "open, dwelt, p >= a higher enter", Case.rises,
         "level rises", Case.rise),
    Rule(_SILENCE, "open above watch, p < exit of its level", Case.falls,
         "level falls, never below watch", Case.fall),
    Rule(_ACTIVITY, "open, p < exit of watch", Case.falls_to_healthy,
         "closes", Case.recover, _News.RECOVERED),
    Rule(_ACTIVITY, "open above watch, p < exit of its level", Case.falls,
         "level falls", Case.fall),
    Rule(_MAIN, "open", Case.is_open,
         "closes", Case.recover, _News.RECOVERED),
    Rule(_MAIN, "expired after people had been told", Case.was_told_lost,
         "healthy: the lost customer is back", Case.recover, _News.RECOVERED),
    Rule(_MAIN, "expired quietly", Case.is_expired,
         "healthy: nobody had been told", Case.return_quietly),
    Rule(_EXPIRY, "expired", Case.is_expired,
         "nothing", Case.stay),
    Rule(_EXPIRY, "open", Case.is_open,
         "closes; the level shown is churned", Case.expire, _News.EXPIRED),
    Rule(_EXPIRY, "healthy", Case.is_closed,
         "expired quietly: nobody had been told", Case.expire_quietly),
    Rule(_ACK, "open", Case.is_open,
         "later alerts of the episode say so", Case.acknowledge, _News.ACKNOWLEDGED),
    Rule(_ACK, "not open", Case.is_closed,
         "nothing: there is nothing to take care of", Case.stay),
    Rule(_SNOOZE, "open", Case.is_open,
         "no other episode opens before its end", Case.snooze, _News.SNOOZED),
    Rule(_SNOOZE, "not open", Case.is_closed,
         "no episode opens before its end", Case.snooze),
)
# fmt: on
"""The rules of a cause are tried from the top; where none holds, nothing changes and nothing is news."""

_RULES_OF = {cause: tuple(rule for rule in RULES if rule.cause == cause) for cause in Cause}


def step(policy: Policy, episode: Episode, moment: Moment) -> tuple[Episode, tuple[Transition, ...]]:
    """Decide one moment of one customer by `RULES`.

    Taking the same step again from its result changes nothing more and, commands excepted, publishes nothing.

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
    case = Case(policy, episode, moment)
    rule = rule_of(case)
    if rule is None:
        return episode, ()
    after = rule.then(case)
    return after, () if rule.news is None else (_transition(rule.news, episode, after, moment),)


def rule_of(case: Case) -> Rule | None:
    """Return the rule that decides a case, if any does."""
    return next((rule for rule in _RULES_OF[case.cause] if rule.holds(case)), None)


def _transition(type_: TransitionType, before: Episode, after: Episode, moment: Moment) -> Transition:
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
        channel=moment.channel if type_ == TransitionType.RECOVERED else None,
        command=moment.command,
    )
