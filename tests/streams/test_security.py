"""What the settings say about security reaches every Kafka client, and files that cannot be used are told in a line."""

import re
import ssl
import traceback

import click
import faust
import pytest
from prometheus_client import CollectorRegistry

from streams import lone_reader
from streams.app import cold_book, create_app
from streams.cli import main
from streams.cluster import Cluster
from streams.security import SecurityError, client_options, faust_credentials, tls_context
from streams.settings import Settings
from tests.apache_kafka.certificates import Authority

CANARY = "s3cret-canary"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority("authority", tmp_path_factory.mktemp("certificates"))


def logging_in(authority, **more):
    variables = {
        "YOCHO_SECURITY": "SASL_SSL",
        "YOCHO_TLS_CA_FILE": str(authority.file),
        "YOCHO_SASL_USER": "shop",
        "YOCHO_SASL_PASSWORD": CANARY,
    }
    return Settings.from_env(variables | more)


def refused(settings):
    with pytest.raises(SecurityError) as error:
        client_options(settings)
    text = str(error.value)
    assert "\n" not in text
    assert CANARY not in "".join(traceback.format_exception(error.value))
    return text


def test_open_brokers_need_nothing():
    assert client_options(Settings()) == {}
    assert faust_credentials(Settings()) is None


def test_certificates_and_host_names_are_always_verified(authority):
    for settings in (Settings(security="SSL"), logging_in(authority)):
        context = tls_context(settings)
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_only_the_named_authority_is_trusted(authority):
    names = [dict(part[0] for part in ca["subject"]) for ca in tls_context(logging_in(authority)).get_ca_certs()]
    assert names == [{"commonName": "authority"}]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_a_login_reaches_the_clients_of_both_libraries_and_of_faust(authority, mechanism):
    settings = logging_in(authority, YOCHO_SASL_MECHANISM=mechanism)
    options = client_options(settings)
    assert isinstance(options.pop("ssl_context"), ssl.SSLContext)
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "shop",
        "sasl_plain_password": CANARY,
    }
    credentials = create_app(settings, cold_book(settings), CollectorRegistry()).conf.broker_credentials
    assert isinstance(credentials, faust.SASLCredentials)
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_SSL", mechanism)
    assert (credentials.username, credentials.password) == ("shop", CANARY)
    assert credentials.ssl_context.check_hostname
    assert CANARY not in repr(credentials)


def test_faust_serves_nothing_of_its_own():
    """Its web server has no login and shows the contents of tables."""
    assert create_app(Settings(), cold_book(Settings()), CollectorRegistry()).conf.web_enabled is False


def test_no_command_takes_a_secret_as_an_argument():
    """Arguments are seen by everybody on the machine and kept in the shell's history."""

    def options(command):
        context = click.Context(command)
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                yield from options(command.get_command(context, name))
        yield from (option for parameter in command.params for option in parameter.opts)

    found = set(options(main))
    assert len(found) > 20
    assert [option for option in found if re.search("pass|secret|token|credential", option)] == []


def test_tls_alone_sends_no_name(authority):
    settings = Settings(security="SSL", tls_ca_file=str(authority.file))
    assert set(client_options(settings)) == {"security_protocol", "ssl_context"}
    assert isinstance(faust_credentials(settings), faust.SSLCredentials)


def test_readers_outside_all_groups_come_in_the_same_way(authority, monkeypatch):
    asked = {}
    monkeypatch.setattr(lone_reader, "AIOKafkaConsumer", lambda **options: asked.update(options))
    lone_reader.lone_reader(logging_in(authority))
    assert (asked["sasl_plain_password"], asked["security_protocol"]) == (CANARY, "SASL_SSL")


def test_a_cluster_does_not_show_what_lets_its_clients_in(authority):
    cluster = Cluster("kafka:9093", False, client_options(logging_in(authority)))
    assert cluster.options["sasl_plain_password"] == CANARY
    assert CANARY not in repr(cluster)


def test_passwords_are_read_from_files_as_docker_and_kubernetes_write_them(authority, tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{CANARY}\n")
    settings = logging_in(authority, YOCHO_SASL_PASSWORD="", YOCHO_SASL_PASSWORD_FILE=str(file))
    assert client_options(settings)["sasl_plain_password"] == CANARY
    assert faust_credentials(settings).password == CANARY


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"", "must hold 1 to"), (b"\xff\xfe", "UTF-8"), (b"two\nlines", "control characters")],
)
def test_a_password_file_that_cannot_be_used_is_named(authority, tmp_path, content, why):
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    text = refused(logging_in(authority, YOCHO_SASL_PASSWORD="", YOCHO_SASL_PASSWORD_FILE=str(file)))
    assert text.startswith(f"YOCHO_SASL_PASSWORD_FILE={file}: ")
    assert why in text


def certified(authority, name, password, **more):
    certificate, key = authority.issue(name, password)
    return Settings.from_env(
        {"YOCHO_SECURITY": "SSL", "YOCHO_TLS_CERT_FILE": str(certificate), "YOCHO_TLS_KEY_FILE": str(key)} | more
    )


def test_a_certificate_of_ours_opens_with_the_password_of_its_key(authority, tmp_path):
    assert tls_context(certified(authority, "open", None)) is not None
    assert tls_context(certified(authority, "locked", CANARY, YOCHO_TLS_KEY_PASSWORD=CANARY)) is not None
    file = tmp_path / "password"
    file.write_text(CANARY)
    assert tls_context(certified(authority, "filed", CANARY, YOCHO_TLS_KEY_PASSWORD_FILE=str(file))) is not None


@pytest.mark.parametrize("password", [{}, {"YOCHO_TLS_KEY_PASSWORD": "another"}])
def test_a_key_that_does_not_open_is_told_and_nobody_is_asked_at_the_terminal(authority, password):
    text = refused(certified(authority, "shut", CANARY, **password))
    assert text.startswith("YOCHO_TLS_CERT_FILE=")
    assert "password" in text


def test_files_that_are_missing_or_no_certificates_are_named(authority, tmp_path):
    assert "No such file" in refused(logging_in(authority, YOCHO_TLS_CA_FILE=str(tmp_path / "absent.pem")))
    assert "No such file" in refused(logging_in(authority, YOCHO_TLS_CERT_FILE=str(tmp_path / "absent.crt")))
    junk = tmp_path / "junk.pem"
    junk.write_text("not a certificate")
    text = refused(logging_in(authority, YOCHO_TLS_CA_FILE=str(junk)))
    assert text.startswith(f"YOCHO_TLS_CA_FILE={junk}: is not PEM")
