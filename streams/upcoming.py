"""Everyone who will cross a level soon if they stay silent: what `yocho upcoming` asks and shows.

Reads what a worker wrote, the changelog and the models, and asks the rules that the worker itself will ask
(`models.upcoming`). As of now means each partition's stream time: how far its events have come. A model that took
effect within the last hour has not brought forward everybody's next look yet. A capacity or a breaker may hold an alert
back; listed is who crosses a level.

Memory is that of one partition's rows, its index, and copies of those who are due. Measured with 250,000 customers on
a partition, a million on four: 200 MB at the most, and 3 s of CPU to solve a week ahead, with a fifth of them due.
"""

import heapq
import math
from datetime import datetime
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from models.census import Census
from models.confidence import Confidence, confidence_of
from models.levels import LEVELS, Level, LevelName
from models.scorer import Scorer
from models.segments import SEGMENTS, SegmentTitle, segments_of
from models.target import DAY_S
from models.upcoming import upcoming
from models.value import value_at_stake
from models.watch import Watch
from streams.changelog_topic import read_partitions
from streams.engine.partition import PartitionRows
from streams.model_book import ModelBook
from streams.outages import Outages
from streams.settings import Settings
from streams.times import utc
from streams.training import read_models


class Upcoming(Struct, frozen=True, kw_only=True):
    """One customer who will cross a level, as a line of JSON."""

    customer_id: Annotated[str, Meta(description="Pseudonymous id.")]
    level: Annotated[LevelName, Meta(description="Level now.")]
    next_level: Annotated[LevelName, Meta(description="Level that silence alone will bring.")]
    at: Annotated[datetime, Meta(tz=True, description="When, event time.")]
    days: Annotated[float, Meta(ge=0.0, description="Days from as_of until then.")]
    probability: Annotated[
        float | None, Meta(description="P(no main event within the horizon) as of now; null as in an alert.")
    ]
    confidence: Annotated[Confidence, Meta(description="Whether there is enough evidence for a number.")]
    segment: Annotated[SegmentTitle, Meta(description="What kind of customer this is, as in an alert.")]
    value_at_stake: Annotated[
        float | None, Meta(description="Expected loss of a year's spend as of now, as in an alert; null as there.")
    ]
    as_of: Annotated[datetime, Meta(tz=True, description="Stream time of the customer's partition.")]
    model_version: Annotated[str, Meta(description="Model in effect as of now.")]
    partition: Annotated[int, Meta(ge=0, description="Partition of the customer.")]


async def soonest(settings: Settings, within_s: int, least: Level, limit: int | None) -> list[Upcoming]:
    """Ask all partitions.

    Parameters
    ----------
    settings
        Brokers, topics, target and policy of the workers.
    within_s
        How far to look ahead of each partition's stream time, seconds.
    least
        The level, or a higher one, that has to be reached.
    limit
        Most customers; None = all.

    Returns
    -------
    list of Upcoming
        Soonest first, at the same second by customer id.
    """
    book = ModelBook(Scorer.cold(settings.target), pinned=settings.learn == "off")
    await read_models(settings, book)
    found: list[Upcoming] = []
    async for partition in read_partitions(settings):
        watch = watch_in_effect(settings, book, partition)
        found = _first(limit, [*found, *ahead(watch, partition, within_s, least)])
    return found


def watch_in_effect(settings: Settings, book: ModelBook, partition: PartitionRows) -> Watch:
    """Return the rules at the stream time of a partition that was read, with the clocks of its sources."""
    feeds = Outages(settings.forget_s, settings.breaker).feeds(partition)
    scorer = book.in_effect(partition.stream_time_s).with_clocks(feeds.clocks)
    return Watch(scorer, settings.policy, settings.target, settings.forget_s)


def ahead(watch: Watch, partition: PartitionRows, within_s: int, least: Level) -> list[Upcoming]:
    """Ask one partition, with the model in effect at its stream time; arguments as of `soonest`, order too."""
    now_s = partition.stream_time_s
    slots = partition.used_slots()
    slots = slots[partition.rows["due_at"][slots] <= now_s + within_s]  # nothing is news of the others: no copies
    rows = partition.rows[slots]
    crossings = upcoming(watch, rows, now_s + within_s, least)
    rows = rows[[crossing.row for crossing in crossings]]
    x = watch.scorer.features_of(rows, np.full(len(rows), now_s))
    p = watch.scorer.probabilities_of(x)
    segments = segments_of(rows, Census.of(partition.memory, watch.target), watch.target)
    found = [
        Upcoming(
            customer_id=partition.customer_id(int(slots[crossing.row])).decode(),
            level=LEVELS[level].name,
            next_level=LEVELS[crossing.level].name,
            at=utc(crossing.at_s),
            days=max(0.0, (crossing.at_s - now_s) / DAY_S),
            probability=probability if confidence == Confidence.ENOUGH else None,
            confidence=confidence,
            segment=SEGMENTS[segment],
            value_at_stake=None if math.isnan(stake) or confidence != Confidence.ENOUGH else stake,
            as_of=utc(now_s),
            model_version=watch.scorer.version,
            partition=partition.number,
        )
        for crossing, level, probability, confidence, segment, stake in zip(
            crossings,
            rows["level"].tolist(),
            p.tolist(),
            confidence_of(watch.scorer, x),
            segments.tolist(),
            value_at_stake(rows, p, watch.target).tolist(),
            strict=True,
        )
    ]
    return _first(None, found)


def to_json(one: Upcoming) -> str:
    """Write one customer as a line of JSON."""
    return msgspec.json.encode(one).decode()


def _first(limit: int | None, found: list[Upcoming]) -> list[Upcoming]:
    def order(one: Upcoming) -> tuple[datetime, str]:
        return one.at, one.customer_id

    return sorted(found, key=order) if limit is None else heapq.nsmallest(limit, found, key=order)
