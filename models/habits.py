"""What a customer's habits are: the features that stand still while the customer is silent.

Serves `models.features` on the line from event to alert. Array in, array out, closed form, O(1) per customer; what is
not known is NaN, never zero.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baskets import breadth, dropped
from models.clocks import ChannelClocks
from models.events import Channel
from models.state import LONG_DAYS, Rows
from models.target import DAY_S, Target

Floats = NDArray[np.float64]


def habits(rows: Rows, target: Target, clocks: ChannelClocks) -> Iterator[Floats]:
    """Compute what silence does not change.

    Parameters
    ----------
    rows
        Shape (n,).
    target
        Main channel and horizon.
    clocks
        What the time between opens and sends is measured with.

    Yields
    ------
    ndarray
        Columns of shape (n,) in the order of `models.features.STILL`.
    """
    for channel in Channel:
        yield from _habit(rows, channel)
    yield from _basket(rows)
    yield from _occasions(rows, target)
    yield from _categories(rows)
    yield from _mailing(rows, clocks)


def positive(values: NDArray[Any]) -> Floats:
    """Zero means never or nothing in a row: unknown. Contiguous, so that NumPy's fast loops apply."""
    floats = values.astype(np.float64, order="C")
    return np.where(floats > 0, floats, np.nan)


def _habit(rows: Rows, channel: Channel) -> Iterable[Floats]:
    yield np.log(positive(rows["long"][:, channel]))
    yield np.log(positive(rows["count"][:, channel]))
    gap = rows["gap_mean"][:, channel].astype(np.float64)
    yield np.where(rows["gap_weight"][:, channel] > 0, gap, np.nan)


def _basket(rows: Rows) -> Iterable[Floats]:
    usual = _log_money(rows["amount_long"])
    several = rows["count"][:, Channel.ORDER] > 1
    yield usual
    yield np.where(several, _log_money(rows["amount_short"]) - usual, np.nan)
    yield np.where(np.isnan(usual), np.nan, _log_money(rows["amount_sum"]))


def _occasions(rows: Rows, target: Target) -> Iterable[Floats]:
    occasions = positive(rows["main_occasions"])
    weight = rows["gap_weight"][:, target.main].astype(np.float64)
    spread = np.sqrt(rows["gap_m2"][:, target.main] / np.maximum(weight, 1.0))
    span_s = positive(rows["last_at"][:, target.main]) - rows["main_first_at"]
    yield np.log(occasions)
    yield np.where(weight > 1, spread, np.nan)  # one gap, of weight exactly 1, has no spread
    yield np.log(1.0 + np.maximum(span_s, 0.0) / DAY_S)
    yield np.where(np.isnan(occasions), np.nan, occasions == 1)


def _categories(rows: Rows) -> Iterable[Floats]:
    ever = positive(breadth(rows))
    yield np.log(ever)
    yield dropped(rows) / ever


def _mailing(rows: Rows, clocks: ChannelClocks) -> Iterable[Floats]:
    # Opens are aged to the newest send or click, as of which the other two counts are.
    sends = positive(rows["sends_long"])
    opened, sent = (
        clocks.read(Channel.EMAIL_OPEN, at_s.astype(np.float64))
        for at_s in (rows["last_at"][:, Channel.EMAIL_OPEN], rows["sends_at"])
    )
    since_open_days = (sent - opened) / DAY_S
    opens = rows["long"][:, Channel.EMAIL_OPEN] * np.exp2(np.maximum(since_open_days, 0.0) * (-1.0 / LONG_DAYS))
    yield np.minimum(opens / sends, 1.0)
    yield np.minimum(rows["clicks_long"] / sends, 1.0)


def _log_money(amount: NDArray[np.float32]) -> Floats:
    # Refunds can make a mean negative; for attachment that is as good as nothing spent.
    return np.log(1.0 + np.maximum(amount.astype(np.float64), 0.0))
