"""The thread in which aiokafka fetches: what one fetch brought, how far it read, and where logs end.

Serves `streams.engine.consumer`, which runs in the worker's own loop. Each override says why it exists; `test_hooks.py`
pins what they rely on.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.engine import lenient

FETCH_WAIT_MS = 100
"""How long a broker may hold back an empty fetch. aiokafka keeps one fetch per broker in flight, so a fetch that waits
on idle partitions delays the next one of a busy partition by as much; Faust's 1,500 ms would be the alert's latency."""


END_KNOWN_MS = 1_000
"""For how long a broker's word on where a log ends is good: ten times as long as it may hold an empty fetch."""


class Fetched(dict[TP, list[Any]]):
    """Records by partition, and up to which offset (exclusive) each partition has been read with them.

    That may be beyond the last record: markers of transactions, and what an aborted one had written, are no records.
    """

    def __init__(self, records: Mapping[TP, list[Any]], positions: Mapping[TP, int]) -> None:
        super().__init__(records)
        self.positions = positions


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread aiokafka's consumer lives in."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        lenient.install()
        # set before start: the fetcher takes them over there, and Faust has no settings for them. What a producer has
        # aborted never happened
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"
        return consumer

    async def crash(self, exc: BaseException) -> None:
        # whatever ends this thread comes here, offsets that were refused included. Faust would take everything down
        # in order, and in the middle of a rebalance may wait for ever for what has crashed: neither at work nor ended
        self.consumer.hand_over.fail("it cannot read its inputs or commit offsets any more")

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109
        max_records: int | None = None,
    ) -> Fetched:
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        return Fetched(records, dict(positions(consumer, active_partitions)))

    def end_of(self, tp: TP) -> int | None:
        """Where a log ends (exclusive), if its broker has said so lately; else there may be more, and nobody knows."""
        consumer = self._ensure_consumer()
        said_at_ms = consumer.last_poll_timestamp(tp)
        if said_at_ms is None or said_at_ms < time.time() * 1000 - END_KNOWN_MS:
            return None
        end: int | None = consumer.last_stable_offset(tp)
        return end

    async def quiet(self, tps: Sequence[TP], for_s: float) -> set[TP]:
        """Which of these logs hold no record of the last seconds; none of them, if that cannot be told in that time."""
        quiet: set[TP] = await self.call_thread(self._quiet, tps, for_s)
        return quiet

    async def _quiet(self, tps: Sequence[TP], for_s: float) -> set[TP]:
        consumer = self._ensure_consumer()
        since_ms = int((time.time() - for_s) * 1000)
        try:
            async with asyncio.timeout(for_s):
                newer = await consumer.offsets_for_times(dict.fromkeys(tps, since_ms))
                old = [tp for tp in tps if newer[tp] is None]
                begins, ends = await consumer.beginning_offsets(old), await consumer.end_offsets(old)
                # one that does not know times, as the embedded broker, finds nothing since the beginning of time either
                known = await consumer.offsets_for_times(dict.fromkeys(old, 0))
        except (KafkaError, TimeoutError):  # a leader is away: the wait it would have saved is over as well
            return set()
        return {tp for tp in old if known[tp] is not None or begins[tp] == ends[tp]}


def positions(consumer: Any, tps: Iterable[TP]) -> Iterator[tuple[TP, int]]:
    """How far each partition has been read (exclusive), of those that are assigned."""
    assignment: Any = getattr(consumer._subscription.subscription, "assignment", None)
    if assignment is None:
        return
    for tp in tps:
        state = assignment.state_value(tp)
        if state is not None and state.has_valid_position:
            yield tp, state.position
