"""`yocho worker`: the main job, until it is told to stop."""

import dataclasses
import os
import sys
import time

import click

from streams.cli.types import LOG_LEVEL, TIME_S
from streams.settings import Settings
from streams.worker import run_worker


@click.command(
    epilog="Example: YOCHO_BROKERS=127.0.0.1:9092 YOCHO_HORIZON=28d yocho worker --log-level INFO",
)
@LOG_LEVEL
@click.option("--mute", is_flag=True, help="Load history quietly: alerts of events before now are muted.")
@click.option("--mute-before", type=TIME_S, help="The same up to another moment, 2025-04-01T00:00:00+09:00 say.")
def command(log_level: str, mute: bool, mute_before: int | None) -> None:
    """Read events, keep customers' state, publish alerts; SIGTERM or Ctrl-C ends it in order.

    Muted alerts are published with `replay` set, or not sent: YOCHO_MUTED. Every worker of a group and every restart
    has to name the same moment, so --mute prints what it took.
    """
    settings = _muted(Settings.from_env(os.environ), mute, mute_before)
    sys.exit(run_worker(settings, log_level))


def _muted(settings: Settings, mute: bool, mute_before: int | None) -> Settings:
    if mute and (mute_before is not None or settings.mute_before_s is not None):
        raise click.UsageError("--mute means before now, but a moment is named already: leave --mute out")
    if mute:
        mute_before = int(time.time())
    return settings if mute_before is None else dataclasses.replace(settings, mute_before_s=mute_before)
