"""Who was erased, and up to when: what a partition keeps so that a replay brings nobody back.

Beside per-customer state on the line from event to alert. The id itself is not kept, but 72 bits of its hash: whoever
has an id can ask for it, nobody can read one here. As long as ids can be guessed and tried that is a pseudonym, so it
is kept only while it is needed: for as long as a silent customer's state would be, and at most `MOST` of them.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from models.memory import remembered

PART = "erased"
"""Name under which a partition remembers them."""

MOST, FEWER = 4_096, 3_840
"""Per partition. The record they travel in is written at each commit; these are 110 kB of it. One more than the most,
and as many as `FEWER` stay, the latest: so that it is not done again at the next."""

_FINGERPRINT_BYTES = 9  # 12 letters of base64 without padding; two of a billion ids collide once in 9,000 shops
_WHOSE = b"yocho erased"  # the same id hashed by anybody else gives something else


class Erased:
    """Customers who were erased, by fingerprint.

    Parameters
    ----------
    keep_s
        How long an erasure is remembered, seconds before the latest one.
    at_s
        By fingerprint the second up to which everything is passed over, that second included.

    Attributes
    ----------
    latest_s
        The latest of those seconds; 0 = nobody was erased.

    Examples
    --------
    >>> erased = Erased(keep_s=1_000)
    >>> erased.add([b"c1"], 500)
    >>> erased.covers(b"c1", 500), erased.covers(b"c1", 501), erased.covers(b"c2", 500)
    (True, False, False)
    >>> erased.add([b"c2"], 1_501)
    >>> erased.covers(b"c1", 500), erased.to_dict()
    (False, {'qPvgtN5aEtw4': 1501})
    """

    def __init__(self, keep_s: int, at_s: Mapping[str, int] | None = None) -> None:
        self._keep_s = keep_s
        self._at_s = dict(at_s or {})
        self.latest_s = max(self._at_s.values(), default=0)

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._at_s)

    @classmethod
    def of(cls, memory: MutableMapping[str, Any], keep_s: int) -> "Erased":
        """Return those of a partition's memory."""
        return remembered(memory, PART, cls, lambda kept: cls(keep_s, kept))

    def to_dict(self) -> dict[str, int]:
        """Write them down as plain values."""
        return self._at_s

    def covers(self, customer_id: bytes, at_s: int) -> bool:
        """Whether something a customer did at a second has been erased."""
        if at_s > self.latest_s or not self._at_s:
            return False
        up_to_s = self._at_s.get(fingerprint(customer_id))
        return up_to_s is not None and at_s <= up_to_s

    def add(self, customer_ids: Iterable[bytes], at_s: int) -> None:
        """Erase customers up to a second, at_s > 0; when there are too many, the earliest are forgotten."""
        for name in map(fingerprint, customer_ids):
            self._at_s[name] = max(at_s, self._at_s.get(name, 0))
        self.latest_s = max(self.latest_s, at_s)
        since_s = self.latest_s - self._keep_s
        if len(self._at_s) > MOST or min(self._at_s.values(), default=at_s) < since_s:
            most = FEWER if len(self._at_s) > MOST else MOST
            kept = sorted((second, who) for who, second in self._at_s.items() if second >= since_s)[-most:]
            self._at_s = {who: second for second, who in kept}


def fingerprint(customer_id: bytes) -> str:
    """Return what is kept of an id: letters, digits, dashes and underscores that it cannot be read from.

    References
    ----------
    .. [1] RFC 7693, The BLAKE2 Cryptographic Hash, with its personalisation.

    Examples
    --------
    >>> fingerprint(b"c1"), len(fingerprint(bytes(256)))
    ('QZ-ODSpT15BK', 12)
    """
    digest = hashlib.blake2b(customer_id, digest_size=_FINGERPRINT_BYTES, person=_WHOSE).digest()
    return base64.urlsafe_b64encode(digest).decode()
