"""Why a record becomes a dead letter: a closed set of words, and the value that carries one.

`streams.codec` and `streams.checks` give most of them, the engine the last group. They are metric labels and
stand in the ``x-reason`` header of dead letters, so a word is never renamed.
"""

import enum
from dataclasses import dataclass


class Reason(enum.StrEnum):
    """Everything that can be wrong with a record."""

    # the record
    NULL_VALUE = "null_value"
    OVERSIZED = "oversized"
    NULL_KEY = "null_key"
    INVALID_KEY = "invalid_key"
    # the JSON
    INVALID_JSON = "invalid_json"
    NOT_AN_OBJECT = "not_an_object"
    DUPLICATE_FIELD = "duplicate_field"
    # the envelope
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_TYPE = "unknown_type"
    TYPE_MISMATCH = "type_mismatch"
    MISSING_FIELD = "missing_field"
    INVALID_CUSTOMER_ID = "invalid_customer_id"
    KEY_MISMATCH = "key_mismatch"
    INVALID_EVENT_ID = "invalid_event_id"
    # the time
    INVALID_TIME = "invalid_time"
    TIME_IN_SECONDS = "time_in_seconds"
    IMPLAUSIBLE_TIME = "implausible_time"
    FUTURE_TIME = "future_time"
    # what is said about the event
    INVALID_AMOUNT = "invalid_amount"
    NEGATIVE_AMOUNT = "negative_amount"
    AMOUNT_TOO_LARGE = "amount_too_large"
    INVALID_CURRENCY = "invalid_currency"
    INVALID_ITEMS = "invalid_items"
    INVALID_SESSION = "invalid_session"
    INVALID_CAMPAIGN = "invalid_campaign"
    INVALID_MACHINE = "invalid_machine"
    # what a person says
    UNKNOWN_COMMAND = "unknown_command"
    INVALID_BY = "invalid_by"
    INVALID_UNTIL = "invalid_until"
    # found by the engine, after decoding
    LATE = "late"
    WRONG_PARTITION = "wrong_partition"
    UNKNOWN_CUSTOMER = "unknown_customer"
    PROCESSING_FAILED = "processing_failed"
    OVERSIZED_ROW = "oversized_row"


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is not an event.

    Parameters
    ----------
    reason
        What is wrong.
    detail
        The rule it broke, one line; never anything the record holds, which may be personal.
    error_class
        Name of the exception behind it, or ``Reject`` where a rule alone decided.
    """

    reason: Reason
    detail: str
    error_class: str = "Reject"


class RejectedError(Exception):
    """Carries a reject from the check that found it to `streams.codec.decode`; goes no further."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reject = Reject(reason, detail)
