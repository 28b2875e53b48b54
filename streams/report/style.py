"""How every picture looks: size, colours that colour-blind people can tell apart, dates, and labels at the line's end.

Figures are made without pyplot: it keeps global state and looks for a display, and a server has none. Text is English
only, because the font that comes with matplotlib holds no Japanese; the page around the pictures has both.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Moments = NDArray[np.datetime64]

# Okabe and Ito (2008), Color universal design; their yellow is too light on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
BLUE, VERMILION = COLOURS[:2]
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)))  # another round through the colours, still told apart
MIXTURE = "#000000"
THIN = "#666666"
BAR = "#999999"
SHADE = "#e9e9e9"
DPI = 144
WIDTH_IN = 8.0
LINE_IN = 0.125  # height of a line of 8 point text


def figure(height_in: float) -> Figure:
    """Return an empty figure of the common width."""
    return Figure(figsize=(WIDTH_IN, height_in), dpi=DPI, layout="constrained")


def plain(axes: Axes, ylabel: str, xlabel: str = "") -> None:
    """Leave of an axis what is needed to read it: labels with units, two spines, faint lines across."""
    axes.set_ylabel(ylabel, fontsize=9)
    if xlabel:
        axes.set_xlabel(xlabel, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def moments(at_s: Indices) -> Moments:
    """Return epoch seconds as what matplotlib draws as dates, UTC."""
    return at_s.astype("datetime64[s]")


def dates(axes: Axes) -> None:
    """Label the time axis."""
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]  # matplotlib leaves dates untyped
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # as above
    axes.set_xlabel("week of scoring (UTC)", fontsize=9)


def look_of(place: int, models: int) -> dict[str, Any]:
    """Return colour, width and dashes of a model's line: the mixture, which is last, is black and thick."""
    if place == models - 1:
        return {"color": MIXTURE, "linewidth": 2.0, "zorder": 3}
    rounds, colour = divmod(place, len(COLOURS))
    return {"color": COLOURS[colour], "linestyle": DASHES[rounds % len(DASHES)], "linewidth": 1.1}


def note(axes: Axes, text: str, at: tuple[Any, float], *, move: tuple[float, float] = (0, 0), **look: Any) -> None:
    """Write a few words at a place in the data, moved by points; lines behind stop short of them."""
    halo = [withStroke(linewidth=2.5, foreground="white")]
    style: dict[str, Any] = {"fontsize": 8, "color": THIN, "xycoords": "data", "path_effects": halo} | look
    axes.annotate(text, at, move, textcoords="offset points", annotation_clip=False, **style)


def heading(axes: Axes, text: str, at: Any, **look: Any) -> None:
    """Write a few words above the panel, at a place on its horizontal axis."""
    note(axes, text, (at, 1.0), move=(0, 3), xycoords=("data", "axes fraction"), **look)


def end_labels(axes: Axes, names: Sequence[str], ends: Sequence[float], colours: Sequence[str]) -> None:
    """Write each line's name right of its end, moved apart where they would overlap; an unknown end has none."""
    known = [place for place, end in enumerate(ends) if np.isfinite(end)]
    low, high = axes.get_ylim()
    wanted = (np.array([ends[place] for place in known]) - low) / (high - low)
    panel_in = axes.get_window_extent().height / DPI
    for place, y in zip(known, spread(wanted, LINE_IN / panel_in).tolist(), strict=True):
        note(axes, names[place], (1.0, y), move=(4, 0), xycoords="axes fraction", color=colours[place], va="center")


def spread(wanted: Floats, gap: float) -> Floats:
    """Move places in [0, 1] apart until neighbours are `gap` apart, by the least sum of squares; all stay in [0, 1].

    Measured from a ladder with rungs `gap` apart, the places must not fall: isotonic regression [1]_, clipped to what
    the range leaves.

    Parameters
    ----------
    wanted
        Where labels would like to stand, shape (n,).
    gap
        The least distance, > 0; with more labels than fit they run out at the top.

    Examples
    --------
    >>> spread(np.array([0.5, 0.9, 0.5, 0.0]), 0.2).round(2)
    array([0.4, 0.9, 0.6, 0. ])

    References
    ----------
    .. [1] M. Best, N. Chakravarti (1990), Active set algorithms for isotonic regression (pool adjacent violators),
       Mathematical Programming 47.
    """
    order = np.argsort(wanted, kind="stable")
    ladder = gap * np.arange(len(wanted))
    blocks: list[tuple[float, int]] = []  # mean, members
    for value in (wanted[order] - ladder).tolist():
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (after, n), (before, m) = blocks.pop(), blocks.pop()
            blocks.append(((before * m + after * n) / (m + n), m + n))
    steps = np.repeat([mean for mean, _ in blocks], [members for _, members in blocks])
    placed = np.empty(len(wanted))
    placed[order] = np.maximum(np.minimum(steps, 1.0 - ladder[-1:]), 0.0) + ladder
    return placed
