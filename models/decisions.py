"""Deciding for many customers at once: who could change, in which order, and what is news.

Between `models.watch` and `models.life_cycle` on the line from event to alert. Array arithmetic finds the few customers
for whom there is something to decide; each of them then takes one step in plain Python.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clocks import RUNNING, ChannelClocks
from models.commands import Command, CommandKind
from models.episode_outcomes import note_news
from models.episodes import Seconds, damped_until, episode_of, last_activity_at, may_change, store_episode
from models.events import Channel
from models.life_cycle import step
from models.policy import Cause, Episode, Moment, Policy, Transition, TransitionType
from models.state import Rows
from models.target import Target

Indices = NDArray[np.intp]
WARNINGS = (TransitionType.OPENED, TransitionType.ESCALATED)
"""News of a new or worse risk: what `models.breaker` counts."""
Admit = Callable[[int], bool]
"""Whether one more may be told, as of a second: `models.breaker.Breaker.admit`."""
_CAUSE_OF = {CommandKind.ACK: Cause.ACKNOWLEDGEMENT, CommandKind.SNOOZE: Cause.SNOOZE}


def everybody(_at_s: int) -> bool:
    """Admit all."""
    return True


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
        admit: Admit = everybody,
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
        admit
            Asked for each who would be told of a new or worse risk, in the order of their seconds.

        Returns
        -------
        tuple
            Decisions in row order, and the rows that were not admitted: nothing is decided about them yet.
        """
        clocks = self.clocks
        changes = may_change(self.policy, rows, self.target, cause=cause, at_s=at_s, probability=p, clocks=clocks)
        which = np.flatnonzero(changes)
        if not which.size:
            return [], which
        last_activity, damped = last_activity_at(rows), damped_until(rows, self.target, clocks)
        decisions: list[Decision] = []
        held: list[int] = []
        for i in which[np.argsort(at_s[which], kind="stable")].tolist():
            moment = Moment(
                int(at_s[i]),
                float(p[i]),
                Cause(int(cause[i])),
                int(last_activity[i]),
                channel=None if channel is None else Channel(int(channel[i])),
                damped_until_s=int(damped[i]),
            )
            episode, news = step(self.policy, episode_of(rows[i]), moment)
            if any(transition.type in WARNINGS for transition in news) and not admit(moment.at_s):
                held.append(i)
                continue
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
