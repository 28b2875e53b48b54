"""Recovery that stops the flow before it resumes it.

Faust resumes source partitions before it seeks them, with the flow still on from reading the changelog; a fetch in
between is then cleared from the queues and skipped (upstream issue 596). Stopping first closes that window. The engine
is told in the same place that state is complete, so no timer and no event meets half-restored rows.
"""

from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery


class SafeRecovery(Recovery):
    """Faust's recovery with the flow stopped around the seek."""

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """State is complete: seek, then let events flow."""
        self.app.consumer.stop_flow()
        self.app.engine.recovered()
        await super().on_recovery_completed(generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        self.app.consumer.stop_flow()
        self.app.engine.recovered()
        await super()._resume_streams(generation_id)


class SafeTableManager(TableManager):
    """Faust's table manager with our recovery, whose property is the only place it is made."""

    _recovery: Any

    @property
    def recovery(self) -> Any:
        """The recovery service, made on first use."""
        if self._recovery is None:
            self._recovery = SafeRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    def remaining(self) -> int:
        """Records of the changelogs that are still to be restored; may be asked from another thread."""
        offsets, ends = dict(self.recovery.active_offsets), dict(self.recovery.active_highwaters)
        return sum(max(0, end - offsets.get(tp, -1)) for tp, end in ends.items())
