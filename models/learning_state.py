"""The trainer's state as bytes: all that whoever trains next needs to go on to the last bit.

Second line, beside the snapshots, on the topic of models. A snapshot is what scorers need, a fiftieth of this; the
state also holds how sure the mixtures are of each weight, the duel, the drift tests and the reliability curve, and how
far each partition of the labels has been learnt. Plain JSON, like the snapshots: reading it runs nothing.
"""

from typing import Any

import msgspec

from models.events import Channel
from models.newer import refuse_newer
from models.snapshot import SnapshotError
from models.target import Target

FORMAT = "yocho-trainer"
FORMAT_VERSION = 1
MAX_BYTES = 2 * 1024 * 1024
"""A state has about 260 KiB. JSON numbers compress to less than one half, so up to this bound a record fits a topic
with the brokers' default limit of 1 MiB."""


class _Form(msgspec.Struct):
    """What tells whether the rest can be read; a newer release may have changed everything else."""

    format: str
    version: int


class _Head(msgspec.Struct):
    """What tells whose state it is; everything else is skipped."""

    main: str
    horizon_s: int
    calendar: str


_FORM = msgspec.json.Decoder(_Form)
_HEAD = msgspec.json.Decoder(_Head)


def encode(plain: dict[str, Any]) -> bytes:
    """Return a state as JSON bytes.

    Parameters
    ----------
    plain
        As `models.trainer.Trainer.to_dict` gives it.

    Raises
    ------
    SnapshotError
        It has more than `MAX_BYTES`: nobody would read it.
    """
    data = msgspec.json.encode(plain)
    _check_size(data)
    return data


def decode(data: bytes) -> dict[str, Any]:
    """Read a state from JSON bytes; `models.trainer.Trainer.from_dict` checks what it holds.

    Raises
    ------
    NewerVersionError
        A newer release wrote it.
    SnapshotError
        More than `MAX_BYTES`, not JSON (which has no NaN), or not of this format and version.

    Examples
    --------
    >>> decode(b'{"format":"yocho-trainer","version":99,"main":"order","horizon_s":1,"calendar":""}')
    Traceback (most recent call last):
    models.newer.NewerVersionError: trainer's state has version 99, this code reads version 1
    """
    target_of(data)
    plain: dict[str, Any] = msgspec.json.decode(data)
    return plain


def target_of(data: bytes) -> Target:
    """Tell what a state predicts, a fifth of the work of reading it.

    Raises
    ------
    NewerVersionError, SnapshotError
        As for `decode`, or the target is none.
    """
    _check_size(data)
    try:
        form = _FORM.decode(data)
        if form.format != FORMAT:
            raise SnapshotError(f"not a trainer's state: its format is not {FORMAT!r}")
        refuse_newer("trainer's state", form.version, FORMAT_VERSION, FORMAT_VERSION)
        if form.version != FORMAT_VERSION:
            raise SnapshotError(f"trainer's state has version {form.version}, this code reads version {FORMAT_VERSION}")
        head = _HEAD.decode(data)
    except msgspec.DecodeError as error:
        raise SnapshotError(f"not a trainer's state: {error}") from None
    try:
        return Target(Channel[head.main.upper()], head.horizon_s, head.calendar)
    except (KeyError, ValueError) as error:
        raise SnapshotError(f"trainer's state does not say what it predicts: {error}") from None


def _check_size(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise SnapshotError(f"trainer's state has {len(data)} bytes, more than {MAX_BYTES}")
