"""The alert as bytes: valid by its own schema, the same for equal alerts, and silent about the person."""

import json
import math

import jsonschema
import msgspec
import pytest

from models.confidence import Confidence
from models.levels import LEVELS
from models.policy import TransitionType
from streams.alerts import (
    EXAMPLE,
    SCHEMA_ID,
    AlertError,
    decode,
    encode,
    headers,
    json_schema,
)

ALERT = msgspec.structs.replace(EXAMPLE, customer_id="顧客-1")


def changed(**fields):
    return msgspec.structs.replace(ALERT, **fields)


UNSURE = changed(probability=None, confidence=Confidence.NOT_ENOUGH)


def body_of(alert):
    return json.loads(encode(alert))


def test_an_alert_survives_the_wire_exactly():
    assert decode(encode(ALERT)) == ALERT
    assert decode(encode(UNSURE)) == UNSURE


def test_equal_alerts_are_equal_bytes_whatever_the_order_of_their_offsets():
    turned = msgspec.structs.replace(ALERT.receipt, source_offsets={"orders": 812, "logins": 5120})
    assert encode(changed(receipt=turned)) == encode(ALERT)


def test_the_body_reads_as_the_design_says():
    body = body_of(ALERT)
    assert (body["kind"], body["type"], body["level"]) == ("離反予兆", "opened", "at_risk")
    assert body["occurred_at"] == "2026-04-11T03:00:00Z"
    assert body["evidence"][2] == {
        "signal": "order_history",
        "usual": None,
        "now": 14.0,
        "unit": "orders",
        "contribution": -0.2,
    }
    assert "離反予兆".encode() in encode(ALERT)  # people read topics too: UTF-8, not escapes


def test_every_alert_is_valid_by_the_generated_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    for alert in (
        ALERT,
        UNSURE,
        changed(comeback=None, if_silent=None, type=TransitionType.RECOVERED, level="healthy"),
    ):
        jsonschema.validate(body_of(alert), json_schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("level", "doomed"),
        ("previous_level", ""),
        ("type", "renewed"),
        ("kind", "churn"),
        ("alert_id", "yocho-1"),
        ("probability", 1.5),
        ("probability", None),  # there is enough evidence, so where is it?
        ("confidence", "maybe"),
        ("confidence", "not_enough_evidence"),
        ("if_silent", {"level": "critical", "at": "2026-04-23T03:00:00Z"}),
        ("occurred_at", "2026-04-11T03:00:00"),
        ("occurred_at", "yesterday"),
        ("customer_id", ""),
        ("episode", {"number": 0, "step": 1, "opened_at": "2026-04-11T03:00:00Z"}),
        ("evidence", [{"signal": "x", "usual": None, "now": None, "unit": "days", "contribution": None}]),
        ("receipt", {"model_version": "v"}),
    ],
)
def test_a_body_that_breaks_the_contract_is_refused_by_name_of_the_field(field, value):
    body = body_of(ALERT) | {field: value}
    with pytest.raises(AlertError, match=field):
        decode(json.dumps(body).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"alert_id": 1}'])
def test_what_is_not_an_alert_is_refused(body):
    with pytest.raises(AlertError):
        decode(body)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("field", ["probability", "baseline", "horizon_days"])
def test_no_alert_with_a_number_that_json_does_not_have_ever_leaves(field, number):
    with pytest.raises(AlertError, match=field):
        encode(changed(**{field: number}))


def test_a_number_without_enough_evidence_is_never_made():
    with pytest.raises(ValueError, match="probability is null exactly when"):
        changed(confidence=Confidence.NOT_ENOUGH)


def test_an_unknown_level_cannot_be_sent():
    with pytest.raises(AlertError, match="level"):
        encode(changed(level="doomed"))


def test_the_refusal_does_not_tell_who_the_customer_is():
    with pytest.raises(AlertError) as refusal:
        encode(changed(probability=7.0))
    assert "顧客" not in str(refusal.value)


def test_a_field_from_a_newer_version_is_ignored():
    body = body_of(ALERT) | {"play": "win-back"}
    assert decode(json.dumps(body).encode()) == ALERT
    jsonschema.validate(body, json_schema())


def test_the_headers_are_cloudevents_in_binary_mode():
    assert headers(ALERT, "/yocho/shop") == [
        ("ce_specversion", b"1.0"),
        ("ce_id", ALERT.alert_id.encode()),
        ("ce_source", b"/yocho/shop"),
        ("ce_type", b"yocho.alert.opened.v2"),
        ("ce_time", b"2026-04-11T03:00:00Z"),
        ("ce_dataschema", SCHEMA_ID.encode()),
        ("content-type", b"application/json; charset=utf-8"),
    ]


def test_history_says_so_in_body_and_header():
    history = changed(replay=True)
    assert body_of(history)["replay"] is True
    assert headers(history, "/yocho/shop")[:-1] == [*headers(ALERT, "/yocho/shop")[:-1], ("ce_yochoreplay", b"true")]


def test_no_header_holds_the_customer_id():
    assert not any("顧客-1".encode() in value for _, value in headers(ALERT, "/yocho/shop"))


def test_the_body_holds_these_fields_and_nothing_more_about_the_person():
    """A new field has to pass here: is it personal data?"""
    assert set(body_of(ALERT)) == {
        "alert_id", "kind", "type", "level", "previous_level", "customer_id", "occurred_at", "probability",
        "confidence", "horizon_days", "main_event", "baseline", "evidence", "reasons", "comeback", "if_silent",
        "recovered_by", "acknowledged", "by", "until", "signals_stale", "segment",
        "value_at_stake", "replay", "episode", "receipt",
    }  # fmt: skip
    rest = json.dumps(body_of(ALERT) | {"customer_id": ""}, ensure_ascii=False)
    assert "顧客" not in rest


def test_the_schema_describes_every_field_to_a_newcomer():
    schema = json_schema()
    assert schema["$id"] == SCHEMA_ID
    for name, definition in schema["$defs"].items():
        assert definition.get("description"), name
        for field, rule in definition.get("properties", {}).items():
            assert rule.get("description") or "$ref" in rule, f"{name}.{field}"


def test_the_schema_comes_with_an_example_that_is_valid_and_adds_up():
    (example,) = json_schema()["examples"]
    jsonschema.validate(example, json_schema())
    log_odds = example["baseline"] + sum(e["contribution"] for e in example["evidence"])
    assert 1 / (1 + math.exp(-log_odds)) == pytest.approx(example["probability"], abs=0.001)


def test_the_levels_of_the_schema_are_the_levels_of_the_policy():
    levels = json_schema()["$defs"]["Alert"]["properties"]["level"]["enum"]
    assert sorted(levels) == sorted(title.name for title in LEVELS)
