"""Admission to the first line: records decoded, strangers and latecomers set aside, the rest as columns.

A record that cannot be an event becomes one dead letter and has no other effect: it moves no stream time and founds no
customer. What is older than its customer's erasure has no effect at all (`streams.erasure`). Nothing here raises on
what a record holds.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from models.apply import Columns, Outcome
from models.commands import Command
from models.events import N_SOURCES, Event, Source
from streams.arrivals import Arrival, Decoded, Refused, Said
from streams.batch import Batch
from streams.codec import decode
from streams.commands import Tombstone
from streams.emit import Emitter
from streams.engine.ids import UNKNOWN
from streams.engine.partition import PartitionRows
from streams.engine.places import Places
from streams.engine.texts import Slots
from streams.erasure import Erasures
from streams.forgotten import had_its_turn
from streams.metrics.line import ERASED, OUTCOMES, TOMBSTONE, Metrics
from streams.origins import Origins
from streams.reasons import Reason, Reject
from streams.topics import InputTopic


class Admission:
    """Turns records into batches of events.

    Parameters
    ----------
    sources
        Input topics that are read, in source order; an input's number is its place here.
    emitter
        Where dead letters go.
    metrics
        Told what is set aside.
    erasures
        Know who was erased.
    lateness_s
        An event older than stream time by more than this is late, seconds.
    in_order
        Whether an input's records are applied in the order of their offsets.
    longest_snooze_s
        A command to snooze for longer is set aside, seconds.
    partition_of
        Partition a key belongs to; a customer is admitted only on the right one.
    """

    def __init__(
        self,
        sources: Sequence[InputTopic],
        emitter: Emitter,
        metrics: Metrics,
        erasures: Erasures,
        *,
        lateness_s: int,
        in_order: bool,
        longest_snooze_s: int,
        partition_of: Callable[[bytes], int],
    ) -> None:
        self._sources = sources
        self._emitter = emitter
        self._metrics = metrics
        self.erasures = erasures
        self._lateness_s = lateness_s
        self._places = None if in_order else Places()
        self._longest_snooze_s = longest_snooze_s
        self._partition_of = partition_of

    def decode(self, number: int, records: Sequence[Any]) -> list[tuple[int, Decoded]]:
        """(event time in ms, decoded) for each record of one input; a reject has no time and is 0."""
        source, now_ms = self._sources[number], int(time.time() * 1000)
        out: list[tuple[int, Decoded]] = []
        for record in records:
            content = decode(source, record.key, record.value, now_ms=now_ms)
            if isinstance(content, Command) and content.until_s > content.at_s + self._longest_snooze_s:
                content = Reject(Reason.INVALID_UNTIL, f"a snooze may last {self._longest_snooze_s} s")
            if isinstance(content, Event):
                at, key = record.offset, record.key
                arrival = Arrival(number, source.source, at, key, content, record, place=at)
                out.append((content.occurred_at_ms, arrival))
                if self._places is not None:
                    self._places.delivered((number, record.partition, key), at)
            elif isinstance(content, Reject):
                out.append((0, Refused(number, record.offset, record, content)))
            else:
                at_ms = 0 if isinstance(content, Tombstone) else content.issued_at_ms
                if isinstance(content, Tombstone):
                    self._metrics.passed_over(source.event_type, TOMBSTONE)
                out.append((at_ms, Said(number, record.offset, record, content)))
        return out

    def admit(self, partition: PartitionRows, chunk: Sequence[Decoded]) -> Batch:
        """Sort out rejects, strangers and latecomers; moves the stream time to the latest event admitted."""
        events = [decoded for decoded in chunk if isinstance(decoded, Arrival)]
        if self._places is not None:
            for event in events:
                event.place = self._places.taken((event.number, partition.number, event.key))
        for refused in (decoded for decoded in chunk if isinstance(decoded, Refused)):
            # it has no event time: when it was appended decides
            if self._is_erased(partition, refused.number, refused.raw.key, refused.raw.timestamp // 1000):
                continue
            self._set_aside(partition, refused.number, refused.raw, refused.reject)
        events = self._without_erased(partition, events)
        slots = partition.find([event.key for event in events])
        kept = self._without_strangers(partition, events, slots)
        events, slots = [events[i] for i in kept.tolist()], slots[kept]
        turn_s, kept = self._without_late(partition, events, slots)
        events = [events[i] for i in kept.tolist()]
        known = _all_known(partition, events, slots[kept])
        columns = _columns(events)
        said = {i: events[i] for i in np.flatnonzero(columns.source == Source.COMMANDS).tolist()}
        origins = Origins.of(columns.source, [event.raw for event in events])
        return Batch(known, columns, turn_s[kept], origins, said)

    def forget_places(self) -> None:
        """Reading begins anew: what was delivered and not applied comes again."""
        if self._places is not None:
            self._places.clear()

    def to_erase(self, partition: PartitionRows, said: Sequence[Said], at_s: int) -> list[bytes]:
        """Return whom erasures of one second concern, each once; one on a wrong partition is set aside."""
        keys: dict[bytes, None] = {}
        for one in said:
            key = one.raw.key
            if self._partition_of(key) != partition.number:
                self._set_aside(partition, one.number, one.raw, _wrong_partition(partition))
                continue
            is_done = key in keys or self.erasures.cover(partition, key, at_s)
            self._metrics.commanded(in_vain=is_done)
            if not is_done:
                keys[key] = None
        return list(keys)

    def _without_erased(self, partition: PartitionRows, events: list[Arrival]) -> list[Arrival]:
        """Pass over what is older than its customer's erasure; an id costs a hash, so only where there may be one."""
        latest_s = self.erasures.latest_s(partition)
        if not latest_s:
            return events
        from_ms = (latest_s + 1) * 1000
        return [
            event
            for event in events
            if event.event.occurred_at_ms >= from_ms
            or not self._is_erased(partition, event.number, event.key, event.event.at_s)
        ]

    def _is_erased(self, partition: PartitionRows, number: int, key: bytes | None, at_s: int) -> bool:
        """Whether a record is passed over, as its customer was erased since; counted then."""
        is_erased = self.erasures.cover(partition, key, at_s)
        if is_erased:
            self._metrics.passed_over(self._sources[number].event_type, ERASED)
        return is_erased

    def _without_strangers(self, partition: PartitionRows, events: list[Arrival], slots: Slots) -> Slots:
        """Set aside customers who do not belong here; who is known was checked when they came."""
        belongs = np.ones(len(events), bool)
        reject = _wrong_partition(partition)
        for i in np.flatnonzero(slots == UNKNOWN).tolist():
            event = events[i]
            if self._partition_of(event.key) != partition.number:
                belongs[i] = False
                self._set_aside(partition, event.number, event.raw, reject)
        return np.flatnonzero(belongs)

    def _without_late(
        self, partition: PartitionRows, events: list[Arrival], slots: Slots
    ) -> tuple[NDArray[np.int64], Slots]:
        """Set aside what was too old when its turn came; gives the stream time of each turn, and who is in time."""
        at_s = np.fromiter((e.event.at_s for e in events), np.int64, len(events))
        stream_time_s = np.maximum.accumulate(np.r_[partition.stream_time_s, at_s])
        partition.stream_time_s = int(stream_time_s[-1])
        turn_s = stream_time_s[:-1]
        is_late = at_s < turn_s - self._lateness_s
        reject = Reject(Reason.LATE, f"older than stream time by more than {self._lateness_s} s")
        for i in np.flatnonzero(is_late).tolist():
            event, slot = events[i], slots[i]
            if self._was_applied(partition, event, slot):  # it was in time before a restart: no dead letter now
                self._metrics.passed_over(self._sources[event.number].event_type, OUTCOMES[Outcome.REPLAYED])
            else:
                self._set_aside(partition, event.number, event.raw, reject)
        return turn_s, np.flatnonzero(~is_late)

    def _was_applied(self, partition: PartitionRows, event: Arrival, slot: int) -> bool:
        """Whether state holds an event already, or held it until its customer was forgotten."""
        if slot != UNKNOWN and event.place <= partition.rows["applied"][slot, event.source]:
            return True
        return self._places is None and had_its_turn(partition, event.source, event.offset)

    def set_aside_command(self, partition: PartitionRows, command: Arrival) -> None:
        """Set aside a command about somebody who, when its turn came, had never done anything."""
        reject = Reject(Reason.UNKNOWN_CUSTOMER, "nobody by this customer_id has ever done anything")
        self._set_aside(partition, command.number, command.raw, reject)

    def _set_aside(self, partition: PartitionRows, number: int, record: Any, reject: Reject) -> None:
        self._emitter.dead_letter(partition, record, reject)
        self._metrics.rejected(self._sources[number].event_type, reject)


def _wrong_partition(partition: PartitionRows) -> Reject:
    return Reject(Reason.WRONG_PARTITION, f"the key does not belong to partition {partition.number}")


def _all_known(partition: PartitionRows, events: Sequence[Arrival], slots: Slots) -> Slots:
    """Rows of events, those of newcomers fresh."""
    unknown = np.flatnonzero(slots == UNKNOWN)
    slots[unknown] = partition.slots_of([events[i].key for i in unknown.tolist()])
    return slots


def fingerprint(event_id: str, source: int) -> int:
    """Fingerprint of an event's id; an order and a login may carry the same id and are still two events.

    The source stands before the id, as a control character that no id may hold. It used to be xxh3's seed, but small
    seeds only flip bits of short keys: of ids of 8 digits, four in five had the fingerprint of another one elsewhere.

    Examples
    --------
    >>> fingerprint("e160202", Source.EMAIL_OPENS) == fingerprint("e162202", Source.ORDERS)
    False
    """
    return xxhash.xxh3_64_intdigest(_PREFIXES[source] + event_id)


_PREFIXES = ["" if source == Source.ORDERS else chr(source) for source in range(N_SOURCES)]
"""Orders have none, so that states written when sources were seeds know their ids again."""


def _columns(admitted: Sequence[Arrival]) -> Columns:
    """Columns of admitted events, in their order."""
    n = len(admitted)
    events = [e.event for e in admitted]
    return Columns(
        at_s=np.fromiter((event.at_s for event in events), np.uint32, n),
        channel=np.fromiter((event.channel for event in events), np.uint8, n),
        source=np.fromiter((e.source for e in admitted), np.uint8, n),
        offset=np.fromiter((e.place for e in admitted), np.int64, n),
        amount=np.fromiter((event.amount for event in events), np.float32, n),
        id_hash=np.fromiter((fingerprint(e.event.event_id, e.source) for e in admitted), np.uint64, n),
        engaged=np.fromiter((event.engaged for event in events), np.bool_, n),
        categories=np.fromiter((event.categories for event in events), np.uint32, n),
    )
