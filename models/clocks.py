"""The clocks that silence is measured with: one per channel, and each stands still while its whole source is out.

Serves *features* and everything built on them, between state and score on the line from event to alert. When the login
feed dies, nobody logs in; that says nothing about anybody. So the channel's clock stops at the moment the source went
quiet and goes on when it returns:

    tau(t) = t - seconds of outage up to t

which never falls, is piecewise linear, and gives whole seconds for whole seconds. A silence is the difference of two
readings. Without outage ``tau(t) = t``, and nothing is computed at all. Who notices an outage is somebody else's
business; these clocks only know when the outages were.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.events import Channel

Floats = NDArray[np.float64]
FAR_S = 4_294_967_295
"""As far as the seconds of a row reach, in the year 2106: later than anything that is waited for."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nothing came from the source of a channel.

    Parameters
    ----------
    channel
        Whose source.
    from_s
        The second it went quiet, epoch seconds.
    until_s
        The second it returned, later than `from_s`; None = it is still out.

    Raises
    ------
    ValueError
        It ends before it begins.
    """

    channel: Channel
    from_s: int
    until_s: int | None = None

    def __post_init__(self) -> None:
        if self.until_s is not None and self.until_s <= self.from_s:
            raise ValueError(f"an outage must end after {self.from_s}, where it begins, got {self.until_s}")

    @property
    def length_s(self) -> float:
        """Seconds from the first to the last; infinite while it lasts."""
        return np.inf if self.until_s is None else self.until_s - self.from_s


@dataclass(frozen=True, slots=True)
class ChannelClocks:
    """The clocks of all channels.

    Parameters
    ----------
    outages
        In any order; those of a channel that touch or overlap are one.

    Examples
    --------
    >>> clocks = ChannelClocks((Outage(Channel.LOGIN, 100, 160), Outage(Channel.LOGIN, 500)))
    >>> clocks.stopped_s(Channel.LOGIN, 0, [100, 130, 400, 600]).tolist()
    [0, 30, 60, 160]
    >>> clocks.stopped_s(Channel.ORDER, 0, [600]).tolist(), clocks.stale(600)
    ([0], (<Channel.LOGIN: 1>,))
    """

    outages: tuple[Outage, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "outages", tuple(_joined(self.outages)))

    def read(self, channel: Channel, at_s: Floats) -> Floats:
        """Read a channel's clock.

        Parameters
        ----------
        channel
            Whose clock.
        at_s
            Epoch seconds of event time, any shape; NaN stays NaN.

        Returns
        -------
        ndarray
            tau in seconds, of the same shape; the very array it was given where there was no outage.
        """
        tau = at_s
        for outage in self.outages:
            if outage.channel == channel:
                tau = tau - np.clip(at_s - outage.from_s, 0.0, outage.length_s)
        return tau

    def stopped_s(self, channel: Channel, since_s: ArrayLike, at_s: ArrayLike) -> NDArray[np.int64]:
        """Return how many seconds within (since, at] do not count as silence on a channel.

        Parameters
        ----------
        channel
            Whose clock.
        since_s, at_s
            Whole epoch seconds, each of shape (n,) or one for all.

        Returns
        -------
        ndarray
            Seconds, int64, of their common shape; 0 where at <= since.
        """
        since, at = np.broadcast_arrays(np.asarray(since_s, np.float64), np.asarray(at_s, np.float64))
        end = np.maximum(since, at)
        silence = self.read(channel, end) - self.read(channel, since)
        stopped: NDArray[np.int64] = (end - since - silence).astype(np.int64)
        return stopped

    def passed_at(self, channel: Channel, since_s: ArrayLike, for_s: int) -> NDArray[np.int64]:
        """Return the second at which so much silence has counted on a channel.

        Parameters
        ----------
        channel
            Whose clock.
        since_s
            Whole epoch seconds from which it counts, any shape.
        for_s
            How much silence, in seconds, > 0.

        Returns
        -------
        ndarray
            Epoch seconds, int64, of the shape of `since_s`; `FAR_S` where the clock stands still before then, and
            nobody knows for how long.

        Examples
        --------
        >>> clocks = ChannelClocks((Outage(Channel.LOGIN, 100, 160), Outage(Channel.LOGIN, 500)))
        >>> clocks.passed_at(Channel.LOGIN, [0, 50, 130, 450], 100).tolist() == [100, 210, 260, FAR_S]
        True
        """
        since = np.asarray(since_s, np.int64)
        end = since + for_s
        for outage in (o for o in self.outages if o.channel == channel):
            stops = end > outage.from_s
            if outage.until_s is None:
                end = np.where(stops, FAR_S, end)
            else:
                begins = np.maximum(since, outage.from_s)
                end = np.where(stops, end + np.maximum(outage.until_s - begins, 0), end)
        return end

    def stale(self, at_s: int) -> tuple[Channel, ...]:
        """Return the channels whose source is out at a second: from the one it went quiet at to its return."""
        out = {o.channel for o in self.outages if o.from_s <= at_s and (o.until_s is None or at_s < o.until_s)}
        return tuple(sorted(out))

    def since(self, at_s: int) -> "ChannelClocks":
        """Return the clocks without the outages that had ended by then: nothing changes for who was active later."""
        return ChannelClocks(tuple(o for o in self.outages if o.until_s is None or o.until_s > at_s))

    def to_dict(self) -> dict[str, Any]:
        """Write the outages down as plain values."""
        return {"outages": [[o.channel.name.lower(), o.from_s, o.until_s] for o in self.outages]}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "ChannelClocks":
        """Read what `to_dict` gave; KeyError or ValueError when it is damaged.

        Examples
        --------
        >>> clocks = ChannelClocks((Outage(Channel.LOGIN, 100, 160),))
        >>> ChannelClocks.from_dict(clocks.to_dict()) == clocks
        True
        """
        return cls(tuple(Outage(Channel[name.upper()], begin, end) for name, begin, end in plain["outages"]))


def _joined(outages: Iterable[Outage]) -> list[Outage]:
    """Sort outages by channel and time and make one of those that touch."""
    joined: list[Outage] = []
    for outage in sorted(outages, key=lambda o: (o.channel, o.from_s)):
        before = joined[-1] if joined else None
        if before is None or before.channel != outage.channel or before.from_s + before.length_s < outage.from_s:
            joined.append(outage)
        elif before.length_s < np.inf:
            ends = None if outage.until_s is None else max(before.until_s or 0, outage.until_s)
            joined[-1] = Outage(before.channel, before.from_s, ends)
    return joined


RUNNING = ChannelClocks()
"""No outage: all clocks show event time."""
