"""A picture of a stretch of time: what happened, which alerts there were, and the panels that say why.

Moments have numbers, and a thin line through every panel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from deploy.pictures.asked import Fired, Floats, Shown, Stretch
from deploy.pictures.fonts import families
from deploy.pictures.panels import BAD, THIN, draw_panel, runs

PENDING, CALM = "#F0B49A", "#2E7D32"
DPI, WIDTH_IN, PANEL_IN, LINE_IN, HEAD_IN = 100, 14.0, 1.55, 0.26, 1.0
KEY_COLUMNS = 3
DASHES = (0, (3, 2))


@dataclass(frozen=True)
class Moment:
    """Something that happened, in a few words."""

    at_s: float
    name: str


@dataclass(frozen=True)
class Headline:
    """What the picture shows, in Japanese too where there is a font for it, and whether that is well."""

    english: str
    japanese: str = ""
    is_well: bool = True


def drawn(
    headline: Headline, stretch: Stretch, shown: Sequence[Shown], fired: Sequence[Fired], moments: Sequence[Moment]
) -> Figure:
    """Draw it all.

    Parameters
    ----------
    headline
        What there is to see.
    stretch
        The time that is shown.
    shown
        Panels, two in a row.
    fired
        Alerts, in the order of their bars.
    moments
        What happened within that time, in its order.
    """
    at_min = (stretch.at_s - stretch.from_s) / 60
    marks_min = [(moment.at_s - stretch.from_s) / 60 for moment in moments]
    rows, key_lines = -(-len(shown) // 2), -(-len(moments) // KEY_COLUMNS)
    heights = [0.05 + LINE_IN * key_lines, 0.35 + LINE_IN * max(1, len(fired)), *[PANEL_IN] * rows]
    fig = Figure(figsize=(WIDTH_IN, sum(heights) + HEAD_IN), dpi=DPI, layout="constrained")
    grid = fig.add_gridspec(2 + rows, 2, height_ratios=heights)
    _head(fig, headline, stretch)
    _key(fig.add_subplot(grid[0, :]), moments)
    _alerts(fig.add_subplot(grid[1, :]), at_min, fired, marks_min)
    for place, one in enumerate(shown):
        axes = fig.add_subplot(grid[2 + place // 2, place % 2])
        draw_panel(axes, at_min, one)
        axes.set_xlim(at_min[0], at_min[-1])
        axes.tick_params(labelbottom=place >= len(shown) - 2)
        for mark_min in marks_min:
            axes.axvline(mark_min, color=THIN, linewidth=0.9, linestyle=DASHES, zorder=1)
    return fig


def after(seconds: float) -> str:
    """Say how long after the first moment it was.

    Examples
    --------
    >>> [after(seconds) for seconds in (0, 73.4, 600)]
    ['0:00', '+1:13', '+10:00']
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{'+' if seconds else ''}{minutes}:{rest:02d}"


def _head(fig: Figure, headline: Headline, stretch: Stretch) -> None:
    fonts = families()
    says = "  ·  ".join(filter(None, [headline.english, headline.japanese if len(fonts) > 1 else ""]))
    fig.suptitle(says, x=0.005, ha="left", fontsize=19, color=CALM if headline.is_well else BAD, family=fonts)
    begin = datetime.fromtimestamp(stretch.from_s, UTC)
    fig.supxlabel(f"minutes since {begin:%Y-%m-%d %H:%M:%S} UTC", fontsize=10)


def _key(axes: Axes, moments: Sequence[Moment]) -> None:
    """What the numbers stand for, column by column."""
    axes.axis("off")
    lines = -(-len(moments) // KEY_COLUMNS)
    for place, moment in enumerate(moments):
        column, line = divmod(place, lines)
        text = f"{place + 1}   {after(moment.at_s - moments[0].at_s)}  {moment.name}"
        axes.text(column / KEY_COLUMNS, 1 - (line + 0.5) / lines, text, fontsize=11, va="center")


def _alerts(axes: Axes, at_min: Floats, fired: Sequence[Fired], marks_min: Sequence[float]) -> None:
    for row, one in enumerate(fired):
        for is_so, colour in ((one.pending, PENDING), (one.firing, BAD)):
            for begin, end in runs(is_so):
                axes.barh(row, at_min[end] - at_min[begin] + at_min[1], left=at_min[begin], height=0.7, color=colour)
        axes.text(at_min[-1] / 400, row, f"{one.name}, {one.severity}", fontsize=10, va="center",
                  path_effects=[withStroke(linewidth=3, foreground="white")])  # fmt: skip
    axes.set_yticks([])
    if not fired:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center", color=CALM, fontsize=13)
    axes.set_ylim(max(1, len(fired)) - 0.4, -0.6)
    axes.set_xlim(at_min[0], at_min[-1])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(labelsize=9, labelbottom=False)
    axes.set_title("Alerts: pending (pale) and firing (red)", loc="left", fontsize=11, fontweight="bold", pad=22)
    for number, mark_min in enumerate(marks_min, 1):
        axes.axvline(mark_min, color=THIN, linewidth=0.9, linestyle=DASHES, zorder=1)
        axes.annotate(str(number), (mark_min, 1), (0, 9), xycoords=("data", "axes fraction"),
                      textcoords="offset points", ha="center", va="center", fontsize=10, fontweight="bold",
                      bbox={"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": THIN})  # fmt: skip
