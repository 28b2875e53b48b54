"""Where events came from: the records they were, as columns, and one of them.

Carried beside a batch on the line from event to alert. No state depends on it: it tells people and metrics which record
an alert goes back to, and how long it was under way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Origin(NamedTuple):
    """A record that an alert goes back to.

    Parameters
    ----------
    topic, partition, offset
        Its place.
    appended_at_s
        When it was appended to its topic, epoch seconds.
    """

    topic: str
    partition: int
    offset: int
    appended_at_s: float


@dataclass(frozen=True)
class Origins:
    """Records behind events, shape (n,) each.

    Parameters
    ----------
    source
        Input, a `models.events.Source`.
    offset
        Their own, even where events are put in order (`streams.engine.places`).
    appended_at_s
        When they were appended to their topic, epoch seconds.
    """

    source: NDArray[np.uint8]
    offset: NDArray[np.int64]
    appended_at_s: NDArray[np.float64]

    @classmethod
    def of(cls, source: NDArray[np.uint8], records: Sequence[Any]) -> "Origins":
        """Read n records, as the client gives them."""
        n = len(records)
        appended_ms = np.fromiter((record.timestamp for record in records), np.float64, n)
        return cls(source, np.fromiter((record.offset for record in records), np.int64, n), appended_ms / 1000)

    def at(self, which: NDArray[np.intp] | slice) -> "Origins":
        """Return those of some events."""
        return Origins(self.source[which], self.offset[which], self.appended_at_s[which])
