"""What left a first line, read as others would: every record valid by its schema, with CloudEvents headers."""

from datetime import datetime
from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

import jsonschema
import msgspec
import orjson

from streams import alerts, outcomes
from streams.settings import Settings

_SCHEMAS = {
    codec: jsonschema.Draft202012Validator(codec.json_schema(), format_checker=jsonschema.FormatChecker())
    for codec in (alerts, outcomes)
}


@lru_cache(maxsize=10_000)
def _validate(codec: ModuleType, value: bytes) -> None:
    """Check a value against its schema; the same bytes once, as replays tell the same again and again."""
    _SCHEMAS[codec].validate(orjson.loads(value))


class Out(NamedTuple):
    """A record put into the outbox."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] | None = None


def checked_alert(out: Out, settings: Settings) -> alerts.Alert:
    """Read an alert that left the first line."""
    _validate(alerts, out.value)
    alert = alerts.decode(out.value)
    event_type = f"yocho.alert.{alert.type}.v{alerts.VERSION}"
    _check_headers(out, settings, alert.alert_id, event_type, alert.occurred_at)
    assert out.key.decode() == alert.customer_id
    return alert


def checked_outcome(out: Out, settings: Settings) -> outcomes.Outcome:
    """Read an outcome that left the first line."""
    _validate(outcomes, out.value)
    outcome = outcomes.decode(out.value)
    event_type = f"yocho.outcome.{outcome.outcome}.v{outcomes.VERSION}"
    _check_headers(out, settings, outcome.outcome_id, event_type, outcome.occurred_at)
    assert out.key.decode() == outcome.customer_id
    return outcome


def _check_headers(out: Out, settings: Settings, id_: str, event_type: str, time: datetime) -> None:
    headers = dict(out.headers)
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_id"].decode() == id_
    assert headers["ce_type"].decode() == event_type
    assert headers["ce_source"].decode() == f"/yocho/{settings.group}"
    assert msgspec.convert(headers["ce_time"].decode(), datetime, strict=False) == time
    assert headers["content-type"].startswith(b"application/json")
    named = {name for name, value in headers.items() if out.key in value} - {"ce_id"}  # hex digits spell anything
    assert not named, "a header names the customer"
