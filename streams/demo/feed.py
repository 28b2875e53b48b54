"""The demo's shop: a thread that sends simulated events and never runs far ahead of the worker."""

import threading
import time
from collections.abc import Callable

from models.simulator import Shop
from streams.simulate import Pace, Takes, chunks, send

BACKLOG_EVENTS = 5_000
"""How far the shop may run ahead of the worker. Little, so that what is shown is what just happened; and the
embedded broker keeps about 5 MiB a partition and drops the oldest: what is far behind would be lost."""


class Feed:
    """Sends the shop's events until it is told to stop.

    Parameters
    ----------
    shop
        Where events come from.
    pace
        When they go out.
    sender
        To the broker.
    processed
        Asked how many events the worker has taken.
    """

    def __init__(self, shop: Shop, pace: Pace, sender: Takes, processed: Callable[[], int]) -> None:
        self.sent = 0
        self.stream_time_s = shop.start_at_s
        self.error: Exception | None = None
        self._shop, self._pace, self._sender, self._processed = shop, pace, sender, processed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="yocho-demo-feed", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Send no more; returns when the chunk under way is in the broker or the time is over."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            for chunk in chunks(self._shop.events(), self._pace, now=time.time, wait=self._stop.wait):
                send(chunk, self._sender)
                self.sent += len(chunk)
                self.stream_time_s = chunk[-1].at_s
                while self.sent - self._processed() > BACKLOG_EVENTS and not self._stop.is_set():
                    self._stop.wait(0.05)
                if self._stop.is_set():
                    return
        except Exception as error:
            self.error = error  # for the main thread, which shows it and ends the demo
