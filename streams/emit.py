"""What leaves the first line: alerts, outcomes, labels and dead letters, put into the outbox with topics and headers.

All go to the partition they came from, as every topic keyed by customer has the same count; so what is said about one
customer stays in order.
"""

import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.census import Census
from models.decisions import Decision
from models.episode_outcomes import EpisodeOutcome
from models.events import Source
from models.features import NAMES as FEATURE_NAMES
from models.labels import Resolved
from models.levels import LEVELS
from models.lost import Lost
from models.mixture import KEPT_NAMES
from models.state import Rows
from models.target import Target
from models.watch import Watch
from streams import alerts as alert_codec
from streams import label_record
from streams import outcomes as outcome_codec
from streams.alert_building import alerts_of
from streams.dead_letter import DeadLetter
from streams.engine.outbox import Outbox
from streams.engine.partition import PartitionRows
from streams.logs import Seldom, get_logger
from streams.metrics.line import Metrics
from streams.origins import Origin, Origins
from streams.reasons import Reject
from streams.settings import Settings
from streams.topics import ALERTS, DEAD_LETTERS, LABELS, OUTCOMES, enabled_inputs

CODE_VERSION = version("yocho")

log = get_logger(__name__)

DEAD_LETTER_EVERY_S = 600.0
"""How often a kind of dead letter of a topic may be news; the others are counted, and told at DEBUG."""


class Emitter:
    """Writes the first line's results.

    Parameters
    ----------
    outbox
        Where records wait for the next flush.
    settings
        Topic names and group.
    metrics
        Told what leaves.
    """

    def __init__(self, outbox: Outbox, settings: Settings, metrics: Metrics) -> None:
        self._outbox = outbox
        self._metrics = metrics
        self._sources = {source.source: source.topic(settings) for source in enabled_inputs(settings)}
        self._alerts, self._outcomes, self._labels, self._dead_letters = (
            topic.topic(settings) for topic in (ALERTS, OUTCOMES, LABELS, DEAD_LETTERS)
        )
        self._news = Seldom(DEAD_LETTER_EVERY_S)
        self._mute = settings.mute
        self._ce_source = f"/yocho/{settings.group}"

    def alerts(
        self,
        partition: PartitionRows,
        watch: Watch,
        slots: NDArray[np.intp],
        rows: Rows,
        decisions: Sequence[Decision],
        *,
        origins: Origins | None = None,
    ) -> None:
        """Publish decisions about customers.

        Parameters
        ----------
        partition
            Where they live.
        watch
            Rules and model that decided.
        slots, rows
            Row numbers and rows the decisions count in, shape (n,).
        decisions
            The news.
        origins
            The records behind the decisions, n of them; None for silence.
        """
        if self._mute.drop:
            decisions = self._live(decisions)
        if not decisions:
            return
        keys = partition.customer_ids(slots[[decision.index for decision in decisions]])
        alerts = alerts_of(
            watch,
            rows,
            decisions,
            [key.decode() for key in keys],
            partition=partition.number,
            topics=self._sources,
            code_version=CODE_VERSION,
            census=Census.of(partition.memory, watch.target),
        )
        for key, built, decision in zip(keys, alerts, decisions, strict=True):
            is_history = self._mute.covers(decision.transition)
            alert = msgspec.structs.replace(built, replay=True) if is_history else built
            origin = None if origins is None else self._origin(partition, origins, decision.index)
            if is_history:
                self._metrics.muted(alert.level, str(alert.type))
            else:
                self._metrics.alert(alert, origin)
            place = {} if origin is None else {"topic": origin.topic, "offset": origin.offset}
            log.debug("alert", alert_id=alert.alert_id, partition=partition.number, **place)
            headers = alert_codec.headers(alert, self._ce_source)
            self._outbox.put(self._alerts, partition.number, key, alert_codec.encode(alert), headers)

    def outcomes(
        self, partition: PartitionRows, target: Target, slots: NDArray[np.intp], found: Sequence[EpisodeOutcome]
    ) -> None:
        """Publish what became of told episodes; `slots` are the row numbers that they count in.

        Counted are the outcomes of episodes that people were called to action about.
        """
        for episode in found:
            is_history = self._mute.is_history(episode.at_s)
            if not self._mute.is_history(episode.told_at_s):
                self._metrics.outcomes.outcome(episode)
            if is_history and self._mute.drop:
                continue
            key = partition.customer_id(int(slots[episode.index]))
            outcome = outcome_codec.outcome_of(episode, key.decode(), target, replay=is_history)
            body, headers = outcome_codec.encode(outcome), outcome_codec.headers(outcome, self._ce_source)
            self._outbox.put(self._outcomes, partition.number, key, body, headers)

    def lost(self, at_s: NDArray[np.int64], found: Sequence[Lost]) -> None:
        """Count who has been lost; `at_s` are the seconds that they count in."""
        for customer in found:
            if not self._mute.is_history(int(at_s[customer.index])):
                self._metrics.outcomes.lost(customer)

    def labels(self, partition: PartitionRows, slots: NDArray[np.intp], resolved: Resolved) -> None:
        """Publish resolved examples for the trainer."""
        keys = partition.customer_ids(slots)
        labels = resolved.labels([key.decode() for key in keys], FEATURE_NAMES, KEPT_NAMES)
        for key, label in zip(keys, labels, strict=True):
            self._outbox.put(self._labels, partition.number, key, label_record.encode(label), label_record.HEADERS)
        churned = int(np.count_nonzero(resolved.churned))
        self._metrics.resolved(churned, len(labels) - churned)

    def erased(self, partition: PartitionRows, keys: Sequence[bytes]) -> None:
        """Say that nothing told of customers until now is to be kept: a tombstone on each topic that tells of them."""
        for topic in (self._alerts, self._outcomes, self._labels):
            for key in keys:
                self._outbox.put(topic, partition.number, key, None)

    def _origin(self, partition: PartitionRows, origins: Origins, index: int) -> Origin:
        topic = self._sources[Source(int(origins.source[index]))]
        return Origin(topic, partition.number, int(origins.offset[index]), float(origins.appended_at_s[index]))

    def _live(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Leave out and count what is history."""
        live = []
        for decision in decisions:
            news = decision.transition
            if self._mute.covers(news):
                self._metrics.muted(LEVELS[news.level].name, str(news.type))
            else:
                live.append(decision)
        return live

    def dead_letter(self, partition: PartitionRows, record: Any, reject: Reject) -> None:
        """Set a record aside with its bytes and why."""
        key, value, headers = DeadLetter.of(record, reject, CODE_VERSION).to_record()
        self._outbox.put(self._dead_letters, partition.number, key, value, headers)
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        log.debug("dead letter", reason=str(reject.reason), **place)
        unsaid = self._news.ask((record.topic, reject.reason), time.monotonic())
        if unsaid is not None:
            log.warning("dead letters are coming in", reason=str(reject.reason), unsaid=unsaid, **place)
