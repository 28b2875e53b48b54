"""The environment becomes one frozen object, or one clear refusal."""

import dataclasses

import pytest

from models.events import Channel
from streams.durations import duration_s, duration_text, speed
from streams.secret import Secret
from streams.settings import SETTINGS, Settings, SettingsError


def test_an_empty_environment_gives_the_documented_defaults():
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.brokers, settings.partitions, settings.main) == (("127.0.0.1:9092",), 4, Channel.ORDER)
    assert (settings.clock, settings.learn, settings.lang, settings.metrics_port) == ("wall", "on", "ja", 9464)
    assert settings.target.horizon_days == 91


def test_an_empty_variable_is_an_absent_one():
    assert Settings.from_env({"YOCHO_HORIZON": "", "YOCHO_GROUP": "  "}) == Settings()


def test_every_variable_is_read_into_its_field():
    given = {
        "YOCHO_BROKERS": "kafka-1:9092, [::1]:9093",
        "YOCHO_GROUP": "shop",
        "YOCHO_INSTANCE": "worker-1",
        "YOCHO_TOPIC_PREFIX": "eu.",
        "YOCHO_EMAIL_SENDS_TOPIC": "email-sends",
        "YOCHO_EMAIL_CLICKS_TOPIC": "email-clicks",
        "YOCHO_PARTITIONS": "12",
        "YOCHO_REPLICATION": "3",
        "YOCHO_MAIN": "email_open",
        "YOCHO_HORIZON": "28d",
        "YOCHO_CLOCK": "event",
        "YOCHO_LEARN": "off",
        "YOCHO_TRAINER": "apart",
        "YOCHO_LANG": "en",
        "YOCHO_LEVELS": "critical=0.95/0.9, watch=0.5/0.4, at_risk=0.7/0.6",
        "YOCHO_DWELL": "36h",
        "YOCHO_EXPIRE": "60d",
        "YOCHO_FORGET": "400d",
        "YOCHO_MUTE_BEFORE": "2025-04-01T00:00:00+09:00",
        "YOCHO_MUTED": "drop",
        "YOCHO_COOL_DOWN": "10d",
        "YOCHO_BREAKER": "3.5",
        "YOCHO_CAPACITY": "20",
        "YOCHO_LATENESS": "2d",
        "YOCHO_DISORDER": "10s",
        "YOCHO_MERGE_WAIT_S": "0.5",
        "YOCHO_COMMIT_INTERVAL_S": "2",
        "YOCHO_SESSION_TIMEOUT_S": "20",
        "YOCHO_MAX_BATCH": "500",
        "YOCHO_CALENDAR": "JP",
        "YOCHO_EXPERTS": "process, linear",
        "YOCHO_MEMORY_DAYS": "20",
        "YOCHO_CHALLENGER_MEMORY_DAYS": "0",
        "YOCHO_SNAPSHOT_EVERY": "50",
        "YOCHO_STATE_DIR": "/var/lib/yocho",
        "YOCHO_METRICS_HOST": "0.0.0.0",
        "YOCHO_METRICS_PORT": "0",
        "YOCHO_LOG_FORMAT": "json",
        "YOCHO_TRACING": "on",
        "YOCHO_SECURITY": "SASL_SSL",
        "YOCHO_TLS_CA_FILE": "ca.pem",
        "YOCHO_TLS_CERT_FILE": "me.crt",
        "YOCHO_TLS_KEY_FILE": "me.key",
        "YOCHO_TLS_KEY_PASSWORD": "opens the key",
        "YOCHO_SASL_MECHANISM": "PLAIN",
        "YOCHO_SASL_USER": "shop",
        "YOCHO_SASL_PASSWORD": "lets me in",
    }
    from_files = {"YOCHO_TLS_KEY_PASSWORD": "key-password.txt", "YOCHO_SASL_PASSWORD": "password.txt"}
    of_files = {f"{name}_FILE": file for name, file in from_files.items()}
    known = {*given, *of_files}
    assert known == {setting.variable for setting in SETTINGS}, "a new variable belongs into this test"
    settings = Settings.from_env(given)
    apart = Settings.from_env({name: text for name, text in given.items() if name not in from_files} | of_files)
    assert (apart.tls_key_password_file, apart.sasl_password_file) == ("key-password.txt", "password.txt")
    changed = {f.name for f in dataclasses.fields(Settings) if getattr(settings, f.name) != getattr(Settings(), f.name)}
    assert changed == {setting.field for setting in SETTINGS if setting.variable in given}
    assert (settings.tls_key_password, settings.sasl_password) == (Secret("opens the key"), Secret("lets me in"))
    assert (settings.mute.before_s, settings.mute.drop) == (1_743_433_200, True)
    assert settings.bootstrap == "kafka-1:9092,[::1]:9093"
    assert (settings.experts, settings.memory_days) == (("process", "linear"), 20.0)
    assert settings.target.calendar == "JP"
    assert settings.policy.enter == (0.5, 0.7, 0.95)
    assert settings.policy.exit == (0.4, 0.6, 0.9)
    assert (settings.dwell_s, settings.expire_s, settings.forget_s) == (36 * 3600, 60 * 86_400, 400 * 86_400)
    assert settings.policy.cool_down_s == 10 * 86_400


def test_waiting_times_follow_the_horizon_until_they_are_set():
    settings = Settings.from_env({"YOCHO_HORIZON": "26d"})
    assert (settings.dwell_s, settings.expire_s, settings.forget_s) == (86_400, 52 * 86_400, 130 * 86_400)
    longer = dataclasses.replace(settings, horizon_s=52 * 86_400)
    assert (longer.dwell_s, longer.cool_down_s) == (2 * 86_400, 4 * 86_400)


@pytest.mark.parametrize(
    ("variable", "text", "allowed"),
    [
        ("YOCHO_BROKERS", "localhost", "host:port"),
        ("YOCHO_BROKERS", "localhost:0", "host:port"),
        ("YOCHO_BROKERS", "kafka://localhost:9092", "host:port"),
        ("YOCHO_BROKERS", "a:1,,b:2", "host:port"),
        ("YOCHO_GROUP", "my group", "letters"),
        ("YOCHO_TOPIC_PREFIX", "a/b", "letters"),
        ("YOCHO_EMAIL_SENDS_TOPIC", "e-mail sends", "empty, or 1 to 100 letters"),
        ("YOCHO_PARTITIONS", "0", "a whole number from 1 to 1,000"),
        ("YOCHO_PARTITIONS", "4.5", "a whole number"),
        ("YOCHO_HORIZON", "91", "a whole number with a unit"),
        ("YOCHO_HORIZON", "12h", "from 1d"),
        ("YOCHO_HORIZON", "-91d", "a whole number with a unit"),
        ("YOCHO_MAIN", "purchase", "order, login or email_open"),
        ("YOCHO_CLOCK", "event ", None),
        ("YOCHO_CLOCK", "sundial", "wall or event"),
        ("YOCHO_LEARN", "true", "on or off"),
        ("YOCHO_LANG", "fr", "ja or en"),
        ("YOCHO_LEVELS", "watch=0.6/0.5", "watch, at_risk and critical"),
        ("YOCHO_LEVELS", "watch=0.6/0.5,at_risk=0.7/0.6,critical=0.9/0.8,watch=0.5/0.4", "watch, at_risk and critical"),
        ("YOCHO_LEVELS", "watch=0.6/0.7,at_risk=0.7/0.6,critical=0.9/0.8", "exit below enter"),
        ("YOCHO_LEVELS", "watch=60/50,at_risk=70/60,critical=90/80", "(0, 1)"),
        ("YOCHO_MERGE_WAIT_S", "nan", "a number from 0 to 60"),
        ("YOCHO_STATE_DIR", "state", "empty, or an absolute path"),
        ("YOCHO_METRICS_PORT", "70000", "65,535"),
        ("YOCHO_TRACING", "otlp", "on or off"),
        ("YOCHO_DWELL", "soon", "empty, or"),
        ("YOCHO_MUTE_BEFORE", "2025-04-01", "empty, or an RFC 3339 time with its zone"),
        ("YOCHO_MUTED", "yes", "mark or drop"),
        ("YOCHO_BREAKER", "1", "0, or a number from 1.1"),
        ("YOCHO_DISORDER", "8d", "not be longer than YOCHO_LATENESS"),
        ("YOCHO_EXPERTS", "process,oracle", "some of rhythm, process, hazard, linear, curved"),
        ("YOCHO_EXPERTS", "process,process", "each once"),
        ("YOCHO_EXPERTS", ",", "some of rhythm"),
        ("YOCHO_MEMORY_DAYS", "0", "a number from 1 to 3,650"),
        ("YOCHO_MEMORY_DAYS", "30d", "a number"),
        ("YOCHO_CHALLENGER_MEMORY_DAYS", "0.5", "0, or a number from 1"),
    ],
)
def test_a_bad_value_is_refused_with_the_variable_and_what_it_allows(variable, text, allowed):
    if allowed is None:  # spaces around are no fault
        assert Settings.from_env({variable: text}).clock == "event"
        return
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({variable: text})
    assert str(refused.value).startswith(variable)
    assert allowed in str(refused.value)
    assert "\n" not in str(refused.value)


def test_values_that_do_not_fit_together_are_refused():
    with pytest.raises(SettingsError, match="YOCHO_DWELL and YOCHO_EXPIRE"):
        Settings.from_env({"YOCHO_DWELL": "60d", "YOCHO_EXPIRE": "30d"})
    with pytest.raises(SettingsError, match="YOCHO_FORGET"):
        Settings.from_env({"YOCHO_FORGET": "273d"})


def test_a_value_set_in_code_is_checked_too():
    with pytest.raises(SettingsError, match="YOCHO_PARTITIONS"):
        Settings(partitions=0)


def test_each_setting_says_what_it_means_for_the_table_in_the_readme():
    for setting in SETTINGS:
        assert setting.meaning.endswith("."), setting.variable
        assert setting.value(setting.default) == getattr(Settings(), setting.field)


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("90s", 90), ("5m", 300), ("12h", 43_200), ("2w", 1_209_600)])
def test_durations_have_a_number_and_a_unit(text, seconds):
    assert duration_s(text) == seconds
    assert duration_s(duration_text(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "91", "d", "1.5d", "-1d", "1 d", "1D", "1d2h", "９d", "9999999999d"])
def test_other_forms_are_no_durations(text):
    with pytest.raises(ValueError, match="unit"):
        duration_s(text)


@pytest.mark.parametrize("text", ["", "0x", "-1x", "x", "86400", "infx", "nanx"])
def test_a_speed_is_max_or_a_positive_multiple(text):
    assert speed("86400x") == 86_400
    with pytest.raises(ValueError, match="max"):
        speed(text)
