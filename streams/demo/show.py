"""The demo while it runs: feeds the worker, reads its alerts back, keeps score, and shows it all."""

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from kafka import KafkaConsumer, TopicPartition

from models.simulator import Shop
from models.target import DAY_S
from streams import alerts
from streams.demo.child import Counts, Worker
from streams.demo.feed import Feed
from streams.demo.screen import Screen, Status
from streams.demo.tally import Tally
from streams.produce import Sender
from streams.settings import Settings
from streams.simulate import Pace
from streams.topics import ALERTS

START_S = int(datetime.datetime.fromisoformat("2010-01-04T00:00:00+09:00").timestamp())
OPENING_DAYS = 45.0
LIVE_FROM_S = START_S + 105 * DAY_S
"""History before it is sent at full speed: the opening of the shop and two months more, so that rhythms are known,
newcomers are as rare as they will be, and the first examples (one horizon old) have been learnt from."""
DAYS_PER_S = 1.0
HORIZON_DAYS = 28  # more than two orders of the median customer: a silence of that length means something
PATIENCE_S = 8.0
READY_S = 60.0
COUNT_EVERY_S = 0.5


class DemoError(Exception):
    """The demo cannot go on; the message says why in one line."""


@dataclass(frozen=True)
class Plan:
    """What to show.

    Parameters
    ----------
    seconds
        When to end by itself, seconds after the start, > 0; None runs until stopped.
    customers
        Size of the shop, > 0.
    seed
        Picks the shop, >= 0.
    lang
        ``ja`` or ``en``.
    """

    seconds: float | None
    customers: int
    seed: int
    lang: str


class Show:
    """Feeds the worker, reads its alerts, keeps score and shows it; leaving the context ends the feed.

    Parameters
    ----------
    plan
        What to show.
    settings
        The worker's.
    worker
        Started.
    screen
        Where to show it.
    sender
        To the input topics.
    inbox
        Consumer outside all groups, for the alerts.
    """

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        *,
        worker: Worker,
        screen: Screen,
        sender: Sender,
        inbox: KafkaConsumer,
    ) -> None:
        self._worker, self._screen, self._settings, self._inbox = worker, screen, settings, inbox
        shop = Shop(plan.seed, plan.customers, START_S, OPENING_DAYS)
        self._history, self._live = Tally(shop, HORIZON_DAYS * DAY_S), Tally(shop, HORIZON_DAYS * DAY_S)
        self._counts = Counts(0, 0, 0)
        self._counted_s = self._per_s = 0.0
        pace = Pace(DAYS_PER_S * DAY_S, from_s=LIVE_FROM_S)
        self._feed = Feed(shop, pace, sender, processed=lambda: self._counts.events)
        partitions = [TopicPartition(ALERTS.topic(settings), number) for number in range(settings.partitions)]
        inbox.assign(partitions)
        inbox.seek_to_beginning(*partitions)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feed.stop()

    def wait_until_ready(self, is_over: Callable[[], bool]) -> None:
        """Wait for the worker to have joined and recovered, or for the end."""
        until_s = time.monotonic() + READY_S
        while not self._worker.is_ready() and not is_over():
            self._check()
            if time.monotonic() > until_s:
                raise DemoError(f"worker not ready after {READY_S:.0f} s; see {self._worker.log_path}")
            time.sleep(0.1)
        if not is_over():
            self._screen.stage(f"worker ready ({self._settings.partitions} partitions); the shop opens")

    def watch(self, is_over: Callable[[], bool]) -> None:
        """Feed and show until the end."""
        if not is_over():
            self._feed.start()
        while not is_over():
            self._step()

    def finish(self, is_hurried: Callable[[], bool]) -> None:
        """Let the worker take what was sent, as long as it gets on with it; end it, and print the summary."""
        self._screen.stage("the shop closes")
        self._feed.stop()
        taken, got_on_s = self._counts.events, time.monotonic()
        while self._counts.events < self._feed.sent and time.monotonic() < got_on_s + PATIENCE_S and not is_hurried():
            self._step()
            if self._counts.events > taken:
                taken, got_on_s = self._counts.events, time.monotonic()
        self._worker.stop()
        while self._read_alerts(timeout_ms=500):
            pass
        phases = {"history": self._history, "live": self._live}
        self._screen.summary(self._status(), self._counts.dead_letters, phases)

    def _step(self) -> None:
        self._check()
        self._read_alerts(timeout_ms=200)
        self._count()
        self._screen.status(self._status(), self._live if self._live.total else self._history)

    def _check(self) -> None:
        if self._feed.error is not None:
            raise DemoError(f"the broker took no more events: {self._feed.error}")
        if self._worker.exit_code is not None:
            raise DemoError(f"worker ended with exit code {self._worker.exit_code}; see {self._worker.log_path}")

    def _read_alerts(self, timeout_ms: int) -> int:
        records = [record for batch in self._inbox.poll(timeout_ms).values() for record in batch]
        for record in records:
            if record.value is None:  # somebody was erased
                continue
            alert = alerts.decode(record.value)
            if not self._history.total:
                self._screen.stage("first alert")
            is_live = alert.occurred_at.timestamp() >= LIVE_FROM_S
            tally = self._live if is_live else self._history
            self._screen.alert(alert, tally.add(alert))
        return len(records)

    def _count(self) -> None:
        now_s = time.monotonic()
        if now_s - self._counted_s >= COUNT_EVERY_S and (counts := self._worker.counts()):
            per_s = (counts.events - self._counts.events) / (now_s - self._counted_s)
            self._per_s += 0.3 * (per_s - self._per_s)  # the worker counts in bursts; a single look jumps about
            self._counts, self._counted_s = counts, now_s

    def _status(self) -> Status:
        return Status(
            sent=self._feed.sent,
            processed=self._counts.events,
            per_s=self._per_s,
            stream_date=f"{datetime.datetime.fromtimestamp(self._feed.stream_time_s, datetime.UTC):%Y-%m-%d}",
            alerts=self._history.total + self._live.total,
            phase="live" if self._live.total else "history",
        )
