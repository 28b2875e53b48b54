"""`yocho evaluate`: how good the model's scores are on an event log, without Kafka."""

import dataclasses
import os
from pathlib import Path

import click

from models.evaluate import day, evaluate, write_predictions
from models.event_log import CHANNEL_OF
from models.metrics import Metrics
from models.target import Target
from streams.cli.bars import bar
from streams.cli.types import DURATION_S
from streams.durations import duration_text
from streams.machine import keep_algebra_on_one_thread
from streams.report.evaluation import Evaluation
from streams.settings import Settings

HEAD = f"{'cut':<10} {'labels':>8} {'n':>9} {'churned':>8} {'AUC':>7} {'log loss':>9} {'Brier':>7} {'ECE':>7}"


@click.command(epilog="Example: yocho evaluate orders.csv.gz --main order --horizon 91d --pictures report")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--main", "main_name", help="Event type in the file whose absence is churn.  [default: YOCHO_MAIN]")
@click.option("--horizon", type=DURATION_S, help="How long without one is churn, 91d say.  [default: YOCHO_HORIZON]")
@click.option(
    "--predictions",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write every score there: cut, customer_id, p.",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Write a page with pictures into this directory: index.html and PNG files.",
)
def command(
    file: Path, main_name: str | None, horizon: int | None, predictions: Path | None, pictures: Path | None
) -> None:
    """Replay FILE, a CSV with customer_id, event_type, ts, value (plain or .gz), and score every customer each week.

    A score uses only what was known at its cut: events before it and labels resolved by then. Pooled are the weeks
    after two horizons and two weeks, when the first labels have been learnt. Early warning is the time from a lost
    customer's last main event to the alarm, where the alarm is set to a given share of false positives.
    """
    target = _target(main_name, horizon)
    keep_algebra_on_one_thread()
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)  # a directory that cannot be made is said now, not after the work
    with bar(f"reading {file.name}") as show:
        report = evaluate(file, target, main_name or target.main.name.lower(), show)
    click.echo(f"main event {target.main.name.lower()}, horizon {duration_text(target.horizon_s)}")
    click.echo(HEAD)
    for week in report.weekly:
        click.echo(_line(day(week.at_s), f"{week.n_labels:,}", week.metrics))
    evaluation = Evaluation.of(report, file.name, main_name or target.main.name.lower())
    for name, metrics in zip(evaluation.experts, evaluation.pooled_metrics[:-1], strict=True):
        click.echo(_line(name, "", metrics))
    click.echo(_line("pooled", "", report.pooled))
    click.echo(_early_warning(evaluation))
    if predictions is not None:
        write_predictions(report, predictions)
        click.echo(f"wrote {sum(len(cut.p) for cut in report.cuts):,} scores to {predictions}")
    if pictures is not None:
        click.echo(f"wrote {_page(evaluation, pictures)}")


def _page(evaluation: Evaluation, directory: Path) -> Path:
    # matplotlib takes half a second and wants a directory for its cache: only those pay who ask for pictures.
    from streams.report.page import write_page  # noqa: PLC0415

    return write_page(evaluation, directory)


def _target(main_name: str | None, horizon_s: int | None) -> Target:
    settings = Settings.from_env(os.environ)
    if horizon_s is not None:
        settings = dataclasses.replace(settings, horizon_s=horizon_s)
    name = (main_name or "").replace("-", "_").removesuffix("s")
    return dataclasses.replace(settings.target, main=CHANNEL_OF.get(name, settings.main))


def _line(name: str, labels: str, m: Metrics) -> str:
    return (
        f"{name:<10} {labels:>8} {m.n:>9,} {m.base_rate:>8.3f} {m.auc:>7.4f} {m.log_loss:>9.4f}"
        f" {m.brier:>7.4f} {m.ece:>7.4f}"
    )


def _early_warning(evaluation: Evaluation) -> str:
    warnings = evaluation.early_warnings[-1]
    lost = len(warnings[0].days)
    if not lost:
        return "early warning: no lost customer to measure"
    at = "; ".join(
        f"{_days(w.median_days)} at {w.false_positive_ratio:.0%} false positives ({w.detected_ratio:.1%} detected)"
        for w in warnings
    )
    name = evaluation.source.main_name
    return f"early warning: median time from a lost customer's last {name} to the alarm ({lost:,} lost): {at}"


def _days(days: float) -> str:
    return "never" if days == float("inf") else f"{days:.1f} days"
