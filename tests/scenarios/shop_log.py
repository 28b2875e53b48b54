"""A small shop with many customers, told by who does what how often; its feeds can be cut.

log = Log(days=30)
log.logins(range(400), every_days=1)
log.cut(Channel.LOGIN, from_day=28, until_day=30)
line = log.play(horizon_s=28 * DAY_S)
"""

from collections.abc import Iterable

import numpy as np

from models.events import Channel
from models.target import DAY_S
from tests.builders import START_MS, Sample, email_open, login, order
from tests.streams.harness import FirstLine

_BUILD = {Channel.ORDER: order, Channel.LOGIN: login, Channel.EMAIL_OPEN: email_open}
START_S = START_MS // 1000  # a Monday


class Log:
    """What happens in a shop until a day; all chance is seeded."""

    def __init__(self, days: float, seed: int = 1) -> None:
        self.days = days
        self._rng = np.random.default_rng(seed)
        self._events: list[tuple[float, Channel, int]] = []

    def add(
        self, channel: Channel, customers: Iterable[int], every_days: float, *, since: float = 0, until: float = np.inf
    ) -> None:
        """Each customer does it about so often, at any time of the day: gaps between half and one and a half of it."""
        for customer in customers:
            day = since + self._rng.uniform(0, every_days)
            while day < min(until, self.days):
                self._events.append((day, channel, customer))
                day += every_days * self._rng.uniform(0.5, 1.5)

    def orders(self, customers: Iterable[int], every_days: float, **when: float) -> None:
        self.add(Channel.ORDER, customers, every_days, **when)

    def logins(self, customers: Iterable[int], every_days: float, **when: float) -> None:
        self.add(Channel.LOGIN, customers, every_days, **when)

    def cut(self, channel: Channel, from_day: float, until_day: float, kept: float = 0.0) -> None:
        """Lose what a source would have brought, but for a share of it."""
        lost = [
            channel == one[1] and from_day <= one[0] < until_day and self._rng.random() >= kept for one in self._events
        ]
        self._events = [one for one, is_lost in zip(self._events, lost, strict=True) if not is_lost]

    def at_night(self, channel: Channel) -> None:
        """A source that delivers what it has once a day, at two in the morning of the next, with that time."""
        self._events = [(int(day) + 1 + 2 / 24 if channel == one else day, one, who) for day, one, who in self._events]

    def samples(self, from_day: float = 0, until_day: float = np.inf) -> list[Sample]:
        chosen = sorted(one for one in self._events if from_day <= one[0] < until_day)
        return [
            _BUILD[channel](f"c{customer}", at=START_MS + round(day * DAY_S * 1000), event_id=f"{number}")
            for number, (day, channel, customer) in enumerate(chosen, round(from_day * 1_000_000))
        ]

    def play(self, line: FirstLine | None = None, *, from_day: float = 0, until_day: float = np.inf, **settings):
        """Give it to a worker in the order of its days; a new worker with these settings, or one that is there."""
        line = line or FirstLine(**settings)
        line.fetch(line.send(*self.samples(from_day, until_day)))
        line.pass_time(START_MS + round(min(self.days, until_day) * DAY_S * 1000))
        return line


def told(line: FirstLine, from_day: float, until_day: float, *types: str) -> set[str]:
    """Customers that alerts of these types spoke about, from a day to another."""
    since, until = (START_S + day * DAY_S for day in (from_day, until_day))
    return {
        alert.customer_id
        for alert in line.alerts()
        if str(alert.type) in types and since <= alert.occurred_at.timestamp() < until
    }
