"""A trained model as explicit numbers: what travels through the topic of models.

Between the trainer and every scorer, on the second line. Plain JSON, never pickle: anybody may read it, and
reading it runs nothing. The same numbers in give the same bits out, because a float is written with as many
digits as it takes to read the very same float again.
"""

import hashlib
import math
from typing import Annotated, Any

import msgspec

from models.events import Channel
from models.experts import NAMES as EXPERTS
from models.experts.chain import N_BENDS
from models.experts.formulas import N_HIDDEN
from models.features import NAMES
from models.newer import refuse_newer
from models.target import Target

FORMAT = "yocho-model"
FORMAT_VERSION = 2
MAX_BYTES = 64 * 1024  # a snapshot has about 6 KiB; more than 64 KiB is not one of ours

Count = Annotated[int, msgspec.Meta(ge=0)]
_LENGTHS = {
    "weights": len(EXPERTS),
    "features": len(NAMES),
    "centre": len(NAMES),
    "unit": len(NAMES),
    "linear": len(NAMES) + 1,
    "curved": len(NAMES) + N_HIDDEN + 1,
    "hazard": len(NAMES) + N_BENDS + 1,
    "process": 4,
}


class SnapshotError(ValueError):
    """A snapshot cannot be used: unknown format, other features, or numbers that are none."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers that a scorer needs.

    Parameters
    ----------
    format, version
        `FORMAT` and `FORMAT_VERSION`; anything else is refused.
    main, horizon_s, calendar
        What the model predicts and may know, as in `Target`; the channel by its name in lower case.
    effective_at_s
        Stream time from which scorers use it, epoch seconds.
    n_labels, n_steps
        Horizon and step labels learnt.
    weights
        Of the experts, in the order of `models.experts.NAMES`, >= 0, summing to one.
    level_shift
        Log of the factor on the mixture's cumulative hazard.
    hazard_level
        Log of the factor on the hazard expert's.
    features
        `models.features.NAMES`.
    centre, unit
        Mean and one over the standard deviation of each feature.
    linear, curved, hazard
        Weights of the standardised features, then of the hidden units (curved) or the bends (hazard), the bias last.
    process
        Logs of r, alpha, a, b; see `models.experts.process`.
    """

    format: str = FORMAT
    version: int = FORMAT_VERSION
    main: str
    horizon_s: int
    calendar: str = ""
    effective_at_s: Count = 0
    n_labels: Count
    n_steps: Count
    weights: tuple[float, ...]
    level_shift: float
    hazard_level: float
    features: tuple[str, ...]
    centre: tuple[float, ...]
    unit: tuple[float, ...]
    linear: tuple[float, ...]
    curved: tuple[float, ...]
    hazard: tuple[float, ...]
    process: tuple[float, ...]

    @property
    def target(self) -> Target:
        """What the model predicts."""
        return Target(Channel[self.main.upper()], self.horizon_s, self.calendar)

    @property
    def name(self) -> str:
        """Name the numbers, wherever and whenever they take effect: n<labels>-<8 hex digits of content>."""
        content = msgspec.json.encode(msgspec.structs.replace(self, effective_at_s=0))
        return f"n{self.n_labels:06d}-{hashlib.sha256(content).hexdigest()[:8]}"


def checked(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot if its numbers are finite and as many as they should be.

    Raises
    ------
    SnapshotError
        They are not, or it is of other features or no valid target.
    """
    try:
        _ = snapshot.target
    except (KeyError, ValueError) as error:
        raise SnapshotError(f"model snapshot does not hold what it should: {error}") from None
    for name, length in _LENGTHS.items():
        if len(getattr(snapshot, name)) != length:
            raise SnapshotError(f"model snapshot needs {length} numbers in {name}, got {len(getattr(snapshot, name))}")
    if snapshot.features != NAMES:
        raise SnapshotError("model snapshot is of other features than this code")
    columns = [getattr(snapshot, name) for name in _LENGTHS if name != "features"]
    numbers = [snapshot.level_shift, snapshot.hazard_level, *(number for column in columns for number in column)]
    if not all(map(math.isfinite, numbers)):
        raise SnapshotError("model snapshot holds a number that is not finite")
    if min(snapshot.weights) < 0 or abs(sum(snapshot.weights) - 1.0) > 1e-9:
        raise SnapshotError("model snapshot needs weights that are not negative and sum to one")
    return snapshot


def to_dict(snapshot: Snapshot) -> dict[str, Any]:
    """Return the snapshot as plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(snapshot)
    return plain


def from_dict(plain: dict[str, Any]) -> Snapshot:
    """Check a snapshot that came from elsewhere.

    Parameters
    ----------
    plain
        JSON values as `to_dict` gives them.

    Returns
    -------
    Snapshot
        With finite numbers, known features and a valid target.

    Raises
    ------
    NewerVersionError
        A newer release wrote it.
    SnapshotError
        Anything else; the message says what.

    Examples
    --------
    >>> from_dict({"format": "yocho-model", "version": 99})
    Traceback (most recent call last):
    models.newer.NewerVersionError: model snapshot has version 99, this code reads version 2
    """
    if plain.get("format") != FORMAT:
        raise SnapshotError(f"not a model snapshot: its format is not {FORMAT!r}")
    found = plain.get("version")
    refuse_newer("model snapshot", found, FORMAT_VERSION, FORMAT_VERSION)
    if found != FORMAT_VERSION:
        raise SnapshotError(f"model snapshot has version {found!r:.20}, this code reads version {FORMAT_VERSION}")
    try:
        snapshot = msgspec.convert(plain, Snapshot)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"model snapshot does not hold what it should: {error}") from None
    return checked(snapshot)


def encode(snapshot: Snapshot) -> bytes:
    """Return the snapshot as JSON bytes."""
    return msgspec.json.encode(snapshot)


def decode(data: bytes) -> Snapshot:
    """Read a snapshot from JSON bytes.

    Raises
    ------
    SnapshotError
        More than `MAX_BYTES`, not JSON (which has no NaN), or refused by `from_dict`.

    Examples
    --------
    >>> decode(b"[" * 100_000)
    Traceback (most recent call last):
    models.snapshot.SnapshotError: model snapshot has 100000 bytes, more than 65536
    """
    if len(data) > MAX_BYTES:
        raise SnapshotError(f"model snapshot has {len(data)} bytes, more than {MAX_BYTES}")
    try:
        plain = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise SnapshotError(f"model snapshot is not JSON: {error}") from None
    if not isinstance(plain, dict):
        raise SnapshotError("model snapshot is not a JSON object")
    return from_dict(plain)
