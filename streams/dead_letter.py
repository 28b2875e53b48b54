"""What a rejected record carries: original key and bytes, where it came from, and why it was set aside."""

from dataclasses import dataclass
from typing import Any

from streams.reasons import Reject


@dataclass(frozen=True)
class DeadLetter:
    """A record set aside."""

    record: Any
    reject: Reject
    app_version: str

    @classmethod
    def of(cls, record: Any, reject: Reject, app_version: str) -> "DeadLetter":
        """Set a record aside."""
        return cls(record, reject, app_version)

    def to_record(self) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]:
        """Key, value and headers."""
        r = self.record
        return r.key, r.value, [
            ("x-id", f"{r.topic}-{r.partition}-{r.offset}".encode()),
            ("x-reason", str(self.reject.reason).encode()),
            ("x-error-class", self.reject.error_class.encode()),
            ("x-topic", r.topic.encode()),
            ("x-partition", str(r.partition).encode()),
            ("x-offset", str(r.offset).encode()),
            ("x-app-version", self.app_version.encode()),
        ]
