"""Makes the topics a deployment needs and checks that they are as the table in `streams.topics` says.

Creating is idempotent and never changes what exists: a wrong partition count cannot be mended without moving customers,
so it is reported, and a person decides.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError

from streams.cluster import Cluster
from streams.settings import Settings
from streams.topics import Topic, in_use

SAFE_REPLICATION = 3
"""From three replicas on, two must have a record before it counts as written: one may be lost at any time."""


@dataclass(frozen=True)
class Wanted:
    """A topic as it should be: name, partitions, replicas, configuration that must hold."""

    topic: Topic
    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """A topic as it is; `config` is empty where the broker does not tell."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def wanted(settings: Settings) -> tuple[Wanted, ...]:
    """Return every topic a deployment needs.

    Examples
    --------
    >>> [w.partitions for w in wanted(Settings(partitions=6)) if w.name in ("orders", "churn-model")]
    [6, 1]
    """
    insync = {"min.insync.replicas": "2"} if settings.replication >= SAFE_REPLICATION else {}
    return tuple(
        Wanted(
            topic,
            topic.topic(settings),
            topic.partitions(settings),
            settings.replication,
            {} if topic.kept == "producer" else {**topic.config, **insync},
        )
        for topic in in_use(settings)
    )


def create(cluster: Cluster, settings: Settings) -> list[str]:
    """Make the topics that are missing.

    Returns
    -------
    list of str
        Names of those that were made.

    Raises
    ------
    KafkaError
        The brokers refused one.
    """
    with cluster.admin() as admin:
        missing = _missing(admin, wanted(settings))
        if cluster.is_embedded:
            _touch(cluster, missing)
        elif missing:
            _create(admin, missing)
    return [topic.name for topic in missing]


def check(cluster: Cluster, settings: Settings) -> list[str]:
    """Compare the topics with what they should be.

    Returns
    -------
    list of str
        One line per difference; empty when all is well. Replication and configuration of the inputs are their
        producers' own affair.

    Raises
    ------
    ForbiddenError
        We have no right to know of a topic.
    """
    found = _visible(cluster, wanted(settings), describe(cluster, settings, with_config=True))
    return [line for topic in wanted(settings) for line in _differences(topic, found.get(topic.name))]


def unfit(cluster: Cluster, settings: Settings, needed: Collection[Topic]) -> list[str]:
    """Return which of the needed topics nobody can start with: missing, or other partitions; raises as `check`."""
    topics = [topic for topic in wanted(settings) if topic.topic in needed]
    found = _visible(cluster, topics, describe(cluster, settings))
    return [t.name for t in topics if t.name not in found or found[t.name].partitions != t.partitions]


def describe(cluster: Cluster, settings: Settings, *, with_config: bool = False) -> dict[str, Found]:
    """Return the topics of a deployment that exist and that we may know of, by name.

    Configuration takes a right of its own (`streams.acls`), so it is asked for only where it is wanted.
    """
    with cluster.admin() as admin:
        topics = wanted(settings)
        missing = {topic.name for topic in _missing(admin, topics)}
        present = [topic for topic in topics if topic.name not in missing]
        if not present:
            return {}
        configs = _configs(admin, present) if with_config and not cluster.is_embedded else {}
        return {
            told["name"]: Found(
                told["name"],
                len(told["partitions"]),
                min(len(partition["replica_nodes"]) for partition in told["partitions"]),
                configs.get(told["name"], {}),
            )
            for told in admin.describe_topics([topic.name for topic in present])
        }


def _visible(cluster: Cluster, topics: Sequence[Wanted], found: dict[str, Found]) -> dict[str, Found]:
    """Make sure that what was not found is not there, rather than nothing for us to know of."""
    if absent := [topic.name for topic in topics if topic.name not in found]:
        cluster.require_known(absent)
    return found


def _missing(admin: KafkaAdminClient, topics: Sequence[Wanted]) -> list[Wanted]:
    existing = set(admin.list_topics())
    return [topic for topic in topics if topic.name not in existing]


def _create(admin: KafkaAdminClient, topics: Sequence[Wanted]) -> None:
    specs = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": topic.replication,
            "configs": dict(topic.config),
        }
        for topic in topics
    }
    with contextlib.suppress(TopicAlreadyExistsError):  # made by somebody else just now; `check` looks at it
        admin.create_topics(specs)
    admin.wait_for_topics(list(specs))


def _touch(cluster: Cluster, topics: Sequence[Wanted]) -> None:
    """Ask the embedded broker for topics, which makes it create them, with the partition count it chooses."""
    producer = cluster.producer()
    for topic in topics:
        producer.partitions_for(topic.name)
    producer.close()


def _configs(admin: KafkaAdminClient, topics: Sequence[Wanted]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, t.name, dict.fromkeys(t.config)) for t in topics if t.config]
    told: dict[str, dict[str, Any]] = admin.describe_configs(asked, config_filter="all")["topic"]
    return {name: {option: setting["value"] for option, setting in options.items()} for name, options in told.items()}


def _differences(topic: Wanted, found: Found | None) -> list[str]:
    if found is None:
        return [f"{topic.name}: missing"]
    lines = []
    if found.partitions != topic.partitions:
        lines.append(f"{topic.name}: {found.partitions} partitions, not {topic.partitions}")
    if topic.topic.kept != "producer" and found.replication < topic.replication:
        lines.append(f"{topic.name}: {found.replication} replicas, not {topic.replication}")
    lines += [
        f"{topic.name}: {option}={found.config[option]}, not {value}"
        for option, value in topic.config.items()
        if option in found.config and found.config[option] != value
    ]
    return lines
