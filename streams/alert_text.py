"""One alert as lines for a terminal, in Japanese or English.

Used by ``yocho alerts`` and ``yocho demo``. Plain text: whoever prints it may add colour.
"""

from typing import NamedTuple

from models.alert_sentences import NOT_ENOUGH_EVIDENCE, at_stake, event_name
from models.events import Channel
from models.levels import LEVELS
from models.policy import TransitionType
from models.wording import percent
from streams.alerts import Alert


class _Frame(NamedTuple):
    """The words of one language around the sentences of an alert."""

    types: dict[TransitionType, str]
    head: str
    risk: str
    reason: str
    in_hand: str
    segment: str
    way_back: str
    ahead: str
    replay: str


_FRAMES = {
    "ja": _Frame(
        types={
            TransitionType.OPENED: "新規",
            TransitionType.ESCALATED: "悪化",
            TransitionType.RECOVERED: "回復",
            TransitionType.EXPIRED: "終了",
            TransitionType.ACKNOWLEDGED: "対応開始",
            TransitionType.SNOOZED: "保留",
        },
        head="【{level}・{type}】顧客 {customer}  {at}",
        risk="今後{days:.0f}日間{event}がない確率: {how_sure}",
        reason="理由: ",
        in_hand="担当者が対応中です。",
        segment="顧客区分: ",
        way_back="呼び戻し: ",
        ahead="見通し: ",
        replay="（過去分）",
    ),
    "en": _Frame(
        types={
            TransitionType.OPENED: "new",
            TransitionType.ESCALATED: "worse",
            TransitionType.RECOVERED: "back",
            TransitionType.EXPIRED: "closed",
            TransitionType.ACKNOWLEDGED: "taken on",
            TransitionType.SNOOZED: "snoozed",
        },
        head="[{level}, {type}] customer {customer}  {at}",
        risk="risk of no {event} within {days:.0f} days: {how_sure}",
        reason="why: ",
        in_hand="somebody takes care of this customer",
        segment="segment: ",
        way_back="way back: ",
        ahead="ahead: ",
        replay=" (replay)",
    ),
}
LANGUAGES = tuple(_FRAMES)


def render(alert: Alert, lang: str) -> str:
    """Write one alert for a person: who, how sure, why, what they are worth, what would bring them back, and what else.

    Parameters
    ----------
    alert
        What was decoded from the topic.
    lang
        One of `LANGUAGES`.

    Returns
    -------
    str
        Lines without a newline at the end. Control characters in the customer id are shown as ``?``: an id
        comes from outside and must not steer a terminal.

    Raises
    ------
    KeyError
        The language is unknown.
    """
    frame = _FRAMES[lang]
    level = next(title for title in LEVELS if title.name == alert.level)
    head = frame.head.format(
        level=getattr(level, lang),
        type=frame.types[alert.type],
        customer="".join(c if c.isprintable() else "?" for c in alert.customer_id),
        at=f"{alert.occurred_at:%Y-%m-%d %H:%M} UTC",
    )
    if alert.replay:
        head += frame.replay
    event = event_name(Channel[alert.main_event.upper()])
    how_sure = getattr(NOT_ENOUGH_EVIDENCE, lang) if alert.probability is None else percent(alert.probability)
    risk = frame.risk.format(event=getattr(event, lang), days=alert.horizon_days, how_sure=how_sure)
    reasons: list[str] = getattr(alert.reasons, lang)
    lines = [head, f"  {risk}", *(f"  {frame.reason}{reason}" for reason in reasons)]
    if alert.acknowledged and alert.type != TransitionType.ACKNOWLEDGED:
        lines.append(f"  {frame.in_hand}")
    if alert.segment is not None:
        stake = "" if alert.value_at_stake is None else f" · {getattr(at_stake(alert.value_at_stake), lang)}"
        lines.append(f"  {frame.segment}{getattr(alert.segment, lang)}{stake}")
    if alert.comeback is not None:
        lines.append(f"  {frame.way_back}{getattr(alert.comeback.sentence, lang)}")
    if alert.if_silent is not None:
        lines.append(f"  {frame.ahead}{getattr(alert.if_silent.sentence, lang)}")
    return "\n".join(lines)
