"""Reaching the brokers with kafka-python, for the commands: provisioning, replay, following a topic.

kafka-python is asked nothing before a broker has answered: it would repeat its attempts for half a minute and log each.
One request over a plain socket tells whether somebody is there, speaks Kafka, and is the embedded broker, whose answer
to kafka-python's own first question that library cannot read.
"""

import logging
import socket
import struct
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from streams.settings import Settings

CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_MS = 10_000
EMBEDDED_API_VERSION = (2, 0)
"""Kafka 2.0 is the youngest protocol level the embedded broker serves throughout."""
BATCH_BYTES = 256 * 1024
LINGER_MS = 20

_API_VERSIONS, _CREATE_TOPICS = 18, 19
_MAX_ANSWER_BYTES = 64 * 1024


class UnreachableError(ConnectionError):
    """No broker answered; the message says which were asked."""


@dataclass(frozen=True)
class Cluster:
    """Brokers that have answered.

    Parameters
    ----------
    bootstrap
        All bootstrap servers, separated by commas.
    is_embedded
        They are librdkafka's mock cluster, which makes topics on sight and cannot be configured.
    """

    bootstrap: str
    is_embedded: bool

    @classmethod
    def reach(cls, settings: Settings) -> "Cluster":
        """Ask the brokers of a deployment, one after the other, until one answers.

        Raises
        ------
        UnreachableError
            None did.
        """
        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters is raised, and said once by the command
        problems = []
        for broker in settings.brokers:
            try:
                apis = _served_apis(broker)
            except (OSError, ValueError) as error:
                problems.append(f"{broker}: {_reason(error)}")
            else:
                return cls(settings.bootstrap, _CREATE_TOPICS not in apis)
        raise UnreachableError(f"no broker answers ({'; '.join(problems)}); YOCHO_BROKERS says where to look")

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments that every client of kafka-python needs here."""
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "request_timeout_ms": REQUEST_TIMEOUT_MS}
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


def _served_apis(broker: str) -> set[int]:
    """Send ApiVersions v0 [1]_, which brokers of every age answer, and read which requests are served.

    References
    ----------
    .. [1] https://kafka.apache.org/protocol#The_Messages_ApiVersions
    """
    host, _, port = broker.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), CONNECT_TIMEOUT_S) as connection:
        request = struct.pack(">hhih5s", _API_VERSIONS, 0, 1, 5, b"yocho")
        connection.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", _receive(connection, 4))
        if not 10 <= size <= _MAX_ANSWER_BYTES:
            raise ValueError("does not answer as a Kafka broker does")
        answer = _receive(connection, size)
    correlation, error, count = struct.unpack_from(">ihi", answer)
    if correlation != 1 or error or len(answer) < 10 + 6 * count:
        raise ValueError("does not answer as a Kafka broker does")
    return {struct.unpack_from(">h", answer, 10 + 6 * index)[0] for index in range(count)}


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ValueError("hangs up on a Kafka request")
        data += part
    return data


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_TIMEOUT_S:.0f} s"
    return getattr(error, "strerror", None) or str(error)
