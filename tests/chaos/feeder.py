"""Sends an event log to the brokers at a steady pace, whatever happens to them meanwhile.

librdkafka's idempotent producer keeps the order of each partition and repeats what a dying broker did not acknowledge,
without writing it twice; a producer that gives up fails the run.
"""

import threading
import time
from collections.abc import Sequence
from typing import Any

from tests.end_to_end.cluster import ordered_producer

GIVE_UP_MS = 180_000
STEP_S = 0.02


class Feeder(threading.Thread):
    """Produces (topic, key, value) in order; `sent` says how many are out.

    Parameters
    ----------
    bootstrap
        The brokers.
    log
        What to send.
    pace_per_s
        Events a second.
    """

    def __init__(self, bootstrap: str, log: Sequence[tuple[str, bytes, bytes]], pace_per_s: float) -> None:
        super().__init__(name="feeder", daemon=True)
        self.log, self._pace_per_s = log, pace_per_s
        self._producer = ordered_producer(bootstrap, linger_ms=5, message_timeout_ms=GIVE_UP_MS)
        self._hurry = threading.Event()
        self.acknowledged = 0
        self.error: Any = None

    @property
    def done(self) -> bool:
        """Everything is acknowledged; raises what went wrong."""
        if self.error is not None:
            raise RuntimeError(f"the log could not be sent: {self.error}")
        return self.acknowledged == len(self.log)

    def hurry(self) -> None:
        """Send what is left as fast as the brokers take it: nothing more happens to them."""
        self._hurry.set()

    def run(self) -> None:
        """Thread body."""
        started_s, count = time.monotonic(), 0
        while count < len(self.log) and self.error is None:
            pace_per_s = 1e9 if self._hurry.is_set() else self._pace_per_s
            due = min(len(self.log), int((time.monotonic() - started_s + STEP_S) * pace_per_s))
            for topic, key, value in self.log[count:due]:
                self._put(topic, key, value)
            count = due
            self._producer.poll(STEP_S)
        self._producer.flush()

    def _put(self, topic: str, key: bytes, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._delivered)
            except BufferError:  # brokers are away: the pace waits for them
                self._producer.poll(0.1)
            else:
                return

    def _delivered(self, error: Any, _message: Any) -> None:
        self.acknowledged += error is None
        self.error = self.error or error
