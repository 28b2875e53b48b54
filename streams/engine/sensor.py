"""What the engine reports of itself; `streams.metrics.engine.EngineMetrics` is who listens.

Told once per batch or commit, never per event.
"""

from typing import Literal, Protocol

Stage = Literal["fetch", "decode", "merge_wait", "process", "emit"]
"""Fetch and merge wait are those of the oldest record of a batch."""

CommitStage = Literal["output", "state", "offsets"]


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

    def took(self, stage: Stage, seconds: float) -> None:
        """A batch spent so long in a stage."""

    def processed(self, n: int) -> None:
        """A batch of so many records was worked off."""

    def committed(self, stage: CommitStage, seconds: float) -> None:
        """A stage of a commit took so long."""

    def commit_done(self) -> None:
        """Everything applied is committed, or there was nothing to commit."""

    def commit_failed(self) -> None:
        """The brokers did not take the offsets."""
