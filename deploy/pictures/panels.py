"""Draws a panel: its lines over time, from zero, with the line from which on it is bad."""

from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from deploy.dashboards.building import Graph, Panel
from deploy.pictures.asked import Floats, Shown
from deploy.pictures.golden import AT_LEAST

# Okabe and Ito (2008), Color universal design, without their red: that is kept for what is bad
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#000000")
BAD, THIN, UNKNOWN = "#C4161C", "#555555", "#ececec"
NARROW = 0.1
"""Of the width: a gap in which no words fit."""
UNITS = {"s": "seconds", "ops": "per second", "percentunit": "", "bytes": "MB", "short": ""}
SCALES = {"bytes": 1e6}
ROOM = 1.35
"""Of the highest value: the legend stands in what is above it."""


def draw_panel(axes: Axes, at_min: Floats, shown: Shown) -> None:
    """Draw one panel over minutes."""
    panel = shown.panel
    scale = SCALES.get(panel.unit, 1.0)
    names = [line.name for line in shown.lines]
    values = [line.values / scale for line in shown.lines]
    _gaps(axes, at_min, shown)
    if shown.lines and _is_stacked(panel):
        layers = [np.nan_to_num(one) for one in values]
        axes.stackplot(at_min, *layers, colors=COLOURS, alpha=0.75, labels=names)
    else:
        style = "default" if isinstance(panel, Graph) else "steps-mid"
        for name, one, colour in zip(names, values, cycle(COLOURS), strict=False):
            axes.plot(at_min, one, color=colour, linewidth=1.7, label=name, drawstyle=style)
    _limits(axes, panel, values, scale)
    _words(axes, panel, any(names))


def runs(is_so: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each run of true values.

    Examples
    --------
    >>> runs(np.array([True, False, True, True]))
    [(0, 0), (2, 3)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_so.astype(np.int8), [0]))))
    return [(int(begin), int(end) - 1) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _is_stacked(panel: Panel) -> bool:
    return isinstance(panel, Graph) and panel.stacked


def _gaps(axes: Axes, at_min: Floats, shown: Shown) -> None:
    """Where nobody answers, nothing is known, and that is another thing than zero."""
    is_known = np.any([np.isfinite(line.values) for line in shown.lines], axis=0) & np.ones(len(at_min), bool)
    for begin, end in runs(~is_known):
        axes.axvspan(at_min[begin], at_min[end], color=UNKNOWN, linewidth=0, zorder=0)
        if end - begin > NARROW * len(at_min):
            axes.text((at_min[begin] + at_min[end]) / 2, 0.4, "no data", fontsize=11, color=THIN, ha="center",
                      va="center", transform=axes.get_xaxis_transform())  # fmt: skip


def _limits(axes: Axes, panel: Panel, values: list[Floats], scale: float) -> None:
    tops = [float(np.nanmax(one)) for one in values if np.isfinite(one).any()]
    top = max(sum(tops) if _is_stacked(panel) else max(tops, default=0.0), AT_LEAST.get(panel.title, 0.0))
    if panel.red_from is not None:
        red_from = panel.red_from / scale
        top = max(top, red_from)
        axes.axhspan(red_from, 10 * top, color=BAD, alpha=0.07, linewidth=0)
        axes.axhline(red_from, color=BAD, linewidth=1.0)
    axes.set_ylim(0, ROOM * top or 1.0)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=panel.unit == "short"))
    if panel.unit == "percentunit":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    elif top >= 1_000:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _words(axes: Axes, panel: Panel, has_names: bool) -> None:
    axes.set_title(panel.title, loc="left", fontsize=11, fontweight="bold")
    axes.set_ylabel(UNITS[panel.unit], fontsize=9)
    axes.tick_params(labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    if has_names:
        legend = axes.legend(loc="upper left", fontsize=9, ncols=4, frameon=False, handlelength=1.2, columnspacing=1.0)
        for text in legend.get_texts():
            text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
