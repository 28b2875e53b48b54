"""Asks one broker who it is, before any client library asks.

Client libraries repeat their attempts for half a minute and log each. A request over a socket of our own, encrypted
where brokers are reached by TLS, tells at once whether somebody is there, is whom we trust, speaks Kafka, and is the
embedded broker, whose answer to kafka-python's own first question that library cannot read. One login shows whether the
broker takes our password.
"""

import asyncio
import socket
import ssl
import struct

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError

from streams.security import client_options, tls_context
from streams.settings import Settings

TIMEOUT_S = 5.0
CREATE_TOPICS = 19
"""A request that the embedded broker does not serve."""

_API_VERSIONS = 18
_MAX_ANSWER_BYTES = 64 * 1024
_TLS_ALERT = 0x15


class ProbeError(ConnectionError):
    """A broker is not there, not to be trusted, or does not let us in; the message says which."""


def served_apis(broker: str, settings: Settings) -> set[int]:
    """Return the numbers of the requests a broker serves to us.

    Parameters
    ----------
    broker
        ``host:port``.
    settings
        How brokers are reached.

    Raises
    ------
    ProbeError
        It does not answer, or not to us.
    SecurityError
        A file the settings name cannot be used.
    """
    host, _, port = broker.rpartition(":")
    host, context = host.strip("[]"), tls_context(settings)
    try:
        with socket.create_connection((host, int(port)), TIMEOUT_S) as plain:
            if context is None:
                return _asked(plain, settings)
            with context.wrap_socket(plain, server_hostname=host) as encrypted:
                apis = _asked(encrypted, settings)
        if settings.security == "SASL_SSL":
            asyncio.run(_log_in(host, int(port), settings))
    except OSError as error:
        raise ProbeError(_reason(error, settings)) from None
    except KafkaError as error:
        said = error.args[0] if error.args else type(error).__name__
        raise ProbeError(f"does not let user {settings.sasl_user} in: {said}") from None
    return apis


def _asked(connection: socket.socket, settings: Settings) -> set[int]:
    """Ask; where we do not log in, ask again: a broker that wants a login answers only once before it."""
    apis = _api_versions(connection)
    if settings.security != "SASL_SSL":
        try:
            _api_versions(connection)
        except ProbeError:
            raise ProbeError("wants a user and a password: YOCHO_SECURITY=SASL_SSL") from None
    return apis


def _api_versions(connection: socket.socket) -> set[int]:
    """Send ApiVersions v0 [1]_, which brokers of every age answer, and read which requests are served.

    References
    ----------
    .. [1] https://kafka.apache.org/protocol#The_Messages_ApiVersions
    """
    request = struct.pack(">hhih5s", _API_VERSIONS, 0, 1, 5, b"yocho")
    connection.sendall(struct.pack(">i", len(request)) + request)
    head = _receive(connection, 4)
    (size,) = struct.unpack(">i", head)
    if head[0] == _TLS_ALERT:
        raise ProbeError("wants TLS: YOCHO_SECURITY")
    if not 10 <= size <= _MAX_ANSWER_BYTES:
        raise ProbeError("does not answer as a Kafka broker does")
    answer = _receive(connection, size)
    correlation, error, count = struct.unpack_from(">ihi", answer)
    if correlation != 1 or error or len(answer) < 10 + 6 * count:
        raise ProbeError("does not answer as a Kafka broker does")
    return {struct.unpack_from(">h", answer, 10 + 6 * index)[0] for index in range(count)}


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ProbeError("hangs up on a Kafka request")
        data += part
    return data


async def _log_in(host: str, port: int, settings: Settings) -> None:
    connection = await create_conn(host, port, request_timeout_ms=int(TIMEOUT_S * 1000), **client_options(settings))
    connection.close()


def _reason(error: OSError, settings: Settings) -> str:
    match error:
        case ProbeError():
            return str(error)
        case TimeoutError():
            return f"no answer within {TIMEOUT_S:.0f} s"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message}); YOCHO_TLS_CA_FILE names who signed it"
        case ssl.SSLError() if "CERTIFICATE" in (error.reason or ""):
            return "does not take our certificate" if settings.tls_cert_file else "wants YOCHO_TLS_CERT_FILE"
        case ssl.SSLError():
            return f"TLS failed ({(error.reason or str(error)).replace('_', ' ').lower()})"
        case _:
            return error.strerror or str(error)
