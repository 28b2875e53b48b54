"""The mixture: experts that learn side by side, weighed online by how right each has been, moved to the level of now.

*Trainer*, second line. Labels come in groups of one kind (see `models.trainer`):

    step labels    -> hazard and process experts, level tracker
    horizon labels -> weights of the experts, weights of the level's readings, then linear and curved expert

    log-odds = shift(sum of weight * log-odds of each expert, level)

Weights come from prequential losses. The experts that wait for horizon labels are judged on a label just before they
learn it: what they said a horizon ago, when they knew a horizon less, says little about how good they are now (judged
so, the mixture falls 0.004 to 0.02 AUC behind its best expert on nine logs; judged this way, never more than 0.001).
The others and the level are judged by what they said when the example was frozen, as their knowledge of the weeks
since would be knowledge of the outcome.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import snapshot as snapshots
from models.blend import Blend, log_losses
from models.events import Channel
from models.experts import NAMES
from models.experts.chain import HazardExpert
from models.experts.expert import Expert
from models.experts.formulas import N_FEATURES, N_HIDDEN, probability
from models.experts.logits import CurvedExpert, LinearExpert
from models.experts.process import ProcessExpert
from models.experts.scaling import Scaling
from models.experts.second_order import MEMORY_DAYS
from models.features import NAMES as FEATURE_NAMES
from models.features import RHYTHM
from models.groups import Group
from models.level import LevelTracker
from models.newer import refuse_newer
from models.progress import Progress
from models.scorer import Scorer
from models.snapshot import Snapshot
from models.target import DAY_S, Target

Floats = NDArray[np.float64]

BASE = len(NAMES)
"""Place of the mixture before the level's shift among the log-odds that an example keeps, after the experts."""
KEPT_NAMES = (*NAMES, "base")
ABLE_LABELS = 200
"""Labels of its kind after which an expert is listened to: as many as settle its scaling."""
ABLE_HORIZONS = {"hazard": 1 / 2, "linear": 1 / 3, "curved": 1 / 3}
"""And the span of time its labels must cover. The first labels of a shop are of newcomers, all in their first week:
who has learnt nothing else is sure and wrong about everybody else (CDNOW without this rule: log loss from 0.494 to
0.543 in the week of the first horizon labels)."""
# Before any horizon label: the rhythm knows a customer, the process soon knows the shop.
_START = {"rhythm": 0.5, "process": 0.4, "hazard": 0.1, "linear": 1.0, "curved": 1.0}
_RATE, _KEPT_PER_WEEK = 20.0, 0.9
_MAX_LOG_ODDS = 8.0  # one expert who is sure and wrong must not cost the mixture everything
_STATE_VERSION = 1


class ChurnMixture(Expert):
    """Learns groups of labels and hands out snapshots for scorers.

    Parameters
    ----------
    main, horizon_s
        As in `Expert`.
    memory_days
        Half-life of the labels of linear, curved and process expert, days of event time, > 0.
    experts
        Which experts take part, at least one of `models.experts.NAMES`.
    calendar
        As in `Target`.

    Raises
    ------
    ValueError
        An expert is unknown, or there is none.

    Examples
    --------
    >>> mixture = ChurnMixture()
    >>> for _ in range(500):
    ...     mixture.learn_one({"order_silence": 3.0}, True)
    ...     mixture.learn_one({"order_silence": 1.0}, False)
    >>> mixture.predict_proba_one({"order_silence": 3.0})[True] > 0.9, mixture.n_labels
    (True, 1000)
    """

    def __init__(
        self,
        main: str = "order",
        horizon_s: int = 91 * DAY_S,
        memory_days: float = MEMORY_DAYS,
        experts: Sequence[str] = NAMES,
        calendar: str = "",
    ) -> None:
        super().__init__(main, horizon_s, calendar)
        unknown = sorted(set(experts) - set(NAMES))
        if unknown or not experts:
            raise ValueError(f"experts must be some of {', '.join(NAMES)}, got {', '.join(unknown) or 'none'}")
        self.memory_days = memory_days
        self.experts = experts
        self._steps, self._horizons = Progress(), Progress()
        self._scaling = Scaling(N_FEATURES, self.target.horizon_days)
        self._hazard = HazardExpert(main, horizon_s, scaling=self._scaling)
        self._process = ProcessExpert(main, horizon_s, memory_days)
        self._linear = LinearExpert(main, horizon_s, memory_days, self._scaling)
        self._curved = CurvedExpert(main, horizon_s, memory_days, self._scaling)
        self._level = LevelTracker(self.target)
        start = np.array([_START[name] * (name in experts) for name in NAMES])
        self._blend = Blend(start, rate=_RATE, kept_per_week=_KEPT_PER_WEEK)

    @classmethod
    def for_target(cls, target: Target, **options: Any) -> "ChurnMixture":
        """Make a mixture that has learnt nothing, for a target; options as in the constructor."""
        return cls(Channel(target.main).name.lower(), target.horizon_s, calendar=target.calendar, **options)

    # -- learning

    def learn_steps(self, group: Group) -> None:
        """Learn step labels: what came within the first thirteenth of the horizon."""
        group = group.completed(self.target)
        was_able = self.n_steps >= ABLE_LABELS
        days = self._steps.advance(len(group.y), group.resolved_at_s)
        self._scaling.learn(group.x, days=days)
        if was_able:
            expected = probability(-self._hazard.step_log_odds(group.x))
            self._level.observe(group.frozen_at_s, group.y, expected)
        for expert in (self._hazard, self._process):
            expert.learn(group.x, group.y, days=days, weight=group.weight)
        self._level.advance(self._steps.last_at_s, is_late=self._is_able("linear"))
        self._hazard.level = self._level.recent(self._steps.last_at_s)

    def learn_horizons(self, group: Group) -> None:
        """Learn horizon labels: first judge, then learn."""
        group = group.completed(self.target)
        days = self._horizons.advance(len(group.y), group.resolved_at_s)
        if not self.n_steps:
            self._scaling.learn(group.x, days=days)
        losses = log_losses(np.clip(self._judged(group), -_MAX_LOG_ODDS, _MAX_LOG_ODDS), group.y)
        self._blend.learn(losses, group.weight, days=days)
        self._level.learn(group.kept[:, BASE], group.y, group.frozen_at_s, group.weight, days=days)
        for expert in (self._linear, self._curved):
            expert.learn(group.x, group.y, days=days, weight=group.weight)

    def learn(self, x: Floats, y: Floats, *, days: float = 0.0, weight: Any = 1.0) -> None:
        """Learn horizon labels without a date, as River's estimators do; see `Expert.learn`.

        Time goes on by a thousandth of a horizon with each of them, on top of `days`.
        """
        n = len(y)
        kept = np.full((n, len(KEPT_NAMES)), np.nan)
        began_s = self._horizons.last_at_s or self.horizon_s
        resolved_at_s = began_s + int(days * DAY_S) + n * self.horizon_s // 1_000
        frozen_at_s = np.full(n, resolved_at_s - self.horizon_s, np.int64)
        counts = np.broadcast_to(np.asarray(weight, np.float64), n)
        self.learn_horizons(Group(x, y, kept, frozen_at_s, resolved_at_s, counts))

    def _judged(self, group: Group) -> Floats:
        now = self.expert_log_odds(group.x)
        kept = group.kept[:, :BASE]
        waits = np.isin(NAMES, ("linear", "curved"))
        return np.where(waits | np.isnan(kept), now, kept)

    # -- answering

    @property
    def n_labels(self) -> int:
        """Horizon labels learnt."""
        return self._horizons.n

    @property
    def n_steps(self) -> int:
        """Step labels learnt."""
        return self._steps.n

    def expert_log_odds(self, x: Floats) -> Floats:
        """Return the log-odds of each of `NAMES`, shape (n, 5), for features of shape (n, d)."""
        rhythm = np.where(np.isnan(x[:, RHYTHM]), 0.0, x[:, RHYTHM])
        learnt = [expert.log_odds(x) for expert in (self._process, self._hazard, self._linear, self._curved)]
        return np.column_stack([rhythm, *learnt])

    def log_odds(self, x: Floats) -> Floats:
        """Return the mixture's log-odds, shape (n,): exactly what a scorer of its snapshot gives.

        Where the rhythm is not among the known features it counts as even money.
        """
        x = x.copy()
        x[:, RHYTHM] = np.where(np.isnan(x[:, RHYTHM]), 0.0, x[:, RHYTHM])
        return Scorer.of(self.snapshot()).log_odds_of(x)

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each expert, summing to one."""
        able = np.array([self._is_able(name) for name in NAMES])
        chosen = able & (self._blend.start > 0)
        if not chosen.any():  # only experts that know nothing yet: the rhythm stands in
            return dict(zip(NAMES, (np.arange(len(NAMES)) == 0).astype(float).tolist(), strict=True))
        return dict(zip(NAMES, self._blend.weights(able).tolist(), strict=True))

    def _is_able(self, name: str) -> bool:
        if name == "rhythm":
            return True
        seen = self._steps if name in {"process", "hazard"} else self._horizons
        return seen.n >= ABLE_LABELS and seen.span_s >= ABLE_HORIZONS.get(name, 0.0) * self.horizon_s

    @property
    def level_shift(self) -> float:
        """Log of the factor on the cumulative hazard, from the level tracker."""
        return self._level.shift

    # -- writing down

    def snapshot(self, effective_at_s: int = 0) -> Snapshot:
        """Write down what a scorer needs; in effect from a stream time, epoch seconds.

        Raises
        ------
        SnapshotError
            A number is not finite: learning has diverged.
        """
        weights = self.weights
        return snapshots.checked(
            Snapshot(
                main=self.main,
                horizon_s=self.horizon_s,
                calendar=self.calendar,
                effective_at_s=effective_at_s,
                n_labels=self.n_labels,
                n_steps=self.n_steps,
                weights=tuple(weights[name] for name in NAMES),
                level_shift=self.level_shift,
                hazard_level=self._hazard.level,
                features=FEATURE_NAMES,
                centre=tuple(self._scaling.centre.tolist()),
                unit=tuple(self._scaling.unit.tolist()),
                linear=tuple(self._linear.weights.tolist()),
                curved=tuple(self._curved.weights.tolist()),
                hazard=tuple(self._hazard.weights.tolist()),
                process=tuple(self._process.parameters.tolist()),
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Write down everything as plain JSON values; `from_dict` goes on from it to the last bit."""
        return {
            "version": _STATE_VERSION,
            "main": self.main,
            "horizon_s": self.horizon_s,
            "calendar": self.calendar,
            "memory_days": self.memory_days,
            "experts": list(self.experts),
            "features": list(FEATURE_NAMES),
            "hidden": N_HIDDEN,
            "hazard_level": self._hazard.level,
            **{name: part.to_dict() for name, part in self._parts().items()},
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "ChurnMixture":
        """Go on from what `to_dict` gave, from this process or through JSON.

        Raises
        ------
        NewerVersionError, SnapshotError
            It is of a newer release; damaged, of an older one, or of other features.
        """
        refuse_newer("mixture of the trainer's state", plain.get("version"), _STATE_VERSION, _STATE_VERSION)
        if plain.get("version") != _STATE_VERSION or plain.get("features") != list(FEATURE_NAMES):
            raise snapshots.SnapshotError("the trainer's state is of another version or other features than this code")
        try:
            mixture = cls(
                plain["main"],
                plain["horizon_s"],
                plain["memory_days"],
                experts=tuple(plain["experts"]),
                calendar=plain["calendar"],
            )
            mixture._hazard.level = float(plain["hazard_level"])
            for name, part in mixture._parts().items():
                part.load(plain[name])
            mixture.snapshot()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise snapshots.SnapshotError(f"the trainer's state does not hold what it should: {error}") from None
        return mixture

    def _parts(self) -> dict[str, Any]:
        return {
            "steps": self._steps,
            "horizons": self._horizons,
            "scaling": self._scaling,
            "process": self._process,
            "hazard": self._hazard,
            "linear": self._linear,
            "curved": self._curved,
            "level": self._level,
            "blend": self._blend,
        }
