"""The Faust table of customers: what Faust sees of rows that it neither keeps nor writes.

Faust's own store keys by customer alone, so rows of a lost partition stay and come back as ghosts; here everything
hangs on the partition and goes with it (`streams.engine.changelog.OwnedRows`). Faust would write a changelog record at
every change, and none for a change in place; here what changed is written once, at commit.
"""

from collections.abc import Callable, Iterable
from typing import Any

import faust
from aiokafka.errors import KafkaError
from faust.serializers.schemas import Schema
from faust.stores.base import Store
from faust.types import TP, EventT

from models.newer import NewerVersionError
from streams.engine.changelog import OwnedRows
from streams.logs import get_logger

log = get_logger(__name__)


class RawBatches(Schema):
    """Hands our batches through Faust as they are: decoding is ours, so that no decode error is Faust's to swallow."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        return None

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        return message.value


class RowStore(Store):
    """What Faust sees of the rows: a store that takes changelog batches and drops lost partitions."""

    table: "RowTable"

    @property
    def rows(self) -> OwnedRows:
        """The table's rows."""
        return self.table.rows

    def apply_changelog_batch(
        self, batch: Iterable[EventT], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Apply changelog records; each event is a batch of one changelog partition."""
        partition = -1
        try:
            for event in batch:
                partition = event.message.partition
                self.rows.apply(partition, event.message.value, event.message.offset)
        except NewerVersionError as error:
            self.app.engine.refuse(f"{self.table.changelog_topic_name} partition {partition}: {error}")
            raise
        except Exception:  # Faust would warn, go on, and serve customers whose state is missing
            self.app.engine.fail("a changelog record cannot be read")
            raise

    def persisted_offset(self, tp: TP) -> int | None:
        """A partition kept over a rebalance, or on disk, is read on from there."""
        return self.rows.last_offset.get(tp.partition)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Drop partitions that are no longer ours, whole; those that are new may be on disk."""
        self.app.engine.sensor.assignment.recovery_began()
        numbers = {tp.partition for tp in assigned}
        self.rows.keep_only(numbers)
        await self._take_up(numbers - self.rows.partitions.keys())
        self.app.engine.recovery_began()

    async def _take_up(self, new: set[int]) -> None:
        """Take partitions that are new here from their copies on disk, where those are of the log there is."""
        if self.rows.copies is None or not new:
            return
        tps = {TP(self.table.changelog_topic_name, number) for number in new}
        try:
            begins = await self.app.consumer.earliest_offsets(*tps)
            ends = await self.app.consumer.highwaters(*tps)
        except KafkaError as error:  # the option may cost nothing but time: recovery asks once more
            log.warning("where changelogs begin and end cannot be learnt: copies are not used", why=str(error))
            return
        logs = {tp.partition: (begins[tp], ends[tp]) for tp in tps}
        async for partition, offset in self.rows.copies.take_up(logs):
            self.rows.adopt(partition, offset)

    def reset_state(self) -> None:
        """What is on disk is looked at anew with each assignment."""

    async def backup_partition(self, tp: TP | int, flush: bool = True, purge: bool = False, keep: int = 1) -> None:
        """The changelog is the backup."""

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:
        """The changelog is the backup."""


class RowTable(faust.Table):
    """A table that Faust recovers and assigns, and never writes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.rows = OwnedRows()  # here, not in the store: Faust makes that lazily, in whichever thread asks first
        super().__init__(*args, **kwargs)

    def _new_store(self) -> RowStore:
        return RowStore("memory://", self.app, self, table_name=self.name, loop=self.loop)

    def _new_changelog_topic(self, **kwargs: Any) -> Any:
        # Faust would decode keys and values one by one; batches go through whole, to the store
        topic = super()._new_changelog_topic(**kwargs)
        topic.schema = RawBatches()
        return topic

    def on_key_set(self, key: Any, value: Any) -> None:
        raise TypeError("customers are changed through PartitionRows, which knows what to write")

    def on_key_del(self, key: Any) -> None:
        raise TypeError("customers are deleted through PartitionRows, which knows what to write")
