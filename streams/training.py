"""The second line: resolved labels -> trainer -> model topic.

One trainer learns all labels: it runs in the worker that owns partition 0, and reads every partition of the labels
topic, not just its own. It keeps no offsets of its own; a published model says how far it had learnt, and the next
trainer takes model and offsets from the same record, so no label is learnt twice into one model and none is left out.
A model of another target is not gone on with: training begins anew, and labels of another horizon are refused. (A label
does not name its main channel; whoever changes that alone should begin with a new group and topics, as for state.)
"""

import asyncio
import contextlib
import logging
from typing import Any

import msgspec
from aiokafka import TopicPartition

from models import snapshot as snapshots
from models.churn_model import ChurnModel
from models.labels import Label
from models.trainer import Trainer
from streams.engine.outbox import Outbox
from streams.metrics import Metrics
from streams.model_book import ModelBook
from streams.model_topic import ModelTopic, Published, lone_reader
from streams.settings import Settings
from streams.topics import LABELS, MODEL

log = logging.getLogger(__name__)

LABELS_PER_TURN = 100
"""Labels learnt before events get the loop again: about 6 ms."""


class TrainingLine:
    """Trains while this worker owns partition 0.

    Parameters
    ----------
    settings
        Brokers, topics, target, labels per snapshot.
    outbox
        Where published models go.
    metrics
        Told what is learnt.
    """

    def __init__(self, settings: Settings, outbox: Outbox, metrics: Metrics) -> None:
        self._settings = settings
        self._outbox = outbox
        self._metrics = metrics
        self._decoder = msgspec.json.Decoder(Label)
        self._running: asyncio.Task[None] | None = None

    def follow_assignment(self, owned: set[int]) -> None:
        """Start or stop as partition 0 comes and goes."""
        if 0 in owned and self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())
        elif 0 not in owned and self._running is not None:
            self._running.cancel()
            self._running = None

    async def _run(self) -> None:
        """Train until cancelled; a fault of the brokers is logged and met with another try."""
        while True:
            try:
                await self._train(await self._newest())
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("the trainer failed and starts again from the last published model")
                await asyncio.sleep(5.0)

    async def _newest(self) -> Published | None:
        """The model of this target published last, None when there is none yet."""
        newest: list[Published] = []

        def note(key: bytes, published: Published) -> None:
            # any key: ``latest`` may predict something else, after the target was changed and changed back
            if snapshots.from_dict(published.snapshot).target == self._settings.target:
                newest[:] = [published]

        async with ModelTopic(self._settings) as topic:
            await topic.read_to_end(note)
        return newest[0] if newest else None

    async def _train(self, start: Published | None) -> None:
        if start is None:
            trainer = Trainer(ChurnModel.for_target(self._settings.target), self._settings.snapshot_every)
        else:
            model, effective_at_s = ChurnModel.restore(start.snapshot), int(start.snapshot["effective_at_s"])
            trainer = Trainer(model, self._settings.snapshot_every, effective_at_s)
        offsets = dict(start.label_offsets) if start else {}
        async with _labels_from(self._settings, offsets) as consumer:
            while True:
                batches = await consumer.getmany(timeout_ms=1000, max_records=LABELS_PER_TURN)
                for tp, records in batches.items():
                    for record in records:
                        self._learn(trainer, record, offsets)
                    log.debug("labels learnt up to %s-%d@%d", tp.topic, tp.partition, offsets[tp.partition])

    def _learn(self, trainer: Trainer, record: Any, offsets: dict[int, int]) -> None:
        offsets[record.partition] = record.offset + 1
        try:
            snapshot = trainer.learn(self._decoder.decode(record.value or b""))
        except (msgspec.DecodeError, ValueError) as error:
            # our own topic: a record that is no label of ours is somebody's mistake, told and passed over
            log.error("label at %s-%d@%d refused: %s", record.topic, record.partition, record.offset, error)
            self._metrics.learnt("refused", trainer.log_loss)
            return
        self._metrics.learnt("learnt", trainer.log_loss)
        if snapshot is not None:
            self._publish(Published(snapshot, dict(offsets)))

    def _publish(self, published: Published) -> None:
        for key, value in published.records():
            self._outbox.put(MODEL.topic(self._settings), 0, key, value)


@contextlib.asynccontextmanager
async def _labels_from(settings: Settings, offsets: dict[int, int]) -> Any:
    """Consumer of all label partitions that starts where the model stopped."""
    consumer = lone_reader(settings)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(LABELS.topic(settings), n) for n in range(settings.partitions)])
        for number, offset in offsets.items():
            consumer.seek(TopicPartition(LABELS.topic(settings), number), offset)
        yield consumer
    finally:
        await consumer.stop()


async def read_models(settings: Settings, book: ModelBook) -> None:
    """Enter every published model of this target into the book."""
    async with ModelTopic(settings) as topic:
        await topic.read_to_end(lambda key, published: book.enter(key, published.snapshot))


async def follow_models(settings: Settings, book: ModelBook) -> None:
    """Enter models as they are published, until cancelled."""
    async with ModelTopic(settings) as topic:
        await topic.follow(lambda key, published: book.enter(key, published.snapshot))
