"""Recovery that stops the flow before it resumes it.

Faust resumes source partitions before it seeks them, with the flow still on from reading the changelog; a fetch in
between is then cleared from the queues and skipped (upstream issue 596). Stopping first closes that window. The engine
is told in the same place that state is complete, so no timer and no event meets half-restored rows.

A rebalance in the middle of a recovery ends the wait for the changelog, as there is nothing to wait for once partitions
are revoked, and Faust then goes on as if all of it had been read. An owner made of such rows would be newer than the
rest of its own changelog, and pass it over as stale. So a recovery that was overtaken ends without a word; the next one
reads on.

Faust remembers how far it has read a changelog for as long as the partition stays, and reads on from there also where
the rows were dropped meanwhile. How far they reach is asked at each assignment instead.
"""

from collections import Counter
from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP


class SafeRecovery(Recovery):
    """Faust's recovery with the flow stopped around the seek."""

    def _add(self, table: Any, tp: TP, offsets: Counter[TP]) -> None:
        offsets.pop(tp, None)
        super()._add(table, tp, offsets)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """State is complete, unless a rebalance came before that: seek, then let events flow."""
        if self._is_overtaken(generation_id):
            return
        self.app.consumer.stop_flow()
        self.app.engine.recovered()
        await super().on_recovery_completed(generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        if self._is_overtaken(generation_id):
            return
        self.app.consumer.stop_flow()
        self.app.engine.recovered()
        await super()._resume_streams(generation_id)

    def _is_overtaken(self, generation_id: int) -> bool:
        """Whether partitions have been revoked since it began, or another recovery is about to start."""
        now_id: int = self.app.consumer_generation_id
        return self.signal_recovery_start.is_set() or generation_id != now_id or not self.app.engine.awaits_state


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
