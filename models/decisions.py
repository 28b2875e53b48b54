"""Deciding for many customers at once: who could change, in which order, and what is news.

Between `models.watch` and `models.life_cycle` on the line from event to alert. Array arithmetic finds the few customers
for whom there is something to decide; each of them then takes one step in plain Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.breaker import Breaker
from models.capacity import Capacity
from models.clocks import RUNNING, ChannelClocks
from models.commands import Command, CommandKind
from models.episode_outcomes import note_news
from models.episodes import Seconds, damped_until, episode_of, last_activity_at, may_change, store_episode
from models.events import Channel
from models.life_cycle import step
from models.lost import lost_at
from models.policy import WARNINGS, Cause, Episode, Moment, Policy, Transition, TransitionType
from models.state import Rows
from models.target import Target
from models.value import value_at_stake

Indices = NDArray[np.intp]
_CAUSE_OF = {CommandKind.ACK: Cause.ACKNOWLEDGEMENT, CommandKind.SNOOZE: Cause.SNOOZE}


@dataclass(frozen=True)
class Decision:
    """One piece of news: the i-th row of the call made this transition at this probability."""

    index: int
    transition: Transition
    probability: float


@dataclass(frozen=True)
class Decider:
    """Decides by a policy.

    Parameters
    ----------
    policy
        When episodes open, rise and close.
    target
        Main channel and horizon.
    clocks
        What silence is measured with.
    """

    policy: Policy
    target: Target
    clocks: ChannelClocks = RUNNING

    def decide(
        self,
        rows: Rows,
        at_s: Seconds,
        p: NDArray[np.float64],
        cause: NDArray[np.integer],
        channel: NDArray[np.integer] | None = None,
        *,
        breaker: Breaker | None = None,
        capacity: Capacity | None = None,
    ) -> tuple[list[Decision], Indices]:
        """Decide silences and events.

        Parameters
        ----------
        rows
            Shape (n,); changed in place.
        at_s, p, cause
            Second, P(churn) and `Cause` of each, shape (n,).
        channel
            Channels of the events, shape (n,); None for silences.
        breaker
            Asked for each who would be told of a new or worse risk, in the order of their seconds, and counts them.
        capacity
            Lets new alerts in, earlier ones first; None lets in everybody.

        Returns
        -------
        tuple
            Decisions in row order, and the rows that the breaker holds: nothing is decided about them yet.
        """
        clocks = self.clocks
        changes = may_change(self.policy, rows, self.target, cause=cause, at_s=at_s, probability=p, clocks=clocks)
        which = np.flatnonzero(changes)
        if not which.size:
            return [], which
        which = which[np.lexsort((rows["phase"][which], at_s[which]))]
        last_activity, damped = last_activity_at(rows), damped_until(rows, self.target, clocks)
        lost = lost_at(rows, self.target, clocks)
        decisions: list[Decision] = []
        held: list[int] = []
        for i in which.tolist():
            moment = Moment(
                int(at_s[i]),
                float(p[i]),
                Cause(int(cause[i])),
                int(last_activity[i]),
                channel=None if channel is None else Channel(int(channel[i])),
                damped_until_s=int(damped[i]),
                lost_at_s=int(lost[i]),
            )
            episode, news = step(self.policy, episode_of(rows[i]), moment)
            if breaker is not None and _warns(news) and not breaker.has_room(moment.at_s):
                held.append(i)
                continue
            if news and news[0].type == TransitionType.OPENED and capacity is not None:
                full_until_s = self._full_until(capacity, rows[i : i + 1], moment)
                episode, news = step(self.policy, episode_of(rows[i]), replace(moment, full_until_s=full_until_s))
            if breaker is not None and _warns(news):
                breaker.tell(moment.at_s)
            decisions += self._store(rows, i, moment, episode, news)
        decisions.sort(key=lambda decision: decision.index)
        return decisions, np.array(sorted(held), np.intp)

    def answer(self, rows: Rows, at_s: Seconds, p: NDArray[np.float64], commands: Sequence[Command]) -> list[Decision]:
        """Do what people said about n customers; parameters as in `decide`, with the n commands."""
        last_activity = last_activity_at(rows).tolist()
        decisions = []
        for i, command in enumerate(commands):
            moment = Moment(int(at_s[i]), float(p[i]), _CAUSE_OF[command.kind], last_activity[i], command=command)
            decisions += self._store(rows, i, moment, *step(self.policy, episode_of(rows[i]), moment))
        return decisions

    def _store(
        self, rows: Rows, i: int, moment: Moment, episode: Episode, news: tuple[Transition, ...]
    ) -> list[Decision]:
        store_episode(rows[i], episode)
        for transition in news:
            note_news(rows[i], transition)
        return [Decision(i, transition, moment.probability) for transition in news]

    def _full_until(self, capacity: Capacity, row: Rows, moment: Moment) -> int:
        p = np.array([moment.probability])
        stake = float(value_at_stake(row, p, self.target)[0])
        return capacity.full_until(moment.at_s, stake, moment.probability, int(row["phase"][0]))


def _warns(news: tuple[Transition, ...]) -> bool:
    return any(transition.type in WARNINGS for transition in news)
