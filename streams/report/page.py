"""The page around the pictures: one HTML file that opens from disk, with its pictures inside and as PNG beside it.

A picture is embedded so that the page can be mailed alone, and links to its file so that it can be pasted elsewhere.
Nothing on the page is loaded over a network, runs, or names a customer; the same evaluation gives the same bytes.
"""

import base64
import io
import math
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from models.early_warning import FALSE_POSITIVE_RATIOS
from models.evaluate import day
from streams.report import words
from streams.report.evaluation import Evaluation
from streams.report.over_time import experts, quality, weights
from streams.report.pictures import alerts, lead_times, reliability_diagram
from streams.report.words import Caption, Text

PAGE = "index.html"


class Picture(NamedTuple):
    """A picture the page may have.

    Parameters
    ----------
    name
        File name without ``.png``, and key of its caption.
    draw
        Draws it.
    missing
        Says why it cannot be drawn, None where it can.
    """

    name: str
    draw: Callable[[Evaluation], Figure]
    missing: Callable[[Evaluation], Text | None]


class Section(NamedTuple):
    """A picture as the page shows it: embedded, or missing and why."""

    name: str
    caption: Caption
    data: str
    missing: Text | None


def write_page(evaluation: Evaluation, directory: Path) -> Path:
    """Write the pictures and the page around them.

    Parameters
    ----------
    evaluation
        What to show.
    directory
        Made if it is not there; files of the same names are overwritten.

    Returns
    -------
    Path
        The page; its pictures lie beside it.

    Raises
    ------
    OSError
        The directory or a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    sections = [_section(picture, evaluation, directory) for picture in pictures_of(evaluation)]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("streams.report").joinpath("page.html.j2").read_text("utf-8"))
    html = template.render(
        words=words, facts=facts(evaluation), head=table_head(), rows=table_rows(evaluation), sections=sections
    )
    page = directory / PAGE
    page.write_text(html, encoding="utf-8")
    return page


def pictures_of(evaluation: Evaluation) -> list[Picture]:
    """Return the pictures that make sense: those of experts only where there are some."""
    of_experts = [Picture("experts", experts, _no_week), Picture("weights", weights, _no_week)]
    return [
        Picture("quality", quality, _no_week),
        *(of_experts if evaluation.experts else ()),
        Picture("reliability", reliability_diagram, _no_pooled),
        Picture("alerts", alerts, _one_outcome),
        Picture("lead_times", lead_times, _no_lost),
    ]


def facts(evaluation: Evaluation) -> list[tuple[Text, str | Text]]:
    """Return what was replayed, as labels and values."""
    source, pooled = evaluation.source, evaluation.week_at_s[evaluation.is_pooled].tolist()
    span = f" ({day(pooled[0])} – {day(pooled[-1])})" if pooled else ""
    mixture = evaluation.pooled_metrics[-1]
    return [
        (words.FILE, source.name),
        (words.TARGET, words.target(source.main_name, source.target.horizon_days)),
        (words.DATES, f"{day(source.first_at_s)} – {day(source.last_at_s)}"),
        (words.CUSTOMERS, f"{source.customers:,}"),
        (words.EVENTS, f"{source.events:,}"),
        (words.WEEKS, f"{len(pooled)}{span}"),
        (words.EXAMPLES, f"{mixture.n:,}"),
        (words.BASE_RATE, _percent(mixture.base_rate)),
    ]


def table_head() -> list[Text]:
    """Return the columns of the table of pooled metrics."""
    metrics = [words.MODEL, words.AUC, words.LOG_LOSS, words.BRIER, words.ECE]
    return metrics + [
        column(ratio) for ratio in FALSE_POSITIVE_RATIOS for column in (words.median_days, words.detected)
    ]


def table_rows(evaluation: Evaluation) -> list[list[str]]:
    """Return the table of pooled metrics, a row per model, the mixture last; a dash is unknown."""
    rows = []
    for name, m, warnings in zip(evaluation.names, evaluation.pooled_metrics, evaluation.early_warnings, strict=True):
        quality_of = [_number(value, 4) for value in (m.auc, m.log_loss, m.brier, m.ece)]
        early = [text for w in warnings for text in (_number(w.median_days, 1), _percent(w.detected_ratio))]
        rows.append([name, *quality_of, *early])
    return rows


def _section(picture: Picture, evaluation: Evaluation, directory: Path) -> Section:
    missing, png = picture.missing(evaluation), b""
    if missing is None:
        png = _png(picture.draw(evaluation))
        (directory / f"{picture.name}.png").write_bytes(png)
    return Section(picture.name, words.CAPTIONS[picture.name], base64.b64encode(png).decode(), missing)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _no_week(evaluation: Evaluation) -> Text | None:
    return None if len(evaluation.week) else words.NO_WEEK


def _no_pooled(evaluation: Evaluation) -> Text | None:
    return None if evaluation.pooled.any() else words.NO_POOLED


def _one_outcome(evaluation: Evaluation) -> Text | None:
    is_one = len(set(evaluation.churned[evaluation.pooled].tolist())) == 1
    return words.ONE_OUTCOME if is_one else _no_pooled(evaluation)


def _no_lost(evaluation: Evaluation) -> Text | None:
    is_none = not any(warning.days.size for warning in evaluation.early_warnings[-1])
    return _no_pooled(evaluation) or (words.NO_LOST if is_none else None)


def _number(value: float, digits: int) -> str:
    if math.isinf(value):
        return "∞"
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1%}"
