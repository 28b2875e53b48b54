"""An embedded Kafka broker: librdkafka's mock cluster, for the demo, quick tests and a first look. Never production.

It starts in milliseconds, without JVM or Docker, and serves groups, offsets, produce and fetch to any Kafka client.
What it does not do: nothing is on disk, nothing is compacted, topics cannot be made or described over the network, an
unknown topic springs up with four partitions, and each partition keeps its last 5 MiB (or 100,000 batches): older
records are dropped, read or not. One process, about 5 MiB a partition.

confluent-kafka carries the library, and its setting ``test.mock.num.brokers`` starts a cluster too, but only the C
functions (rdkafka_mock.h [1]_) let the number of partitions be chosen; so those are called here.

References
----------
.. [1] https://github.com/confluentinc/librdkafka/blob/master/src/rdkafka_mock.h
"""

import ctypes
import time
from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import Any, Self

import confluent_kafka.cimpl

from streams.settings import Settings
from streams.topics import in_use

REBALANCE_DELAY_MS = 200
"""How long a new group waits for more members. Brokers wait 3 s, which a demo and every test would wait too."""

_PRODUCER = 0
_SETTLE_S = 0.002
"""A request that reaches the cluster's thread just before it goes to sleep waits a second for it to wake: let it doze
off first. Eight topics took 1 to 2 s without this, 0.02 s with it."""
_LOG_ERRORS = b"3"
_TEXT_BYTES = 256
_SIGNATURES: dict[str, tuple[Any, ...]] = {  # result first
    "conf_new": (ctypes.c_void_p,),
    "conf_set": (ctypes.c_int, ctypes.c_void_p, *[ctypes.c_char_p] * 3, ctypes.c_size_t),
    "new": (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t),
    "destroy": (None, ctypes.c_void_p),
    "err2str": (ctypes.c_char_p, ctypes.c_int),
    "mock_cluster_new": (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int),
    "mock_cluster_destroy": (None, ctypes.c_void_p),
    "mock_cluster_bootstraps": (ctypes.c_char_p, ctypes.c_void_p),
    "mock_topic_create": (ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int),
    "mock_group_initial_rebalance_delay_ms": (None, ctypes.c_void_p, ctypes.c_int32),
}


class BrokerError(RuntimeError):
    """The embedded broker could not be started, or refused a topic."""


class EmbeddedBroker:
    """A Kafka cluster in this process; use as a context manager.

    Parameters
    ----------
    topics
        Partition count by topic name.
    brokers
        Number of brokers, >= 1.

    Raises
    ------
    BrokerError
        It could not start.

    Examples
    --------
    >>> with EmbeddedBroker({"orders": 2}) as broker:
    ...     broker.bootstrap.startswith("127.0.0.1:")
    True
    """

    def __init__(self, topics: Mapping[str, int], *, brokers: int = 1) -> None:
        self._client = _new_client()
        self._cluster = _call("mock_cluster_new", self._client, brokers)
        if not self._cluster:
            _call("destroy", self._client)
            raise BrokerError(f"librdkafka could not start {brokers} mock brokers")
        self._brokers = brokers
        _call("mock_group_initial_rebalance_delay_ms", self._cluster, REBALANCE_DELAY_MS)
        self.bootstrap: str = _call("mock_cluster_bootstraps", self._cluster).decode()
        for name, partitions in topics.items():
            self.create_topic(name, partitions)

    @classmethod
    def for_settings(cls, settings: Settings) -> "EmbeddedBroker":
        """Start one with every topic a deployment needs."""
        return cls({topic.topic(settings): topic.partitions(settings) for topic in in_use(settings)})

    def create_topic(self, name: str, partitions: int) -> None:
        """Make a topic.

        Raises
        ------
        BrokerError
            It exists already, by name or because somebody asked for it.
        """
        time.sleep(_SETTLE_S)
        error = _call("mock_topic_create", self._cluster, name.encode(), partitions, self._brokers)
        if error:
            raise BrokerError(f"topic {name}: {_call('err2str', error).decode()}")

    def close(self) -> None:
        """Stop listening and forget everything; a second call does nothing."""
        if self._cluster:
            _call("mock_cluster_destroy", self._cluster)
            _call("destroy", self._client)
            self._cluster = self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _new_client() -> Any:
    """The handle a mock cluster lives in; it never connects anywhere."""
    conf, text = _call("conf_new"), ctypes.create_string_buffer(_TEXT_BYTES)
    _call("conf_set", conf, b"log_level", _LOG_ERRORS, text, _TEXT_BYTES)
    client = _call("new", _PRODUCER, conf, text, _TEXT_BYTES)
    if not client:
        raise BrokerError(f"librdkafka did not start: {text.value.decode()}")
    return client


def _call(name: str, *arguments: Any) -> Any:
    return _functions()[name](*arguments)


@cache
def _functions() -> dict[str, Any]:
    """The C functions, found through the extension module that is linked with them, wherever its wheel puts them."""
    library = ctypes.CDLL(confluent_kafka.cimpl.__file__)
    functions = {name: getattr(library, f"rd_kafka_{name}") for name in _SIGNATURES}
    for name, (result, *arguments) in _SIGNATURES.items():
        functions[name].restype, functions[name].argtypes = result, arguments
    return functions
