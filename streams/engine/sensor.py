"""What the engine reports of itself; `streams.metrics.engine.EngineMetrics` is who listens.

Told once per batch or commit, never per event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

CommitStage = Literal["output", "state", "offsets"]


@dataclass(frozen=True, slots=True)
class Batch:
    """What a partition task worked off in one go, and when; moments are those of `time.perf_counter`, in their order.

    Parameters
    ----------
    partition
        Which one.
    offsets
        Of its records, by input number; no input without a record.
    arrived_s, decoded_s
        When the record that waited longest was handed to the task, and when it could be taken from there.
    began_s, ended_s
        When the batch was processed.
    """

    partition: int
    offsets: Mapping[int, Sequence[int]]
    arrived_s: float
    decoded_s: float
    began_s: float
    ended_s: float

    def __len__(self) -> int:
        """Records in it, of all inputs."""
        return sum(map(len, self.offsets.values()))


class AssignmentSensor(Protocol):
    """Hears of partitions that come and go."""

    def halted(self) -> None:
        """Nothing is worked on any more."""

    def recovery_began(self) -> None:
        """Partitions were assigned; their state is being restored."""

    def recovered(self) -> None:
        """State of all assigned partitions is complete."""

    def running(self) -> None:
        """Partitions are being worked on."""


class Sensor(Protocol):
    """Hears of batches and commits; all of it returns at once."""

    @property
    def assignment(self) -> AssignmentSensor:
        """Who hears of partitions that come and go."""

    def fetched(self, topic: str, n: int, oldest_ms: int) -> None:
        """A batch of so many records reached its task; the first of them was appended at that epoch millisecond."""

    def handed_back(self, topic: str, n: int) -> None:
        """So many of them were not applied before the partition was lost."""

    def decoded(self, seconds: float) -> None:
        """What one fetch brought of an input took so long to decode."""

    def worked_off(self, batch: Batch) -> None:
        """A batch was processed."""

    def committed(self, stage: CommitStage, seconds: float) -> None:
        """A stage of a commit has just ended and took so long."""

    def commit_done(self) -> None:
        """Everything applied is committed, or there was nothing to commit."""

    def commit_failed(self) -> None:
        """The brokers did not take the offsets."""
