"""The compacted topic of models: what a record holds, reading it to its end, following it.

Each version stands under its own key, so that a replay can score with the recorded versions; the newest stands under
``latest`` as well, for those who want only that. Beside the snapshot a record says how far each partition of the labels
had been learnt, so whoever trains next goes on exactly there.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from models.scorer import Scorer
from models.snapshot import SnapshotError
from streams.settings import Settings
from streams.topics import MODEL

log = logging.getLogger(__name__)

LATEST = b"latest"


@dataclass(frozen=True)
class Published:
    """One published model.

    Parameters
    ----------
    snapshot
        As `models.churn_model.ChurnModel.snapshot` gives it.
    label_offsets
        Next label to learn, by partition of the labels topic.
    """

    snapshot: dict[str, Any]
    label_offsets: dict[int, int]

    def records(self) -> list[tuple[bytes, bytes]]:
        """Key and value of the records that publish it: the version's own, then ``latest``."""
        offsets = {str(number): offset for number, offset in self.label_offsets.items()}
        value = orjson.dumps({"snapshot": self.snapshot, "label_offsets": offsets})
        return [(Scorer.from_snapshot(self.snapshot).version.encode(), value), (LATEST, value)]

    @classmethod
    def of(cls, value: bytes) -> "Published":
        """Read a record's value.

        Raises
        ------
        SnapshotError
            It is not one of ours; the snapshot itself is checked by who uses it.
        """
        try:
            body = orjson.loads(value)
            offsets = {int(number): int(offset) for number, offset in body["label_offsets"].items()}
            snapshot = body["snapshot"]
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise SnapshotError(f"not a published model: {type(error).__name__}") from None
        if not isinstance(snapshot, dict):
            raise SnapshotError("not a published model: its snapshot is not an object")
        return cls(snapshot, offsets)


def lone_reader(settings: Settings) -> AIOKafkaConsumer:
    """Return a consumer outside all groups that commits nothing and begins at the beginning; not started."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )


class ModelTopic:
    """Reads the topic from its beginning.

    Parameters
    ----------
    settings
        Brokers and topic name.
    """

    def __init__(self, settings: Settings) -> None:
        self._tp = TopicPartition(MODEL.topic(settings), 0)
        self._consumer = lone_reader(settings)

    async def __aenter__(self) -> "ModelTopic":
        await self._consumer.start()
        self._consumer.assign([self._tp])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def read_to_end(self, on_model: Callable[[bytes, Published], None]) -> None:
        """Hand over everything published so far, in order."""
        end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        while await self._consumer.position(self._tp) < end:
            for record in (await self._consumer.getmany(timeout_ms=500)).get(self._tp, []):
                _hand_over(record, on_model)

    async def follow(self, on_model: Callable[[bytes, Published], None]) -> None:
        """Hand over what is published from now on, until cancelled."""
        async for record in self._consumer:
            _hand_over(record, on_model)


def _hand_over(record: Any, on_model: Callable[[bytes, Published], None]) -> None:
    if record.value is None:
        return
    try:
        on_model(record.key or b"", Published.of(record.value))
    except SnapshotError as error:  # one bad record must not keep a worker from its older models
        log.error("model at %s-%d@%d refused: %s", record.topic, record.partition, record.offset, error)
