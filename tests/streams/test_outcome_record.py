"""The outcome as bytes: valid by its own schema, the same for equal outcomes, and no customer in a header."""

import json
from dataclasses import replace

import jsonschema
import msgspec
import pytest

from models.episode_outcomes import EpisodeOutcome, OutcomeName
from models.events import Channel
from models.levels import Level
from models.policy import TransitionType, alert_id
from models.target import DAY_S, Target
from streams.outcomes import EXAMPLE, SCHEMA_ID, OutcomeError, decode, encode, headers, json_schema, outcome_of

TARGET = Target(Channel.ORDER, 91 * DAY_S)
FOUND = EpisodeOutcome(
    index=0, outcome=OutcomeName.RETURNED, at_s=1_000_000_000 + 12 * DAY_S, told_at_s=1_000_000_000, number=3,
    anchor_at_s=990_000_000, level=Level.CRITICAL, first_level=Level.WATCH, warnings=3,
)  # fmt: skip


def outcome(customer_id="c-1", **fields):
    return outcome_of(replace(FOUND, **fields), customer_id, TARGET)


def test_an_outcome_survives_the_wire_exactly():
    for one in (EXAMPLE, outcome(), outcome(customer_id="顧客-1")):
        assert decode(encode(one)) == one


def test_it_names_the_alert_that_opened_the_episode_and_the_days_until_the_return():
    told = outcome()
    assert told.alert_id == alert_id("c-1", 3, 990_000_000, 1, TransitionType.OPENED)
    assert (told.outcome, told.days_to_return, told.level, told.warnings) == ("returned", 12.0, "critical", 3)
    assert (told.occurred_at - told.opened_at).days == 12


def test_who_churned_has_no_day_of_return():
    gone = outcome(outcome=OutcomeName.CHURNED, at_s=FOUND.told_at_s + TARGET.horizon_s)
    assert (gone.outcome, gone.days_to_return) == ("churned", None)
    assert (gone.occurred_at - gone.opened_at).days == 91


def test_both_outcomes_of_an_episode_would_have_one_id():
    assert outcome().outcome_id == outcome(outcome=OutcomeName.CHURNED, at_s=0).outcome_id
    assert outcome().outcome_id != outcome(number=4).outcome_id


def test_of_an_episode_of_an_earlier_release_the_alert_is_not_known():
    assert outcome(first_level=None).alert_id is None


@pytest.mark.parametrize("one", [outcome(), outcome(first_level=None), EXAMPLE])
def test_the_body_is_valid_by_the_schema_and_so_is_the_example(one):
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(encode(one)), schema)
    jsonschema.validate(schema["examples"][0], schema)


def test_the_headers_are_cloudevents_in_binary_mode_without_the_customer():
    one = outcome(customer_id="c-4711")
    assert headers(one, "/yocho/shop") == [
        ("ce_specversion", b"1.0"),
        ("ce_id", one.outcome_id.encode()),
        ("ce_source", b"/yocho/shop"),
        ("ce_type", b"yocho.outcome.returned.v1"),
        ("ce_time", b"2001-09-21T01:46:40Z"),
        ("ce_dataschema", SCHEMA_ID.encode()),
        ("content-type", b"application/json; charset=utf-8"),
    ]


def test_history_is_marked_in_body_and_headers():
    history = outcome_of(FOUND, "c-1", TARGET, replay=True)
    assert history.replay
    assert dict(headers(history, "/yocho/shop"))["ce_yochoreplay"] == b"true"


@pytest.mark.parametrize(
    "change",
    [{"days_to_return": -1.0}, {"outcome": "unknown"}, {"outcome_id": "7"}, {"episode": 0}, {"customer_id": ""}],
)
def test_what_breaks_the_schema_is_refused(change):
    body = json.dumps(json.loads(encode(EXAMPLE)) | change).encode()
    with pytest.raises(OutcomeError, match="not a valid outcome"):
        decode(body)
    with pytest.raises(OutcomeError):
        encode(msgspec.structs.replace(EXAMPLE, **change))


def test_unknown_fields_of_later_versions_are_ignored():
    assert decode(json.dumps(json.loads(encode(EXAMPLE)) | {"offer": "coupon"}).encode()) == EXAMPLE
