"""The option of a warm restart: `streams.engine.warm` with what a deployment says of it."""

import importlib
from collections.abc import Mapping
from typing import Any

from kafka.errors import KafkaError

from streams.cluster import Cluster, UnreachableError
from streams.engine.changelog import Copies
from streams.settings import Settings
from streams.topics import CHANGELOG


class WarmRestartError(RuntimeError):
    """The option is asked for and cannot be had."""


def copies(settings: Settings) -> Copies | None:
    """Make ready the copies of state on disk; None where none are asked for.

    Raises
    ------
    WarmRestartError
        RocksDB is not installed.
    streams.engine.warm.StateFolderError
        The folder cannot be used.
    """
    if settings.state_dir is None:
        return None
    try:
        warm: Any = importlib.import_module("streams.engine.warm")
        names: Any = importlib.import_module("streams.engine.warm_store")
    except ModuleNotFoundError as error:
        raise WarmRestartError(f"YOCHO_STATE_DIR needs {error.name}: pip install 'yocho[rocksdb]'") from None
    topic = CHANGELOG.topic(settings)
    made: Copies = warm.WarmCopies(settings.state_dir / topic, lambda: names.LogName(**changelog_name(settings)))
    return made


def changelog_name(settings: Settings) -> Mapping[str, str]:
    """Ask the brokers which changelog this is: `cluster_id`, `topic`, and `topic_id`, empty where topics have none.

    Raises
    ------
    UnreachableError
        They do not answer.
    """
    topic = CHANGELOG.topic(settings)
    try:
        with Cluster.reach(settings).admin() as admin:
            cluster, (described,) = admin.describe_cluster(), admin.describe_topics([topic])
    except KafkaError as error:
        raise UnreachableError(f"{type(error).__name__} when asked for {topic}") from error
    return {"cluster_id": cluster["cluster_id"], "topic": topic, "topic_id": str(described.get("topic_id") or "")}
