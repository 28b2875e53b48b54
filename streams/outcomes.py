"""The outcome of an episode as other programs read it: body, JSON and back, CloudEvents headers, JSON Schema.

After the last word of the line from event to alert: what became of what was told. One record per told episode, keyed by
customer like the alerts, when the outcome is known (`models.episode_outcomes`). As in `streams.alerts`, `customer_id`
is the only personal datum and stands in no header, the body grows by optional fields only, and the id is derived: the
same episode has one outcome under one id in every replay.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from models.comeback import EVENT_NAMES, EventName
from models.episode_outcomes import EpisodeOutcome, OutcomeName, outcome_id
from models.levels import LEVELS, LevelName
from models.policy import TransitionType, alert_id
from models.target import DAY_S, Target
from streams.cloud_events import binary_headers
from streams.json_body import JsonBody
from streams.times import utc

VERSION = 1
SCHEMA_ID = f"urn:yocho:schema:churn-outcome:v{VERSION}"


class OutcomeError(ValueError):
    """An outcome breaks its own schema. The message names the field, never the customer."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one episode that people were told of."""

    outcome_id: Annotated[
        str,
        Meta(
            pattern="^outcome-[0-9a-f]{32}$",
            description="Derived from customer and episode, never random: an episode has one. Count once per id.",
        ),
    ]
    alert_id: Annotated[
        Annotated[str, Meta(pattern="^yocho-[0-9a-f]{32}$")] | None,
        Meta(description="The alert that opened the episode; null for one opened by a release that did not note it."),
    ]
    customer_id: Annotated[str, Meta(min_length=1, description="Pseudonymous id, as in the alert and the record key.")]
    episode: Annotated[int, Meta(ge=1, description="Number of the episode, as in its alerts.")]
    level: Annotated[LevelName, Meta(description="Highest level that people were told of before the outcome.")]
    outcome: Annotated[
        Literal["returned", "churned"],
        Meta(
            description="returned: a main event came within the horizon from opened_at. churned: none did. However the"
            " episode ended."
        ),
    ]
    opened_at: Annotated[datetime, Meta(tz=True, description="When the episode was told, event time.")]
    occurred_at: Annotated[
        datetime,
        Meta(tz=True, description="When the outcome was certain, event time: the main event, or the horizon's end."),
    ]
    days_to_return: Annotated[
        Annotated[float, Meta(ge=0.0)] | None,
        Meta(description="Days from the alert to the return; null when churned."),
    ]
    warnings: Annotated[
        int, Meta(ge=1, le=3, description="Alerts of the episode that told of a rise, the first included.")
    ]
    horizon_days: Annotated[float, Meta(ge=1.0, description="How long a return was waited for.")]
    main_event: Annotated[EventName, Meta(description="The event that counts as a return.")]
    replay: Annotated[
        bool, Meta(description="True: history, from a backfill that is muted until a moment; nobody should act on it.")
    ] = False


def outcome_of(found: EpisodeOutcome, customer_id: str, target: Target, *, replay: bool = False) -> Outcome:
    """Make the record of an outcome.

    Parameters
    ----------
    found
        What became of the episode.
    customer_id
        Whose it was.
    target
        Main channel and horizon.
    replay
        Whether it is history that nobody should act on.
    """
    came_back = found.outcome == OutcomeName.RETURNED
    return Outcome(
        outcome_id=outcome_id(customer_id, found.number, found.anchor_at_s),
        alert_id=_opening_alert(found, customer_id),
        customer_id=customer_id,
        episode=found.number,
        level=LEVELS[found.level].name,
        outcome="returned" if came_back else "churned",
        opened_at=utc(found.told_at_s),
        occurred_at=utc(found.at_s),
        days_to_return=(found.at_s - found.told_at_s) / DAY_S if came_back else None,
        warnings=found.warnings,
        horizon_days=target.horizon_days,
        main_event=EVENT_NAMES[target.main],
        replay=replay,
    )


def encode(outcome: Outcome) -> bytes:
    """Turn an outcome into JSON, the same bytes for equal outcomes.

    Raises
    ------
    OutcomeError
        A field breaks the schema.
    """
    return _body.encode(outcome)


def decode(body: bytes) -> Outcome:
    """Read an outcome; unknown fields are ignored.

    Raises
    ------
    OutcomeError
        Not JSON, or a field is missing or breaks the schema.
    """
    return _body.decode(body)


def headers(outcome: Outcome, source: str) -> list[tuple[str, bytes]]:
    """Return the CloudEvents attributes as Kafka headers; `source` is who publishes, e.g. ``/yocho/<group>``."""
    return binary_headers(
        id=outcome.outcome_id,
        source=source,
        type=f"yocho.outcome.{outcome.outcome}.v{VERSION}",
        time=outcome.occurred_at,
        dataschema=SCHEMA_ID,
        replay=outcome.replay,
    )


_body = JsonBody(Outcome, OutcomeError, "outcome")

EXAMPLE = Outcome(
    outcome_id="outcome-5d1c0f6b7e8a94d23b1f60a97c8e4d12",
    alert_id="yocho-3f0c8b1e5a9d4c72b6e1f00a9c8d7e65",
    customer_id="c-1024",
    episode=1,
    level="at_risk",
    outcome="returned",
    opened_at=datetime(2026, 4, 11, 3, 0, tzinfo=UTC),
    occurred_at=datetime(2026, 4, 23, 15, 0, tzinfo=UTC),
    days_to_return=12.5,
    warnings=1,
    horizon_days=91.0,
    main_event="order",
)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the body, generated from `Outcome`, with `EXAMPLE`."""
    return _body.schema(SCHEMA_ID, "Outcome of an episode", EXAMPLE)


def _opening_alert(found: EpisodeOutcome, customer_id: str) -> str | None:
    if found.first_level is None:
        return None
    return alert_id(customer_id, found.number, found.anchor_at_s, int(found.first_level), TransitionType.OPENED)
