"""What would change a customer's level: the smallest next event, or time if nothing happens.

Serves the alert, last word of the line from event to alert. Nothing is approximated. An event is applied to a copy of
the row, the copy is scored and the policy decides on it, by the functions that a real event meets. The time is solved
by the search that will bring it about (`models.crossing`), with the model of now.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from models.alert_sentences import brings_back
from models.apply import Columns, apply_round
from models.clocks import FAR_S
from models.confidence import Confidence, confidence_of
from models.crossing import next_crossing
from models.episodes import episodes_of, expires_at, next_threshold, settled_at
from models.events import Channel
from models.levels import LEVELS, Level, LevelName
from models.life_cycle import step
from models.policy import Cause, Moment, Policy
from models.scorer import Scorer
from models.state import Rows
from models.target import Target

EventName = Literal["order", "login", "email_open"]
EVENT_NAMES: dict[Channel, EventName] = {
    Channel.ORDER: "order",
    Channel.LOGIN: "login",
    Channel.EMAIL_OPEN: "email_open",
}

_Option = tuple[Channel, float | None, Level]

# The lightest first: what is easiest to bring about is what a person wants to read.
_BY_EFFORT = (Channel.EMAIL_OPEN, Channel.LOGIN, Channel.ORDER)


class ComebackOption(Struct, frozen=True, gc=False):
    """What one event, right now, would change."""

    event: Annotated[EventName, Meta(description="The event.")]
    probability: Annotated[
        Annotated[float, Meta(ge=0.0, le=1.0)] | None,
        Meta(description="Risk right after it; null where there would not be enough evidence for a number."),
    ]
    level: Annotated[LevelName, Meta(description="Level right after it.")]


class InWords(Struct, frozen=True, gc=False):
    """One sentence in both languages."""

    ja: Annotated[str, Meta(min_length=1, description="Japanese.")]
    en: Annotated[str, Meta(min_length=1, description="English.")]


class Comeback(Struct, frozen=True):
    """What would bring a customer back."""

    options: Annotated[list[ComebackOption], Meta(description="The kinds of event this customer is known for.")]
    sentence: InWords


class Worsening(NamedTuple):
    """What silence alone will change: the next level, and the second at which it is reached, epoch seconds."""

    level: Level
    at_s: int


def worsening(scorer: Scorer, policy: Policy, rows: Rows, at_s: NDArray[np.int64]) -> list[Worsening | None]:
    """Tell n customers' next level if nothing happens from now on, and when.

    That is the next level up, as soon as its threshold is reached and the customer has dwelt; or churned, when they
    expire before that or are critical already. It holds as long as the model does.

    Parameters
    ----------
    scorer, policy
        The model and the rules in use.
    rows
        Shape (n,), with the episode as it is now.
    at_s
        Epoch seconds, shape (n,), not before the rows' last events.

    Returns
    -------
    list
        n of them; None when no episode is open, or nothing will change while the source of main events is out.
    """
    level = rows["level"]
    expires = expires_at(policy, rows, scorer.target, scorer.clocks)
    from_s = np.maximum(at_s, settled_at(policy, rows, scorer.target, scorer.clocks) - 1)
    wanted = np.where(level > 0, next_threshold(policy, level), np.inf)
    rises = next_crossing(scorer, rows, from_s, np.minimum(expires, at_s + policy.expire_s) - 1, wanted)
    return [
        _worsening(now, up, end) for now, up, end in zip(level.tolist(), rises.tolist(), expires.tolist(), strict=True)
    ]


def _worsening(level: int, rises_at_s: int, expires_at_s: int) -> Worsening | None:
    if level and rises_at_s:
        return Worsening(Level(level + 1), rises_at_s)
    return Worsening(Level.CHURNED, expires_at_s) if level and expires_at_s < FAR_S else None


def comeback(
    scorer: Scorer, policy: Policy, rows: Rows, at_s: NDArray[np.int64], target: Target
) -> list[Comeback | None]:
    """Try one event of each kind, one second from now, on copies of n customers.

    A kind is tried when the customer was ever seen on that channel, and the main one always: telling a shop
    without logins to wait for one helps nobody. The sentence names the lightest event that lowers the level.

    Parameters
    ----------
    scorer, policy
        The model and the rules in use.
    rows
        Shape (n,), with the episode as it is now. Not changed.
    at_s
        Epoch seconds, shape (n,), not before the rows' last events.
    target
        Main channel and horizon.

    Returns
    -------
    list
        n of them; None for a healthy customer, who has not left.
    """
    customer, channel = _trials(rows, target)
    if not customer.size:
        return [None] * len(rows)
    before = episodes_of(rows)
    later = at_s[customer] + 1
    after = rows[customer]
    _apply_one(after, channel, later, target)
    options: list[list[_Option]] = [[] for _ in before]
    x = scorer.features_of(after, later)
    for i, number, at, p, confidence in zip(
        customer.tolist(),
        channel.tolist(),
        later.tolist(),
        scorer.probabilities_of(x).tolist(),
        confidence_of(scorer, x),
        strict=True,
    ):
        cause = Cause.MAIN_EVENT if number == target.main else Cause.ACTIVITY
        episode, _ = step(policy, before[i], Moment(at, p, cause, at))
        options[i].append((Channel(number), p if confidence == Confidence.ENOUGH else None, episode.standing))
    return [
        _comeback(found, episode.standing) if found else None for found, episode in zip(options, before, strict=True)
    ]


def _trials(rows: Rows, target: Target) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Return which customer is tried with which channel, by effort."""
    away = (rows["level"] > 0) | (rows["expired"] > 0)
    customers = [
        np.flatnonzero(away & ((rows["count"][:, channel] > 0) | (channel == target.main))) for channel in _BY_EFFORT
    ]
    channels = np.repeat(np.array(_BY_EFFORT, np.uint8), [len(which) for which in customers])
    return np.concatenate(customers), channels


def _apply_one(rows: Rows, channel: NDArray[np.uint8], at_s: NDArray[np.int64], target: Target) -> None:
    n = len(rows)
    event = Columns(
        at_s=at_s.astype(np.uint32),
        channel=channel,
        source=channel,
        offset=rows["applied"][np.arange(n), channel] + 1,  # beyond what was applied: never a replay
        amount=np.full(n, np.nan, np.float32),
        id_hash=np.zeros(n, np.uint64),  # no id: never a duplicate
        engaged=np.ones(n, np.bool_),
    )
    apply_round(rows, event, target)


def _comeback(options: list[_Option], now: Level) -> Comeback:
    sentence = next(brings_back(channel, level) for channel, _, level in options if level < now)
    return Comeback(
        [ComebackOption(EVENT_NAMES[channel], p, LEVELS[level].name) for channel, p, level in options],
        InWords(sentence.ja, sentence.en),
    )
