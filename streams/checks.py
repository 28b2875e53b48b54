"""The rules a field of an event must keep: value in, checked value out, `RejectedError` otherwise.

Called by `streams.codec` for every record, so the usual case is decided by a few comparisons of exact types:
orjson gives bool, int and float as such, and `True` is not an amount. Null counts as absent.
"""

import re
from datetime import UTC, datetime, timedelta

from models.baskets import category_mask
from streams.reasons import Reason, RejectedError

MAX_ID_BYTES = 256
MAX_AMOUNT = 1e9
"""A thousand million in any currency: far above any order, and safe in the float32 sums of the state."""
MAX_SESSION_S = 7 * 86_400
MAX_ITEMS = 1_000
MAX_QUANTITY = 1_000_000
FUTURE_MS = 5 * 60_000
"""Clocks of producers may be this far ahead; beyond it an event would drag stream time along."""
EARLIEST_MS = 631_152_000_000
"""1990-01-01 UTC. Nothing sold online is older; an unset clock says 1970."""
LATEST_IN_SECONDS = 4_102_444_800
"""2100-01-01 in seconds; read as milliseconds it would be February 1970."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(Z|z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)  # Python takes an offset of 60 minutes, and from 3.13 on 24 o'clock
_ITEMS, _CAMPAIGN = Reason.INVALID_ITEMS, Reason.INVALID_CAMPAIGN  # see `streams.codec`
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def check_identifier(value: object, reason: Reason) -> str:
    """Check an id: text of 1 to 256 bytes in UTF-8 without control characters.

    Parameters
    ----------
    value
        From the JSON.
    reason
        Given when it breaks the rule.

    Examples
    --------
    >>> check_identifier("o-1", Reason.INVALID_EVENT_ID)
    'o-1'
    """
    if type(value) is not str:
        raise RejectedError(reason, "an id must be text")
    if value.isascii() and value.isprintable() and 0 < len(value) <= MAX_ID_BYTES:
        return value
    if not value:
        raise RejectedError(reason, "an id must not be empty")
    if len(value.encode()) > MAX_ID_BYTES:
        raise RejectedError(reason, f"an id must not exceed {MAX_ID_BYTES} bytes")
    if _CONTROL.search(value) is not None:
        raise RejectedError(reason, "an id must not hold control characters")
    return value


def check_time_ms(value: object, now_ms: int) -> int:
    """Check an event time: epoch milliseconds, or RFC 3339 with an offset.

    Parameters
    ----------
    value
        From the JSON.
    now_ms
        Wall clock, epoch milliseconds.

    Returns
    -------
    int
        Epoch milliseconds from 1990 to five minutes from now; finer fractions are rounded down.

    Notes
    -----
    Without an offset a time could mean any of 26 hours, so it is refused and not guessed. A leap second
    (``:60``) is refused too. Microseconds land in the far future and are refused as such.

    Examples
    --------
    >>> check_time_ms("1997-01-01T09:00:00+09:00", now_ms=1_700_000_000_000)
    852076800000
    """
    at_ms = check_time_of(value)
    if EARLIEST_MS <= at_ms <= now_ms + FUTURE_MS:
        return at_ms
    if at_ms > EARLIEST_MS:
        raise RejectedError(Reason.FUTURE_TIME, f"occurred_at is more than {FUTURE_MS // 1000} s ahead")
    if type(value) is int and EARLIEST_MS // 1000 <= at_ms <= LATEST_IN_SECONDS:
        raise RejectedError(Reason.TIME_IN_SECONDS, "occurred_at must be milliseconds, these look like seconds")
    raise RejectedError(Reason.IMPLAUSIBLE_TIME, "occurred_at is before 1990")


def check_time_of(value: object) -> int:
    """Check the form of a time alone: epoch milliseconds, or RFC 3339 with an offset; gives epoch milliseconds."""
    if type(value) is int:
        return value
    if type(value) is not str:
        raise RejectedError(Reason.INVALID_TIME, "occurred_at must be a whole number or RFC 3339 text")
    match = _RFC3339.fullmatch(value)
    if match is None:
        raise RejectedError(Reason.INVALID_TIME, "occurred_at is not RFC 3339")
    if match[1] is None:
        raise RejectedError(Reason.INVALID_TIME, "occurred_at has no offset")
    try:
        return (datetime.fromisoformat(value.upper()) - _EPOCH) // _MS
    except (ValueError, OverflowError):
        raise RejectedError(Reason.INVALID_TIME, "occurred_at is not a date and time that exists") from None


def check_amount(value: object) -> float:
    """Check what an order was worth: a number from 0 to 10^9. Zero is a gift, below zero a refund.

    Examples
    --------
    >>> check_amount(11.77), check_amount(0)
    (11.77, 0.0)
    """
    if type(value) is not float and type(value) is not int:
        raise RejectedError(Reason.INVALID_AMOUNT, "amount must be a number")
    if 0 <= value <= MAX_AMOUNT:
        return float(value)
    if value < 0:
        raise RejectedError(Reason.NEGATIVE_AMOUNT, "amount is negative: a refund is not an order")
    raise RejectedError(Reason.AMOUNT_TOO_LARGE, f"amount exceeds {MAX_AMOUNT:.0f}")


def check_session_s(value: object) -> float:
    """Check how long a login lasted: seconds from 0 to a week; NaN when it is not told.

    Examples
    --------
    >>> check_session_s(180), check_session_s(None)
    (180.0, nan)
    """
    if value is None:
        return float("nan")
    if (type(value) is int or type(value) is float) and 0 <= value <= MAX_SESSION_S:
        return float(value)
    raise RejectedError(Reason.INVALID_SESSION, f"session_seconds must be a number from 0 to {MAX_SESSION_S}")


def check_currency(value: object) -> None:
    """Check a currency, when there is one: three capital letters, as in ISO 4217."""
    if value is None:
        return
    if not (type(value) is str and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
        raise RejectedError(Reason.INVALID_CURRENCY, "currency must be three capital letters")


def check_items(value: object) -> int:
    """Check what was bought, when it is told: objects with a sensible category, quantity and price, if any.

    Returns
    -------
    int
        The categories, as `models.baskets.category_mask` gives them; 0 = none told.

    Examples
    --------
    >>> check_items([{"category": "tea"}, {"quantity": 1}]) == category_mask(["tea"]), check_items(None)
    (True, 0)
    """
    if value is None:
        return 0
    if type(value) is not list or len(value) > MAX_ITEMS:
        raise RejectedError(Reason.INVALID_ITEMS, f"items must be a list of at most {MAX_ITEMS}")
    categories: set[str] = set()
    for item in value:
        if type(item) is not dict:
            raise RejectedError(Reason.INVALID_ITEMS, "an item must be an object")
        get = item.get
        category, quantity, price = get("category"), get("quantity"), get("price")
        if category is not None:
            categories.add(check_identifier(category, _ITEMS))
        if quantity is not None:
            _quantity(quantity)
        if price is not None:
            _price(price)
    return category_mask(categories)


def _quantity(value: object) -> None:
    if type(value) is not int or not 0 < value <= MAX_QUANTITY:
        raise RejectedError(_ITEMS, f"quantity must be a whole number from 1 to {MAX_QUANTITY}")


def _price(value: object) -> None:
    if (type(value) is not int and type(value) is not float) or not 0 <= value <= MAX_AMOUNT:
        raise RejectedError(_ITEMS, f"price must be a number from 0 to {MAX_AMOUNT:.0f}")


def check_campaign(value: object) -> None:
    """Check a campaign id, when there is one."""
    if value is not None:
        check_identifier(value, _CAMPAIGN)


def check_machine(value: object) -> bool:
    """Check whether a machine opened the mail or followed a link; when it is not told, a person did."""
    if value is None:
        return False
    if type(value) is not bool:
        raise RejectedError(Reason.INVALID_MACHINE, "machine must be true or false")
    return value
