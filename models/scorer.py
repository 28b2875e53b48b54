"""Scores whole batches of customers with the numbers of one snapshot.

*Score* on the line from event to alert. A `Scorer` never changes; learning makes a new one. Its log-odds are

    shift(sum of weight * log-odds of each expert, level)

with the formulas of `models.experts`. Experts that weigh less than `LEAST_WEIGHT` are left out and the others' weights
raised accordingly. A feature that is not known counts as the population's mean.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models import snapshot as snapshots
from models.clocks import RUNNING, ChannelClocks
from models.experts import NAMES
from models.experts.chain import N_BENDS, chained
from models.experts.formulas import (
    N_FEATURES,
    N_HIDDEN,
    curved_log_odds,
    linear_log_odds,
    probability,
    weighted,
)
from models.experts.process import histories, no_occasion_log_odds
from models.experts.scaling import standardised
from models.features import RHYTHM, features, moving_of
from models.outlook import Outlook
from models.snapshot import Snapshot
from models.state import Rows
from models.target import Target

Floats = NDArray[np.float64]

COLD = "cold-v3"  # name of the rhythm's formula and constants, for receipts
LEAST_WEIGHT = 0.005


@dataclass(frozen=True, eq=False)
class Scorer:
    """One version of the model, ready to score arrays.

    Parameters
    ----------
    version
        Name for receipts: `COLD` or the snapshot's.
    target
        What is predicted.
    effective_at_s
        Stream time from which it is in use, epoch seconds.
    n_labels
        Horizon labels behind it.
    weights
        Of the experts, in the order of `models.experts.NAMES`, summing to one, shape (5,).
    level_shift, hazard_level
        Logs of the factors on the cumulative hazard of the mixture and of the hazard expert.
    centre, unit
        Scaling of the features, shape (`N_FEATURES`,).
    linear, curved, hazard, process
        Numbers of the experts, as in `models.snapshot.Snapshot`.
    clocks
        What silence is measured with: it does not count while its source is out.
    """

    version: str
    target: Target
    effective_at_s: int
    n_labels: int
    weights: Floats
    level_shift: float
    hazard_level: float
    centre: Floats
    unit: Floats
    linear: Floats
    curved: Floats
    hazard: Floats
    process: Floats
    clocks: ChannelClocks = RUNNING

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @classmethod
    def cold(cls, target: Target) -> "Scorer":
        """Return the scorer before any label: the personal rhythm alone."""
        nothing = np.zeros(N_FEATURES)
        return cls(
            version=COLD,
            target=target,
            effective_at_s=0,
            n_labels=0,
            weights=np.array([float(name == "rhythm") for name in NAMES]),
            level_shift=0.0,
            hazard_level=0.0,
            centre=nothing,
            unit=nothing,
            linear=np.zeros(N_FEATURES + 1),
            curved=np.zeros(N_FEATURES + N_HIDDEN + 1),
            hazard=np.zeros(N_FEATURES + N_BENDS + 1),
            process=np.zeros(4),
        )

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Scorer":
        """Return the scorer of a snapshot that has been checked."""
        weights = np.array(snapshot.weights)
        weights = np.where(weights < LEAST_WEIGHT, 0.0, weights)
        return cls(
            version=snapshot.name,
            target=snapshot.target,
            effective_at_s=snapshot.effective_at_s,
            n_labels=snapshot.n_labels,
            weights=weights / weights.sum(),
            level_shift=snapshot.level_shift,
            hazard_level=snapshot.hazard_level,
            centre=np.array(snapshot.centre),
            unit=np.array(snapshot.unit),
            linear=np.array(snapshot.linear),
            curved=np.array(snapshot.curved),
            hazard=np.array(snapshot.hazard),
            process=np.array(snapshot.process),
        )

    @classmethod
    def from_snapshot(cls, plain: dict[str, Any]) -> "Scorer":
        """Return the scorer of a snapshot as JSON values.

        Raises
        ------
        SnapshotError
            See `models.snapshot.from_dict`.
        """
        return cls.of(snapshots.from_dict(plain))

    def log_odds(self, rows: Rows, at_s: ArrayLike) -> Floats:
        """Score n customers.

        Parameters
        ----------
        rows
            Shape (n,).
        at_s
            As of when, epoch seconds, shape (n,) or one for all.

        Returns
        -------
        ndarray
            Log-odds of no main event within the next horizon, shape (n,). NaN for a customer without any main
            event: nobody has left who never came.
        """
        return self.outlook(rows).log_odds(at_s)

    def probabilities(self, rows: Rows, at_s: ArrayLike) -> Floats:
        """Return P(churn) of n customers, never exactly 0 or 1; parameters and NaN as in `log_odds`.

        Examples
        --------
        >>> from models.events import Channel
        >>> from models.state import new_rows
        >>> from models.target import DAY_S
        >>> scorer = Scorer.cold(Target(Channel.ORDER, 91 * DAY_S))
        >>> row = new_rows(1)
        >>> row["last_at"][:, Channel.ORDER], row["main_occasions"] = 1_000_000_000, 1
        >>> scorer.probabilities(row, 1_000_000_000 + 91 * DAY_S).round(2).tolist()
        [0.82]
        """
        return probability(self.log_odds(rows, at_s))

    def outlook(self, rows: Rows) -> Outlook:
        """Prepare n customers for being scored at one or many moments of their present silence."""
        return Outlook.of_rows(self, rows)

    def log_odds_of(self, x: Floats) -> Floats:
        """Score features that were computed before: equal to `log_odds` if they are of that moment.

        Parameters
        ----------
        x
            As `models.features.features` gives them, shape (n, `N_FEATURES`).
        """
        return Outlook.of_features(self, x).log_odds_as_given(x)

    def probabilities_of(self, x: Floats) -> Floats:
        """Return P(churn) for features that were computed before; parameters as in `log_odds_of`."""
        return probability(self.log_odds_of(x))

    def expert_log_odds(self, x: Floats) -> Floats:
        """Return what each expert says, and their weighted sum before the level's shift.

        Parameters
        ----------
        x
            Features, shape (n, `N_FEATURES`).

        Returns
        -------
        ndarray
            Log-odds, shape (n, 6): `models.experts.NAMES` in order, then the sum. An example keeps them. NaN for
            experts of a cold scorer that have learnt nothing: nobody shall judge them by that.
        """
        columns = np.ascontiguousarray(x.T)
        each = np.full((len(x), len(NAMES)), np.nan)
        each[:, 0] = columns[RHYTHM]
        if self.n_labels or self.weights[1:].any():
            z = standardised(columns, self.centre, self.unit)
            each[:, 1] = self.process_log_odds(columns)
            each[:, 2] = self.hazard_log_odds(columns)
            each[:, 3] = linear_log_odds(z, self.linear)
            each[:, 4] = curved_log_odds(z, self.curved, self.target.main)
        return np.column_stack([each, weighted(each.T, self.weights, 0.0)])

    def process_log_odds(self, columns: Floats) -> Floats:
        """Ask the process expert; features one per row, shape (d, n)."""
        return no_occasion_log_odds(self.process, *histories(columns, self.target), self.target.horizon_days)

    def hazard_log_odds(self, columns: Floats) -> Floats:
        """Ask the hazard expert; features one per row, shape (d, n)."""
        return chained(columns, self.centre, self.unit, self.hazard, level=self.hazard_level, target=self.target)

    def features_of(self, rows: Rows, at_s: ArrayLike) -> Floats:
        """Return the features that this scorer sees, shape (n, `N_FEATURES`)."""
        return features(rows, at_s, self.target, self.clocks)

    def with_clocks(self, clocks: ChannelClocks) -> "Scorer":
        """Return the same version of the model, with silence measured on these clocks."""
        return replace(self, clocks=clocks)

    def weight_of(self, expert: str) -> float:
        """Return the weight of one of `models.experts.NAMES`."""
        return float(self.weights[NAMES.index(expert)])

    @cached_property
    def fused(self) -> Floats:
        """Weights of the standardised features in the mixture, through linear and curved expert; the bias last."""
        head = np.concatenate([self.curved[:N_FEATURES], self.curved[-1:]])
        return self.weight_of("linear") * self.linear + self.weight_of("curved") * head

    @cached_property
    def moving(self) -> tuple[Floats, Floats, Floats]:
        """Centre, unit and weight, as in `fused`, of the features that move in a silence, each of shape (k, 1)."""
        places = list(moving_of(self.target))
        return self.centre[places, None], self.unit[places, None], self.fused[places, None]

    @cached_property
    def is_learnt(self) -> bool:
        """Whether the experts of horizon labels have a say."""
        return bool(self.fused.any())

    @cached_property
    def hidden(self) -> Floats:
        """Weights of the hidden units in the mixture, shape (`N_HIDDEN`,)."""
        return self.weight_of("curved") * self.curved[N_FEATURES:-1]
