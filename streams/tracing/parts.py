"""The parts of a worker that tell a tracer what they do; a worker without traces is made of those they derive from.

So the choice is made once, in `streams.app`, and nothing on the line asks for it again.
"""

from collections.abc import Callable
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from streams.engine.outbox import Flush, Headers, Outbox
from streams.engine.sensor import Batch, CommitStage
from streams.metrics.engine import EngineMetrics


class Tracer(Protocol):
    """Who hears of it; `streams.tracing.batches.BatchTracer` is the one."""

    def put(self, topic: str, *, is_tombstone: bool = False) -> None:
        """A record for a topic waits to be sent."""

    def worked_off(self, batch: Batch) -> None:
        """A batch was processed; what it put was told since it began."""

    def sent(self, flush: Flush) -> None:
        """What waited was sent and is acknowledged."""

    def committed(self, stage: CommitStage, seconds: float) -> None:
        """A stage of a commit has just ended and took so long."""

    def commit_ended(self, *, is_done: bool) -> None:
        """A commit came to its end, or the brokers did not take the offsets."""


class TracedOutbox(Outbox):
    """An outbox that tells what is put.

    Parameters
    ----------
    tracer
        Whom it tells.
    producer, on_sent
        As of every outbox.
    """

    def __init__(self, tracer: Tracer, producer: Callable[[], Any], on_sent: Callable[[Flush], None]) -> None:
        super().__init__(producer, on_sent)
        self._tracer = tracer

    def put(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers | None = None
    ) -> None:
        """Add a record, and tell for which topic."""
        self._tracer.put(topic, is_tombstone=value is None)
        super().put(topic, partition, key, value, headers)


class TracedEngineMetrics(EngineMetrics):
    """The sensor of the engine, with a second listener.

    Parameters
    ----------
    tracer
        Who else hears of batches and commits.
    registry
        Where collectors are registered.
    """

    def __init__(self, tracer: Tracer, registry: CollectorRegistry) -> None:
        self._tracer = tracer
        super().__init__(registry)

    def worked_off(self, batch: Batch) -> None:
        """Note the size of a batch, time its stages, and tell of it."""
        super().worked_off(batch)
        self._tracer.worked_off(batch)

    def sent(self, flush: Flush) -> None:
        """Time what went out, and tell of it."""
        super().sent(flush)
        self._tracer.sent(flush)

    def committed(self, stage: CommitStage, seconds: float) -> None:
        """Time a stage of a commit, and tell of it."""
        super().committed(stage, seconds)
        self._tracer.committed(stage, seconds)

    def commit_done(self) -> None:
        """Note that nothing is uncommitted, and tell of it."""
        super().commit_done()
        self._tracer.commit_ended(is_done=True)

    def commit_failed(self) -> None:
        """Count a commit that did not come through, and tell of it."""
        super().commit_failed()
        self._tracer.commit_ended(is_done=False)
