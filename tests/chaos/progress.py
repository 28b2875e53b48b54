"""How the group's committed offsets move while a run is disturbed: lag, pauses, and how long a failover takes."""

import math
import threading
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.settings import Settings
from streams.topics import event_inputs
from tests.end_to_end.cluster import PARTITIONS

EVERY_S = 0.1
USUAL_S = 2.0
"""Two commits and a look: a partition that stands still for longer, with work to do, has paused."""


class Progress:
    """Samples committed offsets and ends of the inputs in a thread of its own."""

    def __init__(self, bootstrap: str, group: str = "yocho") -> None:
        self._settings = {
            "bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "log_level": 0,
        }  # fmt: skip
        self._client = Consumer(self._settings)
        topics = [topic.topic(Settings()) for topic in event_inputs(Settings())]
        self._tps = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        self._committed = dict.fromkeys(range(PARTITIONS), 0)
        self._moved_at_s: dict[int, float] = {}
        self._killed_at_s: dict[int, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="progress", daemon=True)
        self._counts_pauses = True
        self.lag = math.inf
        self.pauses_s: list[float] = []
        self.failovers_s: list[float] = []

    @property
    def total(self) -> int:
        """Records committed."""
        return sum(self._committed.values())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._stopped.set()
            self._thread.join()
        self._client.close()

    def look_again(self) -> None:
        """What was seen is out of date: the lag is unknown until the next look."""
        self.lag = math.inf

    def killed(self) -> None:
        """An owner has just been killed: time every partition until it moves again."""
        now_s = time.monotonic()
        self._killed_at_s = dict.fromkeys(self._committed, now_s)

    def count_no_more_pauses(self) -> None:
        """The log is about to end: its last records wait for inputs that have nothing more to say."""
        self._counts_pauses = False

    def _sample(self) -> None:
        while not self._stopped.wait(EVERY_S):
            try:
                committed = self._client.committed(self._tps, timeout=5)
                ends = {
                    (tp.topic, tp.partition): self._client.get_watermark_offsets(tp, timeout=5)[1] for tp in self._tps
                }
            except (
                KafkaException
            ):  # brokers are away: nothing can be seen; a client that saw all of them go stays blind
                self._client.close()
                self._client = Consumer(self._settings)
                continue
            self._note({(tp.topic, tp.partition): max(tp.offset, 0) for tp in committed}, ends)

    def _note(self, committed: dict[tuple[str, int], int], ends: dict[tuple[str, int], int]) -> None:
        now_s = time.monotonic()
        self.lag = sum(ends.values()) - sum(committed.values())
        for number in self._committed:
            done = sum(offset for (_, partition), offset in committed.items() if partition == number)
            to_do = sum(offset for (_, partition), offset in ends.items() if partition == number) - done
            stood_s = now_s - self._moved_at_s.get(number, now_s)
            if done > self._committed[number] or not to_do:
                if stood_s > USUAL_S and done > self._committed[number] and self._counts_pauses:
                    self.pauses_s.append(stood_s)
                if number in self._killed_at_s:
                    self.failovers_s.append(now_s - self._killed_at_s.pop(number))
                self._moved_at_s[number] = now_s
            self._committed[number] = done
