"""`yocho demo`: the whole line on this machine, ended by Ctrl-C or after some seconds."""

import os
import signal
import sys
import threading

import click
from rich.console import Console

from streams.demo.run import run
from streams.demo.screen import Screen
from streams.demo.show import Plan
from streams.settings import Settings


@click.command(epilog="Example: yocho demo --seconds 60   (in English: YOCHO_LANG=en yocho demo)")
@click.option("--seconds", type=click.FloatRange(min=1), help="End by itself after so many seconds; else Ctrl-C.")
@click.option(
    "--customers", type=click.IntRange(1, 100_000), default=1_500, show_default=True, help="Size of the shop."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another seed, another shop.")
def command(seconds: float | None, customers: int, seed: int) -> None:
    """Start an embedded broker, a worker and a simulated shop, and show the alerts as they come.

    The simulator knows who really leaves, so each warning is checked. YOCHO_LANG chooses the language of the alerts;
    other YOCHO variables are left aside. Nothing is left running and nothing is kept but the worker's log.
    """
    plan = Plan(seconds, customers, seed, Settings.from_env({"YOCHO_LANG": os.environ.get("YOCHO_LANG", "")}).lang)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Japanese shows ? instead of a traceback
    with Screen(Console(), plan.lang) as screen:
        run(plan, screen, stop, os.environ)
