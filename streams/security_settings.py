"""The part of the settings that says how brokers are reached: encryption, who they trust, who we are.

Under `streams.settings`, which has these variables too; `streams.security` hands them to the clients. A password goes
over TLS or not at all, so Kafka's SASL_PLAINTEXT is not among the choices. Host names are always verified.
"""

# ruff: noqa: RUF009 - `declare` returns a dataclass field, as `dataclasses.field` does

from dataclasses import dataclass
from typing import Literal

from streams.secret import Secret
from streams.setting_rules import FILE, SECRET, USER, SettingsError, choice, declare, or_empty

_TLS = (
    "YOCHO_TLS_CA_FILE",
    "YOCHO_TLS_CERT_FILE",
    "YOCHO_TLS_KEY_FILE",
    "YOCHO_TLS_KEY_PASSWORD",
    "YOCHO_TLS_KEY_PASSWORD_FILE",
)
_LOGIN = ("YOCHO_SASL_USER", "YOCHO_SASL_PASSWORD", "YOCHO_SASL_PASSWORD_FILE")


@dataclass(frozen=True)
class SecuritySettings:
    """How to reach the brokers.

    Raises
    ------
    SettingsError
        Values that do not fit: a password that would travel unencrypted, a user without one, one given twice.
    """

    security: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = declare(
        "YOCHO_SECURITY", "PLAINTEXT", "", "How brokers are reached, in Kafka's words: open, by TLS, or by TLS and a"
        " password.", choice("PLAINTEXT", "SSL", "SASL_SSL"),
    )  # fmt: skip
    tls_ca_file: str | None = declare(
        "YOCHO_TLS_CA_FILE", "", "PEM file", "Authorities that sign the brokers' certificates; empty: those this"
        " machine trusts.", or_empty(FILE),
    )  # fmt: skip
    tls_cert_file: str | None = declare(
        "YOCHO_TLS_CERT_FILE", "", "PEM file", "Our certificate, for brokers that ask for one.", or_empty(FILE)
    )
    tls_key_file: str | None = declare(
        "YOCHO_TLS_KEY_FILE", "", "PEM file", "Its key; empty: it is in the certificate's file.", or_empty(FILE)
    )
    tls_key_password: Secret | None = declare(
        "YOCHO_TLS_KEY_PASSWORD", "", "", "Password of the key.", or_empty(SECRET)
    )
    tls_key_password_file: str | None = declare(
        "YOCHO_TLS_KEY_PASSWORD_FILE", "", "file", "The same from a file.", or_empty(FILE)
    )
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = declare(
        "YOCHO_SASL_MECHANISM", "SCRAM-SHA-512", "", "How the password is proved.",
        choice("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"),
    )  # fmt: skip
    sasl_user: str | None = declare("YOCHO_SASL_USER", "", "", "Who logs in, with SASL_SSL.", or_empty(USER))
    sasl_password: Secret | None = declare("YOCHO_SASL_PASSWORD", "", "", "The user's password.", or_empty(SECRET))
    sasl_password_file: str | None = declare(
        "YOCHO_SASL_PASSWORD_FILE", "", "file", "The same from a file, as Docker and Kubernetes mount secrets.",
        or_empty(FILE),
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse what does not fit together; single values are checked before."""
        tls, login = self._given(_TLS), self._given(_LOGIN)
        if self.security == "PLAINTEXT" and login:
            raise SettingsError(
                f"{login[0]} is set, and YOCHO_SECURITY=PLAINTEXT would send it unencrypted: YOCHO_SECURITY=SASL_SSL"
            )
        if self.security == "PLAINTEXT" and tls:
            raise SettingsError(f"{tls[0]} is set, and YOCHO_SECURITY=PLAINTEXT uses no TLS: YOCHO_SECURITY=SSL")
        if self.security == "SSL" and login:
            raise SettingsError(f"{login[0]} is set, and YOCHO_SECURITY=SSL does not log in: YOCHO_SECURITY=SASL_SSL")
        if self.security == "SASL_SSL" and (self.sasl_user is None or len(login) < 2):
            raise SettingsError("YOCHO_SECURITY=SASL_SSL needs YOCHO_SASL_USER and YOCHO_SASL_PASSWORD or its _FILE")
        for variable in ("YOCHO_SASL_PASSWORD", "YOCHO_TLS_KEY_PASSWORD"):
            if {variable, f"{variable}_FILE"} <= {*tls, *login}:
                raise SettingsError(f"{variable} and {variable}_FILE are both set: one of them, please")
        if self.tls_cert_file is None and (orphans := [name for name in tls if name != "YOCHO_TLS_CA_FILE"]):
            raise SettingsError(f"{orphans[0]} is set without YOCHO_TLS_CERT_FILE")

    def _given(self, variables: tuple[str, ...]) -> list[str]:
        """Those of some variables that are set, in order."""
        return [name for name in variables if getattr(self, name.removeprefix("YOCHO_").lower()) is not None]
