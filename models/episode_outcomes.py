"""How an episode that people were told of turned out: what alerts are measured by.

Beside the alert policy on the line from event to alert. `models.life_cycle` says when an episode opens, rises and ends;
this module waits for what came after it:

=============  ====================================================================================================
``returned``   the first main event within [told, told + H): the customer came back. Known at that event.
``churned``    no such event. Known at told + H, and dated then.
=============  ====================================================================================================

*Told* is the second of the alert that opened the episode, H the horizon: the outcome answers the very question that
the alert's probability answers. It does not matter how the episode ended. A login that calms the policy ends the
episode, and the outcome is still awaited; an order ends both.

A row has room for `models.state.N_OUTCOMES` awaited outcomes. While all of it is taken, no further episode may open
(`has_room`), so every told episode gets exactly one outcome, and a customer who comes and goes is told about at most so
often in a horizon.

An outcome is final. A main event that arrives after `churned` was published, though it happened before, corrects
nothing: people have read it, and one id never means two things. One that happened before the episode was told is no
return from it.
"""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clocks import FAR_S, RUNNING, ChannelClocks
from models.levels import Level
from models.policy import Transition, TransitionType, derived_id
from models.state import Rows
from models.target import Target

Bools = NDArray[np.bool_]
Seconds = NDArray[np.int64]

# `outcome_level` holds three numbers of two bits: the highest level told, the first one, and how many warnings.
# Rows carried over from earlier versions know the highest level only; the others are 0 there.
_BITS, _MASK = 2, 3


class OutcomeName(enum.StrEnum):
    """How an episode turned out."""

    RETURNED = "returned"
    CHURNED = "churned"


@dataclass(frozen=True, slots=True)
class EpisodeOutcome:
    """What became of one told episode. Times are epoch seconds of event time.

    Parameters
    ----------
    index
        Row of the call it was found in.
    outcome
        Returned or churned.
    at_s
        When it became known.
    told_at_s
        When the alert that opened the episode was told.
    number, anchor_at_s
        The episode, as in `models.policy.Transition`.
    level
        Highest level that people were told of until then.
    first_level
        Level of the alert that opened it; None where an earlier version of the row did not note it.
    warnings
        How many alerts told of a rise, the opening included, 1 to 3.
    """

    index: int
    outcome: OutcomeName
    at_s: int
    told_at_s: int
    number: int
    anchor_at_s: int
    level: Level
    first_level: Level | None
    warnings: int


def has_room(rows: Rows) -> Bools:
    """Tell for whom another episode may be told, shape (n,): not all outcomes a row can await are awaited.

    Examples
    --------
    >>> from models.state import new_rows
    >>> rows = new_rows(2)
    >>> rows["outcome_at"][1] = 86_400, 172_800
    >>> has_room(rows).tolist()
    [True, False]
    """
    room: Bools = (rows["outcome_at"] == 0).any(axis=1)
    return room


def note_news(row: np.void, news: Transition) -> None:
    """Remember what people have just been told, in place: an episode to await, or a level they know now.

    Parameters
    ----------
    row
        One customer.
    news
        Of any type; only `opened` and `escalated` say something new about an outcome.

    Raises
    ------
    ValueError
        An episode opened though there is no room (`has_room`); its outcome would be lost.
    """
    if news.type == TransitionType.OPENED:
        free = np.flatnonzero(row["outcome_at"] == 0)
        if not free.size:
            raise ValueError("an episode was told while no further outcome can be awaited")
        place = int(free[0])
        row["outcome_at"][place], row["outcome_anchor"][place] = news.at_s, news.anchor_at_s
        row["outcome_episode"][place] = news.number
        row["outcome_level"][place] = _packed(news.level, news.level, 1)
    elif news.type == TransitionType.ESCALATED:
        for place in np.flatnonzero((row["outcome_at"] > 0) & (row["outcome_episode"] == news.number)).tolist():
            level, first, warnings = _unpacked(int(row["outcome_level"][place]))
            row["outcome_level"][place] = _packed(max(level, news.level), first, min(warnings + 1, _MASK))


def returned(
    rows: Rows, at_s: Seconds, is_main: Bools, target: Target, clocks: ChannelClocks = RUNNING
) -> list[EpisodeOutcome]:
    """Give the outcomes that main events settle, and await them no longer, in place.

    Parameters
    ----------
    rows
        Shape (n,).
    at_s
        Times of the events just applied, epoch seconds, shape (n,).
    is_main
        Which of them are main events, shape (n,).
    target
        Horizon.
    clocks
        What silence is measured with.

    Returns
    -------
    list of EpisodeOutcome
        In row order, of one row the earlier episode first.
    """
    told_at, now = _told_at(rows), at_s[:, None]
    in_time = (told_at > 0) & (told_at <= now) & (now < _known_at(told_at, target, clocks))
    return _taken(rows, is_main[:, None] & in_time, at_s)


def churned(rows: Rows, at_s: Seconds, target: Target, clocks: ChannelClocks = RUNNING) -> list[EpisodeOutcome]:
    """Give the outcomes of those who did not come back in time, and await them no longer, in place.

    Parameters
    ----------
    rows
        Shape (n,).
    at_s
        The second of each look, epoch seconds, shape (n,).
    target
        Horizon.
    clocks
        What silence is measured with.

    Returns
    -------
    list of EpisodeOutcome
        As `returned` gives them; each dated told + H, later by as much as the source of main events was out.
    """
    told_at = _told_at(rows)
    known_at = _known_at(told_at, target, clocks)
    return _taken(rows, (told_at > 0) & (known_at <= at_s[:, None]), known_at)


def next_outcome_at(rows: Rows, target: Target, clocks: ChannelClocks = RUNNING) -> Seconds:
    """Return the second at which an awaited outcome is known at the latest, shape (n,); 0 = none is awaited."""
    told_at = _told_at(rows)
    first: Seconds = np.where(told_at > 0, _known_at(told_at, target, clocks), FAR_S).min(axis=1)
    return np.where((told_at > 0).any(axis=1), first, 0)


def awaited(row: np.void) -> list[tuple[int, Level]]:
    """Read one customer's awaited outcomes: for each, when it was told and the highest level told."""
    told, levels = row["outcome_at"].tolist(), row["outcome_level"].tolist()
    return [
        (told_at_s, Level(_unpacked(packed)[0])) for told_at_s, packed in zip(told, levels, strict=True) if told_at_s
    ]


def outcome_id(customer_id: str, number: int, anchor_at_s: int) -> str:
    """Name the outcome of an episode, whichever it is: the same in every process and every replay.

    ``outcome-`` and the first 32 hex digits of the SHA-256 of ``1|<number>|<anchor_at_s>|outcome|<customer_id>``; see
    `models.policy.alert_id`.

    Examples
    --------
    >>> outcome_id("c1", 1, 852_076_800)
    'outcome-c2f7b13b975dbbb940fac300b5a42f9c'
    """
    return derived_id("outcome", f"1|{number}|{anchor_at_s}|outcome|{customer_id}")


def _told_at(rows: Rows) -> Seconds:
    told_at: Seconds = rows["outcome_at"].astype(np.int64)
    return told_at


def _known_at(told_at: Seconds, target: Target, clocks: ChannelClocks) -> Seconds:
    """When it is certain that a customer did not come back: a horizon later in which a return would have been seen."""
    return clocks.passed_at(target.main, told_at, target.horizon_s)


def _taken(rows: Rows, settled: Bools, at_s: Seconds) -> list[EpisodeOutcome]:
    """Take these places out of the rows: churned where each has a second of its own, else returned at the row's."""
    found = []
    for i in np.flatnonzero(settled.any(axis=1)).tolist():
        row = rows[i]
        for place in sorted(np.flatnonzero(settled[i]).tolist(), key=lambda place: int(row["outcome_at"][place])):
            told_at_s = int(row["outcome_at"][place])
            level, first, warnings = _unpacked(int(row["outcome_level"][place]))
            found.append(
                EpisodeOutcome(
                    index=i,
                    outcome=OutcomeName.CHURNED if at_s.ndim > 1 else OutcomeName.RETURNED,
                    at_s=int(at_s[i, place] if at_s.ndim > 1 else at_s[i]),
                    told_at_s=told_at_s,
                    number=int(row["outcome_episode"][place]),
                    anchor_at_s=int(row["outcome_anchor"][place]),
                    level=Level(level),
                    first_level=Level(first) if first else None,
                    warnings=max(warnings, 1),
                )
            )
            for name in ("outcome_at", "outcome_anchor", "outcome_episode", "outcome_level"):
                row[name][place] = 0
    return found


def _packed(level: int, first: int, warnings: int) -> int:
    return level | first << _BITS | warnings << 2 * _BITS


def _unpacked(packed: int) -> tuple[int, int, int]:
    return packed & _MASK, packed >> _BITS & _MASK, packed >> 2 * _BITS & _MASK
