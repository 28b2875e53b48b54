"""Pictures with a time axis: quality week by week, the experts beside the mixture, and the mixture's weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.metrics import Metrics
from models.target import DAY_S
from streams.report.curves import ratio
from streams.report.evaluation import Evaluation
from streams.report.style import (
    MIXTURE,
    SHADE,
    THIN,
    dates,
    end_labels,
    figure,
    heading,
    look_of,
    moments,
    note,
    plain,
)

Floats = NDArray[np.float64]

FEW_WEEKS = 12


def quality(evaluation: Evaluation) -> Figure:
    """Draw AUC, log loss and the level of churn, observed and predicted, week by week."""
    fig = figure(7.6)
    ranks, losses, level = fig.subplots(3, 1, sharex=True)
    ranks.axhline(0.5, color=THIN, linewidth=0.8, linestyle=":")
    _lines(ranks, evaluation, _weekly(evaluation, lambda m: m.auc), "AUC")
    _lines(losses, evaluation, _weekly(evaluation, lambda m: m.log_loss), "log loss (nats)")
    _level(level, evaluation)
    _not_pooled((ranks, losses, level), evaluation)
    dates(level)
    return fig


def experts(evaluation: Evaluation) -> Figure:
    """Draw what each expert alone would have measured less what the mixture did, week by week."""
    fig = figure(6.0)
    ranks, losses = fig.subplots(2, 1, sharex=True)
    auc = _weekly(evaluation, lambda m: m.auc)
    log_loss = _weekly(evaluation, lambda m: m.log_loss)
    _lines(ranks, evaluation, auc - auc[-1], "AUC less the mixture's\n(above 0: expert is better)")
    _lines(losses, evaluation, log_loss - log_loss[-1], "log loss less the mixture's\n(below 0: expert is better)")
    _not_pooled((ranks, losses), evaluation)
    dates(losses)
    return fig


def weights(evaluation: Evaluation) -> Figure:
    """Draw the mixture's weights as stacked areas."""
    fig = figure(3.4)
    axes = fig.subplots()
    colours = [look_of(place, len(evaluation.names))["color"] for place in range(len(evaluation.experts))]
    at = moments(evaluation.weights_at_s)
    axes.stackplot(at, evaluation.weights.T, colors=colours, edgecolor="white", linewidth=0.5)
    axes.set_ylim(0, 1)
    axes.margins(x=0)
    plain(axes, "weight in the mixture")
    last = evaluation.weights[-1]
    end_labels(axes, evaluation.experts, (np.cumsum(last) - last / 2).tolist(), colours)
    dates(axes)
    return fig


def _weekly(evaluation: Evaluation, of: Callable[[Metrics], float]) -> Floats:
    """Return one metric per model and week, shape (m, w)."""
    return np.array([[of(metrics) for metrics in weeks] for weeks in evaluation.weekly_metrics])


def _lines(axes: Axes, evaluation: Evaluation, values: Floats, ylabel: str) -> None:
    at = moments(evaluation.week_at_s)
    looks = [look_of(place, len(values)) for place in range(len(values))]
    for line, look in zip(values, looks, strict=True):
        axes.plot(at, line, **_dots(len(at)), **look)
    plain(axes, ylabel)
    if not np.isfinite(values).any():
        note(axes, "unknown: no week has both outcomes", (0.5, 0.6), xycoords="axes fraction", ha="center")
    _fit(axes, values[:, evaluation.is_pooled])
    end_labels(axes, evaluation.names, [_last_known(line) for line in values], [look["color"] for look in looks])


def _fit(axes: Axes, pooled: Floats) -> None:
    """Scale to the pooled weeks: in the first ones a line may come from far away, and differences would vanish."""
    known = pooled[np.isfinite(pooled)]
    if known.size:
        low, high = float(known.min()), float(known.max())
        margin = max(0.3 * (high - low), 1e-3)
        bottom, top = axes.get_ylim()
        axes.set_ylim(max(bottom, low - margin), min(top, high + margin))


def _level(axes: Axes, evaluation: Evaluation) -> None:
    """Draw the share that churned, a thin line, and what the mixture predicted."""
    at, weeks = moments(evaluation.week_at_s), len(evaluation.week_at_s)
    count = np.bincount(evaluation.week, minlength=weeks)
    observed, predicted = (
        ratio(np.bincount(evaluation.week, values, weeks), count) for values in (evaluation.churned, evaluation.p[-1])
    )
    axes.plot(at, observed, **_dots(weeks), color=THIN, linewidth=0.8)
    axes.plot(at, predicted, **_dots(weeks), **look_of(0, 1))
    plain(axes, "share churned")
    end_labels(axes, ("observed", "predicted"), (_last_known(observed), _last_known(predicted)), (THIN, MIXTURE))


def _dots(weeks: int) -> dict[str, Any]:
    """Mark single weeks where there are few: a line of one week is not seen at all."""
    return {"marker": "o", "markersize": 4} if weeks <= FEW_WEEKS else {}


def _last_known(line: Floats) -> float:
    known = line[np.isfinite(line)]
    return float(known[-1]) if known.size else float("nan")


def _not_pooled(panels: tuple[Axes, ...], evaluation: Evaluation) -> None:
    """Shade the weeks that do not count, from half a week before the first to half a week after the last."""
    out = evaluation.week_at_s[~evaluation.is_pooled]
    for axes in panels:
        axes.margins(x=0.01)
        if out.size:
            begin, end = moments(np.array([out[0], out[-1]]) + np.array([-7, 7]) * DAY_S // 2)
            axes.axvspan(begin, end, color=SHADE, linewidth=0, zorder=0)
    if out.size:
        heading(panels[0], "not pooled: too few labels have resolved", moments(out)[0])
