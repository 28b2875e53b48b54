"""The first line: ingest -> decode/validate -> per-customer state -> features -> score -> alert policy -> emit.

No Faust in sight: records in, rows changed, records out through `emit`. The partition task calls `decode` when a batch
arrives, `process` with records in event-time order, and `advance` when only time passes.

A batch is worked off in rounds, so that array functions see each customer once: round r holds everybody's r-th event of the
batch. Before an event, the looks that fall due up to it are taken, so a customer's history is the same however it was cut
into batches.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from models.apply import Columns, Outcome, apply_round
from models.events import Event
from models.watch import Watch
from streams.codec import decode
from streams.emit import Emitter
from streams.engine.partition import PartitionRows
from streams.metrics import Metrics
from streams.model_book import ModelBook
from streams.reasons import Reason, Reject
from streams.topics import InputTopic

Slots = NDArray[np.intp]
Seconds = NDArray[np.int64]

SEEN_BEFORE = Reject(Reason.LATE, "applied before a restart")
"""A late record that state already holds: it was in time when it was applied, so it is no dead letter now."""


@dataclass(slots=True)
class Decoded:
    """A record after decoding: what it says, or why not; the raw record stays for a dead letter."""

    offset: int
    key: bytes
    content: Event | Reject
    raw: Any


@dataclass(frozen=True)
class Batch:
    """Admitted events as columns, in event-time order, with the row of each customer."""

    slots: Slots
    columns: Columns
    appended_at_s: NDArray[np.float64]

    def rounds(self) -> Iterator[Slots]:
        """Indices of everybody's first event, then everybody's second, and so on."""
        by_slot = np.argsort(self.slots, kind="stable")
        ordered = self.slots[by_slot]
        first = np.r_[True, ordered[1:] != ordered[:-1]]
        begin = np.maximum.accumulate(np.where(first, np.arange(len(ordered)), 0))
        rank = np.empty(len(ordered), np.intp)
        rank[by_slot] = np.arange(len(ordered)) - begin
        by_rank = np.argsort(rank, kind="stable")
        yield from np.split(by_rank, np.flatnonzero(np.diff(rank[by_rank])) + 1)


class Pipeline:
    """The first line of one worker.

    Parameters
    ----------
    sources
        Input topics in source order.
    book
        Which model is in effect at a stream time.
    watch
        Makes the rules around a scorer.
    emitter
        Where alerts, labels and dead letters go.
    metrics
        Told what happens.
    lateness_s
        An event older than stream time by more than this is a dead letter, seconds.
    partition_of
        Partition a key belongs to; a customer is admitted only on the right one.
    """

    def __init__(
        self,
        sources: Sequence[InputTopic],
        book: ModelBook,
        watch: Callable[[Any], Watch],
        emitter: Emitter,
        metrics: Metrics,
        *,
        lateness_s: int,
        partition_of: Callable[[bytes], int],
    ) -> None:
        self.sources = sources
        self.book = book
        self.emitter = emitter
        self.metrics = metrics
        self._watch_of = watch
        self._watches: dict[int, Watch] = {}
        self._replanning: dict[int, Slots] = {}
        self._lateness_s = lateness_s
        self._partition_of = partition_of

    # -- decode/validate

    def decode(self, number: int, records: Sequence[Any]) -> list[tuple[int, Decoded]]:
        """(event time in ms, decoded) for each record of one input; a reject has no time and is 0."""
        source, now_ms = self.sources[number], int(time.time() * 1000)
        out = []
        for record in records:
            content = decode(source, record.key, record.value, now_ms=now_ms)
            if isinstance(content, Event):
                item = Decoded(record.offset, record.key, content, record)
                out.append((content.occurred_at_ms, item))
            else:
                out.append((0, Decoded(record.offset, record.key, content, record)))
        return out

    # -- state, features, score, alert policy, emit

    def process(self, partition: PartitionRows, chunk: Sequence[tuple[int, Decoded]]) -> None:
        """Apply records that are in event-time order; moves the stream time to the latest of them."""
        with self.metrics.processing():
            watch = self._watch(partition)
            batch = self._admit(partition, chunk)
            for index in batch.rounds() if len(batch.slots) else ():
                slots = batch.slots[index]
                self._look_until(
                    watch, partition, slots, batch.columns.at_s[index].astype(np.int64), reuse=True
                )
                self._apply(watch, partition, batch, index)

    def advance(self, partition: PartitionRows, to_s: int, limit: int) -> bool:
        """Move stream time on and look at what fell due before it; False while there is more than `limit`."""
        partition.stream_time_s = now_s = max(partition.stream_time_s, to_s)
        slots = partition.due.pop_before(now_s, partition.rows["due_at"], limit)
        self._look_until(self._watch(partition), partition, slots, np.full(len(slots), now_s - 1))
        if len(slots) >= limit:
            return False
        return self._follow_model(partition, limit)

    def next_switch_s(self, partition: PartitionRows) -> int | None:
        """Stream time at which the next model takes effect on this partition, None when none waits."""
        following = self.book.following(self._watch(partition).scorer)
        return None if following is None else following.effective_at_s

    def forget_partitions(self) -> None:
        """Drop what is remembered per partition, after an assignment changed."""
        self._watches.clear()
        self._replanning.clear()

    # -- inside

    def _watch(self, partition: PartitionRows) -> Watch:
        watch = self._watches.get(partition.number)
        if watch is None:
            scorer = self.book.in_effect(partition.stream_time_s)
            watch = self._watches[partition.number] = self._watch_of(scorer)
        return watch

    def _admit(self, partition: PartitionRows, chunk: Sequence[tuple[int, Decoded]]) -> Batch:
        """Sort out rejects, strangers and latecomers; the rest as columns."""
        admitted: list[tuple[int, Decoded]] = []
        latest_s = partition.stream_time_s
        for number, decoded in chunk:
            content = decoded.content
            reject = (
                content if isinstance(content, Reject) else self._refuse(partition, decoded, latest_s, number)
            )
            if reject is None:
                latest_s = max(latest_s, content.at_s)
                admitted.append((number, decoded))
            elif reject is not SEEN_BEFORE:
                self.emitter.dead_letter(partition, decoded.raw, reject)
                self.metrics.rejected(self.sources[number].event_type, reject)
        partition.stream_time_s = latest_s
        appended_at_s = np.fromiter((d.raw.timestamp / 1000 for _, d in admitted), np.float64, len(admitted))
        return Batch(partition.slots_of([d.key for _, d in admitted]), _columns(admitted), appended_at_s)

    def _refuse(
        self, partition: PartitionRows, decoded: Decoded, latest_s: int, number: int
    ) -> Reject | None:
        slot = partition.slot(decoded.key)
        if slot is None and self._partition_of(decoded.key) != partition.number:
            return Reject(Reason.WRONG_PARTITION, f"read from partition {partition.number}")
        late = decoded.content.at_s < latest_s - self._lateness_s
        if late and slot is not None and decoded.offset <= partition.rows["applied"][slot, number]:
            return SEEN_BEFORE
        if late:
            return Reject(Reason.LATE, f"older than stream time by more than {self._lateness_s} s")
        return None

    def _apply(self, watch: Watch, partition: PartitionRows, batch: Batch, index: Slots) -> None:
        slots, events = batch.slots[index], batch.columns.at(index)
        rows = partition.rows[slots]
        outcomes = apply_round(rows, events, watch.target)
        engaged = np.flatnonzero(outcomes == Outcome.APPLIED)
        sub = rows[engaged]
        decisions = watch.on_events(sub, events.at_s[engaged].astype(np.int64), events.channel[engaged])
        rows[engaged] = sub
        partition.rows[slots] = rows
        partition.due.schedule(slots[engaged], sub["due_at"].astype(np.int64))
        partition.mark_dirty(slots[outcomes != Outcome.REPLAYED])
        self.metrics.applied(events.source, outcomes)
        appended_at_s = batch.appended_at_s[index][engaged]
        self.emitter.alerts(partition, watch, slots[engaged], sub, decisions, appended_at_s)

    def _look_until(
        self, watch: Watch, partition: PartitionRows, slots: Slots, until_s: Seconds, *, reuse: bool = False
    ) -> None:
        """Take every look of these customers that is due at or before their second.

        With `reuse`, who is forgotten keeps the row, as good as new: their next event is at hand.
        """
        while True:
            due_at = partition.rows["due_at"][slots].astype(np.int64)
            is_due = (due_at > 0) & (due_at <= until_s)
            if not is_due.any():
                partition.due.schedule(slots, due_at)
                return
            forgotten = self._look(watch, partition, slots[is_due], due_at[is_due])
            for slot in forgotten.tolist():
                (partition.reset if reuse else partition.delete)(slot)

    def _look(self, watch: Watch, partition: PartitionRows, slots: Slots, at_s: Seconds) -> Slots:
        """Look at customers as of their seconds; gives those to forget."""
        rows = partition.rows[slots]
        found = watch.look(rows, at_s)
        partition.rows[slots] = rows
        partition.mark_dirty(slots)
        self.metrics.looked(len(slots))
        self.emitter.alerts(partition, watch, slots, rows, found.decisions)
        if found.resolved is not None:
            self.emitter.labels(partition, slots[found.resolved_index], found.resolved)
        return slots[found.forgotten]

    def _follow_model(self, partition: PartitionRows, limit: int) -> bool:
        """Switch to a model whose time has come, and plan the next looks anew, `limit` customers a turn."""
        following = self.book.following(self._watch(partition).scorer)
        if following is not None and following.effective_at_s <= partition.stream_time_s:
            self._watches[partition.number] = self._watch_of(following)
            self._replanning[partition.number] = partition.used_slots()
        waiting = self._replanning.pop(partition.number, None)
        if waiting is None or not len(waiting):
            return True
        self._replan(partition, waiting[:limit])
        self._replanning[partition.number] = waiting[limit:]
        return False

    def _replan(self, partition: PartitionRows, slots: Slots) -> None:
        slots = slots[partition.rows["due_at"][slots] > partition.stream_time_s]
        rows = partition.rows[slots]
        self._watch(partition).plan(rows, np.full(len(slots), partition.stream_time_s))
        partition.rows[slots] = rows
        partition.mark_dirty(slots)
        partition.due.schedule(slots, rows["due_at"].astype(np.int64))


def _columns(admitted: Sequence[tuple[int, Decoded]]) -> Columns:
    """Columns of admitted events, in their order."""
    events: list[Event] = [decoded.content for _, decoded in admitted]
    n = len(events)
    fingerprint = xxhash.xxh3_64_intdigest
    sources = np.fromiter((number for number, _ in admitted), np.uint8, n)
    return Columns(
        at_s=np.fromiter((event.at_s for event in events), np.uint32, n),
        channel=np.fromiter((event.channel for event in events), np.uint8, n),
        source=sources,
        offset=np.fromiter((decoded.offset for _, decoded in admitted), np.int64, n),
        amount=np.fromiter((event.amount for event in events), np.float32, n),
        # the source is the seed: an order and a login may carry the same id and are still two events
        id_hash=np.fromiter(
            (fingerprint(d.content.event_id, number) for number, d in admitted), np.uint64, n
        ),
        engaged=np.fromiter((event.engaged for event in events), np.bool_, n),
    )
