"""A shop's event log told in a few lines, and what the alerts make of it, by day.

told = story(every(7, order, until=133), order(day=150), look_until=300)
told == ["day 131: opened watch", "day 150: recovered"]

Everything runs with the settings a new deployment has: orders count, a horizon of 91 days, the cold-start model. A
story that needs others names them: model=learnt(), forget=400 * DAY_S.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from models.scorer import Scorer
from models.target import DAY_S
from streams.alerts import Alert
from tests import builders
from tests.builders import START_MS, Sample
from tests.streams.harness import FirstLine

DAY_MS = DAY_S * 1000


def _at_day(builder, day: float, customer_id: str = "c1", **fields) -> Sample:
    return builder(customer_id, at=START_MS + round(day * DAY_MS), **fields)


order = partial(_at_day, builders.order)
login = partial(_at_day, builders.login)
human_open = partial(_at_day, builders.email_open)
machine_open = partial(_at_day, builders.email_open, machine=True)


def every(days: float, what=order, *, start: float = 0, until: float, **fields) -> list[Sample]:
    """The same thing again and again, from day `start` to day `until`."""
    return [what(start + n * days, **fields) for n in range(int((until - start) / days) + 1)]


def played(
    *events: Sample | Iterable[Sample],
    look_until: float,
    in_order: bool = True,
    model: Scorer | None = None,
    **settings: Any,
) -> FirstLine:
    """Play a log and then silence until a day; a worker's first line with all that left it."""
    samples = [one for event in events for one in ([event] if isinstance(event, Sample) else event)]
    if in_order:
        samples.sort(key=lambda sample: sample.event.occurred_at_ms)
    line = FirstLine(horizon_s=91 * DAY_S, scorers=[model] if model else [], **settings)
    for sample in samples:
        line.take(sample)
    line.pass_time(START_MS + round(look_until * DAY_MS))
    return line


def alerts(*events: Sample | Iterable[Sample], **how: Any) -> list[Alert]:
    """Play a log and then silence until a day; every alert that was published, in order. `how` as in `played`."""
    return played(*events, **how).alerts()


def outcomes(*events: Sample | Iterable[Sample], **how: Any) -> list[str]:
    """How the told episodes of a log turned out, in words, in the order in which it became known."""
    return [
        f"day {_day(one.occurred_at)}: {one.level} alert of day {_day(one.opened_at)} {one.outcome}"
        + ("" if one.days_to_return is None else f" after {one.days_to_return:.0f} days")
        for one in played(*events, **how).outcomes()
    ]


def story(*events: Sample | Iterable[Sample], **how: Any) -> list[str]:
    """The alerts of a log in words."""
    return [in_words(alert) for alert in alerts(*events, **how)]


def day_of(alert: Alert) -> int:
    """The day of the log on which an alert became true."""
    return _day(alert.occurred_at)


def in_words(alert: Alert) -> str:
    ends = {"recovered", "expired"}
    return f"day {day_of(alert)}: {alert.type}" + ("" if alert.type in ends else f" {alert.level}")


def _day(at: datetime) -> int:
    return int((at.timestamp() * 1000 - START_MS) // DAY_MS)
