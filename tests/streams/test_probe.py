"""One question over a socket of our own tells who a broker is, whom it wants, and what is missing to talk to it."""

import contextlib
import socket
import ssl
import struct
import threading

import pytest

from streams.probe import ProbeError, served_apis
from streams.settings import Settings
from tests.apache_kafka.certificates import Authority

ADDRESS = "127.0.0.1"
APIS = [0, 3, 18]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority("authority", tmp_path_factory.mktemp("probe"))


def answer(apis=APIS):
    """What a broker says to ApiVersions v0."""
    body = struct.pack(">ihi", 1, 0, len(apis)) + b"".join(struct.pack(">hhh", api, 0, 1) for api in apis)
    return struct.pack(">i", len(body)) + body


@contextlib.contextmanager
def broker(*answers, tls=None):
    """Something that takes a connection, gives one answer per request, and hangs up when it has none left."""

    def serve(server):
        with contextlib.suppress(OSError), contextlib.closing(server.accept()[0]) as plain:
            connection = tls.wrap_socket(plain, server_side=True) if tls else plain
            for each in answers:
                connection.recv(1024)
                connection.sendall(each)
            connection.recv(1024)
            connection.close()

    with socket.create_server((ADDRESS, 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield f"{ADDRESS}:{server.getsockname()[1]}"
        thread.join(5)
        assert not thread.is_alive()


def serving(authority, name, *addresses):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue(name, addresses=addresses))
    return context


def by_tls(authority=None):
    return Settings(security="SSL", tls_ca_file=authority and str(authority.file))


def refusal(at, settings):
    with pytest.raises(ProbeError) as refused:
        served_apis(at, settings)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_an_open_broker_tells_what_it_serves():
    with broker(answer(), answer()) as at:
        assert served_apis(at, Settings()) == set(APIS)


def test_a_broker_is_asked_the_same_way_by_tls(authority):
    with broker(answer(), answer(), tls=serving(authority, "broker", ADDRESS)) as at:
        assert served_apis(at, by_tls(authority)) == set(APIS)


def test_a_broker_that_wants_tls_says_so_with_an_alert():
    with broker(b"\x15\x03\x03\x00\x02\x02\x50") as at:
        assert refusal(at, Settings()) == "wants TLS: YOCHO_SECURITY"


def test_a_broker_that_wants_a_login_answers_only_once(authority):
    with broker(answer()) as at:
        assert "YOCHO_SECURITY=SASL_SSL" in refusal(at, Settings())
    with broker(answer(), tls=serving(authority, "broker", ADDRESS)) as at:
        assert "YOCHO_SECURITY=SASL_SSL" in refusal(at, by_tls(authority))


def test_a_certificate_of_an_unknown_authority_is_not_trusted(authority, tmp_path):
    with broker(answer(), tls=serving(Authority("other", tmp_path), "broker", ADDRESS)) as at:
        assert "not trusted" in refusal(at, by_tls(authority))
    with broker(answer(), tls=serving(authority, "broker", ADDRESS)) as at:
        assert "YOCHO_TLS_CA_FILE" in refusal(at, by_tls())


def test_a_certificate_for_another_address_is_not_trusted(authority):
    with broker(answer(), tls=serving(authority, "elsewhere", "127.0.0.9")) as at:
        assert "not valid for '127.0.0.1'" in refusal(at, by_tls(authority))


def test_a_broker_without_tls_is_not_talked_to_by_tls(authority):
    with broker(answer()) as at:
        assert refusal(at, by_tls(authority)).startswith("TLS failed (")


def test_a_password_is_not_sent_to_a_broker_that_is_not_trusted(authority, tmp_path):
    """The certificate is looked at before anything is said."""
    settings = Settings.from_env(
        {
            "YOCHO_SECURITY": "SASL_SSL",
            "YOCHO_TLS_CA_FILE": str(authority.file),
            "YOCHO_SASL_USER": "shop",
            "YOCHO_SASL_PASSWORD": "s3cret-canary",
            "YOCHO_SASL_MECHANISM": "PLAIN",
        }
    )
    with broker(answer(), tls=serving(Authority("thief", tmp_path), "broker", ADDRESS)) as at:
        assert "not trusted" in refusal(at, settings)
