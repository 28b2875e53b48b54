"""Scores whole batches of customers with the numbers of one snapshot; exact about why.

*Score* on the line from event to alert. A `Scorer` never changes; learning makes a new one. Its log-odds are

    log_odds = (1 - w) * prior + w * (intercept + sum of weight * (x - mean) / sqrt(variance))
    w = n / (n + `PRIOR_LABELS`),   n = labels learnt

that is, prior (`models.hazard`) and learnt model are averaged in the logit, and the prior fades as labels
come in. Everything is a sum over features, a prior and a baseline, so `contributions` is exact. A feature
that is not known contributes 0: it counts as the population's mean.

Summed feature by feature, first those that stand still in silence, then the moving ones, then the prior: the
same order for one customer and for five hundred, and for one moment and for a search over many, so equal
questions have equal answers to the last bit. (A matrix product may sum in another order as a batch grows.)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models import snapshot as snapshots
from models.events import Channel
from models.features import (
    FEATURES,
    INDEX,
    MOVING,
    RHYTHM,
    SILENCE_OF,
    STILL,
    TREND_OF,
    Silence,
    features,
    still,
)
from models.state import Rows
from models.target import Target

Floats = NDArray[np.float64]

# At a step of 0.001 and p(1 - p) near 0.2 a weight covers two thirds of its way in 1 / (0.001 * 0.2) labels.
PRIOR_LABELS = 5_000
COLD = "cold-v1"  # name of the prior's formula and constants, for receipts

N_FEATURES = len(FEATURES)
_MAX_LOG_ODDS = 30.0  # as far as River goes: beyond it a probability would be exactly 0 or 1


def probability(log_odds: Floats) -> Floats:
    """Return the probabilities of log-odds, never exactly 0 or 1; NaN stays NaN.

    Examples
    --------
    >>> probability(np.array([0.0, 800.0])).tolist()
    [0.5, 0.9999999999999065]
    """
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -_MAX_LOG_ODDS, _MAX_LOG_ODDS)))


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
        Labels behind it.
    prior_weight
        Share of the prior in the log-odds, 1 - w, in [0, 1].
    baseline
        w * intercept.
    centre, scale
        Mean, and w * weight / sqrt(variance), of each feature; shape (`N_FEATURES`,). The scale is 0 where
        the model knows nothing of the feature or has seen one value only.
    """

    version: str
    target: Target
    effective_at_s: int
    n_labels: int
    prior_weight: float
    baseline: float
    centre: Floats
    scale: Floats

    def __post_init__(self) -> None:
        for array in (self.centre, self.scale):
            array.setflags(write=False)

    @classmethod
    def cold(cls, target: Target) -> "Scorer":
        """Return the scorer before any label: the prior alone."""
        return cls(COLD, target, 0, 0, 1.0, 0.0, np.zeros(N_FEATURES), np.zeros(N_FEATURES))

    @classmethod
    def from_snapshot(cls, plain: dict[str, Any], prior_labels: int = PRIOR_LABELS) -> "Scorer":
        """Return the scorer of a snapshot.

        Parameters
        ----------
        plain
            JSON values, see `models.snapshot`.
        prior_labels
            Labels that weigh as much as the prior, >= 0; 0 = the model alone.

        Raises
        ------
        SnapshotError
            See `models.snapshot.from_dict`.
        """
        content = snapshots.from_dict(plain)
        n = content.n_labels
        share = n / (n + prior_labels) if n else 0.0
        centre, scale = np.zeros(N_FEATURES), np.zeros(N_FEATURES)
        which = [INDEX[name] for name in content.features]
        spread = np.sqrt(content.vars)
        centre[which] = content.means
        weights = share * np.array(content.weights)
        scale[which] = np.divide(weights, spread, out=np.zeros_like(spread), where=spread > 0)
        return cls(
            content.name,
            content.target,
            content.effective_at_s,
            n,
            1.0 - share,
            share * content.intercept,
            centre,
            scale,
        )

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
        >>> from models.state import new_rows
        >>> from models.target import DAY_S
        >>> scorer = Scorer.cold(Target(Channel.ORDER, 91 * DAY_S))
        >>> row = new_rows(1)
        >>> row["last_at"][:, Channel.ORDER], row["main_occasions"] = 1_000_000_000, 1
        >>> scorer.probabilities(row, 1_000_000_000 + 91 * DAY_S).round(2).tolist()
        [0.82]
        """
        return self.outlook(rows).probabilities(at_s)

    def outlook(self, rows: Rows) -> "Outlook":
        """Prepare n customers for being scored at one or many moments of their present silence."""
        total = np.full(len(rows), self.baseline)
        columns = still(rows, self.target) if any(self.scale[list(STILL)]) else {}
        for index, column in columns.items():
            self._add(total, index, column)
        return Outlook(self, total, Silence.of(rows, self.target))

    def log_odds_of(self, x: Floats, prior: Floats) -> Floats:
        """Score features that were computed before: equal to `log_odds` if they are of that moment.

        Parameters
        ----------
        x
            As `models.features.features` gives them, shape (n, `N_FEATURES`).
        prior
            Log-odds of the prior, shape (n,): the column ``main_rhythm`` of the unrounded features.
        """
        total = np.full(len(x), self.baseline)
        for index in (*STILL, *MOVING):
            self._add(total, index, x[:, index])
        return total + self.prior_weight * prior

    def probabilities_of(self, x: Floats, prior: Floats) -> Floats:
        """Return P(churn) for features that were computed before; parameters as in `log_odds_of`."""
        return probability(self.log_odds_of(x, prior))

    def contributions(self, rows: Rows, at_s: ArrayLike) -> Floats:
        """Tell what each feature, the prior and the baseline add to the log-odds.

        Parameters
        ----------
        rows, at_s
            As in `log_odds`.

        Returns
        -------
        ndarray
            Shape (n, `N_FEATURES` + 2): `FEATURES` in order, then prior, then baseline. Rows sum to
            `log_odds` (to the rounding of a sum in another order). A feature's share is relative to a
            customer at the population's mean of it.
        """
        x = features(rows, at_s, self.target)
        parts = np.empty((len(rows), N_FEATURES + 2))
        for index in range(N_FEATURES):
            parts[:, index] = self._part(index, x[:, index])
        parts[:, N_FEATURES] = self.prior_weight * x[:, RHYTHM]
        parts[:, N_FEATURES + 1] = self.baseline
        return parts

    def moving_channels(self) -> list[int]:
        """Return the channels whose silence or trend has any weight."""
        return [c for c in Channel if self.scale[SILENCE_OF[c]] or self.scale[TREND_OF[c]]]

    def _add(self, total: Floats, index: int, column: Floats) -> None:
        if self.scale[index]:  # exact: adding the zeros of an unused feature would change nothing
            total += self._part(index, column)

    def _part(self, index: int, column: Floats) -> Floats:
        part = (column - self.centre[index]) * self.scale[index]
        return np.where(np.isnan(part), 0.0, part)


@dataclass(frozen=True, eq=False)
class Outlook:
    """Customers whose silence goes on: what is constant has been summed, what moves is computed when asked.

    Parameters
    ----------
    scorer
        Which scores.
    constant
        Baseline and still features, in log-odds, shape (n,).
    silence
        What the moving features need.
    """

    scorer: Scorer
    constant: Floats
    silence: Silence

    def log_odds(self, at_s: ArrayLike) -> Floats:
        """Score at `at_s`, epoch seconds, shape (n,) or (m, n), or one for all."""
        columns = self.silence.moving(at_s, self.scorer.moving_channels())
        total = np.broadcast_to(self.constant, columns[RHYTHM].shape).copy()
        for index, column in columns.items():
            self.scorer._add(total, index, column)
        return total + self.scorer.prior_weight * columns[RHYTHM]

    def probabilities(self, at_s: ArrayLike) -> Floats:
        """Return P(churn) at `at_s`, as in `log_odds`."""
        return probability(self.log_odds(at_s))

    def take(self, which: NDArray[np.intp]) -> "Outlook":
        """Return some of the customers."""
        return Outlook(self.scorer, self.constant[which], self.silence.take(which))
