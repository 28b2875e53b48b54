"""Runs one worker: models read, app made, health served, Faust started; ends on SIGTERM or SIGINT."""

import asyncio
from collections.abc import Collection

import faust

from models.newer import NewerVersionError
from streams import provision
from streams.acls import require_role
from streams.app import cold_book, create_app
from streams.cluster import Cluster
from streams.engine.engine import EXIT_NEWER, Engine
from streams.health import HealthServer
from streams.logs import LIFE, get_logger, set_up_logging
from streams.machine import settle_in
from streams.metrics.process import new_registry
from streams.settings import Settings
from streams.times import time_text
from streams.topics import TOPICS, Topic
from streams.tracing.option import Tracing, traced
from streams.training import read_models

log, life = get_logger(__name__), get_logger(LIFE)


class UnfitTopicsError(RuntimeError):
    """The brokers' topics are not those the worker needs."""


def run_worker(settings: Settings, log_level: str) -> int:
    """Run until told to stop.

    Parameters
    ----------
    settings
        The environment, read.
    log_level
        DEBUG, INFO, WARNING or ERROR.

    Returns
    -------
    int
        Exit code of the process.
    """
    set_up_logging(log_level, settings.log_format)
    with traced(settings) as tracing:
        settle_in()
        return _work(settings, tracing)


def _work(settings: Settings, tracing: Tracing | None) -> int:
    _say_muted(settings)
    engines: list[Engine] = []
    registry = new_registry()
    health = HealthServer(
        registry, lambda: any(engine.ready for engine in engines), settings.metrics_host, settings.metrics_port
    )
    health.announce("worker")
    try:
        require_role(Cluster.reach(settings), settings, "worker")
        require_topics(settings)
        book = cold_book(settings)
        asyncio.run(read_models(settings, book))
        app = create_app(settings, book, registry, None if tracing is None else tracing.tracer)
        if tracing is not None:
            app.on_settled.append(tracing.finish)
        app.engine.on_assigned.append(_say_ready)
        engines.append(app.engine)
        worker = faust.Worker(app, override_logging=False, redirect_stdouts=False, quiet=True)
        worker.spinner = None  # it would steer the terminal in between the lines
        worker.execute_from_commandline()
    except SystemExit as ended:
        code = int(ended.code or 0)
        life.info("yocho worker ended", exit_code=code)
        return code
    except NewerVersionError as error:
        log.error("this worker ends: a newer yocho is at work here", why=str(error), exit_code=EXIT_NEWER)
        return EXIT_NEWER
    finally:
        health.close()
    return 0


def require_topics(settings: Settings, needed: Collection[Topic] = TOPICS) -> None:
    """Refuse to start where a topic is missing or has another partition count: Faust would wait without a word.

    Parameters
    ----------
    settings
        Brokers and names.
    needed
        Topics that count, as far as they are in use.

    Raises
    ------
    UnfitTopicsError
        Names them, and the commands that help.
    UnreachableError
        No broker answers.
    """
    cluster = Cluster.reach(settings)
    if cluster.is_embedded:
        return  # it makes topics on sight
    if unfit := provision.unfit(cluster, settings, needed):
        raise UnfitTopicsError(
            f"topics missing or with another partition count: {', '.join(unfit)};"
            " `yocho topics check` says what differs, `yocho topics create` makes the missing ones"
        )


def _say_muted(settings: Settings) -> None:
    if settings.mute_before_s is not None:
        what = "marked replay" if settings.muted == "mark" else "not sent"
        life.info(f"yocho worker: alerts before YOCHO_MUTE_BEFORE={time_text(settings.mute_before_s)} are {what}")


def _say_ready(owned: set[int]) -> None:
    if owned:
        life.info("yocho worker ready", partitions=sorted(owned))
