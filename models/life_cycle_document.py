"""The life cycle for people: deploy/LIFE-CYCLE.md, written from the code that decides.

Serves the reader of `models.life_cycle`, no line. A test compares document and code; to write it anew:
``python -m models.life_cycle_document > deploy/LIFE-CYCLE.md``
"""

from models.levels import LEVELS, Level
from models.life_cycle import RULES
from models.policy import Cause

INTRODUCTION = """\
# The life cycle of an alert

Generated from `models/life_cycle.py`; `python -m models.life_cycle_document > deploy/LIFE-CYCLE.md` writes it anew.

An *episode* is one stretch of trouble of one customer. At most one is open per customer. It opens in silence, rises
level by level, and ends with an event, or with the customer counted as churned. Each piece of news is one alert.

## Levels
"""

_MEANING = {
    Level.HEALTHY: "no episode is open; *recovered* is healthy after people had been told",
    Level.WATCH: "open: p >= its enter threshold",
    Level.AT_RISK: "open: p >= its enter threshold",
    Level.CRITICAL: "open: p >= its enter threshold",
    Level.CHURNED: "the last main event is `YOCHO_EXPIRE` ago: closed until the next one",
}

_CAUSE_WORDS = {
    Cause.SILENCE: "silence",
    Cause.ACTIVITY: "activity",
    Cause.MAIN_EVENT: "main event",
    Cause.EXPIRY: "expiry",
    Cause.ACKNOWLEDGEMENT: "`ack`",
    Cause.SNOOZE: "`snooze`",
}

WORDS = """\
- p: P(no main event within the horizon), by the model in effect. A level is reached at its enter threshold and left
  below its exit threshold (`YOCHO_LEVELS`).
- main event: the event whose absence is churn (`YOCHO_MAIN`). One from before the silence that arrives late is old
  news and counts as activity.
- activity: an event of a person on another channel.
- dwelt: the last activity on any channel is `YOCHO_DWELL` ago: somebody who is here right now is not leaving. Or the
  last main event is `YOCHO_HORIZON` ago: whoever has not ordered for so long is lost, however often they log in.
- may open: dwelt; the last episode ended at least `YOCHO_COOL_DOWN` ago; no snooze runs; and fewer than two told
  episodes of the customer wait for their outcome (flap damping: the third waits for the first one's).
- no room: `YOCHO_CAPACITY` is set, and the customer is not among the best that the day has room for.
- told: published. A level that fell and rises again to where people already believe it to be is no news.

Silence alone never recovers anyone. An episode publishes `opened`, then at most two times `escalated`, then `recovered`
or `expired`, and `recovered` once more if a lost customer comes back. Commands are answered each time.
"""


def document() -> str:
    """Return the whole document.

    Examples
    --------
    >>> "| silence | healthy, may open, p >= an enter | opens at the highest such level | `opened` |" in document()
    True
    """
    levels = [f"| {title.name} | {title.ja} | {_MEANING[title.level]} |" for title in LEVELS]
    rules = [
        f"| {_CAUSE_WORDS[rule.cause]} | {rule.condition} | {rule.effect} | {f'`{rule.news}`' if rule.news else ''} |"
        for rule in RULES
    ]
    return "\n".join(
        [
            INTRODUCTION,
            "| level | 日本語 | while |",
            "|---|---|---|",
            *levels,
            "\n## Transitions\n\nRules of one cause are tried from the top. Where none holds, nothing changes.\n",
            "| cause | while | then | publishes |",
            "|---|---|---|---|",
            *rules,
            "\n## Words\n",
            WORDS,
        ]
    )


if __name__ == "__main__":
    print(document(), end="")
