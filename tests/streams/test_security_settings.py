"""A password travels encrypted or not at all, and nobody reads it by accident."""

import copy
import dataclasses
import json
import logging
import re
import traceback

import orjson
import pytest

from streams.secret import Secret
from streams.security_settings import SecuritySettings
from streams.settings import SETTINGS, Settings, SettingsError
from tests.documents import ROOT

CANARY = "s3cret-canary"
LOGIN = {"YOCHO_SECURITY": "SASL_SSL", "YOCHO_SASL_USER": "shop", "YOCHO_SASL_PASSWORD": CANARY}


def refusal(**variables):
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(variables)
    text = str(refused.value)
    assert "\n" not in text
    assert CANARY not in "".join(traceback.format_exception(refused.value))
    return text


@pytest.mark.parametrize("variable", ["YOCHO_SASL_USER", "YOCHO_SASL_PASSWORD", "YOCHO_SASL_PASSWORD_FILE"])
@pytest.mark.parametrize("security", ["", "PLAINTEXT", "SSL"])
def test_a_user_or_a_password_without_sasl_over_tls_is_refused(variable, security):
    text = refusal(**{variable: CANARY, "YOCHO_SECURITY": security})
    assert text.startswith(variable)
    assert "YOCHO_SECURITY=SASL_SSL" in text


def test_kafkas_own_way_to_send_a_password_in_clear_does_not_exist_here():
    assert "PLAINTEXT or SSL or SASL_SSL" in refusal(**{**LOGIN, "YOCHO_SECURITY": "SASL_PLAINTEXT"})


@pytest.mark.parametrize("variable", ["YOCHO_TLS_CA_FILE", "YOCHO_TLS_CERT_FILE", "YOCHO_TLS_KEY_PASSWORD"])
def test_who_names_certificates_and_forgets_tls_is_told(variable):
    assert refusal(**{variable: CANARY}).startswith(f"{variable} is set")


def test_a_login_is_whole_and_says_its_password_once():
    for missing in ("YOCHO_SASL_USER", "YOCHO_SASL_PASSWORD"):
        text = refusal(**{name: value for name, value in LOGIN.items() if name != missing})
        assert "YOCHO_SASL_USER and YOCHO_SASL_PASSWORD" in text
    assert "both set" in refusal(**LOGIN, YOCHO_SASL_PASSWORD_FILE="password.txt")
    key = {"YOCHO_SECURITY": "SSL", "YOCHO_TLS_CERT_FILE": "me.crt", "YOCHO_TLS_KEY_PASSWORD": CANARY}
    assert "both set" in refusal(**key, YOCHO_TLS_KEY_PASSWORD_FILE="password.txt")


@pytest.mark.parametrize("variable", ["YOCHO_TLS_KEY_FILE", "YOCHO_TLS_KEY_PASSWORD", "YOCHO_TLS_KEY_PASSWORD_FILE"])
def test_a_key_belongs_to_a_certificate(variable):
    assert "without YOCHO_TLS_CERT_FILE" in refusal(YOCHO_SECURITY="SSL", **{variable: CANARY})


@pytest.mark.parametrize("user", ["a,b", "a=b", "a b", "名前", "a" * 201])
def test_users_that_scram_would_take_for_something_else_are_refused(user):
    assert refusal(**{**LOGIN, "YOCHO_SASL_USER": user}).startswith("YOCHO_SASL_USER")


@pytest.mark.parametrize("password", [f"{CANARY}\x00", f"{CANARY}\nx", f"{CANARY}" * 400])
def test_a_refused_password_is_not_repeated(password):
    assert refusal(**{**LOGIN, "YOCHO_SASL_PASSWORD": password}).startswith("YOCHO_SASL_PASSWORD: must be empty, or 1")


def test_a_password_of_the_wrong_type_set_in_code_is_not_repeated():
    with pytest.raises(SettingsError) as refused:
        Settings(security="SASL_SSL", sasl_user="shop", sasl_password=CANARY)
    assert CANARY not in str(refused.value)


def test_a_secret_shows_itself_nowhere(caplog):
    settings = Settings.from_env(LOGIN)
    secret = settings.sasl_password
    assert secret.reveal() == CANARY
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("any").debug("%s %r %s", secret, secret, settings)
    shown = [
        repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", format(secret, "^20"),
        repr(settings), str(dataclasses.asdict(settings)), repr([secret]), caplog.text,
        str(dataclasses.replace(settings, group="other")), json.dumps({"password": secret}, default=str),
    ]  # fmt: skip
    assert [text for text in shown if CANARY in text] == []


def test_a_secret_is_not_written_anywhere():
    secret = Secret(CANARY)
    with pytest.raises(TypeError):
        orjson.dumps(secret)
    with pytest.raises(TypeError, match="not written anywhere"):
        copy.copy(secret)  # by way of __reduce_ex__, as pickle would
    assert not hasattr(secret, "__dict__")


def test_secrets_are_equal_when_their_texts_are():
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert copy.deepcopy(Secret("a")) == Secret("a")


def test_every_password_among_the_settings_is_a_secret():
    passwords = [setting for setting in SETTINGS if setting.variable.endswith("PASSWORD")]
    assert len(passwords) == 2
    assert all(setting.rule.is_secret and isinstance(setting.value(CANARY), Secret) for setting in passwords)


def test_the_page_on_security_names_every_variable_of_it_and_none_that_does_not_exist():
    named = set(re.findall(r"YOCHO_[A-Z_]+", (ROOT / "deploy" / "SECURITY.md").read_text()))
    assert named <= {setting.variable for setting in SETTINGS}
    assert {s.variable for s in SETTINGS if s.field in SecuritySettings.__dataclass_fields__} <= named


def test_the_page_on_security_names_tests_that_exist():
    tests = re.findall(r"`(tests/\S+)`", (ROOT / "deploy" / "SECURITY.md").read_text())
    assert len(tests) == 3
    assert all((ROOT / test).is_file() for test in tests)
