"""Runs the demo: embedded broker, a real worker process, the simulated shop, and the alerts that come out.

Everything talks over loopback, with topics and group of its own, and ends with the demo.
"""

import contextlib
import math
import os
import socket
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.broker import EmbeddedBroker
from streams.cluster import Cluster
from streams.demo.child import WORKER, Worker
from streams.demo.screen import Screen
from streams.demo.show import HORIZON_DAYS, DemoError, Plan, Show
from streams.produce import Sender
from streams.settings import Settings
from streams.topics import event_inputs


def environment(base: Mapping[str, str], metrics_port: int, lang: str) -> dict[str, str]:
    """Make the worker's environment: that of the demo without its YOCHO settings, and the demo's own.

    The brokers are still missing.

    Parameters
    ----------
    base
        Environment of this process.
    metrics_port
        A free port.
    lang
        ``ja`` or ``en``.
    """
    kept = {name: value for name, value in base.items() if not name.startswith("YOCHO_")}
    return kept | {
        "YOCHO_GROUP": "yocho-demo",
        "YOCHO_CLOCK": "event",
        "YOCHO_HORIZON": f"{HORIZON_DAYS}d",
        "YOCHO_MAIN": "order",
        "YOCHO_METRICS_HOST": "127.0.0.1",
        "YOCHO_METRICS_PORT": str(metrics_port),
        "YOCHO_COMMIT_INTERVAL_S": "0.5",
        "YOCHO_LOG_FORMAT": "console",
        "YOCHO_LANG": lang,
    }


def run(
    plan: Plan,
    screen: Screen,
    stop: threading.Event,
    base: Mapping[str, str],
    command: Sequence[str] = WORKER,
) -> None:
    """Run the demo until its time is over or `stop` is set, then print the summary.

    Nothing is left running when this returns or raises.

    Parameters
    ----------
    plan
        What to show.
    screen
        Where.
    stop
        Set from a signal handler to end early.
    base
        Environment of this process.
    command
        What to run as the worker.

    Raises
    ------
    DemoError
        The worker died or never became ready, or the broker took no more events.
    """
    ends_s = math.inf if plan.seconds is None else time.monotonic() + plan.seconds

    def is_over() -> bool:
        return stop.is_set() or time.monotonic() >= ends_s

    with contextlib.ExitStack() as stack:
        port = _free_port()
        variables = environment(base, port, plan.lang)
        broker = stack.enter_context(EmbeddedBroker.for_settings(Settings.from_env(variables)))
        variables["YOCHO_BROKERS"] = broker.bootstrap
        settings = Settings.from_env(variables)
        cluster = Cluster.reach(settings)
        screen.stage(f"broker up on {broker.bootstrap} (embedded: it ends with the demo)")
        worker = stack.enter_context(Worker(variables, port, _log_path(), command))
        screen.stage(f"worker starting, pid {worker.pid}, log {worker.log_path}")
        sender = stack.enter_context(Sender(cluster, settings, event_inputs(settings)))
        inbox = stack.enter_context(contextlib.closing(cluster.consumer()))
        show = stack.enter_context(Show(plan, settings, worker=worker, screen=screen, sender=sender, inbox=inbox))
        try:
            show.wait_until_ready(is_over)
            show.watch(is_over)
            show.finish(stop.is_set)  # whoever pressed Ctrl-C wants to leave
        except DemoError:
            for line in worker.last_lines():
                screen.stage(f"worker | {line}")
            raise


def _free_port() -> int:
    # Free again until the worker takes it; on loopback, for that long, good enough.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _log_path() -> Path:
    handle, name = tempfile.mkstemp(prefix="yocho-demo-worker-", suffix=".log")
    os.close(handle)
    return Path(name)
