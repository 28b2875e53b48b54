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
from models.features import NAMES
from models.target import Target

FORMAT = "yocho-model"
FORMAT_VERSION = 1
MAX_BYTES = 64 * 1024  # a snapshot of 24 features has about 2.5 KiB; more than 64 KiB is not one of ours

Count = Annotated[int, msgspec.Meta(ge=0)]


class SnapshotError(ValueError):
    """A snapshot cannot be used: unknown format, other features, or numbers that are none."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of one logistic regression behind a standard scaler.

    Parameters
    ----------
    format, version
        `FORMAT` and `FORMAT_VERSION`; anything else is refused.
    main, horizon_s
        What the model predicts, as in `Target`; the channel by its name in lower case.
    effective_at_s
        Stream time from which scorers use it, epoch seconds.
    step
        Learning rate.
    n_labels, n_iterations
        Examples learnt, and steps of the optimiser.
    intercept
        Log-odds where every feature is at its mean.
    features
        In the order in which the model met them: sums of floats depend on it. Some or all of `NAMES`.
    weights, means, vars, counts
        Per feature: weight on the standardised value, running mean and variance, and examples behind them.
    """

    format: str = FORMAT
    version: int = FORMAT_VERSION
    main: str
    horizon_s: int
    effective_at_s: Count = 0
    step: float
    n_labels: Count
    n_iterations: Count
    intercept: float
    features: tuple[str, ...]
    weights: tuple[float, ...]
    means: tuple[float, ...]
    vars: tuple[float, ...]
    counts: tuple[Count, ...]

    @property
    def target(self) -> Target:
        """What the model predicts."""
        return Target(Channel[self.main.upper()], self.horizon_s)

    @property
    def name(self) -> str:
        """Name the numbers, wherever and whenever they take effect: n<labels>-<8 hex digits of content>."""
        content = msgspec.json.encode(msgspec.structs.replace(self, effective_at_s=0))
        return f"n{self.n_labels:06d}-{hashlib.sha256(content).hexdigest()[:8]}"


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
    SnapshotError
        Anything else; the message says what.

    Examples
    --------
    >>> from_dict({"format": "yocho-model", "version": 99})
    Traceback (most recent call last):
    models.snapshot.SnapshotError: model snapshot has version 99, this code reads version 1
    """
    if plain.get("format") != FORMAT:
        raise SnapshotError(f"not a model snapshot: its format is not {FORMAT!r}")
    if plain.get("version") != FORMAT_VERSION:
        found = plain.get("version")
        raise SnapshotError(f"model snapshot has version {found!r:.20}, this code reads version {FORMAT_VERSION}")
    try:
        snapshot = msgspec.convert(plain, Snapshot)
        _ = snapshot.target
    except (msgspec.ValidationError, KeyError, ValueError) as error:
        raise SnapshotError(f"model snapshot does not hold what it should: {error}") from None
    _check_numbers(snapshot)
    return snapshot


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


def _check_numbers(snapshot: Snapshot) -> None:
    columns = (snapshot.weights, snapshot.means, snapshot.vars, snapshot.counts)
    size = len(snapshot.features)
    if any(len(column) != size for column in columns) or len(set(snapshot.features)) != size:
        raise SnapshotError("model snapshot needs one weight, mean, variance and count per feature, each once")
    unknown = set(snapshot.features) - set(NAMES)
    if unknown:
        raise SnapshotError(f"model snapshot has {len(unknown)} features this code does not have")
    numbers = (snapshot.step, snapshot.intercept, *snapshot.weights, *snapshot.means, *snapshot.vars)
    if not all(map(math.isfinite, numbers)):
        raise SnapshotError("model snapshot holds a number that is not finite")
    if min(snapshot.vars, default=0.0) < 0:
        raise SnapshotError("model snapshot holds a negative variance")
