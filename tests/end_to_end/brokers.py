"""The broker an end-to-end test runs on: the embedded one, or Apache Kafka where YOCHO_TEST_BROKER says ``kafka``.

Apache Kafka is one node for the whole run, started when the first test asks; each test finds the topics of its settings
new and no groups. The embedded broker is another one for each test.
"""

import atexit
import contextlib
import os
import time
from collections.abc import Iterator
from functools import cache
from typing import Protocol

import pytest
from kafka import KafkaAdminClient

from streams import provision
from streams.broker import EmbeddedBroker
from streams.cluster import Cluster
from streams.settings import Settings
from tests.apache_kafka.cluster import KafkaCluster

IS_KAFKA = os.environ.get("YOCHO_TEST_BROKER", "embedded") == "kafka"
GONE_S = 20.0
embedded_only = pytest.mark.skipif(IS_KAFKA, reason="starts an embedded broker of its own")
kafka_only = pytest.mark.skipif(not IS_KAFKA, reason="runs on Apache Kafka (make test-kafka)")


class Broker(Protocol):
    """What a test needs of it."""

    @property
    def bootstrap(self) -> str: ...


@contextlib.contextmanager
def fresh_broker(settings: Settings = Settings()) -> Iterator[Broker]:  # noqa: B008 - frozen
    """A broker with every topic of a deployment, empty."""
    if not IS_KAFKA:
        with EmbeddedBroker.for_settings(settings) as embedded:
            yield embedded
        return
    kafka = _shared()
    reached = Settings(**{**_fields(settings), "brokers": (kafka.bootstrap,)})
    provision.create(Cluster.reach(reached), reached)
    try:
        yield kafka
    finally:
        _empty(kafka)


def _fields(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


@cache
def _shared() -> KafkaCluster:
    kafka = KafkaCluster(1)
    atexit.register(kafka.close)
    kafka.start()
    return kafka


def _empty(kafka: KafkaCluster) -> None:
    """Delete groups and topics, and wait until they are gone."""
    with kafka.admin() as admin:
        _delete_groups(admin)
        topics = [name for name in admin.list_topics() if not name.startswith("__")]
        admin.delete_topics(topics)
        deadline_s = time.monotonic() + GONE_S
        while left := set(admin.list_topics()).intersection(topics):
            assert time.monotonic() < deadline_s, f"not deleted after {GONE_S} s: {left}"
            time.sleep(0.05)


def _delete_groups(admin: KafkaAdminClient) -> None:
    """A group whose workers were killed counts as alive until their sessions end."""
    deadline_s = time.monotonic() + GONE_S
    while groups := admin.list_groups():
        admin.delete_groups([group["group_id"] for group in groups])
        assert time.monotonic() < deadline_s, f"groups stay after {GONE_S} s: {groups}"
        time.sleep(0.1)
