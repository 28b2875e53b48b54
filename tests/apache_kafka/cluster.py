"""A cluster of Apache Kafka on loopback, of one node or three: KRaft, every node broker and controller at once.

with KafkaCluster(3) as kafka:        replication 3, min.insync 2
    kafka.bootstrap                   all nodes, for YOCHO_BROKERS
    kafka.node(2).kill()              and .start(), .stop(), .wait_ready()

Data folders are of the cluster alone and are gone when it is closed, as are its processes.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka import KafkaAdminClient

from tests.apache_kafka.node import KafkaNode, free_ports, missing

CLUSTER_ID = "eW9jaG8tdGVzdC1rYWZrYQ"
"""22 characters of base64, as the formatter wants: "yocho-test-kafka"."""
GROUP_DELAY_MS = 200
"""How long a new group waits for more members, as the embedded broker does. Brokers wait 3 s."""


class KafkaCluster:
    """Use as a context manager; all nodes serve when it is entered.

    Parameters
    ----------
    nodes
        1 or 3.
    properties
        More of the servers' configuration, the same for each.
    formatting
        More arguments of the storage formatter.
    """

    def __init__(self, nodes: int = 1, properties: Mapping[str, str] | None = None, formatting: Sequence[str] = ()):
        why = missing()
        assert why is None, why
        self._folder = Path(tempfile.mkdtemp(prefix="yocho-kafka-"))
        ports = free_ports(2 * nodes)
        self._ports, controllers = ports[:nodes], ports[nodes:]
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in enumerate(controllers, 1))
        self.nodes = [
            KafkaNode(
                n,
                self._folder / str(n),
                port,
                properties={**common(nodes, voters), **_listeners(port, controller), **(properties or {})},
                cluster_id=CLUSTER_ID,
                formatting=formatting,
            )
            for n, (port, controller) in enumerate(zip(self._ports, controllers, strict=True), 1)
        ]

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self._ports)

    def node(self, number: int) -> KafkaNode:
        """By its id, 1 and up."""
        return self.nodes[number - 1]

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_ready()

    def close(self) -> None:
        """Kill what runs and remove what it wrote."""
        for node in self.nodes:
            if node.is_running:
                node.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(bootstrap_servers=self.bootstrap)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def common(nodes: int, voters: str) -> dict[str, str]:
    replicas, insync = str(nodes), str(max(1, nodes - 1))
    return {
        "process.roles": "broker,controller",
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": insync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": insync,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": insync,
        "group.initial.rebalance.delay.ms": str(GROUP_DELAY_MS),
        "group.min.session.timeout.ms": "1000",  # a worker's is as short as YOCHO_SESSION_TIMEOUT_S allows
        "file.delete.delay.ms": "100",
    }


def _listeners(port: int, controller_port: int) -> dict[str, str]:
    return {
        "listeners": f"CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"CLIENTS://127.0.0.1:{port}",
        "inter.broker.listener.name": "CLIENTS",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
    }
