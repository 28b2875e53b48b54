"""Reaching the brokers with kafka-python, for the commands: provisioning, replay, following a topic.

kafka-python is asked nothing before a broker has answered a question of ours (`streams.probe`).
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from streams.probe import CREATE_TOPICS, ProbeError, served_apis
from streams.security import client_options
from streams.settings import Settings

REQUEST_TIMEOUT_MS = 10_000
EMBEDDED_API_VERSION = (2, 0)
"""Kafka 2.0 is the youngest protocol level the embedded broker serves throughout."""
BATCH_BYTES = 256 * 1024
LINGER_MS = 20

_FORBIDDEN = TopicAuthorizationFailedError.errno


class UnreachableError(ConnectionError):
    """No broker answered; the message says which were asked."""


class ForbiddenError(PermissionError):
    """We have no right to a topic or a group; the message says which."""


@dataclass(frozen=True)
class Cluster:
    """Brokers that have answered.

    Parameters
    ----------
    bootstrap
        All bootstrap servers, separated by commas.
    is_embedded
        They are librdkafka's mock cluster, which makes topics on sight and cannot be configured.
    secured
        Keyword arguments that let clients in; never shown, as the password is among them.
    """

    bootstrap: str
    is_embedded: bool
    secured: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def reach(cls, settings: Settings) -> "Cluster":
        """Ask the brokers of a deployment, one after the other, until one answers.

        Raises
        ------
        UnreachableError
            None did.
        SecurityError
            A file the settings name cannot be used.
        """
        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters is raised, and said once by the command
        problems = []
        for broker in settings.brokers:
            try:
                apis = served_apis(broker, settings)
            except ProbeError as error:
                problems.append(f"{broker}: {error}")
            else:
                return cls(settings.bootstrap, CREATE_TOPICS not in apis, client_options(settings))
        raise UnreachableError(f"no broker answers ({'; '.join(problems)}); YOCHO_BROKERS says where to look")

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments that every client of kafka-python needs here."""
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "request_timeout_ms": REQUEST_TIMEOUT_MS}
        options |= self.secured
        if self.is_embedded:
            options["api_version"] = EMBEDDED_API_VERSION
        return options

    def admin(self) -> KafkaAdminClient:
        """Return a client that makes and describes topics."""
        return KafkaAdminClient(**self.options)

    def producer(self) -> KafkaProducer:
        """Return a producer whose records are acknowledged by all replicas and sent in large batches."""
        return KafkaProducer(**self.options, acks="all", batch_size=BATCH_BYTES, linger_ms=LINGER_MS)

    def consumer(self) -> KafkaConsumer:
        """Return a consumer outside all groups, which commits nothing."""
        return KafkaConsumer(**self.options, enable_auto_commit=False, fetch_max_wait_ms=200)

    def allowed(self, topics: Iterable[str]) -> dict[str, set[str]]:
        """Return what we may do with each of these topics, in Kafka's words (READ, WRITE ...).

        A topic that we have no right to know of is there with nothing; one that does not exist is left out.
        """
        with self.admin() as admin:
            told = admin.describe_topics(list(topics))
        hidden = {topic["name"]: set[str]() for topic in told if topic["error_code"] == _FORBIDDEN}
        return hidden | {t["name"]: set(t["authorized_operations"] or ()) for t in told if not t["error_code"]}

    def may_join(self, group: str) -> bool:
        """Tell whether we may know of a consumer group; a coordinator that is still being chosen forbids nothing."""
        try:
            with self.admin() as admin:
                admin.describe_groups([group])
        except GroupAuthorizationFailedError:
            return False
        except KafkaError as error:
            if not error.retriable:
                raise
        return True

    def require_known(self, topics: Iterable[str]) -> None:
        """Refuse topics that we have no right to know of: to most requests they look as if they did not exist.

        Raises
        ------
        ForbiddenError
            Names them.
        """
        if self.is_embedded:
            return
        if hidden := sorted(name for name, operations in self.allowed(topics).items() if not operations):
            raise ForbiddenError(f"no right to see {', '.join(hidden)}; yocho topics acls tells who needs which")
