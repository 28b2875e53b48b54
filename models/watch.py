"""Watching customers: what an event or a silence means for their episode, their example and the next look.

Sits between score and emit on the first line, and feeds the second. `Watch.on_events` is called with rows to which an
event has just been applied, `Watch.look` with rows whose `due_at` has come; both change the rows in place and leave in
`due_at` the next second at which silence alone could matter. Between the two, nothing about a customer changes, so no
sweep over all customers is ever needed.

A look happens as of its own due second, never as of the clock that brought it. What is decided about a customer
therefore depends on that customer's events and the model alone, not on batches, speed, partitions or neighbours.

Levels rise only once the customer has dwelt, so the first look after an event is at the end of the dwell (closed form);
only a customer who is still silent then has the crossing solved. A daily visitor costs no solution until a horizon has
passed without a main event, and then one a dwell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.breaker import Breaker
from models.capacity import Capacity
from models.clocks import ChannelClocks
from models.commands import Command
from models.crossing import next_crossing
from models.decisions import Decider, Decision
from models.episode_outcomes import churned, next_outcome_at
from models.episodes import (
    Seconds,
    expires_at,
    first_look_at,
    is_watched,
    last_activity_at,
    next_threshold,
    settled_at,
)
from models.findings import Findings
from models.labels import Resolved
from models.lost import lost, lost_at
from models.pending import FROZEN, PHASES, SCHEDULED, freeze, next_label_at, resolve
from models.policy import Cause, Policy
from models.scorer import Scorer
from models.state import Rows
from models.target import HOUR_S, Target

Indices = NDArray[np.intp]
NEVER = np.iinfo(np.int64).max


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
            found, _ = self._decider.decide(sub, at, p, cause, channel[told])
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

    def look(
        self, rows: Rows, at_s: Seconds, breaker: Breaker | None = None, capacity: Capacity | None = None
    ) -> Findings:
        """Look at customers whose time has come, each as of its own second; sets the next `due_at`.

        Parameters
        ----------
        rows
            Shape (n,); changed in place.
        at_s
            The second of each look, normally `due_at`, shape (n,).
        breaker
            Says who may be told of a new or worse risk; about the others nothing is decided yet, and it says when they
            are looked at again. None lets everybody through.
        capacity
            Lets new alerts in; None lets in all of them.

        Returns
        -------
        Findings
            News, resolved examples, and who is to be forgotten.
        """
        forgotten = np.flatnonzero(self._forgotten_at(rows) <= at_s)
        resolved_index, resolved, censored = self._observed(*self._resolve(rows, at_s))
        outcomes, gone = churned(rows, at_s, self.target, self.clocks), lost(rows, at_s, self.target, self.clocks)
        p = self.scorer.probabilities(rows, at_s)
        self._freeze(rows, at_s, p)
        churned_at = expires_at(self.policy, rows, self.target, self.clocks)
        cause = np.where((churned_at > 0) & (churned_at <= at_s), Cause.EXPIRY, Cause.SILENCE)
        decisions, held = self._decider.decide(rows, at_s, p, cause, breaker=breaker, capacity=capacity)
        rows["due_at"] = self._next_look_at(rows, at_s)
        if breaker is not None and held.size:
            rows["due_at"][held] = self._after_hold(rows[held], at_s[held], breaker)
        return Findings(decisions, resolved_index, resolved, forgotten, outcomes, gone, held, censored)

    def plan(self, rows: Rows, at_s: Seconds) -> None:
        """Set `due_at` anew for customers of whom nothing is due at `at_s`, after model, feature or snooze changed."""
        rows["due_at"] = self._next_look_at(rows, at_s)

    def revisit(self, rows: Rows, at_s: Seconds) -> Indices:
        """Bring looks forward that another model had planned and this one wants sooner, by more than the tolerance.

        One evaluation tells, a tolerance before the planned look: below the next threshold there, the crossing has not
        come that much closer. A look is never put off: what has moved later is found when the look takes place. The
        same serves when a source returns: with the clock of its channel going again, looks come nearer.

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
        watched, settled = is_watched(rows, self.target), settled_at(self.policy, rows, self.target, self.clocks)
        waits_until = np.where(watched & (at_s < settled), settled, 0)
        planned = np.minimum(due_at, self._earliest_after(rows, at_s, waits_until))  # clocks may go on again
        which = np.flatnonzero(watched & (settled <= at_s) & (planned > at_s + 1))
        sub = rows[which]
        p = self.scorer.probabilities(sub, np.maximum(at_s[which] + 1, planned[which] - self.tolerance_s))
        near = np.flatnonzero(p >= next_threshold(self.policy, sub["level"]))
        which, sub = which[near], sub[near]
        planned[which] = np.minimum(planned[which], self._next_look_at(sub, at_s[which]))
        sooner = np.flatnonzero(planned < due_at)
        rows["due_at"][sooner] = planned[sooner]
        return sooner

    @property
    def clocks(self) -> ChannelClocks:
        """What silence is measured with."""
        return self.scorer.clocks

    @property
    def _decider(self) -> Decider:
        return Decider(self.policy, self.target, self.clocks)

    def _observed(self, index: Indices, resolved: Resolved | None) -> tuple[Indices, Resolved | None, int]:
        """Leave out labels whose time was not watched throughout: nobody knows whether a main event would have come."""
        if resolved is None or not self.clocks.outages:
            return index, resolved, 0
        unseen_s = self.clocks.stopped_s(self.target.main, resolved.frozen_at_s, resolved.resolved_at_s)
        seen = np.flatnonzero(unseen_s == 0)
        return index[seen], Resolved.joined([resolved], seen) if seen.size else None, len(index) - len(seen)

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
            x = self.scorer.features_of(sub, at_s[due])
            freeze(sub, x, p[due], at_s[due], self.target, experts=self.scorer.expert_log_odds(x))
            rows[due] = sub

    def _first_look_at(self, rows: Rows, at_s: Seconds) -> Seconds:
        first = first_look_at(self.policy, rows, self.target, self.clocks)
        return self._earliest_after(rows, at_s, np.where(is_watched(rows, self.target), first, 0))

    def _after_hold(self, rows: Rows, at_s: Seconds, breaker: Breaker) -> Seconds:
        hold_s = breaker.hold_s(at_s)
        return self._earliest_after(rows, at_s, at_s + hold_s + rows["phase"].astype(np.int64) * hold_s // PHASES)

    def _next_look_at(self, rows: Rows, at_s: Seconds) -> Seconds:
        settled = settled_at(self.policy, rows, self.target, self.clocks)
        watched = is_watched(rows, self.target)
        rises = np.where(watched & (at_s < settled), settled, 0)
        solve = np.flatnonzero(watched & (at_s >= settled) & (rows["level"] < len(self.policy.enter)))
        if solve.size:
            sub = rows[solve]
            rises[solve] = next_crossing(
                self.scorer,
                sub,
                at_s[solve],
                np.minimum(expires_at(self.policy, sub, self.target, self.clocks), at_s[solve] + self.policy.expire_s),
                next_threshold(self.policy, sub["level"]),
            )
        return self._earliest_after(rows, at_s, rises)

    def _forgotten_at(self, rows: Rows) -> Seconds:
        """Who never did anything is kept as long after the latest e-mail sent to them."""
        active_at = last_activity_at(rows)
        known_at = np.where(active_at > 0, active_at, rows["sends_at"])
        return self.clocks.passed_at(self.target.main, known_at, self.forget_s)

    def _earliest_after(self, rows: Rows, at_s: Seconds, rises_at: Seconds) -> Seconds:
        """Earliest of the next rise, label, outcome, loss, expiry and forgetting; always later than `at_s`."""
        gone_at = lost_at(rows, self.target, self.clocks)
        reasons = (
            rises_at,
            next_label_at(rows, self.target),
            next_outcome_at(rows, self.target, self.clocks),
            np.where(gone_at > at_s, gone_at, 0),
            expires_at(self.policy, rows, self.target, self.clocks),
            self._forgotten_at(rows),
        )
        first: Seconds = np.min([np.where(reason > 0, reason, NEVER) for reason in reasons], axis=0)
        return np.maximum(first, at_s + 1)
