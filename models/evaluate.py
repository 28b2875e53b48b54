"""Replays an event log and measures the scores it would have given: prequential, with delayed labels.

Beside the two lines: the same rows, features, scorer and trainer as in a worker, fed from a file. At each
weekly cut, in this order:

1. events before the cut are applied to the rows;
2. examples whose step or horizon has ended by the cut are learnt, by time and then customer id, both outcomes
   at the same delay; the scorer is rebuilt from the mixture;
3. every customer whose last main event is at most two horizons old is scored and frozen as an example.

So a score depends only on events before its cut and on labels resolved by then, and cutting the file off at a
cut changes no score up to and including it [1]_. Cuts are ``t0 + k weeks``, k = 1, 2, ..., where t0 is the
midnight (UTC) before the first event, up to the first one not before the midnight after the last event.

Metrics exist for cuts at least one horizon before the end. *Pooled* are the weeks from ``t0 + 2 weeks + 2H``
on, when a first generation of labels has been learnt.

A live customer has one pending example at a time, about one label per horizon. Here each cut freezes every
customer, about thirteen times as many labels at H = 91 days: more to learn from, and a score every week.

References
----------
.. [1] J. Gama, R. Sebastiao, P. Rodrigues (2013), On evaluating stream learning algorithms, Machine
   Learning 90.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.apply import apply_round
from models.event_log import EventLog, read_log
from models.experts import NAMES as EXPERTS
from models.experts.formulas import probability
from models.features import features
from models.groups import Frozen, Pending
from models.metrics import Metrics
from models.mixture import ChurnMixture
from models.outcomes import WEEK_S, Outcomes, cuts_of, midnights
from models.pending import is_live
from models.scorer import Scorer
from models.state import Rows, new_rows
from models.target import Target

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Cut:
    """The scores of one weekly cut.

    Parameters
    ----------
    at_s
        Epoch seconds.
    customer
        Indices of the scored customers, rising, shape (n,).
    p
        P(churn) of each, shape (n,).
    n_labels
        Horizon labels learnt before.
    experts
        P(churn) of each expert alone, shape (k, n); while it has learnt nothing, that of the mixture.
    """

    at_s: int
    customer: Indices
    p: Floats
    n_labels: int
    experts: Floats


@dataclass(frozen=True)
class Week:
    """A cut whose outcomes are known: when, how many labels had been learnt, how good, and is it pooled."""

    at_s: int
    n_labels: int
    metrics: Metrics
    is_pooled: bool


@dataclass(frozen=True)
class Report:
    """What an evaluation found.

    Parameters
    ----------
    target
        What was predicted.
    log
        What was replayed.
    cuts
        All scores.
    weekly
        Metrics per cut with known outcomes.
    pooled
        Metrics over all examples of the pooled weeks together.
    expert_names
        The k experts of the mixture.
    weights
        Weight of each expert at each cut, shape (cuts, k).
    """

    target: Target
    log: EventLog
    cuts: tuple[Cut, ...]
    weekly: tuple[Week, ...]
    pooled: Metrics
    expert_names: tuple[str, ...]
    weights: Floats


def evaluate(path: str | Path, target: Target, main_name: str, progress: Progress | None = None) -> Report:
    """Replay an event log and measure the scores.

    Parameters
    ----------
    path
        CSV file, see `models.event_log`.
    target
        Main channel and horizon.
    main_name
        Event type in the file that is the main channel.
    progress
        Called with (cuts done, cuts in all, text) after each cut.

    Returns
    -------
    Report
        The same for the same file, on every run.

    Raises
    ------
    EventLogError
        The file is not an event log.
    OSError
        The file cannot be read.
    """
    return replay(read_log(path, target.main, main_name), target, progress)


def replay(log: EventLog, target: Target, progress: Progress | None = None) -> Report:
    """Replay events that are in memory; otherwise as `evaluate`."""
    moments = cuts_of(log)
    pending = Pending(Outcomes(log, target), target)
    mixture = ChurnMixture.for_target(target)
    rows = new_rows(len(log.customers))
    cuts: list[Cut] = []
    weights: list[list[float]] = []
    begin = 0
    for done, at_s in enumerate(moments, 1):
        end = int(np.searchsorted(log.at_s, at_s))
        _apply(rows, log, begin, end, target)
        begin = end
        pending.learn_until(mixture, at_s)
        cut, frozen = _score(rows, at_s, mixture)
        pending.add(frozen)
        cuts.append(cut)
        weights.append(list(mixture.weights.values()))
        if progress:
            progress(done, len(moments), f"{day(at_s)}: {len(cut.p)} scored, {cut.n_labels} labels learnt")
    weekly, pooled = _measure(log, target, cuts, pending.outcomes)
    return Report(target, log, tuple(cuts), weekly, pooled, EXPERTS, np.array(weights).reshape(len(cuts), len(EXPERTS)))


def _score(rows: Rows, at_s: int, mixture: ChurnMixture) -> tuple[Cut, Frozen]:
    target = mixture.target
    customer = np.flatnonzero(is_live(rows, np.full(len(rows), at_s), target))
    x = features(rows[customer], at_s, target)
    scorer = Scorer.of(mixture.snapshot()) if mixture.n_steps else Scorer.cold(target)
    kept = scorer.expert_log_odds(x)
    p = scorer.probabilities_of(x)
    each = probability(kept[:, : len(EXPERTS)].T)
    cut = Cut(at_s, customer, p, mixture.n_labels, np.where(np.isnan(each), p, each))
    return cut, Frozen(at_s, customer, x, kept)


def write_predictions(report: Report, path: str | Path) -> None:
    """Write all scores as CSV: ``cut`` (YYYY-MM-DD), ``customer_id``, ``p`` (all digits of the float)."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("cut", "customer_id", "p"))
        for cut in report.cuts:
            name = day(cut.at_s)
            ids = (report.log.customers[index] for index in cut.customer.tolist())
            writer.writerows((name, customer_id, p) for customer_id, p in zip(ids, cut.p.tolist(), strict=True))


def day(at_s: int) -> str:
    """Return the UTC date of a moment, YYYY-MM-DD."""
    return datetime.fromtimestamp(at_s, UTC).date().isoformat()


def _apply(rows: Rows, log: EventLog, begin: int, end: int, target: Target) -> None:
    """Apply events begin..end; a customer's events in order, one round each."""
    customer = log.customer[begin:end]
    by_customer = np.argsort(customer, kind="stable")
    ordered = customer[by_customer]
    turn = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    for which in _rounds(by_customer, turn):
        event = which + begin
        target_rows = log.customer[event]
        batch = rows[target_rows]
        apply_round(batch, log.columns(event), target)
        rows[target_rows] = batch


def _rounds(events: Indices, turn: Indices) -> Iterator[Indices]:
    """Group events by turn, first turns first."""
    by_turn = events[np.argsort(turn, kind="stable")]
    yield from (part for part in np.split(by_turn, np.cumsum(np.bincount(turn))) if part.size)


def _measure(log: EventLog, target: Target, cuts: list[Cut], outcomes: Outcomes) -> tuple[tuple[Week, ...], Metrics]:
    start, end = midnights(log)
    pooled_from = start + 2 * WEEK_S + 2 * target.horizon_s
    weekly: list[Week] = []
    churned: list[NDArray[np.bool_]] = [np.zeros(0, np.bool_)]
    p: list[Floats] = [np.zeros(0)]
    for cut in cuts:
        if cut.at_s + target.horizon_s > end:
            break
        y = outcomes.churned(cut.customer, cut.at_s)
        weekly.append(Week(cut.at_s, cut.n_labels, Metrics.of(y, cut.p), cut.at_s >= pooled_from))
        if weekly[-1].is_pooled:
            churned.append(y)
            p.append(cut.p)
    return tuple(weekly), Metrics.of(np.concatenate(churned), np.concatenate(p))
