"""Where everything meets: settings in, a Faust app that does the main job out.

`create_app(settings, book, registry)` ties the first line together: agents (`streams.agents`) give batches to the
engine (`streams.engine`), its tasks run the pipeline (`streams.pipeline`), whose output waits in the outbox. The second
line (`streams.training`) starts and stops with the assignment, unless a trainer apart has it (`streams.trainer`).
"""

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import faust
from prometheus_client import CollectorRegistry

from models.scorer import Scorer
from models.watch import Watch
from streams import warm_restart
from streams.admission import Admission
from streams.agents import add_agent
from streams.emit import Emitter
from streams.engine.consumer import BatchTransport
from streams.engine.engine import Engine
from streams.engine.outbox import Outbox
from streams.engine.recovery import SafeTableManager
from streams.engine.store import RowTable
from streams.erasure import Erasures
from streams.logs import get_logger
from streams.metrics.engine import EngineMetrics
from streams.metrics.line import Metrics
from streams.metrics.worker import show_partitions
from streams.model_book import ModelBook
from streams.outages import Outages
from streams.partitioner import partition_of
from streams.pipeline import Pipeline
from streams.security import faust_credentials
from streams.settings import Settings
from streams.topics import enabled_inputs
from streams.tracing.parts import TracedEngineMetrics, TracedOutbox, Tracer
from streams.training import TrainingLine, follow_models

log = get_logger(__name__)

REBALANCE_TIMEOUT_S = 15.0
REQUEST_TIMEOUT_S = 30.0
"""Faust waits 60 s for members to come back and 1,200 s for a write; a dead member would hold the group that long."""

POLLED_BATCHES = 10
"""Batches' worth of records taken from the fetcher at once: a poll is spread over all partitions and inputs, and array
functions want batches that are not split into dozens of small ones."""

MAX_RECORD_BATCH_BYTES = 512 * 1024
"""Half of a broker's default message.max.bytes, so that a batch with its headers always fits."""


STOP_GRACE_S = 4.0
"""What an orderly stop may take once everything is committed; an orchestrator kills after ten seconds or so."""


class YochoApp(faust.App):
    """Faust with our transport; carries the engine its consumer and recovery talk to.

    Attributes
    ----------
    on_settled
        Called in an orderly stop, once everything is committed.
    """

    engine: Engine

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.on_settled: list[Callable[[], None]] = []

    def _new_transport(self) -> Any:
        return BatchTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Make none: nothing of Faust's is on disk, and a container's may be read-only."""

    async def on_stop(self) -> None:
        """Stop in order: apply nothing more, commit what was applied, then let go of the group."""
        consumer: Any = self.consumer  # ours, as our transport made it
        await consumer.settle()
        for callback in self.on_settled:
            callback()
        await super().on_stop()
        self.engine.table.rows.keep_only(())
        # A rebalance that begins now waits for the loop that is about to end, and the loop for the consumer's thread.
        # Nothing is left to lose, so a stop that hangs is cut short.
        timer = threading.Timer(STOP_GRACE_S, _cut_short)
        timer.daemon = True
        timer.start()


def _cut_short() -> None:
    log.warning("everything is committed but the stop hangs in the group protocol; leaving without it")
    logging.shutdown()
    os._exit(0)


def create_app(
    settings: Settings, book: ModelBook, registry: CollectorRegistry, tracer: Tracer | None = None
) -> YochoApp:
    """Build the app of one worker.

    Parameters
    ----------
    settings
        The environment, read.
    book
        Models known at start.
    registry
        Where metrics are registered.
    tracer
        Hears of batches and commits; None = nobody does.

    Returns
    -------
    YochoApp
        Not started; run it with `faust.Worker`.
    """
    app = YochoApp(
        settings.group,
        broker=[f"kafka://{broker}" for broker in settings.brokers],
        broker_credentials=faust_credentials(settings),
        Table=RowTable,
        TableManager=SafeTableManager,
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance,
        broker_commit_interval=settings.commit_interval_s,
        broker_max_poll_records=POLLED_BATCHES * settings.max_batch,
        broker_session_timeout=settings.session_timeout_s,
        broker_rebalance_timeout=REBALANCE_TIMEOUT_S,
        broker_heartbeat_interval=settings.session_timeout_s / 3,
        broker_request_timeout=REQUEST_TIMEOUT_S,
        producer_request_timeout=REQUEST_TIMEOUT_S,
        producer_compression_type="zstd",
        producer_max_batch_size=MAX_RECORD_BATCH_BYTES,
        stream_buffer_maxsize=16,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
        web_enabled=False,
        web_in_thread=False,
    )
    inputs = enabled_inputs(settings)
    metrics = Metrics(registry, inputs, EngineMetrics if tracer is None else partial(TracedEngineMetrics, tracer))
    outbox = (Outbox if tracer is None else partial(TracedOutbox, tracer))(
        lambda: app.producer._ensure_producer(),  # noqa: PLW0108 - Faust makes the producer late
        on_sent=metrics.engine.sent,
    )
    emitter = Emitter(outbox, settings, metrics)
    admission = Admission(
        inputs,
        emitter,
        metrics,
        Erasures(settings.forget_s),
        lateness_s=settings.lateness_s,
        in_order=settings.disorder_s == 0,
        longest_snooze_s=settings.horizon_s,
        partition_of=lambda key: partition_of(key, settings.partitions),
    )
    outages = Outages(settings.forget_s, settings.breaker)
    pipeline = Pipeline(
        admission,
        book,
        lambda scorer: Watch(scorer, settings.policy, settings.target, settings.forget_s),
        emitter,
        metrics,
        outages,
        settings.share_of,
    )
    table = app.Table("customers", partitions=settings.partitions, recovery_buffer_size=16)
    table.rows.on_restored = metrics.engine.assignment.restored
    table.rows.copies = warm_restart.copies(settings)
    app.engine = Engine(
        app,
        table,
        [source.topic(settings) for source in inputs],
        pipeline,
        outbox,
        metrics.engine,
        max_batch=settings.max_batch,
        merge_wait_s=settings.merge_wait_s,
        disorder_s=settings.disorder_s,
        wall_clock=settings.clock == "wall",
    )
    app.engine.on_assigned.append(lambda owned: pipeline.forget_partitions())
    if settings.learn == "on":
        if settings.trainer == "worker":
            training = TrainingLine(settings, outbox, metrics.training, app.engine.refuse)
            app.engine.on_assigned.append(training.follow_assignment)
        app.task(partial(follow_models, settings, book, app.engine.refuse, app.engine.partitions))
    metrics.engine.assignment.remaining = app.tables.remaining
    app.task(show_partitions(registry, app.engine, outages, pipeline.watches).run)
    for source in inputs:
        add_agent(app, app.engine, source, source.topic(settings))
    return app


def cold_book(settings: Settings) -> ModelBook:
    """A book that knows only the cold-start prior."""
    return ModelBook(Scorer.cold(settings.target), pinned=settings.learn == "off")
