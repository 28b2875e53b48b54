"""Dead letters as people and scripts look at them: the newest, counts by kind, one as JSON, one as files.

Between `streams.letters`, which reads the topic, and `yocho dead-letters`, which prints.
"""

import base64
import heapq
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.cluster import Cluster
from streams.letters import Letter, Receipt
from streams.redrive import Selection
from streams.settings import Settings
from streams.times import time_text


@dataclass(frozen=True)
class Marked:
    """A letter, and when its record was sent back last: epoch milliseconds, None = never."""

    letter: Letter
    redriven_at_ms: int | None

    @property
    def note(self) -> str:
        """What is unusual about it."""
        notes = []
        if self.redriven_at_ms is not None:
            notes.append(f"sent back {time_text(self.redriven_at_ms // 1000)}")
        if self.letter.redriven_from is not None:
            notes.append(f"failed again, was {self.letter.redriven_from}")
        if self.letter.headers_dropped:
            notes.append(f"{self.letter.headers_dropped} own headers dropped")
        return "; ".join(notes)


@dataclass(frozen=True)
class Listing:
    """The newest letters, and how many there are in all, by original topic and reason."""

    newest: Sequence[Marked]
    kinds: Counter[tuple[str, str]]


def listed(cluster: Cluster, settings: Settings, selection: Selection, limit: int) -> Listing:
    """Count the letters of a selection and keep the newest; no more than these are in memory.

    Raises
    ------
    LettersError
        The topic is missing or the brokers stopped answering.
    """
    kinds: Counter[tuple[str, str]] = Counter()
    newest: list[tuple[int, int, Letter]] = []
    receipts: dict[str, int] = {}
    for number, found in enumerate(selection.read(cluster, settings)):
        if isinstance(found, Receipt):
            receipts[found.letter_id] = found.at_ms
            continue
        kinds[found.topic, found.reason] += 1
        put = heapq.heappush if len(newest) < limit else heapq.heappushpop
        put(newest, (found.at_ms, number, found))
    ordered = [letter for *_, letter in sorted(newest, reverse=True)]
    return Listing([Marked(letter, receipts.get(letter.id)) for letter in ordered], kinds)


def find(cluster: Cluster, settings: Settings, selection: Selection) -> list[Marked]:
    """Return the letters of a selection, by id; raises as `listed` does."""
    return sorted(
        listed(cluster, settings, selection, max(1, len(selection.ids))).newest, key=lambda one: one.letter.id
    )


def to_json(one: Marked, *, payload: bool) -> dict[str, Any]:
    """Return what can be said of a letter as JSON values.

    Key and value stand there only where they are asked for: as text where they are UTF-8, else under ``key_base64`` and
    ``value_base64``.
    """
    letter = one.letter
    body: dict[str, Any] = {
        "id": letter.id,
        "set_aside_at": time_text(letter.at_ms // 1000),
        "reason": letter.reason,
        "detail": letter.detail,
        "error_class": letter.error_class,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "app_version": letter.app_version,
        "value_bytes": None if letter.value is None else len(letter.value),
        "headers_dropped": letter.headers_dropped,
        "redriven_from": letter.redriven_from,
        "redriven_at": None if one.redriven_at_ms is None else time_text(one.redriven_at_ms // 1000),
    }
    if payload:
        body["headers"] = [_field("value", value) | {"name": name} for name, value in letter.headers]
        body |= _field("key", letter.key) | _field("value", letter.value)
    return body


def save(one: Marked, folder: Path) -> None:
    """Write ``ID.key`` and ``ID.value``, the bytes as they are, and ``ID.json``; only the owner may read them.

    A key or value that is null has no file.

    Raises
    ------
    OSError
        A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = json.dumps(to_json(one, payload=True), indent=2).encode()
    for kind, data in (("key", one.letter.key), ("value", one.letter.value), ("json", about)):
        if data is not None:
            descriptor = os.open(folder / f"{one.letter.id}.{kind}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)


def _field(name: str, data: bytes | None) -> dict[str, str | None]:
    if data is None:
        return {name: None}
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data).decode()}
