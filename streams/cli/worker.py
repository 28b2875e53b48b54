"""`yocho worker`: the main job, until it is told to stop."""

import os
import sys

import click

from streams.settings import Settings
from streams.worker import run_worker


@click.command(
    epilog="Example: YOCHO_BROKERS=127.0.0.1:9092 YOCHO_HORIZON=28d yocho worker --log-level INFO",
)
@click.option(
    "--log-level",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
    default="WARNING",
    show_default=True,
    help="How much to say on stderr; records are never shown.",
)
def command(log_level: str) -> None:
    """Read events, keep customers' state, publish alerts; SIGTERM or Ctrl-C ends it in order."""
    sys.exit(run_worker(Settings.from_env(os.environ), log_level.upper()))
