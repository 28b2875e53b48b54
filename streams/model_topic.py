"""The compacted topic of models: what its records hold, reading it to its end, following it.

=================  =====================================================================================
``trainer``        the trainer's state and how far each partition of the labels had been learnt
*version*          the snapshot of that version, so that a replay can score with the recorded versions
``latest``         the newest snapshot once more, for those who want only that
=================  =====================================================================================

They are written in this order in one flush. A worker that dies in between leaves at most a state without its version:
whoever trains next goes on from that state, so no label is learnt twice; only that one version is missing, and the next
one holds what it had learnt. The other way about, a version could be out whose labels are learnt once more.

Scorers pass over ``trainer``; trainers read nothing else.
"""

from collections.abc import Callable
from typing import Any

from aiokafka import TopicPartition

from models import learning_state
from models import snapshot as snapshots
from models.newer import NewerVersionError
from models.snapshot import SnapshotError
from models.trainer import Publication
from streams.logs import get_logger
from streams.lone_reader import batches_to_end, lone_reader
from streams.settings import Settings
from streams.topics import MODEL

log = get_logger(__name__)

TRAINER = b"trainer"
LATEST = b"latest"

Hand = Callable[[bytes, bytes], object]
"""Takes key and value of a record; raises `SnapshotError` to pass it over, `NewerVersionError` to read no further."""


def records(publication: Publication) -> list[tuple[bytes, bytes]]:
    """Return key and value of the records that publish a model, in the order in which they have to be written.

    Raises
    ------
    SnapshotError
        The state has outgrown what anybody would read.
    """
    value = snapshots.encode(publication.snapshot)
    state = learning_state.encode(publication.state)
    return [(TRAINER, state), (publication.snapshot.name.encode(), value), (LATEST, value)]


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

    async def read_to_end(self, on_record: Hand) -> None:
        """Hand over everything published so far, in order."""
        async for records in batches_to_end(self._consumer, self._tp):
            for record in records:
                _hand_over(record, on_record)

    async def follow(self, on_record: Hand) -> None:
        """Hand over what is published from now on, until cancelled."""
        async for record in self._consumer:
            _hand_over(record, on_record)


def _hand_over(record: Any, on_record: Hand) -> None:
    if record.value is None:
        return
    try:
        on_record(record.key or b"", record.value)
    except NewerVersionError as error:
        raise NewerVersionError(f"{_place(record)}: {error}") from None
    except SnapshotError as error:  # one bad record must not keep a worker from its older models
        log.error("model refused", topic=record.topic, partition=record.partition, offset=record.offset, why=str(error))


def _place(record: Any) -> str:
    return f"model at {record.topic} partition {record.partition} offset {record.offset}"
