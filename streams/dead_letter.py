"""What a rejected record carries: original key, bytes and headers, where it came from, and why it was set aside.

A value on its way to the ``dead-letters`` topic. Its id is the place of the original, so the same record set aside
twice (a replay after a crash) is recognisable. Key and value go through untouched, a null as a null.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.reasons import Reject

ORIGINAL = "original."
"""Put before the names of the record's own headers, which might otherwise pass for ours."""
MAX_ORIGINAL_HEADERS = 32
MAX_ORIGINAL_BYTES = 8 * 1024
"""Own headers are kept up to these bounds, so that a dead letter always fits where its record did."""

Headers = list[tuple[str, bytes]]

_ID = re.compile(r"[A-Za-z0-9._-]{1,249}-([0-9]{1,10})-[0-9]{1,19}")


class Consumed(Protocol):
    """The part of a consumed record that is used; aiokafka's, kafka-python's and a test's named tuple have it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


@dataclass(frozen=True)
class DeadLetter:
    """A record set aside.

    Parameters
    ----------
    record
        As consumed.
    reject
        Why.
    app_version
        Version of yocho that set it aside.
    """

    record: Consumed
    reject: Reject
    app_version: str

    @classmethod
    def of(cls, record: Consumed, reject: Reject, app_version: str) -> "DeadLetter":
        """Set a record aside."""
        return cls(record, reject, app_version)

    @property
    def id(self) -> str:
        """Topic, partition and offset of the original, joined by dashes."""
        return f"{self.record.topic}-{self.record.partition}-{self.record.offset}"

    def to_record(self) -> tuple[bytes | None, bytes | None, Headers]:
        """Return key, value and headers of the record in ``dead-letters``.

        Returns
        -------
        key, value
            The original's, byte for byte.
        headers
            ``x-id``, ``x-reason``, ``x-detail`` (the rule that was broken), ``x-error-class``, ``x-topic``,
            ``x-partition``, ``x-offset``, ``x-app-version``, then the original's own under ``original.``; where
            they exceed the bounds, ``x-headers-dropped`` tells how many are missing.
        """
        record, reject = self.record, self.reject
        ours = {
            "x-id": self.id,
            "x-reason": str(reject.reason),
            "x-detail": reject.detail,
            "x-error-class": reject.error_class,
            "x-topic": record.topic,
            "x-partition": str(record.partition),
            "x-offset": str(record.offset),
            "x-app-version": self.app_version,
        }
        headers = [(name, text.encode()) for name, text in ours.items()]
        kept = _within_bounds(record.headers)
        dropped = len(record.headers) - len(kept)
        if dropped:
            headers.append(("x-headers-dropped", str(dropped).encode()))
        return record.key, record.value, headers + kept


def partition_in(letter_id: str) -> int:
    """Return the partition a letter is on, which is that of its original.

    Raises
    ------
    ValueError
        No letter has such an id.

    Examples
    --------
    >>> partition_in("email-opens-3-41")
    3
    """
    match = _ID.fullmatch(letter_id)
    if match is None:
        raise ValueError(f"{letter_id!r} is no id of a dead letter: topic-partition-offset")
    return int(match[1])


def _within_bounds(originals: Sequence[tuple[str, bytes | None]]) -> Headers:
    kept: Headers = []
    left = MAX_ORIGINAL_BYTES
    for name, value in originals[:MAX_ORIGINAL_HEADERS]:
        header = (ORIGINAL + name, value or b"")  # Kafka allows a null header value, its clients here do not
        left -= len(header[0].encode()) + len(header[1])
        if left < 0:
            break
        kept.append(header)
    return kept
