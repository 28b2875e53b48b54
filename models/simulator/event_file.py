"""The shop's events as an event log on disk, to evaluate without a broker or to replay.

`models.event_rows` says what the file looks like. Machine opens are left out: `models.event_log` takes numbers for
values and so has no word for what a proxy did.
"""

import contextlib
import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from models.event_log import CHANNEL_OF
from models.event_rows import COLUMNS
from models.events import Channel, Event

_NAME_OF = {channel: name for name, channel in CHANNEL_OF.items()}


def write_events(events: Iterable[Event], path: Path) -> int:
    """Write what customers did to a file, as the events come.

    Parameters
    ----------
    events
        In time order, from `models.simulator.Shop`.
    path
        CSV file to write or overwrite; gzipped if its name ends in ``.gz``. Equal events give equal bytes.

    Returns
    -------
    int
        How many events were written; machine opens are not.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    written = 0
    with _opened(path) as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for event in events:
            if event.engaged:
                writer.writerow(cells(event))
                written += 1
    return written


def cells(event: Event) -> tuple[str, str, str, str]:
    """Return the cells of an event: whole seconds UTC, and a value in whole yen or seconds but for opens.

    Examples
    --------
    >>> cells(Event("c1", "c1-0", Channel.ORDER, 1_704_067_200_500, amount=4300.0))
    ('c1', 'order', '2024-01-01T00:00:00Z', '4300')
    """
    ts = datetime.fromtimestamp(event.at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    value = "" if event.channel is Channel.EMAIL_OPEN else f"{event.amount:.0f}"
    return event.customer_id, _NAME_OF[event.channel], ts, value


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    with path.open("wb") as raw, contextlib.ExitStack() as stack:
        # Without a time of its own in the archive, equal events are equal bytes.
        packed = stack.enter_context(gzip.GzipFile("", "wb", 6, raw, mtime=0)) if path.suffix == ".gz" else raw
        yield stack.enter_context(io.TextIOWrapper(packed, encoding="utf-8", newline=""))
