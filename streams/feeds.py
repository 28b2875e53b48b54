"""The sources of one partition: which are out, since when, and what that does to the clocks of the channels.

Beside the first line: the pipeline shows it every event in the order of its turn and every step of stream time, and it
says where the next change is. `models.feed` tests each source; here they are kept together, their outages are
remembered as long as they matter, and all of it is written down with the partition (`PartitionRows.memory`).

Only events of customers who were known before count: a newcomer says that a campaign works, not that those who are
known are not quiet. A source without an engagement channel of its own (sends, clicks) is tested too, and only shown.

Changes come at a second, and what is decided before and after it does not depend on how events were cut into batches.
An event counts when its turn comes. So a feed that comes back and delivers what it had kept was out all the same:
nothing was known of the customers meanwhile. A replay reads the same log without the wait and sees no outage.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.clocks import ChannelClocks, Outage
from models.events import N_CHANNELS, Channel, Source
from models.feed import Change, Feed
from models.feed_profile import WEEK_S, week_start

Seconds = NDArray[np.int64]
MOST_OUTAGES = 32
"""Finished outages remembered per channel; the oldest is forgotten first, and its silence counts again."""
_NO_SOURCES = np.empty(0, np.uint8)
_NO_SECONDS = np.empty(0, np.int64)


@dataclass(frozen=True)
class Occurrence:
    """Events as the sources see them, in the order of their turns.

    Parameters
    ----------
    at_s
        Stream time when the turn came to each event, that event included, epoch seconds, never falling, shape (n,).
    source
        `models.events.Source` of each, shape (n,).
    counts
        Whether it counts, shape (n,).
    """

    at_s: Seconds
    source: NDArray[np.uint8]
    counts: NDArray[np.bool_]

    def after(self, begin: int) -> "Occurrence":
        """Return the events from one turn on."""
        return Occurrence(self.at_s[begin:], self.source[begin:], self.counts[begin:]) if begin else self


@dataclass(frozen=True)
class FeedNews:
    """What changed, and of which source."""

    source: Source
    change: Change


class Feeds:
    """What is known of the sources of a partition.

    Parameters
    ----------
    keep_s
        How long a finished outage is remembered, seconds: as long as silences are.
    """

    def __init__(self, keep_s: int) -> None:
        self._keep_s = keep_s
        self._feeds: dict[Source, Feed] = {}
        self._outages: dict[Channel, list[Outage]] = {channel: [] for channel in Channel}
        self._at_s = 0
        self._solved_s: int | None = None
        self.clocks = ChannelClocks()

    @property
    def at_s(self) -> int:
        """How far time has come, epoch seconds; 0 = no event yet."""
        return self._at_s

    @property
    def stale(self) -> list[Source]:
        """Sources that are out."""
        return [source for source, feed in self._feeds.items() if feed.is_stale]

    def quiet_s(self, now_s: int) -> dict[Source, int]:
        """Return for how many seconds of stream time each source has been out, 0 = it is not."""
        feeds = list(self._feeds.items())  # at once, as another thread may ask
        return {source: now_s - feed.stale_from_s if feed.is_stale else 0 for source, feed in feeds}

    def per_day(self, source: Source) -> float:
        """Events expected a day; 0 = not known yet."""
        return self._feeds[source].per_day

    def take(self, events: Occurrence) -> tuple[int, FeedNews | None]:
        """Go on through events, up to the first change.

        Returns
        -------
        tuple
            How many events were taken, and the change that stands before the next one: all of them and None if there
            is none.
        """
        if not len(events.at_s):
            return 0, None
        return self._go(events, int(events.at_s[-1]))

    def pass_to(self, at_s: int) -> FeedNews | None:
        """Go on through silence to a second, or to the first change before it.

        Silence is closed form: until the second that was solved there is nothing to do, however often this is asked.
        """
        if at_s < self._nothing_before():
            return None
        return self._go(Occurrence(_NO_SECONDS, _NO_SOURCES, np.empty(0, bool)), at_s)[1]

    def to_dict(self) -> dict[str, Any]:
        """Write everything down as plain values."""
        return {
            "at_s": self._at_s,
            "sources": {source.name.lower(): feed.to_dict() for source, feed in sorted(self._feeds.items())},
            "outages": self.clocks.to_dict()["outages"],
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any], keep_s: int) -> "Feeds":
        """Read what `to_dict` gave; KeyError, TypeError or ValueError when it is damaged."""
        feeds = cls(keep_s)
        feeds._at_s = int(plain["at_s"])
        feeds._feeds = {Source[name.upper()]: Feed.from_dict(feed) for name, feed in plain["sources"].items()}
        feeds.clocks = ChannelClocks.from_dict(plain)
        for outage in feeds.clocks.outages:
            feeds._outages[outage.channel].append(outage)
        return feeds

    def _go(self, events: Occurrence, to_s: int) -> tuple[int, FeedNews | None]:
        """Week by week, because each source learns at the end of one."""
        taken, self._solved_s = 0, None
        self._at_s = self._at_s or int(events.at_s[0] if len(events.at_s) else to_s)
        while self._at_s < to_s or taken < len(events.at_s):
            week_end_s = week_start(self._at_s) + WEEK_S
            until_s = min(to_s, week_end_s)
            end = int(np.searchsorted(events.at_s, week_end_s, "left"))
            times = self._times(events, slice(taken, end))
            news = self._first_change(times, until_s)
            if news is not None:
                until_s = news.change.at_s
                end = taken + int(np.searchsorted(events.at_s[taken:end], until_s, "left"))
                times = {source: at_s[at_s < until_s] for source, at_s in times.items()}
            for source, at_s in times.items():
                self._feed(source, at_s).take(at_s, until_s)
            self._at_s, taken = until_s, end
            if news is not None:
                self._apply(news)
                return taken, news
        return taken, None

    def _nothing_before(self) -> int:
        """The second before which silence alone changes nothing."""
        if self._solved_s is None:
            week_end_s = week_start(self._at_s) + WEEK_S
            changes = (feed.change(_NO_SECONDS, week_end_s) for feed in self._feeds.values())
            self._solved_s = min((change.at_s for change in changes if change is not None), default=week_end_s)
        return self._solved_s

    def _times(self, events: Occurrence, part: slice) -> dict[Source, Seconds]:
        """When events of each source came, of those that ever had any, in source order."""
        counts = events.counts[part]
        source, at_s = events.source[part][counts], events.at_s[part][counts]
        present = np.bincount(source, minlength=len(Source))
        return {
            each: at_s[source == each] if present[each] else _NO_SECONDS
            for each in Source
            if each != Source.COMMANDS and (present[each] or each in self._feeds)
        }

    def _first_change(self, times: dict[Source, Seconds], until_s: int) -> FeedNews | None:
        changes = [
            FeedNews(source, change)
            for source, at_s in times.items()
            if (change := self._feed(source, at_s).change(at_s, until_s)) is not None
        ]
        return min(changes, key=lambda news: (news.change.at_s, news.source), default=None)

    def _feed(self, source: Source, at_s: Seconds) -> Feed:
        if source not in self._feeds:
            self._feeds[source] = Feed(int(at_s[0]))
        return self._feeds[source]

    def _apply(self, news: FeedNews) -> None:
        change = news.change
        self._feeds[news.source].apply(change)
        if news.source >= N_CHANNELS:
            return
        kept = self._outages[Channel(news.source)]
        if change.is_stale:
            kept.append(Outage(Channel(news.source), change.since_s))
        else:
            last = kept.pop()
            kept.append(Outage(last.channel, last.from_s, max(change.since_s, last.from_s + 1)))
        self._forget(change.at_s)

    def _forget(self, now_s: int) -> None:
        for channel, outages in self._outages.items():
            matter = [o for o in outages if o.until_s is None or o.until_s > now_s - self._keep_s]
            self._outages[channel] = matter[-MOST_OUTAGES:]
        self.clocks = ChannelClocks(tuple(o for outages in self._outages.values() for o in outages))
