"""Records on their way out, sent as Kafka record batches and awaited.

`send` costs aiokafka 26 µs a record, a record batch 2.7 µs. Faust's own buffer is not used: its flush gives up after
0.1 s and never raises, so offsets could pass what was not written.

Guarantee: when `flush` returns, every record put before the call is acknowledged by all in-sync replicas; when it
raises, some may not be, and the caller must not commit.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Headers = list[tuple[str, bytes]]
Record = tuple[bytes | None, bytes | None, Headers]

_NO_HEADERS: Headers = []


@dataclass(frozen=True, slots=True)
class Flush:
    """When something went out: its first record put, all of it taken to be sent, all of it acknowledged.

    Moments are those of `time.perf_counter`, in their order; what is put after `taken_s` goes with the next flush.
    """

    first_put_s: float
    taken_s: float
    acknowledged_s: float


class Outbox:
    """Collects records by topic and partition and sends them in order.

    Parameters
    ----------
    producer
        Gives the started aiokafka producer; asked at each flush, as Faust makes it late.
    on_sent
        Told after a flush that sent something.
    """

    def __init__(self, producer: Callable[[], Any], on_sent: Callable[[Flush], None] | None = None) -> None:
        self.producer = producer
        self._on_sent = on_sent
        self._first_put_s = 0.0
        self._waiting: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self._sending = asyncio.Lock()

    def __len__(self) -> int:
        """Records that were put and not handed to the producer yet."""
        return sum(map(len, self._waiting.values()))

    def put(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
    ) -> None:
        """Add a record; records of one topic and partition keep their order."""
        self._note_first()
        self._waiting[topic, partition].append((key, value, headers or _NO_HEADERS))

    def extend(self, topic: str, partition: int, records: Iterable[Record]) -> None:
        """Add many records of one topic and partition: key, value and headers each."""
        self._note_first()
        self._waiting[topic, partition].extend(records)

    async def flush(self) -> dict[tuple[str, int], int]:
        """Send everything and wait until the brokers have it.

        Returns
        -------
        dict
            Offset of the last record written, by topic and partition.

        Raises
        ------
        aiokafka.errors.KafkaError
            A batch was not acknowledged in time.
        """
        async with self._sending:
            waiting, self._waiting = self._waiting, defaultdict(list)
            first_put_s, taken_s, sent = self._first_put_s, time.perf_counter(), []
            for (topic, partition), records in waiting.items():
                if not records:
                    continue  # aiokafka would send an empty batch, which has no offset
                for batch in self._batches(records):
                    future = await self.producer().send_batch(batch, topic, partition=partition)
                    sent.append((topic, partition, batch.record_count(), future))
            last: dict[tuple[str, int], int] = {}
            for topic, partition, count, future in sent:
                last[topic, partition] = (await future).offset + count - 1
            if last and self._on_sent is not None:
                self._on_sent(Flush(first_put_s, taken_s, time.perf_counter()))
            return last

    def _note_first(self) -> None:
        if not self._waiting:
            self._first_put_s = time.perf_counter()

    def _batches(self, records: list[Record]) -> list[Any]:
        create = self.producer().create_batch
        batches: list[Any] = []
        for key, value, headers in records:
            fields = {"key": key, "value": value, "timestamp": None, "headers": headers}
            if not batches or batches[-1].append(**fields) is None:
                batches.append(create())
                batches[-1].append(**fields)  # aiokafka takes the first record of a batch whatever its size
        for batch in batches:
            batch.close()
        return batches
