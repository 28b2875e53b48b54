"""Turns the settings into what each Kafka client needs to come in: TLS contexts and credentials.

aiokafka and kafka-python call these things alike, so one set of keyword arguments serves both; Faust wants an object of
its own. The brokers' certificates and host names are always verified. Files are read when a client is made, so a
renewed certificate or password takes effect with the next start.
"""

import ssl
from pathlib import Path
from typing import Any

import faust

from streams.secret import Secret
from streams.setting_rules import SECRET
from streams.settings import Settings


class SecurityError(ValueError):
    """A certificate, key or password cannot be used; the message names the variable, never what is in it."""


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of a client of aiokafka or kafka-python; none where brokers are open.

    They hold the password: hand them to a client, keep them nowhere.

    Raises
    ------
    SecurityError
        A file cannot be read or used.

    Examples
    --------
    >>> client_options(Settings())
    {}
    """
    context = tls_context(settings)
    if context is None:
        return {}
    options: dict[str, Any] = {"security_protocol": settings.security, "ssl_context": context}
    if settings.security == "SASL_SSL":
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_user,
            "sasl_plain_password": _password(settings).reveal(),
        }
    return options


def faust_credentials(settings: Settings) -> Any:
    """Return the same as Faust's `broker_credentials`; None where brokers are open. Raises as `client_options`."""
    context = tls_context(settings)
    if settings.security == "SASL_SSL":
        return faust.SASLCredentials(
            username=settings.sasl_user,
            password=_password(settings).reveal(),
            ssl_context=context,
            mechanism=settings.sasl_mechanism,
        )
    return None if context is None else faust.SSLCredentials(context)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return how to encrypt and whom to trust; None where brokers are open. Raises as `client_options`."""
    if settings.security == "PLAINTEXT":
        return None
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file)
    except OSError as error:
        raise _unusable("YOCHO_TLS_CA_FILE", settings.tls_ca_file, error) from None
    if settings.tls_cert_file is not None:
        key_password = _key_password(settings)
        # without a password of ours OpenSSL would ask the terminal for one
        reveal = key_password.reveal if key_password else str
        try:
            context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file, reveal)
        except OSError as error:
            key = "" if settings.tls_key_file is None else f" with YOCHO_TLS_KEY_FILE={settings.tls_key_file}"
            raise _unusable("YOCHO_TLS_CERT_FILE", f"{settings.tls_cert_file}{key}", error) from None
    return context


def _password(settings: Settings) -> Secret:
    if settings.sasl_password is not None:
        return settings.sasl_password
    return _from_file("YOCHO_SASL_PASSWORD_FILE", settings.sasl_password_file or "")


def _key_password(settings: Settings) -> Secret | None:
    if settings.tls_key_password_file is None:
        return settings.tls_key_password
    return _from_file("YOCHO_TLS_KEY_PASSWORD_FILE", settings.tls_key_password_file)


def _from_file(variable: str, name: str) -> Secret:
    try:
        secret = Secret(Path(name).read_text(encoding="utf-8").strip())
    except OSError as error:
        raise _unusable(variable, name, error) from None
    except UnicodeDecodeError:
        raise SecurityError(f"{variable}={name}: is not UTF-8") from None
    if not SECRET.holds(secret):
        raise SecurityError(f"{variable}={name}: must hold {SECRET.allowed}")
    return secret


def _unusable(variable: str, name: str | None, error: OSError) -> SecurityError:
    # OpenSSL's own words name places in its source
    why = "is not PEM, or the key or password is another one" if isinstance(error, ssl.SSLError) else error.strerror
    return SecurityError(f"{variable}={name}: {why}")
