"""The few shapes that the dashboards are made of, and how they become Grafana's JSON.

A dashboard is rows, a row is panels, a panel is a title, a sentence that says how to read it, a unit and queries. What
Grafana wants beyond that (places, numbers, colours, the data source) is put here, with Grafana's own library.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")
"""The one in deploy/grafana/provisioning."""

WIDTH = 24
"""Columns of Grafana's grid."""

Builder = bargauge.Panel | stat.Panel | timeseries.Panel


@dataclass(frozen=True)
class Query:
    """What is asked, in PromQL, and what a line is called: plain, or with ``{{label}}``."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What all panels have.

    Parameters
    ----------
    title
        A few words.
    says
        How to read it, and what to do if it is not as it should be.
    unit
        Grafana's word: s, percentunit, ops, bytes, short.
    queries
        At least one.
    red_from
        From where on it is bad; None = nowhere in particular.
    columns, lines
        Its size in the grid.
    """

    title: str
    says: str
    unit: str
    queries: Sequence[Query]
    red_from: float | None = None
    columns: int = 8
    lines: int = 8


@dataclass(frozen=True, kw_only=True)
class Graph(Panel):
    """Lines over time; `stacked` where they add up to something, `exemplars` where single records are at hand."""

    stacked: bool = False
    exemplars: bool = False


@dataclass(frozen=True, kw_only=True)
class Number(Panel):
    """The latest value, large."""

    columns: int = 4
    lines: int = 4


@dataclass(frozen=True, kw_only=True)
class Bars(Panel):
    """The latest value of each series, side by side."""


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Dashboard:
    """A whole dashboard; `since` is how far back it looks when it is opened."""

    uid: str
    title: str
    says: str
    rows: Sequence[Row]
    since: str = "now-1h"
    refresh: str = "10s"
    panels: Sequence[Panel] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "panels", [panel for row in self.rows for panel in row.panels])

    def to_json(self) -> str:
        """Return what Grafana reads.

        Examples
        --------
        >>> graph = Graph(title="Up", says="1 is well.", unit="short", queries=[Query("up")])
        >>> '"expr": "up"' in Dashboard("x", "X", "An example.", [Row("All", [graph])]).to_json()
        True
        """
        made = (
            grafana.Dashboard(self.title)
            .uid(self.uid)
            .description(self.says)
            .tags(["yocho"])
            .time(self.since, "now")
            .refresh(self.refresh)
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .readonly()
            .link(_siblings())
        )
        number = 0
        for row in self.rows:
            number += 1
            made.with_row(grafana.Row(row.title).id(number))
            for panel in row.panels:
                number += 1
                made.with_panel(_built(panel).id(number))
        return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(made.build()) + "\n"


def _siblings() -> grafana.DashboardLink:
    """A link to the other dashboards of ours, which keeps the time that is looked at."""
    return grafana.DashboardLink("Yochō").type(DashboardLinkType.DASHBOARDS).tags(["yocho"]).keep_time(True)


def _built(panel: Panel) -> Builder:
    match panel:
        case Graph():
            built: Builder = _graph(panel)
        case Number():
            built = stat.Panel().graph_mode(BigValueGraphMode.NONE).reduce_options(_latest())
        case _:
            built = bargauge.Panel().orientation(VizOrientation.HORIZONTAL).reduce_options(_latest())
    built.title(panel.title).description(panel.says).unit(panel.unit).datasource(SOURCE)
    built.span(panel.columns).height(panel.lines)
    if panel.red_from is not None:
        built.thresholds(_thresholds(panel.red_from))
    elif not isinstance(panel, Graph):
        built.color_scheme(grafana.FieldColor().mode(FieldColorModeId.FIXED).fixed_color("blue"))
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        built.with_target(_target(panel, query, letter))
    return built


def _latest() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _graph(panel: Graph) -> timeseries.Panel:
    graph = timeseries.Panel().fill_opacity(30 if panel.stacked else 5)
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    graph.legend(legend.show_legend(True))
    if panel.stacked:
        graph.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    if panel.red_from is not None:
        graph.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    return graph


def _thresholds(red_from: float) -> grafana.ThresholdsConfig:
    steps = [Threshold(value=None, color="green"), Threshold(value=red_from, color="red")]
    return grafana.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _target(panel: Panel, query: Query, letter: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(letter).datasource(SOURCE).legend_format(query.legend)
    if isinstance(panel, Graph):
        return target.range().exemplar(panel.exemplars)
    return target.instant()
