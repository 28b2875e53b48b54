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
from streams.settings import Settings

HEAD = f"{'cut':<10} {'labels':>8} {'n':>9} {'churned':>8} {'AUC':>7} {'log loss':>9} {'Brier':>7} {'ECE':>7}"


@click.command(epilog="Example: yocho evaluate orders.csv.gz --main order --horizon 91d --predictions scores.csv")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--main", "main_name", help="Event type in the file whose absence is churn.  [default: YOCHO_MAIN]")
@click.option("--horizon", type=DURATION_S, help="How long without one is churn, 91d say.  [default: YOCHO_HORIZON]")
@click.option(
    "--predictions",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write every score there: cut, customer_id, p.",
)
def command(file: Path, main_name: str | None, horizon: int | None, predictions: Path | None) -> None:
    """Replay FILE, a CSV with customer_id, event_type, ts, value (plain or .gz), and score every customer each week.

    A score uses only what was known at its cut: events before it and labels resolved by then. Pooled are the weeks
    after two horizons and two weeks, when the first labels have been learnt.
    """
    target = _target(main_name, horizon)
    with bar(f"reading {file.name}") as show:
        report = evaluate(file, target, main_name or target.main.name.lower(), show)
    click.echo(f"main event {target.main.name.lower()}, horizon {duration_text(target.horizon_s)}")
    click.echo(HEAD)
    for week in report.weekly:
        click.echo(_line(day(week.at_s), f"{week.n_labels:,}", week.metrics))
    click.echo(_line("pooled", "", report.pooled))
    if predictions is not None:
        write_predictions(report, predictions)
        click.echo(f"wrote {sum(len(cut.p) for cut in report.cuts):,} scores to {predictions}")


def _target(main_name: str | None, horizon_s: int | None) -> Target:
    settings = Settings.from_env(os.environ)
    if horizon_s is not None:
        settings = dataclasses.replace(settings, horizon_s=horizon_s)
    name = (main_name or "").replace("-", "_").removesuffix("s")
    return Target(CHANNEL_OF.get(name, settings.main), settings.horizon_s)


def _line(name: str, labels: str, m: Metrics) -> str:
    return (
        f"{name:<10} {labels:>8} {m.n:>9,} {m.base_rate:>8.3f} {m.auc:>7.4f} {m.log_loss:>9.4f}"
        f" {m.brier:>7.4f} {m.ece:>7.4f}"
    )
