"""A shop that sends orders, logins and e-mail opens, first three weeks of history at once, then as time goes by.

Each feed can be cut, as if its producer had died: what happens meanwhile is lost.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from tests.end_to_end.cluster import ordered_producer

DAYS = 22
"""Of history: a part of a week, and two whole ones, after which it is known what is usual."""
DAY_S = 86_400
TICK_S = 0.1
FLUSH_HOURS = 12
"""Of history: the producer's queue holds so much."""
DETAILS: Mapping[str, dict[str, Any]] = {
    "orders": {"amount": 4_500},
    "logins": {"session_seconds": 180},
    "email-opens": {"machine": False},
}

Record = tuple[str, bytes, bytes]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """How much comes in.

    Parameters
    ----------
    n_customers
        All of them as busy as the others; one in five leaves at some time, and the others do the more: feeds stay even.
    per_hour
        Events of each feed in an hour of history.
    per_s
        Events of each feed in a second of the test, once history is told.
    speed
        Seconds of event time in a second of the test. 1: events are of now.
    lived_s
        How long the test may take: history ends so much before now that time never runs ahead of it.
    """

    n_customers: int
    per_hour: Mapping[str, int]
    per_s: Mapping[str, float]
    speed: float
    lived_s: float
    seed: int = 5


class Feeds:
    """Sends what happens in a shop."""

    def __init__(self, bootstrap: str, shop: Shop) -> None:
        self._shop = shop
        self._producer = ordered_producer(bootstrap)
        self._rng = np.random.default_rng(shop.seed)
        self._numbers = 0
        self._cut: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="feeds", daemon=True)
        self._history_ends_at_s = _event_time_s(shop)
        self._leaves_at_s = np.where(
            self._rng.random(shop.n_customers) < 0.2,
            self._history_ends_at_s - self._rng.uniform(-1, DAYS - 8, shop.n_customers) * DAY_S,
            np.inf,
        )
        self._stay = np.flatnonzero(np.isinf(self._leaves_at_s))

    def send_history(self) -> None:
        """Send it, in order, before anybody reads: the wall clock of a worker that has caught up knows no history."""
        for hour in range(-DAYS * 24, 0):
            begin_s = self._history_ends_at_s + hour * 3600
            self._send(begin_s, begin_s + 3600, self._shop.per_hour)
            if hour % FLUSH_HOURS == 0:
                self._producer.flush()
        self._producer.flush()

    def cut(self, feed: str) -> None:
        """Its producer dies."""
        self._cut.add(feed)

    def restore(self, feed: str) -> None:
        """Its producer is back."""
        self._cut.discard(feed)

    def go_on(self) -> None:
        """From now on as time goes by, until the end."""
        self._thread.start()

    def _live(self) -> None:
        began_s, done_s, speed = time.monotonic(), 0.0, self._shop.speed
        now_at_s = _event_time_s(self._shop)
        while not self._stop.wait(TICK_S):
            until_s = time.monotonic() - began_s
            counts = {feed: self._rng.poisson(n * (until_s - done_s)) for feed, n in self._shop.per_s.items()}
            self._send(now_at_s + done_s * speed, now_at_s + until_s * speed, counts)
            self._producer.poll(0)
            done_s = until_s

    def _send(self, begin_s: float, end_s: float, counts: Mapping[str, int]) -> None:
        going = [feed for feed, n in counts.items() if feed not in self._cut for _ in range(n)]
        customers = self._rng.integers(self._shop.n_customers, size=len(going))
        at_s = self._rng.uniform(begin_s, end_s, len(going))
        has_left = at_s >= self._leaves_at_s[customers]
        customers[has_left] = self._rng.choice(self._stay, has_left.sum())
        for i in np.argsort(at_s):
            feed, key, value = self._record(going[i], int(customers[i]), float(at_s[i]))
            self._producer.produce(feed, value, key)

    def _record(self, feed: str, customer: int, at_s: float) -> Record:
        self._numbers += 1
        customer_id = f"c{customer:05d}"
        body = {"event_id": f"{feed}-{self._numbers}", "customer_id": customer_id, "occurred_at": int(at_s * 1000)}
        return feed, customer_id.encode(), orjson.dumps(body | DETAILS[feed])

    def __enter__(self) -> "Feeds":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._producer.flush(10)


def _event_time_s(shop: Shop) -> float:
    """What time it is in the shop; so much before now that it has not caught up with the clock when the test ends."""
    return time.time() - shop.lived_s * (shop.speed - 1)
