"""What keeps a broken feed, producer or model from becoming news about customers: outages, and the breaker.

Beside the first line, by partition. The pipeline asks where the next change of a source is (`streams.feeds`), and how
many alerts may still be told (`models.breaker`). Both are part of what a partition remembers, so a new owner goes on
where the last one was. Whoever has to do something about it reads it here, as a metric (`streams.metrics.outages`) and
one line in the log.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.breaker import Breaker
from models.events import Source
from models.findings import Findings
from models.memory import remembered
from models.target import DAY_S
from streams.batch import Batch
from streams.engine.partition import PartitionRows
from streams.engine.texts import Slots
from streams.feeds import FeedNews, Feeds, Occurrence
from streams.logs import get_logger
from streams.times import time_text

log = get_logger(__name__)

FEEDS, BREAKER = "feeds", "breaker"
"""Names under which a partition remembers them."""

ENGAGING = (Source.ORDERS, Source.LOGINS, Source.EMAIL_OPENS, Source.EMAIL_CLICKS)
"""Sources of what a row remembers as engagement."""

Seconds = NDArray[np.int64]


class Outages:
    """Outages and breakers of the partitions of a worker.

    Parameters
    ----------
    keep_s
        How long a finished outage matters: as long as anybody's silence is remembered, seconds.
    multiple
        See `models.breaker.Breaker`.
    """

    def __init__(self, keep_s: int, multiple: float) -> None:
        self._keep_s = keep_s
        self._multiple = multiple
        self._held: dict[int, set[int]] = {}
        self._said_open: set[int] = set()

    def feeds(self, partition: PartitionRows) -> Feeds:
        """Sources of a partition."""

        def make(kept: Any) -> Feeds:
            return Feeds(self._keep_s) if kept is None else Feeds.from_dict(kept, self._keep_s)

        return remembered(partition.memory, FEEDS, Feeds, make)

    def breaker(self, partition: PartitionRows) -> Breaker:
        """Breaker of a partition."""

        def make(kept: Any) -> Breaker:
            return Breaker(self._multiple) if kept is None else Breaker.from_dict(kept, self._multiple)

        known = remembered(partition.memory, BREAKER, Breaker, make)
        known.customers = len(partition)
        return known

    def parts(self, partition: PartitionRows, batch: Batch) -> Iterator[tuple[Batch, FeedNews | None]]:
        """Cut a batch where a source changes: each part, and the change that comes before the next one."""
        feeds, n, begin = self.feeds(partition), len(batch.slots), 0
        events = _occurrence(partition, batch, self._keep_s)
        while begin < n:
            taken, news = feeds.take(events.after(begin))
            yield batch.part(begin, begin + taken), news
            begin += taken

    def pass_to(self, partition: PartitionRows, at_s: int) -> FeedNews | None:
        """Go on without an event; the first change on the way, up to which time may move now."""
        feeds = self.feeds(partition)
        return feeds.pass_to(at_s) if 0 < feeds.at_s < at_s else None

    def changed(self, partition: PartitionRows, news: FeedNews) -> None:
        """Say that a source went out or came back, and close the breaker if that was why it opened."""
        change, source = news.change, news.source.name.lower()
        if change.is_stale:
            log.warning(
                "source is quiet; its silence does not count until it returns",
                partition=partition.number,
                source=source,
                since=time_text(change.since_s),
                events_per_day=round(self.feeds(partition).per_day(news.source)),
            )
            return
        how = "source has been thin for so long that this is normal now" if change.is_new_normal else "source is back"
        log.warning(how, partition=partition.number, source=source, since=time_text(change.since_s))
        if not self.feeds(partition).stale and self.breaker(partition).source_returned(change.at_s):
            self._said_open.discard(partition.number)
            log.warning("breaker closed: all sources are back", partition=partition.number)

    def looked(self, partition: PartitionRows, slots: Slots, found: Findings) -> None:
        """Note whose alert waits after a look, and say so when the breaker has opened."""
        held = self._held.setdefault(partition.number, set())
        held.difference_update(slots.tolist() if held else ())
        if found.held.size:
            held.update(slots[found.held].tolist())
            self._say_open(partition)

    def acted(self, partition: PartitionRows, slots: Slots) -> None:
        """These customers did something, and no alert of theirs waits any more."""
        if held := self._held.get(partition.number):
            held.difference_update(slots.tolist())

    def release(self, partition: PartitionRows, at_s: int) -> bool:
        """Close the breaker because somebody says so; False if it was not open."""
        if not self.breaker(partition).release(at_s):
            return False
        self._said_open.discard(partition.number)
        log.warning("breaker closed: a person released it", partition=partition.number, at=time_text(at_s))
        return True

    def _say_open(self, partition: PartitionRows) -> None:
        """Once for each time it opens, and for each owner that finds it open."""
        breaker, number = self.breaker(partition), partition.number
        if number in self._said_open:
            return
        self._said_open.add(number)
        stale = self.feeds(partition).stale
        breaker.closes_with_source = breaker.closes_with_source or bool(stale)
        log.warning(
            "breaker open: too many alerts on one day; they wait for yocho release"
            + (" or for the sources to return" if breaker.closes_with_source else ""),
            partition=number,
            since=time_text(breaker.opened_at_s),
            limit=breaker.limit(breaker.opened_at_s // DAY_S),
            stale_sources=[source.name.lower() for source in stale],
        )

    def held(self, number: int) -> int:
        """How many customers of a partition wait with an alert; after a restart as they are looked at again."""
        return len(self._held.get(number, ()))

    def forget_partitions(self) -> None:
        """Drop what is remembered beside the partitions, after an assignment changed."""
        self._held.clear()
        self._said_open.clear()


def _occurrence(partition: PartitionRows, batch: Batch, keep_s: int) -> Occurrence:
    """Events as sources see them: a newcomer's first does not count, nor what was applied before a restart."""
    columns = batch.columns
    turn_s = np.maximum.accumulate(np.maximum(batch.turn_s, columns.at_s))
    source = columns.source
    last_at = np.maximum.reduce(partition.rows["last_at"][batch.slots].T).astype(np.int64)
    known = (last_at > 0) & (turn_s - last_at < keep_s)
    new = np.flatnonzero(~known)
    if new.size:
        engaging = columns.engaged[new] & np.isin(source[new], ENGAGING)
        met: set[int] = set()
        for i, slot, engages in zip(new.tolist(), batch.slots[new].tolist(), engaging.tolist(), strict=True):
            known[i] = slot in met
            if engages:
                met.add(slot)
    applied = partition.rows["applied"][batch.slots, source]
    return Occurrence(turn_s, source, known & (columns.offset > applied))
