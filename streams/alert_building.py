"""From a decision to the alert that tells it: explanation, way back, what comes next, and receipt.

Last word of the line from event to alert (emit). Works on all decisions of a round at once, because
explaining is array arithmetic; what an alert says depends on its own customer's row alone.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from models.alert_sentences import acknowledged, expired, returned, snoozed, worsens
from models.census import Census
from models.comeback import EVENT_NAMES, InWords, Worsening, comeback, worsening
from models.confidence import Confidence
from models.decisions import Decision
from models.explain import Explanation, explain
from models.levels import ALERT_LEVELS, LEVELS, LevelName
from models.policy import Policy, Transition, TransitionType
from models.segments import SEGMENTS, SegmentTitle, segments_of
from models.sentences import Reasons
from models.state import ROW_VERSION, Rows
from models.target import DAY_S, Target
from models.value import value_at_stake
from models.watch import Watch
from streams.alerts import Alert, EpisodeRef, NextLevel, Receipt, Threshold
from streams.times import utc


def alerts_of(
    watch: Watch,
    rows: Rows,
    decisions: Sequence[Decision],
    customer_ids: Sequence[str],
    *,
    partition: int,
    topics: Mapping[int, str],
    code_version: str,
    census: Census | None = None,
) -> list[Alert]:
    """Turn decisions into alerts.

    Parameters
    ----------
    watch
        The rules and the model that decided.
    rows
        Rows the decisions count in, shape (n,), as they are after the decisions.
    decisions
        m decisions.
    customer_ids
        m ids, one for each decision.
    partition
        Partition of the customers.
    topics
        Names of the input topics that are read, by place in a row's ``applied``.
    code_version
        Version of yocho, for the receipt.
    census
        Of the partition's customers; None leaves out the segment.

    Returns
    -------
    list of Alert
        m alerts, in the order of the decisions.
    """
    if not decisions:
        return []
    rows = rows[[decision.index for decision in decisions]]
    at_s = np.array([decision.transition.at_s for decision in decisions], np.int64)
    explanations = explain(watch.scorer, rows, at_s)
    comebacks = comeback(watch.scorer, watch.policy, rows, at_s, watch.target)
    worsenings = worsening(watch.scorer, watch.policy, rows, at_s)
    segments = _segments(rows, census, watch.target)
    stakes = value_at_stake(rows, np.array([decision.probability for decision in decisions]), watch.target).tolist()
    thresholds = thresholds_of(watch.policy)
    alerts = []
    for customer_id, decision, row, why, back, ahead, segment, stake in zip(
        customer_ids, decisions, rows, explanations, comebacks, worsenings, segments, stakes, strict=True
    ):
        news, is_sure = decision.transition, why.confidence == Confidence.ENOUGH
        alerts.append(
            Alert(
                alert_id=news.alert_id(customer_id),
                type=news.type,
                level=LEVELS[news.level].name,
                previous_level=LEVELS[news.previous_level].name,
                customer_id=customer_id,
                occurred_at=utc(news.at_s),
                probability=decision.probability if is_sure else None,
                confidence=why.confidence,
                horizon_days=watch.target.horizon_days,
                main_event=EVENT_NAMES[watch.target.main],
                baseline=why.baseline,
                evidence=list(why.evidence),
                reasons=_reasons(news, row, why, watch.target),
                comeback=back,
                if_silent=_next_level(ahead, news.at_s),
                recovered_by=None if news.channel is None else EVENT_NAMES[news.channel],
                acknowledged=bool(row["acknowledged"]),
                by=None if news.command is None else news.command.by,
                until=utc(news.command.until_s) if news.command is not None and news.command.until_s else None,
                signals_stale=[EVENT_NAMES[channel] for channel in watch.clocks.stale(news.at_s)],
                segment=segment,
                value_at_stake=None if math.isnan(stake) or not is_sure else stake,
                episode=EpisodeRef(news.number, news.step, utc(news.opened_at_s)),
                receipt=Receipt(
                    model_version=watch.scorer.version,
                    source_offsets=_offsets(row, topics),
                    thresholds=thresholds,
                    state_version=ROW_VERSION,
                    partition=partition,
                    code_version=code_version,
                ),
            )
        )
    return alerts


def _segments(rows: Rows, census: Census | None, target: Target) -> list[SegmentTitle | None]:
    if census is None:
        return [None] * len(rows)
    return [SEGMENTS[number] for number in segments_of(rows, census, target).tolist()]


def thresholds_of(policy: Policy) -> dict[LevelName, Threshold]:
    """Return the thresholds of a policy by level name, as a receipt holds them."""
    pairs = zip(ALERT_LEVELS, policy.enter, policy.exit, strict=True)
    return {LEVELS[level].name: Threshold(enter, exit_) for level, enter, exit_ in pairs}


def _reasons(news: Transition, row: np.void, why: Explanation, target: Target) -> Reasons:
    """Explain a rise by the signals, an end by what ended it, an answer by what was said."""
    if news.channel is not None:
        return Reasons.of([returned(news.channel, target.main)])
    if news.type == TransitionType.EXPIRED:
        return Reasons.of([expired(target.main, (news.at_s - int(row["last_at"][target.main])) / DAY_S)])
    if news.command is not None and news.type == TransitionType.ACKNOWLEDGED:
        return Reasons.of([acknowledged(news.command.by)])
    if news.command is not None:
        return Reasons.of([snoozed(news.command.by, f"{utc(news.command.until_s):%Y-%m-%d %H:%M} UTC")])
    return why.reasons


def _next_level(ahead: Worsening | None, now_s: int) -> NextLevel | None:
    if ahead is None:
        return None
    days = (ahead.at_s - now_s) / DAY_S
    return NextLevel(LEVELS[ahead.level].name, utc(ahead.at_s), days, InWords(*worsens(ahead.level, days)))


def _offsets(row: np.void, topics: Mapping[int, str]) -> dict[str, int]:
    """Last applied offset by topic; a topic this customer never appeared in is left out."""
    applied = row["applied"].tolist()
    return {topic: applied[source] for source, topic in topics.items() if applied[source] >= 0}
