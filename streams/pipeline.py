"""The first line: ingest -> decode/validate -> per-customer state -> features -> score -> alert policy -> emit.

No Faust in sight: records in, rows changed, records out through `emit`. The partition task calls `decode` when a batch
arrives, `process` with records in event-time order, and `advance` when only time passes.

A batch is worked off in rounds, so that array functions see each customer once: round r holds everybody's r-th event
of the batch. Before an event, the looks that fall due up to it are taken, and the revisit after a switch of models
(`streams.replan`); before a late one, those that stream time has passed too. So a customer's history is the same
however it was cut into batches.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.apply import Outcome, apply_round
from models.breaker import UNLIMITED
from models.capacity import Share
from models.episode_outcomes import returned
from models.pending import just_frozen
from models.scorer import Scorer
from models.watch import NEVER, Watch
from streams.admission import Admission
from streams.answers import answer, drop_nobodies
from streams.arrivals import Decoded, Said, said_between
from streams.batch import Batch
from streams.commands import Erase, Release
from streams.emit import Emitter
from streams.engine.partition import PartitionRows
from streams.engine.texts import Slots
from streams.feeds import FeedNews
from streams.forgotten import note
from streams.metrics.line import Metrics
from streams.model_book import ModelBook
from streams.outages import Outages
from streams.spans import Spans
from streams.watches import Watches

Seconds = NDArray[np.int64]


class Pipeline:
    """The first line of one worker.

    Parameters
    ----------
    admission
        Makes batches of records.
    book
        Which model is in effect at a stream time.
    watch
        Makes the rules around a scorer.
    emitter
        Where alerts and labels go.
    metrics
        Told what happens.
    outages
        Tells silent sources from silent customers, and how many alerts may be told.
    share_of
        What of the shop's capacity falls to a partition; None = any number of alerts.

    Attributes
    ----------
    watches
        Rules and model in effect on each partition.
    """

    def __init__(  # noqa: PLR0917 - seven parts of seven types, put together once, in streams.app
        self,
        admission: Admission,
        book: ModelBook,
        watch: Callable[[Scorer], Watch],
        emitter: Emitter,
        metrics: Metrics,
        outages: Outages,
        share_of: Callable[[int], Share | None] = lambda number: None,
    ) -> None:
        self.admission = admission
        self.watches = Watches(book, watch, outages)
        self.emitter = emitter
        self.metrics = metrics
        self.outages = outages
        self._spans = Spans(share_of)

    def decode(self, number: int, records: Sequence[Any]) -> list[tuple[int, Decoded]]:
        """(event time in ms, decoded) for each record of one input."""
        return self.admission.decode(number, records)

    def process(self, partition: PartitionRows, chunk: Sequence[Decoded]) -> None:
        """Apply records that are in event-time order; moves the stream time to the latest of them."""
        self.watches.of(partition)  # that of the stream time before the batch
        for events, said in said_between(chunk):
            batch = self.admission.admit(partition, events)
            for part, news in self.outages.parts(partition, batch):
                self._work_off(partition, part)
                if news is not None:
                    self._follow_feed(partition, news)
            drop_nobodies(partition, batch)
            self.metrics.engine.decided(batch.origins.appended_at_s, is_live=partition.is_live)
            if said:
                self._hear(partition, said)

    def advance(self, partition: PartitionRows, to_s: int, limit: int) -> bool:
        """Move stream time on and look at what fell due before it; False while there is more than `limit`."""
        now_s = max(partition.stream_time_s, to_s)
        if self._follow_source(partition, now_s):
            return False
        partition.stream_time_s = now_s
        if not self._look_due(partition, now_s, limit) or self._spans.close(
            partition, self.watches.of(partition).target
        ):
            return False
        return not self.watches.switch(partition)

    def _look_due(self, partition: PartitionRows, now_s: int, limit: int) -> bool:
        """Take up to `limit` looks and as many revisits that fell due before a second; False if there may be more."""
        watch = self.watches.of(partition)
        slots = partition.due.pop_before(now_s, partition.rows["due_at"], limit)
        again = self.watches.replan(partition).pop_before(now_s, limit)
        together = np.concatenate([slots, np.setdiff1d(again, slots)]) if len(again) else slots
        self._look_until(watch, partition, together, np.full(len(together), now_s - 1))
        return len(slots) < limit and len(again) < limit

    def next_switch_s(self, partition: PartitionRows) -> int | None:
        """Stream time that events may not pass yet, None for none: a model takes effect there, or a span ends."""
        watch = self.watches.of(partition)
        following, end_s = self.watches.book.following(watch.scorer), self._spans.next_end_s(partition, watch.target)
        switches = (end_s, None if following is None else following.effective_at_s)
        return min((switch_s for switch_s in switches if switch_s is not None), default=None)

    def forget_partitions(self) -> None:
        """Drop what is remembered per partition, after an assignment changed."""
        self.admission.forget_places()
        self.watches.clear()
        self.outages.forget_partitions()

    # -- inside

    def _hear(self, partition: PartitionRows, said: Sequence[Said]) -> None:
        """Do what somebody said, as of its turn: erasures of one second, or a release."""
        what = said[0].what
        if isinstance(what, Release):
            self._look_due(partition, what.at_s, UNLIMITED)  # what was due before is held yet
            now_s = max(partition.stream_time_s, what.at_s)
            if is_done := self.outages.release(partition, now_s):
                self.watches.revisit_all(partition, now_s)
            self.metrics.commanded(in_vain=not is_done)
        elif isinstance(what, Erase):
            self._erase(partition, self.admission.to_erase(partition, said, what.at_s), what.at_s)

    def _erase(self, partition: PartitionRows, keys: Sequence[bytes], at_s: int) -> None:
        """Look at customers for the last time, then leave nothing but tombstones."""
        if not keys:
            return
        while self._follow_source(partition, at_s):
            pass
        partition.stream_time_s = max(partition.stream_time_s, at_s)
        look_until = partial(self._look_until, self.watches.of(partition), partition)
        slots = self.admission.erasures.erase(partition, keys, at_s, look_until)
        self.watches.replan(partition).done(slots)
        self.outages.acted(partition, slots)
        self.emitter.erased(partition, keys)

    def _follow_source(self, partition: PartitionRows, to_s: int) -> bool:
        """Bring stream time to the first change of a source before a second; False if there is none."""
        news = self.outages.pass_to(partition, to_s)
        if news is not None:
            partition.stream_time_s = max(partition.stream_time_s, news.change.at_s)
            self._follow_feed(partition, news)
        return news is not None

    def _work_off(self, partition: PartitionRows, batch: Batch) -> None:
        """Apply events between which nothing about the sources changes."""
        watch = self.watches.of(partition)
        for index in batch.rounds() if len(batch.slots) else ():
            until_s = np.maximum(batch.columns.at_s[index].astype(np.int64), batch.turn_s[index] - 1)
            self._look_until(watch, partition, batch.slots[index], until_s, reuse=True)
            self._apply(watch, partition, batch, index, until_s)
        self.outages.acted(partition, batch.slots)

    def _follow_feed(self, partition: PartitionRows, news: FeedNews) -> None:
        """Take every look before a source changed, and go on with the clocks after.

        When a source goes out, what was planned comes too early, and the look finds that. When it returns, what was
        planned may come too late, so everybody is revisited as after a switch of models.
        """
        change_s, watch = news.change.at_s, self.watches.of(partition)
        self._look_due(partition, change_s, UNLIMITED)
        self.outages.changed(partition, news)
        self.watches.renew(partition, watch.scorer)
        if not news.change.is_stale:
            self.watches.revisit_all(partition, change_s)

    def _apply(
        self, watch: Watch, partition: PartitionRows, batch: Batch, index: Slots, looked_until_s: Seconds
    ) -> None:
        slots, events = batch.slots[index], batch.columns.at(index)
        rows = partition.rows[slots]
        outcomes = apply_round(rows, events, watch.target)
        engaged = np.flatnonzero(outcomes == Outcome.APPLIED)
        sub, at_s, channel = rows[engaged], events.at_s[engaged].astype(np.int64), events.channel[engaged]
        settled = returned(sub, at_s, channel == watch.target.main, watch.target, watch.clocks)
        decisions = watch.on_events(sub, at_s, channel)
        rows[engaged] = sub
        answers = answer(watch, batch, index, rows, outcomes)
        rows[answers.nobody] = partition.rows[slots[answers.nobody]]
        unplanned = (outcomes == Outcome.IGNORED) & (rows["due_at"] == 0)  # a stranger, whose mail a machine opened
        somebody = np.delete(np.arange(len(rows)), answers.nobody)
        noted = somebody[((outcomes == Outcome.NOTED) | (outcomes == Outcome.COMMANDED) | unplanned)[somebody]]
        if noted.size:  # nothing the customer did, but another episode may open at another time now
            mailed = rows[noted]
            watch.plan(mailed, looked_until_s[noted])
            rows[noted] = mailed
        partition.rows[slots] = rows
        planned = np.r_[engaged, noted]
        partition.due.schedule(slots[planned], rows["due_at"][planned].astype(np.int64))
        partition.mark_dirty(slots[somebody][outcomes[somebody] != Outcome.REPLAYED])
        self.metrics.applied(events.source[somebody], outcomes[somebody])
        origins = batch.origins.at(index[engaged])
        self.emitter.alerts(partition, watch, slots[engaged], sub, decisions, origins=origins)
        self.emitter.outcomes(partition, watch.target, slots[engaged], settled)
        for place in index[answers.nobody].tolist():
            self.admission.set_aside_command(partition, batch.commands[place])
        origins, said_about = batch.origins.at(answers.places), batch.slots[answers.places]
        self.emitter.alerts(partition, watch, said_about, answers.rows, answers.decisions, origins=origins)

    def _look_until(
        self, watch: Watch, partition: PartitionRows, slots: Slots, until_s: Seconds, *, reuse: bool = False
    ) -> None:
        """Take every look and revisit of these customers that is due at or before their second.

        With `reuse`, who is forgotten keeps the row, as good as new: their next event is at hand.
        """
        replan = self.watches.replan(partition)
        while len(slots):
            due_at = partition.rows["due_at"][slots].astype(np.int64)
            look_at, revisit_at = np.where(due_at > 0, due_at, NEVER), replan.at(slots)
            looks = (look_at <= until_s) & (look_at <= revisit_at)
            revisits = (revisit_at <= until_s) & (revisit_at < look_at)
            if not (looks | revisits).any():
                partition.due.schedule(slots, due_at)
                return
            if looks.any():
                forgotten = self._look(watch, partition, slots[looks], due_at[looks])
                (partition.reset if reuse else partition.delete)(forgotten)
                replan.done(forgotten)
            if revisits.any():
                self._revisit(watch, partition, slots[revisits], revisit_at[revisits])

    def _revisit(self, watch: Watch, partition: PartitionRows, slots: Slots, at_s: Seconds) -> None:
        """Ask the model in effect whether customers are to be looked at sooner; who is not is not written."""
        rows = partition.rows[slots]
        sooner = watch.revisit(rows, at_s)
        partition.rows["due_at"][slots[sooner]] = rows["due_at"][sooner]
        partition.mark_dirty(slots[sooner])
        self.watches.replan(partition).done(slots)

    def _look(self, watch: Watch, partition: PartitionRows, slots: Slots, at_s: Seconds) -> Slots:
        """Look at customers as of their seconds; gives those to forget."""
        rows = partition.rows[slots]
        capacity = self._spans.capacity(partition)
        put_off = 0 if capacity is None else capacity.put_off
        found = watch.look(rows, at_s, self.outages.breaker(partition), capacity)
        if capacity is not None:
            self.metrics.put_off(capacity.put_off - put_off)
        partition.rows[slots] = rows
        partition.mark_dirty(slots)
        fresh = just_frozen(rows, at_s)
        self._spans.census(partition, watch.target).count(rows[fresh], at_s[fresh])
        self.metrics.looked(len(slots))
        self.metrics.censored(found.censored)
        self.outages.looked(partition, slots, found)
        self.emitter.alerts(partition, watch, slots, rows, found.decisions)
        self.emitter.outcomes(partition, watch.target, slots, found.outcomes)
        self.emitter.lost(at_s, found.lost)
        if found.resolved is not None:
            self.emitter.labels(partition, slots[found.resolved_index], found.resolved)
        forgotten: Slots = slots[found.forgotten]
        note(partition, forgotten)
        return forgotten
