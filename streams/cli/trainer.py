"""`yocho trainer`: the second line apart from the workers, until it is told to stop."""

import os
import sys

import click

from streams.cli.types import LOG_LEVEL
from streams.settings import Settings
from streams.trainer import run_trainer


@click.command(epilog="Example: YOCHO_TRAINER=apart YOCHO_BROKERS=127.0.0.1:9092 yocho trainer --log-level INFO")
@LOG_LEVEL
def command(log_level: str) -> None:
    """Learn from resolved labels and publish models; SIGTERM or Ctrl-C ends it in order.

    Workers and trainer need YOCHO_TRAINER=apart. Of several trainers one learns, the others wait to take over.
    """
    sys.exit(run_trainer(Settings.from_env(os.environ), log_level))
