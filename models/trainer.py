"""The trainer: labels one at a time in, a snapshot and its own complete state out when due.

The heart of the second line. Labels are collected into groups (`models.open_group`), and a closed group is

    measured   how good was what was said when its examples were frozen? (`models.calibration`, `models.drift`)
    learnt     by champion and challenger (`models.contest`)
    published  when enough labels were learnt: the champion's snapshot, and the state to go on from

What comes out depends on the labels and their order alone, not on how they were fetched or when somebody stopped: the
state knows up to which offsets it has learnt, and labels that wait in the open group are not among them. So a trainer
that starts from a state and reads on from its positions learns every label exactly once.

A snapshot names the stream time it takes effect at: the full hour after the next, counted from the latest label that
has come, so that it reaches every scorer before it is due.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from models.calibration import Reliability
from models.contest import Contest, Options
from models.drift import Drift, DriftWatch
from models.features import NAMES
from models.labels import Label
from models.learning_state import FORMAT, FORMAT_VERSION
from models.metrics import CLIP
from models.mixture import ChurnMixture
from models.open_group import OpenGroup, check
from models.promotion import Verdict
from models.snapshot import Snapshot, SnapshotError
from models.target import HOUR_S, Target

MOVES_ANYWAY = ("main_span", "main_occasions", "order_count", "login_count", "email_count", "basket_total")
"""Features that grow as customers grow older. That they move is no news, and nor is that the calendar does."""
WATCHED = tuple(name for name in NAMES if name not in MOVES_ANYWAY and not name.startswith("calendar_"))

Count = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True)
class Publication:
    """What is worth publishing.

    Parameters
    ----------
    snapshot
        For scorers.
    state
        For whoever trains next: what `Trainer.to_dict` gives at this moment.
    """

    snapshot: Snapshot
    state: dict[str, Any]


@dataclass(frozen=True)
class Learnt:
    """What came of a closed group.

    Parameters
    ----------
    steps, horizons
        How many labels of each kind it had.
    drifts
        Alarms it raised.
    verdict
        How a duel ended with it, if one did.
    publication
        If one is due.
    """

    steps: int
    horizons: int
    drifts: tuple[Drift, ...]
    verdict: Verdict | None
    publication: Publication | None


class _State(msgspec.Struct, forbid_unknown_fields=True):
    """The state as JSON. No field has a default, so none can be missing."""

    format: Literal["yocho-trainer"]
    version: Literal[1]
    main: str
    horizon_s: int
    calendar: str
    positions: dict[Annotated[str, msgspec.Meta(pattern="^[0-9]{1,6}$")], Count]
    since_snapshot: Count
    effective_at_s: Count
    contest: dict[str, Any]
    drift: dict[str, Any]
    reliability: dict[str, Any]


class Trainer:
    """Learns labels in the order they come and says when the model is worth publishing.

    Parameters
    ----------
    target
        Main channel and horizon.
    every
        Labels of both kinds between two publications, >= 1; rounded up to whole groups.
    options
        Champion, challenger and their experts.

    Attributes
    ----------
    reliability
        How good the probabilities were that were given when the examples were frozen.
    positions
        Next label to read, by partition of their topic; absent = from the beginning. What waits is not counted.

    Raises
    ------
    ValueError
        `every` is not positive, or the options name an expert that is none.
    """

    def __init__(self, target: Target, every: int, options: Options = Options()) -> None:  # noqa: B008 - frozen
        if every < 1:
            raise ValueError(f"every must be at least 1 label, got {every}")
        self.target = target
        self.every = every
        self.reliability = Reliability()
        self.positions: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._contest = Contest(target, options)
        self._drift = DriftWatch(WATCHED)
        self._group = OpenGroup()
        self._since_snapshot = 0
        self._effective_at_s = 0

    @property
    def champion(self) -> ChurnMixture:
        """The mixture whose snapshots are published."""
        return self._contest.champion

    @property
    def challenger(self) -> ChurnMixture | None:
        """The mixture that learns beside it, if any."""
        return self._contest.challenger

    @property
    def e_values(self) -> dict[str, float]:
        """Evidence in the running duel, for ``champion`` and ``challenger``."""
        return self._contest.e_values

    def learn(self, label: Label, partition: int, next_offset: int) -> Learnt | None:
        """Take one label; it is learnt when its group closes.

        Parameters
        ----------
        label
            What to learn.
        partition, next_offset
            Where it stood in the topic, and where its successor will.

        Returns
        -------
        Learnt or None
            What came of the group that closed before or with this label.

        Raises
        ------
        LabelError
            See `models.open_group.check`. Nothing of the label was learnt; tell `pass_over`.
        SnapshotError
            A mixture has diverged: go on from the state published last.
        """
        check(label, self.target)
        learnt = self._close(label.resolved_at_s) if self._group.closes_before(label) else None
        self._group.add(label)
        self._seen[partition] = next_offset
        return self._close(label.resolved_at_s) if self._group.is_full else learnt

    def pass_over(self, partition: int, next_offset: int) -> None:
        """Note a record that is no label, or was refused: its place counts as learnt with the group that waits."""
        self._seen[partition] = next_offset

    def to_dict(self) -> dict[str, Any]:
        """Write down what has been learnt as plain JSON values; `from_dict` goes on from it to the last bit."""
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "main": self.champion.main,
            "horizon_s": self.target.horizon_s,
            "calendar": self.target.calendar,
            "positions": {str(partition): offset for partition, offset in self.positions.items()},
            "since_snapshot": self._since_snapshot,
            "effective_at_s": self._effective_at_s,
            "contest": self._contest.to_dict(),
            "drift": self._drift.to_dict(),
            "reliability": self.reliability.to_dict(),
        }

    @classmethod
    def from_dict(
        cls,
        plain: dict[str, Any],
        target: Target,
        every: int,
        options: Options = Options(),  # noqa: B008 - frozen
    ) -> "Trainer":
        """Go on from what `to_dict` gave, reading labels from its `positions`.

        Parameters
        ----------
        plain
            From this process or through JSON.
        target, every, options
            As in the constructor. With other options than before, see `models.contest.Contest.from_dict`.

        Raises
        ------
        SnapshotError
            It is damaged, of another version, or of another target.
        """
        try:
            state = msgspec.convert(plain, _State)
            trainer = cls(target, every, options)
            trainer._contest = Contest.from_dict(state.contest, target, options)
            trainer._drift = DriftWatch.from_dict(state.drift)
            trainer.reliability = Reliability.from_dict(state.reliability)
        except msgspec.ValidationError as error:
            raise SnapshotError(f"the trainer's state does not hold what it should: {error}") from None
        if (state.main, state.horizon_s, state.calendar) != (trainer.champion.main, target.horizon_s, target.calendar):
            raise SnapshotError(f"the trainer's state predicts {state.main} within {state.horizon_s} s, not {target}")
        if trainer._drift.names != WATCHED:
            raise SnapshotError("the trainer's state watches other features than this code")
        trainer.positions = {int(partition): offset for partition, offset in state.positions.items()}
        trainer._seen = dict(trainer.positions)
        trainer._since_snapshot = state.since_snapshot
        trainer._effective_at_s = state.effective_at_s
        return trainer

    def _close(self, now_s: int) -> Learnt:
        group, self._group = self._group, OpenGroup()
        horizons = group.of("horizon")
        drifts = [drift for label in horizons for drift in self._measure(label)]
        verdict = self._contest.learn(group.arrays("step"), group.arrays("horizon"))
        self.positions = dict(self._seen)
        latest_s = max(now_s, *(label.resolved_at_s for label in group.labels))
        self._effective_at_s = max(self._effective_at_s, (latest_s // HOUR_S + 2) * HOUR_S)
        self._since_snapshot += len(group.labels)
        return Learnt(len(group.labels) - len(horizons), len(horizons), tuple(drifts), verdict, self._publication())

    def _measure(self, label: Label) -> list[Drift]:
        self.reliability.update(label.probability, label.churned)
        p = min(max(label.probability, CLIP), 1.0 - CLIP)
        return self._drift.update(-math.log(p if label.churned else 1.0 - p), label.features)

    def _publication(self) -> Publication | None:
        if self._since_snapshot < self.every:
            return None
        self._since_snapshot = 0
        return Publication(self.champion.snapshot(self._effective_at_s), self.to_dict())
