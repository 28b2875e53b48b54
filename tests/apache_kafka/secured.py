"""One node of Apache Kafka that lets nobody in unasked: TLS everywhere, names and passwords or client certificates, and
rights that have to be given.

Users are written by the storage formatter, so they are there before the node starts. `admin` may do everything; the
others may do nothing until somebody gives them rights.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.apache_kafka.certificates import Authority
from tests.apache_kafka.cluster import CLUSTER_ID, common
from tests.apache_kafka.node import KafkaNode, free_ports

ADMIN, NODE = "admin", "node-1"
ADDRESS = "127.0.0.1"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


class SecuredKafka:
    """Use as a context manager; the node serves when it is entered.

    Parameters
    ----------
    passwords
        By user, but for `admin`, who has one already.

    Attributes
    ----------
    bootstrap, by_certificate
        Where SASL_SSL is spoken, and where SSL with a client's certificate is.
    authority
        Signed the node's certificate; clients trust it by `authority.file`.
    """

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self.passwords = {**passwords, ADMIN: "admin-password"}
        self.folder = Path(tempfile.mkdtemp(prefix="yocho-secured-"))
        self.authority = Authority("authority", self.folder)
        clients, certificates, controller = free_ports(3)
        self.bootstrap, self.by_certificate = f"{ADDRESS}:{clients}", f"{ADDRESS}:{certificates}"
        listeners = f"CLIENTS://{self.bootstrap},CERTIFICATES://{self.by_certificate}"
        self.node = KafkaNode(
            1,
            self.folder / "1",
            clients,
            properties={
                **common(1, f"1@{ADDRESS}:{controller}"),
                "listeners": f"{listeners},CONTROLLER://{ADDRESS}:{controller}",
                "advertised.listeners": listeners,
                **self._tls(),
                **self._logins(),
                **self._rights(),
            },
            cluster_id=CLUSTER_ID,
            formatting=[
                part
                for user, password in self.passwords.items()
                for digest in ("SCRAM-SHA-512", "SCRAM-SHA-256")
                for part in ("--add-scram", f"{digest}=[name={user},password={password}]")
            ],
        )

    def variables(self, user: str) -> dict[str, str]:
        """What a person sets to come in as a user."""
        return {
            "YOCHO_BROKERS": self.bootstrap,
            "YOCHO_SECURITY": "SASL_SSL",
            "YOCHO_TLS_CA_FILE": str(self.authority.file),
            "YOCHO_SASL_USER": user,
            "YOCHO_SASL_PASSWORD": self.passwords[user],
        }

    def _tls(self) -> dict[str, str]:
        certificate, key = self.authority.issue(NODE, addresses=(ADDRESS,))
        chain = self.folder / "chain.pem"
        chain.write_bytes(key.read_bytes() + certificate.read_bytes())
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(chain),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "listener.name.certificates.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "listener.security.protocol.map": "CLIENTS:SASL_SSL,CERTIFICATES:SSL,CONTROLLER:SSL",
            "inter.broker.listener.name": "CLIENTS",
        }

    def _logins(self) -> dict[str, str]:
        admin = f'username="{ADMIN}" password="{self.passwords[ADMIN]}"'
        users = " ".join(f'user_{user}="{password}"' for user, password in self.passwords.items())
        return {
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.clients.scram-sha-512.sasl.jaas.config": f"{_SCRAM} {admin};",
            "listener.name.clients.scram-sha-256.sasl.jaas.config": f"{_SCRAM};",
            "listener.name.clients.plain.sasl.jaas.config": f"{_PLAIN} {users};",
        }

    def _rights(self) -> dict[str, str]:
        return {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{ADMIN};User:CN={NODE}",
        }

    def __enter__(self) -> Self:
        try:
            self.node.start()
            self.node.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Kill the node and remove what it wrote."""
        if self.node.is_running:
            self.node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __exit__(self, *_: object) -> None:
        self.close()
