"""A model that has learnt a small shop in which people buy less before they leave: for stories of what learning adds.

The simulator's shop, with one habit more: whoever begins to fade buys for two fifths of the money, and of one category
instead of three. Seeded, so the model is the same in every run.
"""

import functools

import msgspec

from models.baskets import category_mask
from models.events import Channel, Event
from models.scorer import Scorer
from models.simulator import Shop, State
from models.target import DAY_S, Target
from tests.models.logs import simulated_log, trained

TARGET = Target(Channel.ORDER, 91 * DAY_S)
CUSTOMERS, DAYS = 400, 460
FADING_RATIO = 0.4
KINDS = ("tea", "cake", "cups")
_ALL, _ONE = category_mask(KINDS), category_mask(KINDS[:1])


@functools.cache
def learnt() -> Scorer:
    """The shop's model after fifteen months; it takes some seconds once a session."""
    log = simulated_log("steady", CUSTOMERS, DAYS, change=fading_baskets)
    return Scorer.of(trained(log, TARGET).mixture.snapshot())


def fading_baskets(shop: Shop, event: Event) -> Event:
    """Make an order smaller while its customer is fading."""
    if event.channel != Channel.ORDER:
        return event
    if shop.truth(event.customer_id, event.occurred_at_ms / 1000) == State.FADING:
        return msgspec.structs.replace(event, amount=event.amount * FADING_RATIO, categories=_ONE)
    return msgspec.structs.replace(event, categories=_ALL)
