"""The alert policy over the rows of a partition: who could change, when to look again, the episode in a row.

Beside `models.life_cycle` on the line from event to alert. `may_change` finds by array arithmetic the few
customers for whom the plain-Python `models.life_cycle.step` has something to decide; everybody else is left
alone.
"""

from collections.abc import Iterable
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from models.clocks import RUNNING, ChannelClocks
from models.episode_outcomes import has_room, next_outcome_at
from models.events import Channel
from models.levels import ALERT_LEVELS, Level
from models.lost import lost_at
from models.policy import Cause, Episode, Policy
from models.state import Rows
from models.target import Target

Seconds = NDArray[np.int64]
"""Shape (n,): epoch seconds of event time, 0 = never."""

_FIELDS = (
    "level", "episode", "step", "opened_at", "anchor_at", "expired", "closed_at", "snoozed_until", "acknowledged",
)  # fmt: skip
"""The fields of a row that hold an `Episode`, in its order."""


def episodes_of(rows: Rows) -> list[Episode]:
    """Read the episodes of n customers out of their rows.

    Examples
    --------
    >>> from models.state import new_rows
    >>> episodes_of(new_rows(2)) == [Episode(), Episode()]
    True
    """
    columns = (rows[name].tolist() for name in _FIELDS)
    return [_episode(values) for values in zip(*columns, strict=True)]


def episode_of(row: np.void) -> Episode:
    """Read one customer's episode out of the row."""
    return _episode(row[name].item() for name in _FIELDS)


def store_episode(row: np.void, episode: Episode) -> None:
    """Write an episode into the row, in place: `episode_of` then gives it back exactly."""
    for name, value in zip(_FIELDS, astuple(episode), strict=True):
        row[name] = value
    row["told"] = episode.is_open


def _episode(values: Iterable[int]) -> Episode:
    level, number, step, opened_at_s, anchor_at_s, expired, *rest = values
    return Episode(Level(level), number, step, opened_at_s, anchor_at_s, bool(expired), *rest)


def last_activity_at(rows: Rows) -> Seconds:
    """Return the second of the last engagement on any channel, shape (n,)."""
    latest: Seconds = rows["last_at"].max(axis=1).astype(np.int64)
    return latest


def is_watched(rows: Rows, target: Target) -> NDArray[np.bool_]:
    """Return who can be alerted about, shape (n,): had a main event once and does not count as churned.

    Somebody who never ordered cannot stop ordering: without a main event there is no episode.
    """
    watched: NDArray[np.bool_] = (rows["last_at"][:, target.main] > 0) & (rows["expired"] == 0)
    return watched


def next_threshold(policy: Policy, level: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the enter probability of the next level up, shape (n,); inf at critical, where there is none.

    Parameters
    ----------
    policy
        Thresholds.
    level
        Shape (n,), 0 to 3, as in a row.

    Examples
    --------
    >>> next_threshold(Policy(dwell_s=0, expire_s=1), np.array([0, 1, 2, 3])).tolist()
    [0.7, 0.8, 0.9, inf]
    """
    thresholds: NDArray[np.float64] = np.array([*policy.enter, np.inf])[level]
    return thresholds


def settled_at(policy: Policy, rows: Rows, target: Target, clocks: ChannelClocks = RUNNING) -> Seconds:
    """Return the earliest second at which a level may rise, shape (n,).

    That is the last activity plus dwell, or the last main event plus H if this is earlier: the dwell is for somebody
    who is here right now, but whoever has not ordered for a whole horizon is lost by definition, however often they
    log in. For whoever is healthy it is also not before cool-down, snooze and damping are over
    (`models.life_cycle.Case.may_open_at_s`).
    """
    dwelt_at = np.minimum(_dwelt_at(policy, rows, clocks), lost_at(rows, target, clocks))
    return _held(policy, rows, target, clocks, dwelt_at)


def first_look_at(policy: Policy, rows: Rows, target: Target, clocks: ChannelClocks = RUNNING) -> Seconds:
    """Return when an event makes the first look due for a level that may have risen, shape (n,).

    That is `settled_at`, so visits cost nothing before a horizon without main event has passed. From then on a level
    may rise at any time, but whoever still comes by is looked at once a dwell, not once a visit. In silence the look
    finds the second of the next rise, so only between visits can one be told late, and by less than a dwell.

    Examples
    --------
    Somebody who ordered on day 1 and has logged in since, last on day 60, 91, 92 or 97:

    >>> from models.events import Channel
    >>> from models.state import new_rows
    >>> rows, target = new_rows(4), Target(Channel.ORDER, 91 * 86_400)
    >>> rows["last_at"][:, Channel.ORDER] = 86_400
    >>> rows["last_at"][:, Channel.LOGIN] = np.array([60, 91, 92, 97]) * 86_400
    >>> (first_look_at(Policy.for_target(target), rows, target) / 86_400).tolist()
    [63.5, 92.0, 95.5, 99.0]
    """
    active_at, lost, dwell_s = last_activity_at(rows), lost_at(rows, target, clocks), max(policy.dwell_s, 1)
    turn_at = lost + np.maximum((active_at - lost) // dwell_s + 1, 0) * dwell_s
    return _held(policy, rows, target, clocks, np.minimum(_dwelt_at(policy, rows, clocks), turn_at))


def _held(policy: Policy, rows: Rows, target: Target, clocks: ChannelClocks, dwelt_at: Seconds) -> Seconds:
    """Hold back whoever is healthy until cool-down, snooze and damping are over, too."""
    closed_at = rows["closed_at"].astype(np.int64)
    cooled_at = np.where(closed_at > 0, closed_at + policy.cool_down_s, 0)
    holds = (dwelt_at, cooled_at, rows["snoozed_until"].astype(np.int64), damped_until(rows, target, clocks))
    settled: Seconds = np.where(rows["level"] > 0, dwelt_at, np.maximum.reduce(holds))
    return settled


def _dwelt_at(policy: Policy, rows: Rows, clocks: ChannelClocks) -> Seconds:
    """Last activity plus dwell. While a source is out nobody can tell that those who used it lately are not here."""
    if not clocks.outages:
        return last_activity_at(rows) + policy.dwell_s
    last_at = rows["last_at"].astype(np.int64)
    passed = [clocks.passed_at(channel, last_at[:, channel], policy.dwell_s) for channel in Channel]
    dwelt: Seconds = np.where(last_at > 0, np.stack(passed, axis=1), 0).max(axis=1)
    return dwelt


def damped_until(rows: Rows, target: Target, clocks: ChannelClocks = RUNNING) -> Seconds:
    """Return before which second no episode opens because too many wait for their outcome, shape (n,), 0 = not damped.

    Whoever flaps between healthy and watch so fast is not reported once more until the oldest told episode has its
    outcome: a horizon after it was told, or at a main event, which empties its place in the row.
    """
    until = np.zeros(len(rows), np.int64)
    full = np.flatnonzero(~has_room(rows))
    if full.size:
        until[full] = next_outcome_at(rows[full], target, clocks)
    return until


def expires_at(policy: Policy, rows: Rows, target: Target, clocks: ChannelClocks = RUNNING) -> Seconds:
    """Return the second at which a customer counts as churned, shape (n,): last main event + `expire_s`.

    Time in which the source of main events was out does not count, and nobody expires while it is: that is
    `models.clocks.FAR_S`. 0 for those who are expired already or never had a main event. Due means `expires_at <= now`
    and not 0; look at such a customer with `Cause.EXPIRY`, at that second, before anything later happens.
    """
    due = clocks.passed_at(target.main, rows["last_at"][:, target.main], policy.expire_s)
    return np.where(is_watched(rows, target), due, 0)


def may_change(
    policy: Policy,
    rows: Rows,
    target: Target,
    *,
    cause: Cause | NDArray[np.integer],
    at_s: Seconds,
    probability: NDArray[np.float64],
    clocks: ChannelClocks = RUNNING,
) -> NDArray[np.bool_]:
    """Return for whom `models.life_cycle.step` would change the episode, shape (n,): exactly those, nobody else.

    Asked of silences and events, not of commands. Whether there is room for one more alert is not asked here.

    Parameters
    ----------
    policy
        Thresholds and waiting times.
    rows
        Shape (n,), after the event was applied, if there was one.
    target
        Says which channel is the main one.
    cause
        Why they are looked at: one `Cause` for all, or shape (n,).
    at_s
        Shape (n,), epoch seconds: the time of the event, or of the look.
    probability
        Shape (n,), P(churn) at `at_s`. Not read for a healthy customer's events, so NaN will do there.
    clocks
        What silence is measured with.

    Examples
    --------
    >>> from models.events import Channel
    >>> from models.state import new_rows
    >>> rows, target = new_rows(2), Target(Channel.ORDER, 91 * 86_400)
    >>> rows["last_at"][:, Channel.ORDER] = 86_400
    >>> now, p = np.full(2, 50 * 86_400), np.array([0.69, 0.70])
    >>> may_change(
    ...     Policy.for_target(target), rows, target, cause=Cause.SILENCE, at_s=now, probability=p
    ... ).tolist()
    [False, True]
    """
    level = rows["level"]
    open_, expired = level > 0, rows["expired"] > 0
    falls = open_ & (probability < _exits(policy)[level])
    settled = at_s >= settled_at(policy, rows, target, clocks)
    rises = settled & is_watched(rows, target) & (probability >= next_threshold(policy, level))
    returns = np.where(at_s <= rows["anchor_at"], falls, open_ | expired)
    return np.select(
        [np.equal(cause, which) for which in (Cause.SILENCE, Cause.ACTIVITY, Cause.MAIN_EVENT)],
        [rises | (falls & (level > Level.WATCH)), falls, returns],
        default=~expired,
    )


def _exits(policy: Policy) -> NDArray[np.float64]:
    """Exit threshold by level; nobody falls out of healthy."""
    exits = np.full(len(ALERT_LEVELS) + 1, -np.inf)
    exits[1:] = policy.exit
    return exits
