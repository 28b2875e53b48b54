"""The alert as other programs read it: body, JSON and back, CloudEvents headers, JSON Schema.

Last word of the line from event to alert (emit). `streams.alert_building` fills it in. `encode` refuses to
make bytes that its own schema would refuse. The only personal datum is the pseudonymous `customer_id`: it
stands in the body and in the record key, never in a header.

Where there is not enough evidence for a number (`models.confidence`), the alert keeps its level, its dates and its
contributions, and `probability` is null. The contributions stay because they are true: they are what decided the level,
their order is the order of the reasons, and whoever checks the receipt needs them.

The body grows by optional fields only: readers ignore what they do not know, and a change that would break
them gets a new `VERSION`, which stands in `ce_type` and in the schema's `$id`. Version 2 made `probability` nullable.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from models.alert_sentences import brings_back, worsens
from models.comeback import Comeback, ComebackOption, EventName, InWords
from models.commands import MAX_BY_CHARACTERS
from models.confidence import Confidence
from models.events import Channel
from models.evidence import Evidence
from models.levels import Level, LevelName
from models.policy import TransitionType
from models.scorer import COLD
from models.segments import SEGMENTS, Segment, SegmentTitle
from models.sentences import Reasons, reason
from models.state import ROW_VERSION
from streams.cloud_events import binary_headers
from streams.json_body import JsonBody

VERSION = 2
KIND: Final = "離反予兆"
SCHEMA_ID = f"urn:yocho:schema:churn-alert:v{VERSION}"

Text = Annotated[str, Meta(min_length=1)]
Probability = Annotated[float, Meta(ge=0.0, le=1.0)]
Offset = Annotated[int, Meta(ge=0)]


class AlertError(ValueError):
    """An alert breaks its own schema. The message names the field, never the customer."""


class Threshold(Struct, frozen=True, gc=False):
    """Where a level begins and ends."""

    enter: Annotated[Probability, Meta(description="The level is reached at this probability or above.")]
    exit: Annotated[Probability, Meta(description="The level is left below this probability.")]


class EpisodeRef(Struct, frozen=True):
    """Which stretch of trouble of this customer the alert belongs to."""

    number: Annotated[int, Meta(ge=1, description="Counts this customer's episodes from 1.")]
    step: Annotated[
        int,
        Meta(
            ge=1,
            le=5,
            description="How far the episode has been told: 1 watch, 2 at_risk, 3 critical, 4 expired,"
            " 5 recovered. It only rises and may skip.",
        ),
    ]
    opened_at: Annotated[datetime, Meta(tz=True, description="When the episode opened, event time.")]


class NextLevel(Struct, frozen=True, gc=False):
    """What silence alone will change."""

    level: Annotated[LevelName, Meta(description="Next level if nothing happens; churned once they expire.")]
    at: Annotated[datetime, Meta(tz=True, description="When it is reached, event time.")]
    days: Annotated[float, Meta(ge=0.0, description="Days from occurred_at until then.")]
    sentence: InWords


class Receipt(Struct, frozen=True, kw_only=True):
    """What the decision was made from, enough to make it again."""

    model_version: Annotated[Text, Meta(description="Snapshot of the model that scored, or the cold-start prior.")]
    source_offsets: Annotated[
        dict[str, Offset],
        Meta(description="Last offset of each input topic that this customer's state had seen."),
    ]
    thresholds: Annotated[
        dict[LevelName, Threshold],
        Meta(description="Policy in force, by level."),
    ]
    state_version: Annotated[int, Meta(ge=1, description="Version of the customer's row.")]
    partition: Annotated[int, Meta(ge=0, description="Partition of the inputs and of this alert.")]
    code_version: Annotated[Text, Meta(description="Version of yocho.")]


class Alert(Struct, frozen=True, kw_only=True):
    """One piece of news about one customer's churn risk."""

    alert_id: Annotated[
        str,
        Meta(
            pattern="^yocho-[0-9a-f]{32}$",
            description="Derived from customer, episode and step, never random: the same news always has the"
            " same id. Act once per id.",
        ),
    ]
    kind: Annotated[Literal["離反予兆"], Meta(description="Churn omen.")] = KIND
    type: Annotated[TransitionType, Meta(description="What happened to the episode.")]
    level: Annotated[LevelName, Meta(description="Level now.")]
    previous_level: Annotated[LevelName, Meta(description="Level before.")]
    customer_id: Annotated[Text, Meta(description="Pseudonymous id, as in the inputs and the record key.")]
    occurred_at: Annotated[datetime, Meta(tz=True, description="When this became true, event time.")]
    probability: Annotated[
        Probability | None,
        Meta(
            description="P(no main event within the horizon) at occurred_at; null unless confidence is enough. The"
            " level was decided all the same."
        ),
    ]
    confidence: Annotated[
        Confidence, Meta(description="Whether there is enough evidence for a number; see models/confidence.py.")
    ]
    horizon_days: Annotated[float, Meta(ge=1.0, description="How far ahead the probability looks.")]
    main_event: Annotated[EventName, Meta(description="The event whose absence is churn.")]
    baseline: Annotated[
        float,
        Meta(
            description="Log-odds of a customer of whom nothing is known. With all contributions it gives the log-odds"
            " that decided the level: those of probability, or of the number that is not shown."
        ),
    ]
    evidence: Annotated[list[Evidence], Meta(description="Each signal, those that raise the risk most first.")]
    reasons: Annotated[Reasons, Meta(description="Why, in sentences for people, the strongest first.")]
    comeback: Annotated[
        Comeback | None, Meta(description="What would bring the customer back; null when nothing is open.")
    ] = None
    if_silent: Annotated[
        NextLevel | None, Meta(description="What comes next if nothing happens; null when nothing is open.")
    ] = None
    recovered_by: Annotated[
        EventName | None, Meta(description="The event that brought the customer back; null unless recovered.")
    ] = None
    acknowledged: Annotated[
        bool, Meta(description="Whether somebody takes care of this episode, who said so before this alert or in it.")
    ] = False
    by: Annotated[
        Annotated[str, Meta(min_length=1, max_length=MAX_BY_CHARACTERS)] | None,
        Meta(description="Who acknowledged or snoozed; null otherwise."),
    ] = None
    until: Annotated[
        Annotated[datetime, Meta(tz=True)] | None, Meta(description="End of the snooze; null unless snoozed.")
    ] = None
    signals_stale: Annotated[
        list[EventName],
        Meta(
            description="Kinds of event whose whole source is out: their absence does not count. Empty when all"
            " sources are well."
        ),
    ] = []
    segment: Annotated[
        SegmentTitle | None, Meta(description="What kind of customer this is; null where nobody asked.")
    ] = None
    value_at_stake: Annotated[
        Annotated[float, Meta(ge=0.0)] | None,
        Meta(
            description="Expected loss of a year's spend, in the unit of the amounts: probability x orders a"
            " year x usual order value, where orders a year = (c / (1 - 2^(-T/90)) - 1/2) x 365 ln 2 / 90, c = orders"
            " weighted by 2^(-age in days / 90), T = days from first to last order and one usual gap, all as of the"
            " last order. Null where no amount was ever seen, and without enough evidence for a probability."
        ),
    ] = None
    replay: Annotated[
        bool, Meta(description="True: history, from a backfill that is muted until a moment; nobody should act on it.")
    ] = False
    episode: EpisodeRef
    receipt: Receipt

    def __post_init__(self) -> None:
        """Refuse a probability that should not be shown, and a missing one that should (a NaN is written as null)."""
        if (self.probability is None) == (self.confidence == Confidence.ENOUGH):
            raise ValueError("probability is null exactly when confidence is not_enough_evidence")


_body = JsonBody(Alert, AlertError, "alert")


def encode(alert: Alert) -> bytes:
    """Turn an alert into JSON, the same bytes for equal alerts.

    Raises
    ------
    AlertError
        A field breaks the schema; a NaN or infinite number does, because JSON has none.
    """
    return _body.encode(alert)


def decode(body: bytes) -> Alert:
    """Read an alert; unknown fields are ignored.

    Raises
    ------
    AlertError
        Not JSON, or a field is missing or breaks the schema.
    """
    return _body.decode(body)


def headers(alert: Alert, source: str) -> list[tuple[str, bytes]]:
    """Return the CloudEvents 1.0 attributes as Kafka headers, binary content mode.

    Parameters
    ----------
    alert
        What the record's value holds.
    source
        Who publishes, a URI reference without a customer in it, e.g. ``/yocho/<group>``.

    Returns
    -------
    list of (str, bytes)
        As `streams.cloud_events` writes them.
    """
    return binary_headers(
        id=alert.alert_id,
        source=source,
        type=f"yocho.alert.{alert.type}.v{VERSION}",
        time=alert.occurred_at,
        dataschema=SCHEMA_ID,
        replay=alert.replay,
    )


_AT = datetime(2026, 4, 11, 3, 0, tzinfo=UTC)
EXAMPLE = Alert(
    alert_id="yocho-3f0c8b1e5a9d4c72b6e1f00a9c8d7e65",
    type=TransitionType.OPENED,
    level="at_risk",
    previous_level="healthy",
    customer_id="c-1024",
    occurred_at=_AT,
    probability=0.81,
    confidence=Confidence.ENOUGH,
    horizon_days=91.0,
    main_event="order",
    baseline=-0.25,
    evidence=[
        Evidence("order_silence", usual=7.2, now=23.0, unit="days", contribution=1.3),
        Evidence("login_trend", usual=12.1, now=3.0, unit="logins per 30 days", contribution=0.6),
        Evidence("order_history", usual=None, now=14.0, unit="orders", contribution=-0.2),
    ],
    reasons=Reasons.of(
        [
            reason("order_silence", 7.2, 23.0, Channel.ORDER),
            reason("login_trend", 12.1, 3.0, Channel.ORDER),
        ]
    ),
    comeback=Comeback(
        [ComebackOption("login", 0.58, "watch"), ComebackOption("order", 0.31, "healthy")],
        InWords(*brings_back(Channel.LOGIN, Level.WATCH)),
    ),
    if_silent=NextLevel("critical", _AT + timedelta(days=12), 12.0, InWords(*worsens(Level.CRITICAL, 12.0))),
    segment=SEGMENTS[Segment.VIP],
    value_at_stake=48_600.0,
    episode=EpisodeRef(number=1, step=2, opened_at=_AT),
    receipt=Receipt(
        model_version=COLD,
        source_offsets={"logins": 5120, "orders": 812},
        thresholds={
            "watch": Threshold(0.6, 0.5),
            "at_risk": Threshold(0.75, 0.65),
            "critical": Threshold(0.9, 0.8),
        },
        state_version=ROW_VERSION,
        partition=3,
        code_version="0.1.0",
    ),
)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the body, generated from `Alert`, with `EXAMPLE`."""
    return _body.schema(SCHEMA_ID, "Churn alert (離反予兆)", EXAMPLE)
