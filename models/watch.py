"""Watching customers: what an event or a silence means for their episode, their example and the next look.

Sits between score and emit on the first line, and feeds the second. `Watch.on_events` is called with rows to which an
event has just been applied, `Watch.look` with rows whose `due_at` has come; both change the rows in place and leave in
`due_at` the next second at which silence alone could matter. Between the two, nothing about a customer changes, so no
sweep over all customers is ever needed.

A look happens as of its own due second, never as of the clock that brought it. What is decided about a customer
therefore depends on that customer's events and the model alone, not on batches, speed, partitions or neighbours.

Levels rise only once the customer has dwelt, so the first look after an event is at the end of the dwell (closed form);
only a customer who is still silent then has the crossing solved. A daily visitor never costs a solution.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.capacity import Capacity
from models.commands import Command
from models.crossing import next_crossing
from models.decisions import Decider, Decision
from models.episode_outcomes import EpisodeOutcome, churned, next_outcome_at
from models.episodes import Seconds, expires_at, is_watched, last_activity_at, next_threshold, settled_at
from models.features import features
from models.labels import Resolved
from models.lost import Lost, lost, lost_at
from models.pending import FROZEN, SCHEDULED, freeze, next_label_at, resolve
from models.policy import Cause, Policy
from models.scorer import Scorer
from models.state import Rows
from models.target import Target

Indices = NDArray[np.intp]
NEVER = np.iinfo(np.int64).max
HOUR_S = 3_600


@dataclass(frozen=True)
class Findings:
    """What a look found.

    Parameters
    ----------
    decisions
        News about episodes, in row order.
    resolved_index
        Rows that gave a label, shape (m,), rising; a row twice where step and horizon were both overdue.
    resolved
        Their labels, m of them; None when there are none.
    forgotten
        Rows silent for so long that they are to be deleted, shape (k,).
    outcomes
        Episodes told a horizon ago from which nobody came back.
    lost
        Who has stayed away for a horizon.
    """

    decisions: list[Decision]
    resolved_index: Indices
    resolved: Resolved | None
    forgotten: Indices
    outcomes: list[EpisodeOutcome]
    lost: list[Lost]


@dataclass(frozen=True)
class Watch:
    """The rules and the model in effect.

    Parameters
    ----------
    scorer
        Scores rows at a second.
    policy
        When episodes open, rise and close.
    target
        Main channel and horizon.
    forget_s
        Silence on all channels after which a customer is deleted, seconds, longer than `policy.expire_s` + H so that
        every example resolves first.

    Raises
    ------
    ValueError
        `forget_s` is too short.
    """

    scorer: Scorer
    policy: Policy
    target: Target
    forget_s: int

    def __post_init__(self) -> None:
        least_s = self.policy.expire_s + self.target.horizon_s
        if self.forget_s <= least_s:
            raise ValueError(f"forget_s must exceed expiry plus horizon ({least_s} s), got {self.forget_s}")

    @property
    def tolerance_s(self) -> int:
        """How much sooner than planned a new model may see a crossing without the look being moved, seconds.

        1/2184 of the horizon, an hour for a quarter, and never more: new versions may come every hour.
        """
        return min(HOUR_S, self.target.horizon_s // 2184)

    def on_events(self, rows: Rows, at_s: Seconds, channel: NDArray[np.integer]) -> list[Decision]:
        """Decide for customers to whom an event has just been applied; sets `due_at`.

        Parameters
        ----------
        rows
            Shape (n,), the event already in them; changed in place.
        at_s
            Event times, epoch seconds, shape (n,).
        channel
            Channels of the events, shape (n,).

        Returns
        -------
        list of Decision
            Recoveries.
        """
        decisions: list[Decision] = []
        told = np.flatnonzero((rows["level"] > 0) | (rows["expired"] > 0))
        if told.size:
            cause = np.where(channel[told] == self.target.main, Cause.MAIN_EVENT, Cause.ACTIVITY)
            sub, at = rows[told], at_s[told]
            p = self.scorer.probabilities(sub, at)
            found = self._decider.decide(sub, at, p, cause, channel[told])
            decisions = [Decision(int(told[d.index]), d.transition, d.probability) for d in found]
            rows[told] = sub
        rows["due_at"] = self._first_look_at(rows, at_s)
        return decisions

    def on_commands(self, rows: Rows, at_s: Seconds, commands: Sequence[Command]) -> list[Decision]:
        """Do what somebody said about each of n customers; `due_at` is to be planned anew.

        Parameters
        ----------
        rows
            Shape (n,); changed in place.
        at_s
            When it was said, epoch seconds, shape (n,).
        commands
            n commands.

        Returns
        -------
        list of Decision
            Answers, for open episodes only.
        """
        return self._decider.answer(rows, at_s, self.scorer.probabilities(rows, at_s), commands)

    def look(self, rows: Rows, at_s: Seconds, capacity: Capacity | None = None) -> Findings:
        """Look at customers whose time has come, each as of its own second; sets the next `due_at`.

        Parameters
        ----------
        rows
            Shape (n,); changed in place.
        at_s
            The second of each look, normally `due_at`, shape (n,).
        capacity
            Lets new alerts in; None lets in all of them.

        Returns
        -------
        Findings
            News, resolved examples, and who is to be forgotten.
        """
        forgotten = np.flatnonzero(self._forgotten_at(rows) <= at_s)
        resolved_index, resolved = self._resolve(rows, at_s)
        outcomes, gone = churned(rows, at_s, self.target), lost(rows, at_s, self.target)
        p = self.scorer.probabilities(rows, at_s)
        self._freeze(rows, at_s, p)
        churned_at = expires_at(self.policy, rows, self.target)
        cause = np.where((churned_at > 0) & (churned_at <= at_s), Cause.EXPIRY, Cause.SILENCE)
        decisions = self._decider.decide(rows, at_s, p, cause, capacity=capacity)
        rows["due_at"] = self._next_look_at(rows, at_s)
        return Findings(decisions, resolved_index, resolved, forgotten, outcomes, gone)

    def plan(self, rows: Rows, at_s: Seconds) -> None:
        """Set `due_at` anew for customers of whom nothing is due at `at_s`, after model, feature or snooze changed."""
        rows["due_at"] = self._next_look_at(rows, at_s)

    def revisit(self, rows: Rows, at_s: Seconds) -> Indices:
        """Bring looks forward that another model had planned and this one wants sooner, by more than the tolerance.

        One evaluation tells, a tolerance before the planned look: below the next threshold there, the crossing has not
        come that much closer. A look is never put off: what has moved later is found when the look takes place.

        Parameters
        ----------
        rows
            Shape (n,); changed in place.
        at_s
            When each is revisited, before its planned look, epoch seconds, shape (n,).

        Returns
        -------
        ndarray
            Indices of the rows whose `due_at` is earlier now.
        """
        due_at = rows["due_at"].astype(np.int64)
        plans = (
            is_watched(rows, self.target) & (settled_at(self.policy, rows, self.target) <= at_s) & (due_at > at_s + 1)
        )
        which = np.flatnonzero(plans)
        sub, due_at = rows[which], due_at[which]
        p = self.scorer.probabilities(sub, np.maximum(at_s[which] + 1, due_at - self.tolerance_s))
        near = np.flatnonzero(p >= next_threshold(self.policy, sub["level"]))
        which, sub, due_at = which[near], sub[near], due_at[near]
        planned = self._next_look_at(sub, at_s[which])
        sooner = np.flatnonzero(planned < due_at)
        rows["due_at"][which[sooner]] = planned[sooner]
        return which[sooner]

    @property
    def _decider(self) -> Decider:
        return Decider(self.policy, self.target)

    def _resolve(self, rows: Rows, at_s: Seconds) -> tuple[Indices, Resolved | None]:
        """Resolve what is due; after a long stall that is the step and the horizon of a row, in this order."""
        which: list[Indices] = []
        parts: list[Resolved] = []
        while (due := self._to_resolve(rows, at_s)).size:
            sub = rows[due]
            parts.append(resolve(sub, self.target))
            rows[due] = sub
            which.append(due)
        if not parts:
            return np.empty(0, np.intp), None
        index = np.concatenate(which)
        order = np.argsort(index, kind="stable")
        return index[order], Resolved.joined(parts, order)

    def _to_resolve(self, rows: Rows, at_s: Seconds) -> Indices:
        return np.flatnonzero((rows["example_frozen"] >= FROZEN) & (next_label_at(rows, self.target) <= at_s))

    def _freeze(self, rows: Rows, at_s: Seconds, p: NDArray[np.float64]) -> None:
        scheduled = (rows["example_frozen"] == SCHEDULED) & (rows["example_at"] > 0) & (rows["example_at"] <= at_s)
        due = np.flatnonzero(scheduled)
        if due.size:
            sub = rows[due]
            x = features(sub, at_s[due], self.target)
            freeze(sub, x, p[due], at_s[due], self.target, experts=self.scorer.expert_log_odds(x))
            rows[due] = sub

    def _first_look_at(self, rows: Rows, at_s: Seconds) -> Seconds:
        settled = np.where(is_watched(rows, self.target), settled_at(self.policy, rows, self.target), 0)
        return self._earliest_after(rows, at_s, settled)

    def _next_look_at(self, rows: Rows, at_s: Seconds) -> Seconds:
        settled = settled_at(self.policy, rows, self.target)
        watched = is_watched(rows, self.target)
        rises = np.where(watched & (at_s < settled), settled, 0)
        solve = np.flatnonzero(watched & (at_s >= settled) & (rows["level"] < len(self.policy.enter)))
        if solve.size:
            sub = rows[solve]
            rises[solve] = next_crossing(
                self.scorer,
                sub,
                at_s[solve],
                expires_at(self.policy, sub, self.target),
                next_threshold(self.policy, sub["level"]),
            )
        return self._earliest_after(rows, at_s, rises)

    def _forgotten_at(self, rows: Rows) -> Seconds:
        """Who never did anything is kept as long after the latest e-mail sent to them."""
        active_at = last_activity_at(rows)
        return np.where(active_at > 0, active_at, rows["sends_at"]) + self.forget_s

    def _earliest_after(self, rows: Rows, at_s: Seconds, rises_at: Seconds) -> Seconds:
        """Earliest of the next rise, label, outcome, loss, expiry and forgetting; always later than `at_s`."""
        gone_at = lost_at(rows, self.target)
        reasons = (
            rises_at,
            next_label_at(rows, self.target),
            next_outcome_at(rows, self.target),
            np.where(gone_at > at_s, gone_at, 0),
            expires_at(self.policy, rows, self.target),
            self._forgotten_at(rows),
        )
        first: Seconds = np.min([np.where(reason > 0, reason, NEVER) for reason in reasons], axis=0)
        return np.maximum(first, at_s + 1)
