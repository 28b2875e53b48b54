"""What a record turned out to be, on its way from decoding to its turn.

Between ingest and per-customer state on the line from event to alert: `streams.admission` makes these, the merge by
event time orders them, and the pipeline works them off.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from models.events import Event
from streams.commands import Erase, Release, Tombstone
from streams.reasons import Reject


@dataclass(slots=True)
class Arrival:
    """An event, the number and the `models.events.Source` of the input it came from, and the record it was.

    `place` is the offset it is applied under, which differs from its own where events are put in order
    (`streams.engine.places`).
    """

    number: int
    source: int
    offset: int
    key: bytes
    event: Event
    raw: Any
    place: int


@dataclass(slots=True)
class Refused:
    """A record that is no event; it keeps its place among the others until its turn comes."""

    number: int
    offset: int
    raw: Any
    reject: Reject


@dataclass(slots=True)
class Said:
    """What somebody said that no episode answers to, when its turn comes."""

    number: int
    offset: int
    raw: Any
    what: Release | Erase | Tombstone


Decoded = Arrival | Refused | Said


def said_between(chunk: Sequence[Decoded]) -> Iterator[tuple[Sequence[Decoded], Sequence[Said]]]:
    """Cut a chunk where somebody says what no episode answers to, which is rare: records, and what follows them.

    Erasures of one second that follow each other come together; tombstones behind them are left out.
    """
    if not any(isinstance(decoded, Said) for decoded in chunk):
        yield chunk, ()
        return
    records: list[Decoded] = []
    for what, group in itertools.groupby(filter(_is_meant, chunk), _together):
        if what is None:
            records = list(group)
        else:
            yield records, [decoded for decoded in group if isinstance(decoded, Said)]
            records = []
    yield records, ()


def _is_meant(decoded: Decoded) -> bool:
    return not (isinstance(decoded, Said) and isinstance(decoded.what, Tombstone))


def _together(decoded: Decoded) -> tuple[type, int] | None:
    if not isinstance(decoded, Said) or isinstance(decoded.what, Tombstone):
        return None
    return (Erase, decoded.what.at_s) if isinstance(decoded.what, Erase) else (Release, decoded.offset)
