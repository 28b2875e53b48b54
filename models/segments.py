"""Segments: what kind of customer somebody was when last seen, so that people know whom an alert is about.

Serves the alert, last word of the line from event to alert. Four segments, named as marketing names them; the first
rule that holds decides:

==============================  =======================================================================================
``slipping`` 離脱予備軍         was falling before this silence, against their own usual: pace or order value to 2/3 or
                                less, or the pace of the last weeks to 1/2 or less
``vip`` 熱狂的ファン            spend and pace both in the shop's top fifth
``nurture`` 育成候補            spend or pace in the shop's top fifth, or pace at least 3/2 of their own usual one
``regular`` 一般                everybody else
==============================  =======================================================================================

Spend is what they spent in a year, pace how often they came, both as of the last time (`models.value`). Silence since
then changes no segment: how alarming it is, the level of the alert says. Whether somebody is a VIP, is slipping or has
sped up is told from `LEAST_OCCASIONS` days with a main event on; before that two quick orders would make a fan.

There are no fixed amounts: the top fifth is that of the partition's own customers (`models.census`). While those are
too few, only own histories speak. Where no amount was ever seen, pace stands in for spend.
"""

import enum
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from models.census import Census
from models.state import Rows
from models.target import Target
from models.value import events_a_year, latest_events_a_year, usual_events_a_year

SegmentName = Literal["regular", "nurture", "slipping", "vip"]

TOP_RANK = 0.8
LEAST_OCCASIONS = 4  # three gaps: enough to speak of a usual one
FALLEN_RATIO = 2 / 3
HALVED_RATIO = 1 / 2  # a few weeks vary more than a quarter
RISEN_RATIO = 3 / 2


class Segment(enum.IntEnum):
    """What kind of customer somebody is."""

    REGULAR = 0
    NURTURE = 1
    SLIPPING = 2
    VIP = 3


class SegmentTitle(Struct, frozen=True, gc=False):
    """What a segment is called, as an alert says it: `name` by machines, `ja` and `en` by people."""

    name: Annotated[
        SegmentName,
        Meta(
            description="slipping: had been buying less already before this silence. vip: spend and pace both in the"
            " shop's top fifth. nurture: one of the two in the top fifth, or buying more and more. regular: others."
            " As of the last time the customer came."
        ),
    ]
    ja: Annotated[str, Meta(min_length=1, description="Japanese.")]
    en: Annotated[str, Meta(min_length=1, description="English.")]


SEGMENTS = (
    SegmentTitle("regular", "一般", "regular"),
    SegmentTitle("nurture", "育成候補", "to nurture"),
    SegmentTitle("slipping", "離脱予備軍", "slipping"),
    SegmentTitle("vip", "熱狂的ファン", "VIP fan"),
)
"""By `Segment` number."""


def segments_of(rows: Rows, census: Census, target: Target) -> NDArray[np.uint8]:
    """Put n customers into their segments.

    Parameters
    ----------
    rows
        Shape (n,).
    census
        Of the partition they live in.
    target
        Main channel and horizon.

    Returns
    -------
    ndarray
        `Segment` numbers, shape (n,).

    Examples
    --------
    >>> from models.events import Channel
    >>> from models.state import new_rows
    >>> target = Target(Channel.ORDER, 91 * 86_400)
    >>> [SEGMENTS[segment].ja for segment in segments_of(new_rows(1), Census(target), target)]
    ['一般']
    """
    spend, pace = census.ranks(rows)
    spend = np.where(np.isnan(spend), pace, spend)
    known = rows["main_occasions"] >= LEAST_OCCASIONS
    usual = usual_events_a_year(rows, target.main, target)
    with np.errstate(invalid="ignore"):  # who never had a main event has no pace: 0 / 0, and NaN holds for no rule
        trend = events_a_year(rows, target.main, target) / usual
        latest = latest_events_a_year(rows, target.main, target) / usual
    usual_basket = rows["amount_long"].astype(np.float64)
    basket = rows["amount_short"] / np.where(usual_basket > 0, usual_basket, np.nan)
    has_fallen = (trend <= FALLEN_RATIO) | (latest <= HALVED_RATIO) | (basket <= FALLEN_RATIO)
    rules = (
        (Segment.SLIPPING, known & has_fallen),
        (Segment.VIP, known & (spend >= TOP_RANK) & (pace >= TOP_RANK)),
        (Segment.NURTURE, (spend >= TOP_RANK) | (pace >= TOP_RANK) | (known & (trend >= RISEN_RATIO))),
    )
    segments: NDArray[np.uint8] = np.select([holds for _, holds in rules], [int(s) for s, _ in rules], 0)
    return segments.astype(np.uint8)
