"""Pictures of the pooled weeks: reliability, what alerts would have cost, and how early lost customers were noticed."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter
from numpy.typing import NDArray

from models.early_warning import EarlyWarning
from models.metrics import BINS
from models.target import STEPS
from streams.report.curves import AlertCosts, alert_costs, reliability, week_before
from streams.report.evaluation import Evaluation
from streams.report.style import (
    BAR,
    BLUE,
    MIXTURE,
    SHADE,
    THIN,
    VERMILION,
    end_labels,
    figure,
    heading,
    look_of,
    note,
    plain,
)

Bools = NDArray[np.bool_]

THRESHOLDS = np.linspace(0.0, 1.0, 201)
FEW = 20  # a share of fewer alerts than this is noise, and would be the loudest part of the picture


def reliability_diagram(evaluation: Evaluation) -> Figure:
    """Draw what was observed against what was predicted, and how many examples each bin has."""
    fig = figure(6.4)
    axes, counts = fig.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    churned, models = evaluation.churned[evaluation.pooled], len(evaluation.names)
    axes.plot([0, 1], [0, 1], color=THIN, linewidth=0.8, linestyle=":")
    looks = [look_of(place, models) for place in range(models)]
    bins = [reliability(churned, p[evaluation.pooled]) for p in evaluation.p]
    for each, look in zip(bins, looks, strict=True):
        axes.plot(each.predicted, each.observed, marker="o", markersize=2.5 * look["linewidth"], **look)
    plain(axes, "observed share churned")
    base_rate = _base_rate(axes, churned)
    end_labels(
        axes,
        [*evaluation.names, base_rate, "calibrated"],
        [*(float(each.observed[each.count > 0][-1]) for each in bins), float(churned.mean()), 1.0],
        [*(look["color"] for look in looks), THIN, THIN],
    )
    _counts(counts, bins[-1].count)
    return fig


def alerts(evaluation: Evaluation) -> Figure:
    """Draw precision, recall and alerts per week against the mixture's threshold."""
    fig = figure(6.4)
    shares, volume = fig.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    shares.set(xlim=(0, 1), ylim=(0, 1.02))
    pooled, p, weeks = evaluation.pooled, evaluation.p[-1], int(evaluation.is_pooled.sum())
    before = week_before(evaluation.week, evaluation.customer, p)
    churned = evaluation.churned[pooled]
    costs = alert_costs(THRESHOLDS, churned, p[pooled], before[pooled], weeks)
    enough = costs.standing * weeks >= FEW
    _shares(shares, costs, enough, churned)
    _volume(volume, costs, weeks)
    for warning, side in zip(evaluation.early_warnings[-1], ("left", "right"), strict=True):
        for axes in (shares, volume):
            axes.axvline(warning.threshold, color=THIN, linewidth=0.8, linestyle=":")
        heading(shares, f"{warning.false_positive_ratio:.0%} false positives", warning.threshold, ha=side)
    return fig


def lead_times(evaluation: Evaluation) -> Figure:
    """Draw when lost customers were noticed, counted from their last main event, at each price in false alarms."""
    warnings = evaluation.early_warnings[-1]
    fig = figure(2.8 * len(warnings))
    panels = fig.subplots(len(warnings), 2, sharex="col", sharey="col", width_ratios=(9, 1))
    for (days, missed), warning in zip(panels, warnings, strict=True):
        _lead_time(days, warning, evaluation.source.target.horizon_days)
        _not_detected(missed, warning)
    panels[-1, 0].set_xlabel("days from a lost customer's last main event to the standing alarm", fontsize=9)
    return fig


def _base_rate(axes: Axes, churned: Bools) -> str:
    """Draw the share that churned as a thin line and return its label."""
    ratio = float(churned.mean())
    axes.axhline(ratio, color=THIN, linewidth=0.8)
    return f"base rate {ratio:.1%}"


def _counts(axes: Axes, count: NDArray[np.int64]) -> None:
    """Draw how many examples are in each bin, with the number above the bar."""
    middle = (np.arange(BINS) + 0.5) / BINS
    axes.bar(middle, count, 0.9 / BINS, color=BAR)
    for x, n in zip(middle.tolist(), count.tolist(), strict=True):
        note(axes, f"{n:,}", (x, n), move=(0, 2), ha="center", fontsize=7)
    plain(axes, "examples", "predicted P(churn)")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
    axes.margins(y=0.15)


def _shares(axes: Axes, costs: AlertCosts, enough: Bools, churned: Bools) -> None:
    precision = np.where(enough, costs.precision, np.nan)
    axes.plot(THRESHOLDS, precision, color=BLUE, linewidth=2)
    axes.plot(THRESHOLDS, costs.recall, color=VERMILION, linewidth=2)
    plain(axes, "share")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ends = (float(precision[enough][-1]), 0.0, float(churned.mean())) if enough.any() else (math.nan, 0.0, math.nan)
    end_labels(axes, ("precision", "recall", _base_rate(axes, churned)), ends, (BLUE, VERMILION, THIN))


def _volume(axes: Axes, costs: AlertCosts, weeks: int) -> None:
    for count, name, colour, up in (
        (costs.standing, "above the threshold", MIXTURE, 4),
        (costs.rising, "above it, and not the week before", VERMILION, -11),
    ):
        is_shown = count >= FEW / weeks
        axes.plot(THRESHOLDS[is_shown], count[is_shown], color=colour, linewidth=1.6)
        if is_shown.any():
            note(axes, name, (float(THRESHOLDS[is_shown][0]), float(count[is_shown][0])), move=(8, up), color=colour)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.6g}"))
    axes.margins(y=0.25)
    plain(axes, "customers per week", "threshold on P(churn)")


def _lead_time(axes: Axes, warning: EarlyWarning, horizon_days: float) -> None:
    edges = np.linspace(-horizon_days, 2 * horizon_days, 3 * STEPS + 1)
    lost = len(warning.days)
    count, _ = np.histogram(warning.days[np.isfinite(warning.days)], edges)
    axes.bar(edges[:-1], count / lost, np.diff(edges), align="edge", color=BLUE, edgecolor="white", linewidth=0.5)
    axes.set_xlim(edges[0], edges[-1])
    for at, text in ((0.0, "last seen"), (horizon_days, "one horizon")):
        axes.axvline(at, color=THIN, linewidth=0.8, linestyle=":")
        heading(axes, text, at, ha="center")
    _median(axes, warning.median_days, horizon_days)
    plain(axes, "share of lost customers")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.margins(y=0.25)
    price = f"{warning.false_positive_ratio:.0%} false positives (P above {warning.threshold:.3f})"
    axes.set_title(f"{price}, {lost:,} lost customers", fontsize=9, loc="left", pad=16)


def _median(axes: Axes, days: float, horizon_days: float) -> None:
    look: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "color": VERMILION}
    if math.isfinite(days):
        axes.axvline(days, color=VERMILION, linewidth=2)
        side = 1 if days < horizon_days else -1
        note(
            axes, f"median {days:.1f} days", (days, 0.9), move=(4 * side, 0), ha="left" if side > 0 else "right", **look
        )
    else:
        note(axes, "median: not detected", (1.98 * horizon_days, 0.9), ha="right", **look)


def _not_detected(axes: Axes, warning: EarlyWarning) -> None:
    """Draw the share that never got a standing alarm, on a scale of its own."""
    missed = 1 - warning.detected_ratio
    axes.bar(0, missed, 0.6, color=SHADE, edgecolor=THIN, hatch="////", linewidth=0.8)
    axes.set(xlim=(-0.5, 0.5), ylim=(0, 1), xticks=[])
    plain(axes, "")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_title(f"not detected\n{missed:.0%}", fontsize=8, color=THIN)
