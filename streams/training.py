"""The second line: resolved labels -> trainer -> model topic.

One trainer learns all labels: it runs in the worker that owns partition 0, or apart (`streams.trainer`), and reads
every partition of their topic. It keeps no offsets of its own; its published state says how far it had learnt, and the
next trainer takes state and offsets from the same record, so no label is learnt twice into one model and none is left
out. A state of another target is not gone on with: training begins anew, and labels of another horizon are refused. (A
label does not name its main channel; whoever changes that alone should begin with a new group and topics.)

A state, model or label of a newer release is not passed over: to begin anew beside a state would publish a model that
knows nothing over one that does, to keep to older models would give other alerts than newer workers give, and a label
passed over would be lost.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence

from models import learning_state
from models.contest import Options
from models.labels import Label
from models.newer import NewerVersionError
from models.open_group import LabelError
from models.scorer import Scorer
from models.snapshot import SnapshotError
from models.target import DAY_S
from models.trainer import Learnt, Publication, Trainer
from streams.engine.outbox import Outbox
from streams.engine.partition import PartitionRows
from streams.label_feed import LabelFeed, Received
from streams.logs import get_logger
from streams.metrics.training import TrainingMetrics
from streams.model_book import ModelBook
from streams.model_topic import TRAINER, ModelTopic, records
from streams.settings import Settings
from streams.times import time_text
from streams.topics import LABELS, MODEL

log = get_logger(__name__)

STATES_HELD = 3
"""Newest states that are kept while reading: if the last is damaged, the one before costs the labels in between."""
RETRY_S = 5.0
KEPT_S = 30 * DAY_S
"""How long models are kept that no partition of a worker needs any more: another worker's may be behind by as much."""


class TrainingLine:
    """Trains while this process owns partition 0.

    Parameters
    ----------
    settings
        Brokers, topics, target, champion and challenger, labels per snapshot.
    outbox
        Where published models go.
    metrics
        Told what is learnt.
    refuse
        Ends the process, with what to say: a newer release has published.
    """

    def __init__(
        self, settings: Settings, outbox: Outbox, metrics: TrainingMetrics, refuse: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._options = Options(
            memory_days=settings.memory_days,
            challenger_memory_days=settings.challenger_memory_days,
            experts=settings.experts,
        )
        self._outbox = outbox
        self._metrics = metrics
        self._refuse = refuse
        self._running: asyncio.Task[None] | None = None

    def follow_assignment(self, owned: set[int]) -> None:
        """Start or stop as partition 0 comes and goes."""
        if 0 in owned and self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())
        elif 0 not in owned and self._running is not None:
            self._running.cancel()
            self._running = None

    async def stop(self) -> None:
        """Stop, and wait until nothing is learnt any more."""
        running = self._running
        self.follow_assignment(set())
        if running is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def _run(self) -> None:
        """Train until cancelled; a fault of the brokers is logged and met with another try."""
        while True:
            try:
                await self._train(await self._newest())
            except NewerVersionError as error:
                self._refuse(str(error))
                return
            except Exception:
                log.exception("the trainer failed and starts again from the last published state")
            finally:
                self._metrics.show(None)
            await asyncio.sleep(RETRY_S)

    async def _newest(self) -> Trainer:
        """A trainer that goes on from the newest state of this target; one that knows nothing when there is none."""
        states: deque[bytes] = deque(maxlen=STATES_HELD)

        def note(key: bytes, value: bytes) -> None:
            if key == TRAINER and learning_state.target_of(value) == self._settings.target:
                states.append(value)

        async with ModelTopic(self._settings) as topic:
            await topic.read_to_end(note)
        while states:
            try:
                return self._restored(states.pop())
            except SnapshotError as error:
                log.error("a trainer's state was refused", why=str(error))
        log.info("training begins with nothing learnt")
        return Trainer(self._settings.target, self._settings.snapshot_every, self._options)

    def _restored(self, state: bytes) -> Trainer:
        plain = learning_state.decode(state)
        trainer = Trainer.from_dict(plain, self._settings.target, self._settings.snapshot_every, self._options)
        champion = trainer.champion
        log.info("training goes on", horizon_labels=champion.n_labels, step_labels=champion.n_steps)
        return trainer

    async def _train(self, trainer: Trainer) -> None:
        self._metrics.show(trainer)
        async with LabelFeed(self._settings, trainer.positions) as feed:
            while True:
                for received in await feed.take():
                    self._learn(trainer, received)
                self._metrics.pending(feed.pending(trainer.positions))

    def _learn(self, trainer: Trainer, received: Received) -> None:
        partition, offset, label = received
        if label is None:
            trainer.pass_over(partition, offset + 1)
            return
        try:
            learnt = trainer.learn(_readable(label), partition, offset + 1)
        except LabelError as error:
            # our own topic: a record that is no label of ours is somebody's mistake, told and passed over
            topic = LABELS.topic(self._settings)
            log.error("label refused", topic=topic, partition=partition, offset=offset, why=str(error))
            trainer.pass_over(partition, offset + 1)
            self._metrics.refused()
            return
        if learnt is not None:
            self._metrics.learnt(learnt)
            self._metrics.show(trainer)
            self._tell(learnt)

    def _tell(self, learnt: Learnt) -> None:
        for drift in learnt.drifts:
            what = "the loss" if drift.kind == "loss" else f"input {drift.name}"
            log.info("drift", of=what, direction=drift.direction, at_label=drift.at_label)
        if learnt.verdict is not None:
            log.info("duel ended", at=time_text(learnt.verdict.at_s), why=learnt.verdict.why)
        if learnt.publication is not None:
            self._publish(learnt.publication)

    def _publish(self, publication: Publication) -> None:
        for key, value in records(publication):  # nothing is awaited in between, so all go out in one flush
            self._outbox.put(MODEL.topic(self._settings), 0, key, value)
        snapshot = publication.snapshot
        log.info("model published", model=snapshot.name, in_effect_from=time_text(snapshot.effective_at_s))


async def read_models(settings: Settings, book: ModelBook) -> None:
    """Enter every published model of this target into the book."""
    async with ModelTopic(settings) as topic:
        await topic.read_to_end(lambda key, value: _enter(book, key, value))
    newest = book.newest
    log.info("models read", model=newest.version, in_effect_from=time_text(newest.effective_at_s))


async def follow_models(
    settings: Settings,
    book: ModelBook,
    refuse: Callable[[str], None],
    partitions: Callable[[], Sequence[PartitionRows]] = list,
) -> None:
    """Enter models as they are published, until cancelled or until a newer release publishes one.

    Those that no partition has needed for `KEPT_S` are forgotten, so that a worker's memory does not grow with the
    history of its models.
    """

    def follow(key: bytes, value: bytes) -> None:
        if (scorer := _enter(book, key, value)) is not None:
            log.info("model ready", model=scorer.version, in_effect_from=time_text(scorer.effective_at_s))
            if times_s := [partition.stream_time_s for partition in partitions() if partition.stream_time_s]:
                book.forget_before(min(times_s) - KEPT_S)

    try:
        async with ModelTopic(settings) as topic:
            await topic.follow(follow)
    except NewerVersionError as error:
        refuse(str(error))


def _enter(book: ModelBook, key: bytes, value: bytes) -> Scorer | None:
    return None if key == TRAINER else book.enter(key, value)


def _readable(label: Label | Exception) -> Label:
    if isinstance(label, Exception):
        raise LabelError(str(label)) from None
    return label
