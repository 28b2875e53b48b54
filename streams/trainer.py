"""The second line as a process of its own, beside workers that do not learn (`YOCHO_TRAINER=apart`).

Trainers form a consumer group whose one topic is that of the models, which has a single partition. Whoever owns it
learns and publishes; the others stand by, and one takes over when the owner ends or dies. Nothing is read or committed
through the group: `streams.training` reads labels and models by itself and goes on from the published state.

Two that learn at once, because one was frozen and has woken up, publish side by side for a moment. No label is learnt
twice: each state says which labels it holds, and whoever comes next goes on from one of them, whichever that is.
"""

import asyncio
import signal
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from streams.acls import require_role
from streams.app import MAX_RECORD_BATCH_BYTES, REQUEST_TIMEOUT_S
from streams.cluster import Cluster
from streams.engine.engine import EXIT_FATAL, EXIT_NEWER
from streams.engine.outbox import Outbox
from streams.health import HealthServer
from streams.logs import LIFE, get_logger, set_up_logging
from streams.machine import keep_algebra_on_one_thread
from streams.metrics.process import new_registry
from streams.metrics.training import TrainingMetrics
from streams.security import client_options
from streams.settings import Settings, SettingsError
from streams.topics import LABELS, MODEL
from streams.training import TrainingLine
from streams.worker import require_topics

log, life = get_logger(__name__), get_logger(LIFE)

SEND_S = 0.1
"""How long a model may wait to be sent; it takes effect an hour of stream time later."""
POLL_MS = 1_000


def run_trainer(settings: Settings, log_level: str) -> int:
    """Learn, or stand by, until told to stop.

    Parameters
    ----------
    settings
        The environment, read.
    log_level
        DEBUG, INFO, WARNING or ERROR.

    Returns
    -------
    int
        Exit code of the process.

    Raises
    ------
    SettingsError
        By these settings nobody learns, or the workers do.
    """
    require_apart(settings)
    set_up_logging(log_level, settings.log_format)
    keep_algebra_on_one_thread()
    registry = new_registry()
    trainer = Trainers(settings, TrainingMetrics(registry))
    health = HealthServer(registry, lambda: trainer.has_joined, settings.metrics_host, settings.metrics_port)
    health.announce("trainer")
    try:
        require_role(Cluster.reach(settings), settings, "trainer")
        require_topics(settings, (LABELS, MODEL))
        return asyncio.run(trainer.serve())
    finally:
        health.close()


def require_apart(settings: Settings) -> None:
    """Refuse a trainer that would learn beside the workers, or nothing.

    Examples
    --------
    >>> require_apart(Settings())
    Traceback (most recent call last):
    streams.setting_rules.SettingsError: YOCHO_TRAINER='worker': the workers learn; set it to apart, for them too
    """
    if settings.learn == "off":
        raise SettingsError("YOCHO_LEARN='off': there is nothing to do for a trainer")
    if settings.trainer != "apart":
        raise SettingsError(f"YOCHO_TRAINER={settings.trainer!r}: the workers learn; set it to apart, for them too")


class Trainers(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is Any to mypy
    """What a process does among the trainers.

    Parameters
    ----------
    settings
        Brokers, group, topics and what to learn.
    metrics
        Told what is learnt.

    Attributes
    ----------
    has_joined
        Whether it is known who learns.
    """

    def __init__(self, settings: Settings, metrics: TrainingMetrics) -> None:
        self.has_joined = False
        self._settings = settings
        self._producer: AIOKafkaProducer = None
        self._outbox = Outbox(lambda: self._producer)
        self._line = TrainingLine(settings, self._outbox, metrics, self._refuse)
        self._end = asyncio.Event()
        self._code = 0

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Learn nothing more before somebody else begins."""
        self.has_joined = False
        await self._line.stop()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Learn if the models are ours."""
        if self._end.is_set():
            return
        self.has_joined = True
        self._line.follow_assignment({tp.partition for tp in assigned})
        life.info(f"yocho trainer {'learns' if assigned else 'stands by'}")

    async def serve(self) -> int:
        """Take part until a signal or a fault; gives the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._end.set)
        async with _producer(self._settings) as self._producer, _member(self._settings) as member:
            member.subscribe([MODEL.topic(self._settings)], listener=self)
            work = [asyncio.create_task(one) for one in (self._end.wait(), self._send(), _stay(member))]
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            await self._wind_up(work)
        return self._code

    async def _send(self) -> None:
        while True:
            await asyncio.sleep(SEND_S)
            await self._outbox.flush()

    async def _wind_up(self, work: list[asyncio.Task[Any]]) -> None:
        """Send what was learnt, then end what still runs; a fault is told, and who takes over does the work again."""
        self._end.set()
        await self._line.stop()
        (sent,) = await asyncio.gather(self._outbox.flush(), return_exceptions=True)
        for task in work:
            task.cancel()
        for fault in (sent, *await asyncio.gather(*work, return_exceptions=True)):
            if isinstance(fault, Exception):
                log.error("the trainer ends and another one may go on", exc_info=fault)
                self._code = self._code or EXIT_FATAL

    def _refuse(self, what: str) -> None:
        log.error("this trainer ends: a newer yocho is at work here", why=what, exit_code=EXIT_NEWER)
        self._code = EXIT_NEWER
        self._end.set()


def _producer(settings: Settings) -> AIOKafkaProducer:
    """Write as workers do."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap,
        acks="all",
        compression_type="zstd",
        max_batch_size=MAX_RECORD_BATCH_BYTES,
        request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
        **client_options(settings),
    )


def _member(settings: Settings) -> AIOKafkaConsumer:
    """Take part in the group of trainers, which commits nothing."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        group_id=settings.trainer_group,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        partition_assignment_strategy=(StickyPartitionAssignor,),  # who learns goes on when another one joins
        session_timeout_ms=int(settings.session_timeout_s * 1000),
        heartbeat_interval_ms=int(settings.session_timeout_s * 1000 / 3),
        **client_options(settings),
    )


async def _stay(member: AIOKafkaConsumer) -> None:
    """Ask for records, as the group expects of a living member, of partitions that are paused."""
    while True:
        member.pause(*member.assignment())
        await member.getmany(timeout_ms=POLL_MS)
