"""The rows of an event log on disk: one reader for all who walk through such a file.

The file is CSV, plain or gzipped, with the columns ``customer_id``, ``event_type``, ``ts`` (ISO 8601, UTC where no zone
is given) and ``value`` (may be empty), and perhaps ``category``: those of an order, separated by semicolons.
`models.event_log` makes columns of it to evaluate, `streams.event_csv` records to replay; what a cell means is theirs,
how the file is read is said here.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

COLUMNS = ("customer_id", "event_type", "ts", "value")
CATEGORY = "category"


class EventLogError(ValueError):
    """A file is not an event log; the message names file and line."""


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Read the cells of an event log, in its order.

    Parameters
    ----------
    path
        CSV file, with or without a byte order mark; gzipped if its name ends in ``.gz``.

    Yields
    ------
    tuple
        Line number, and the cells of `COLUMNS` and `CATEGORY`, "" where the file has no such column.

    Raises
    ------
    EventLogError
        Columns are missing, a row has another number of cells, or the file is no CSV or a damaged archive.
    OSError
        The file cannot be read.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as raw:
        reader = csv.reader(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))
        try:
            header = next(reader, [])
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise EventLogError(f"{path}, line 1: no column {missing[0]!r}; needed are {', '.join(COLUMNS)}")
            places = [header.index(name) for name in COLUMNS]
            category = header.index(CATEGORY) if CATEGORY in header else None
            for cells in reader:
                if len(cells) != len(header):
                    raise EventLogError(f"{path}, line {reader.line_num}: {len(cells)} cells, not {len(header)}")
                told = [cells[place] for place in places]
                yield reader.line_num, [*told, "" if category is None else cells[category]]
        except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise EventLogError(f"{path}, after line {reader.line_num}: {error}") from None


def event_time(ts: str) -> datetime:
    """Read a time, UTC where no zone is given.

    Raises
    ------
    ValueError
        It is no ISO 8601 time.

    Examples
    --------
    >>> event_time("1997-01-01").isoformat()
    '1997-01-01T00:00:00+00:00'
    """
    moment = datetime.fromisoformat(ts)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def categories_of(cell: str) -> list[str]:
    """Read the categories of an order.

    Examples
    --------
    >>> categories_of("tea; 和菓子;"), categories_of("")
    (['tea', '和菓子'], [])
    """
    return [name for part in cell.split(";") if (name := part.strip())]


def singular(event_type: str) -> str:
    """Spell an event type as the code does, whether the file says it in plural or with a hyphen.

    Examples
    --------
    >>> singular("email-opens")
    'email_open'
    """
    return event_type.replace("-", "_").removesuffix("s")
