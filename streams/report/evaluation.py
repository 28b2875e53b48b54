"""The numbers behind the pictures: every score of a replayed log whose outcome is known, as plain arrays."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.early_warning import FALSE_POSITIVE_RATIOS, EarlyWarning, early_warning, lost_at_s
from models.evaluate import Report
from models.metrics import Metrics
from models.outcomes import Outcomes
from models.target import Target

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

MIXTURE = "mixture"


@dataclass(frozen=True)
class Source:
    """What was replayed, in words and counts; nothing about any one customer.

    Parameters
    ----------
    name
        The file's name.
    main_name
        Event type in the file whose absence is churn.
    target
        Main channel and horizon.
    customers, events
        How many there are of the types that were used.
    first_at_s, last_at_s
        Range of the events, epoch seconds.
    """

    name: str
    main_name: str
    target: Target
    customers: int
    events: int
    first_at_s: int
    last_at_s: int


@dataclass(frozen=True)
class Evaluation:
    """Scores and outcomes of a replayed log, of one mixture and its experts.

    Parameters
    ----------
    source
        What was replayed.
    names
        The experts and, last, the mixture; m of them.
    week_at_s
        Cuts whose outcomes are known, epoch seconds, rising, shape (w,).
    is_pooled
        Which of them count in the pooled numbers, shape (w,).
    week
        Index into `week_at_s` of each example, rising, shape (n,).
    customer
        Index of each example's customer, shape (n,).
    churned
        Outcomes, shape (n,).
    p
        P(churn) by each model, shape (m, n).
    lost_at_s
        From `models.early_warning.lost_at_s`, shape (customers,).
    weights_at_s
        All cuts of the replay, epoch seconds, shape (cuts,).
    weights
        The mixture's weight of each expert at each cut, in [0, 1], shape (cuts, m - 1).
    """

    source: Source
    names: tuple[str, ...]
    week_at_s: Indices
    is_pooled: Bools
    week: Indices
    customer: Indices
    churned: Bools
    p: Floats
    lost_at_s: Indices
    weights_at_s: Indices
    weights: Floats

    @classmethod
    def of(cls, report: Report, name: str, main_name: str) -> "Evaluation":
        """Join the scores of a report with what happened next.

        Parameters
        ----------
        report
            From `models.evaluate`.
        name
            The file's name.
        main_name
            Event type in the file whose absence is churn.
        """
        log, target = report.log, report.target
        cuts = report.cuts[: len(report.weekly)]
        outcomes = Outcomes(log, target)
        is_pooled = np.array([week.is_pooled for week in report.weekly], np.bool_)
        week_at_s = np.array([cut.at_s for cut in cuts], np.int64)
        first_pooled_s = int(week_at_s[is_pooled][0]) if is_pooled.any() else log.last_at_s + 1
        source = Source(name, main_name, target, len(log.customers), len(log), log.first_at_s, log.last_at_s)
        return cls(
            source=source,
            names=(*report.expert_names, MIXTURE),
            week_at_s=week_at_s,
            is_pooled=is_pooled,
            week=np.repeat(np.arange(len(cuts)), [len(cut.p) for cut in cuts]),
            customer=_joined([cut.customer for cut in cuts], np.int64),
            churned=_joined([outcomes.churned(cut.customer, cut.at_s) for cut in cuts], np.bool_),
            p=np.hstack([np.zeros((len(report.expert_names) + 1, 0)), *(np.vstack([c.experts, c.p]) for c in cuts)]),
            lost_at_s=lost_at_s(log, target, first_pooled_s),
            weights_at_s=np.array([cut.at_s for cut in report.cuts], np.int64),
            weights=report.weights,
        )

    @property
    def experts(self) -> tuple[str, ...]:
        """Names of the models the mixture is made of."""
        return self.names[:-1]

    @cached_property
    def pooled(self) -> Bools:
        """Which examples are of pooled weeks, shape (n,)."""
        return self.is_pooled[self.week]

    @cached_property
    def pooled_metrics(self) -> tuple[Metrics, ...]:
        """Metrics over all pooled examples, one per model."""
        churned = self.churned[self.pooled]
        return tuple(Metrics.of(churned, p[self.pooled]) for p in self.p)

    @cached_property
    def weekly_metrics(self) -> tuple[tuple[Metrics, ...], ...]:
        """Metrics per model and week."""
        ends = np.searchsorted(self.week, np.arange(len(self.week_at_s) + 1))
        spans = [slice(begin, end) for begin, end in pairwise(ends.tolist())]
        return tuple(tuple(Metrics.of(self.churned[span], p[span]) for span in spans) for p in self.p)

    @cached_property
    def early_warnings(self) -> tuple[tuple[EarlyWarning, ...], ...]:
        """How early lost customers were noticed, per model and ratio of `FALSE_POSITIVE_RATIOS`."""
        at_s, customer = self.week_at_s[self.week[self.pooled]], self.customer[self.pooled]
        churned = self.churned[self.pooled]

        def measured(p: Floats, ratio: float) -> EarlyWarning:
            return early_warning(
                ratio,
                at_s=at_s,
                customer=customer,
                churned=churned,
                p=p,
                lost=self.lost_at_s,
                target=self.source.target,
            )

        return tuple(tuple(measured(p[self.pooled], ratio) for ratio in FALSE_POSITIVE_RATIOS) for p in self.p)


def _joined(parts: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
