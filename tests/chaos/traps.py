"""A worker that is killed, or refused something by the brokers, at a point of its own work: run in place of a worker.

CHAOS_TRAP=kill:after state:3           SIGKILL when it has written state for the third time
CHAOS_TRAP=refuse:MessageSizeTooLargeError:state:2      its second write of state is refused with that error

Traps wrap the engine's own steps; what happens around them is the real worker.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import aiokafka.errors

from streams.engine import engine
from streams.engine.changelog import OwnedRows
from streams.engine.consumer import BatchConsumer
from streams.engine.engine import Engine
from streams.engine.outbox import Outbox
from streams.pipeline import Pipeline
from streams.settings import Settings
from streams.worker import run_worker

STATE = "customers-changelog"


def main() -> None:
    """Run a worker with the trap that CHAOS_TRAP names."""
    what, *details = os.environ["CHAOS_TRAP"].split(":")
    {"kill": kill, "refuse": refuse}[what](*details)
    sys.exit(run_worker(Settings.from_env(os.environ), "INFO"))


class Count:
    """True once, at the so-manyth call."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


def kill(point: str, nth: str) -> None:
    """SIGKILL at a point of `KILL_POINTS`."""
    KILL_POINTS[point](Count(int(nth)))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _mid_batch(is_now: Count) -> None:
    """Half of a batch is applied to the rows, and nothing is written."""
    process = Pipeline.process

    def wrapped(self: Pipeline, partition: Any, chunk: Any) -> None:
        if is_now():
            process(self, partition, chunk[: len(chunk) // 2])
            _die()
        process(self, partition, chunk)

    Pipeline.process = wrapped  # type: ignore[method-assign]


def _after_output(is_now: Count) -> None:
    """Alerts and dead letters are out, their state is not."""
    write = Engine._write_state

    async def wrapped(self: Engine, changes: Any) -> None:
        if changes and is_now():
            _die()
        await write(self, changes)

    Engine._write_state = wrapped  # type: ignore[method-assign]


def _mid_state(is_now: Count) -> None:
    """Some of what changed is written, the rest is not."""
    engine.PORTION, written = 40, OwnedRows.written  # type: ignore[attr-defined]

    def wrapped(self: OwnedRows, *portion: Any) -> None:
        written(self, *portion)
        if is_now():
            _die()

    OwnedRows.written = wrapped  # type: ignore[method-assign]


def _after_state(is_now: Count) -> None:
    """State is written, its offsets are not committed."""
    checkpoint = Engine.checkpoint

    async def wrapped(self: Engine) -> Any:
        offsets = await checkpoint(self)
        if offsets and is_now():
            _die()
        return offsets

    Engine.checkpoint = wrapped  # type: ignore[method-assign]


def _after_commit(is_now: Count) -> None:
    """Offsets are committed, and nothing since."""
    commit = BatchConsumer._commit_offsets

    async def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        done = await commit(self, *args, **kwargs)
        if is_now():
            _die()
        return done

    BatchConsumer._commit_offsets = wrapped


def _mid_recovery(is_now: Count) -> None:
    """Some of the changelog has been read."""
    apply = OwnedRows.apply

    def wrapped(self: OwnedRows, number: int, records: Any, last_offset: int) -> None:
        apply(self, number, records, last_offset)
        if is_now():
            _die()

    OwnedRows.apply = wrapped  # type: ignore[method-assign]


def _mid_revocation(is_now: Count) -> None:
    """Partitions are being given back; what was applied is not committed yet."""
    halt = Engine.halt

    async def wrapped(self: Engine) -> None:
        await halt(self)
        if is_now():
            _die()

    Engine.halt = wrapped  # type: ignore[method-assign]


KILL_POINTS: dict[str, Callable[[Count], None]] = {
    "mid batch": _mid_batch,
    "after output": _after_output,
    "mid state": _mid_state,
    "after state": _after_state,
    "after commit": _after_commit,
    "mid recovery": _mid_recovery,
    "mid revocation": _mid_revocation,
}


def refuse(error: str, of: str, nth: str) -> None:
    """Have the nth write of output or state, or the nth commit of offsets, fail with an error of aiokafka."""
    failure = getattr(aiokafka.errors, error)
    if of == "commit":
        _refuse_commit(failure, Count(int(nth)))
    else:
        _refuse_write(failure, of == "state", Count(int(nth)))


def _refuse_write(failure: type[Exception], is_state: bool, is_now: Count) -> None:
    producer_of = Outbox._batches

    class Refusing:
        """A producer whose answer to one batch is the error; the batch itself is not sent."""

        def __init__(self, real: Any) -> None:
            self.real = real

        def create_batch(self) -> Any:
            return self.real.create_batch()

        async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Any:
            if topic.endswith(STATE) == is_state and is_now():
                refused: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
                refused.set_exception(failure())
                return refused
            return await self.real.send_batch(batch, topic, partition=partition)

    def wrapped(self: Outbox, records: Any) -> Any:
        if not hasattr(self, "_trapped"):
            real = self.producer
            self.producer = lambda: Refusing(real())
            self._trapped = True  # type: ignore[attr-defined]
        return producer_of(self, records)

    Outbox._batches = wrapped  # type: ignore[method-assign]


def _refuse_commit(failure: type[Exception], is_now: Count) -> None:
    from aiokafka import AIOKafkaConsumer

    commit = AIOKafkaConsumer.commit

    async def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        if is_now():
            raise failure()
        return await commit(self, *args, **kwargs)

    AIOKafkaConsumer.commit = wrapped
