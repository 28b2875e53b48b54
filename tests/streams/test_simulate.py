"""The simulated shop as records: the codec reads what the shop did, and no event is ahead of the clock."""

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

import msgspec
import orjson
import pytest

from models.events import Channel, Event
from models.simulator import Shop, campaign_id
from streams.codec import decode
from streams.event_csv import Outgoing
from streams.settings import Settings
from streams.simulate import CHUNK_EVENTS, CHUNK_SPAN_MS, Pace, chunks, send, to_json
from streams.topics import event_inputs

START_S = 1_577_836_800
DAY_S = 86_400


def events(n: int) -> list[Event]:
    return list(islice(Shop(3, 200, START_S).events(), n))


@dataclass
class Clock:
    """Time that passes only while somebody waits."""

    now_s: float
    waits: list[float] = field(default_factory=list)
    stop_at_s: float = math.inf

    def now(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now_s += seconds
        return self.now_s >= self.stop_at_s


@dataclass
class Recorder:
    """Takes records the way the sender does."""

    taken: list[Outgoing] = field(default_factory=list)
    flushed: list[int] = field(default_factory=list)

    def send(self, record: Outgoing) -> None:
        self.taken.append(record)

    def flush(self) -> None:
        self.flushed.append(len(self.taken))


def test_each_event_goes_to_the_topic_of_its_channel_keyed_by_its_customer():
    sender, sent = Recorder(), events(3_000)
    send(sent, sender)
    assert [record.source.channel for record in sender.taken] == [event.channel for event in sent]
    assert [record.key.decode() for record in sender.taken] == [event.customer_id for event in sent]
    assert [record.at_ms for record in sender.taken] == [event.occurred_at_ms for event in sent]
    assert sender.flushed == [3_000]


def test_orders_carry_yen_and_items_that_add_up():
    orders = [orjson.loads(to_json(event)) for event in events(3_000) if event.channel is Channel.ORDER]
    assert len(orders) > 300
    for order in orders:
        assert order["currency"] == "JPY"
        assert sum(item["quantity"] * item["price"] for item in order["items"]) == order["amount"]
        assert all(item["price"] > 0 for item in order["items"])
    assert {len(order["items"]) for order in orders} == {1, 2, 3}


def test_customers_have_a_favourite_category():
    bought: dict[str, Counter[str]] = {}
    for event in events(20_000):
        if event.channel is Channel.ORDER:
            items = orjson.loads(to_json(event))["items"]
            bought.setdefault(event.customer_id, Counter()).update(item["category"] for item in items)
    shares = [max(mix.values()) / mix.total() for mix in bought.values() if mix.total() >= 10]
    assert len(shares) > 50
    assert 0.5 < sum(shares) / len(shares) < 0.9


def test_opens_name_their_campaign_and_say_whether_a_machine_opened():
    opens = [event for event in events(5_000) if event.channel is Channel.EMAIL_OPEN]
    bodies = [orjson.loads(to_json(event)) for event in opens]
    assert [body["campaign_id"] for body in bodies] == [campaign_id(event) for event in opens]
    assert [body["machine"] for body in bodies] == [not event.engaged for event in opens]
    assert {body["machine"] for body in bodies} == {True, False}


def test_the_worker_decodes_every_record_to_the_event_that_was_simulated():
    inputs = {source.channel: source for source in event_inputs(Settings())}
    for event in events(5_000):
        decoded = decode(inputs[event.channel], event.customer_id.encode(), to_json(event), now_ms=event.occurred_at_ms)
        assert repr(msgspec.structs.replace(decoded, categories=0)) == repr(event)
        assert bool(decoded.categories) == (event.channel is Channel.ORDER), "baskets are made when it is written"


def test_chunks_hold_all_events_in_order_within_bounds():
    sent = events(20_000)
    clock = Clock(now_s=START_S + 10_000 * DAY_S)
    cut = list(chunks(sent, Pace(math.inf), now=clock.now, wait=clock.wait))
    assert [event for chunk in cut for event in chunk] == sent
    assert all(0 < len(chunk) <= CHUNK_EVENTS for chunk in cut)
    assert all(chunk[-1].occurred_at_ms - chunk[0].occurred_at_ms <= CHUNK_SPAN_MS for chunk in cut)
    assert clock.waits == []


def test_at_a_given_speed_ten_days_take_their_time_in_ticks():
    sent = list(Shop(3, 200, START_S).events(START_S + 10 * DAY_S))
    clock = Clock(now_s=START_S + 10_000 * DAY_S)
    began_s = clock.now_s
    cut = list(chunks(sent, Pace(speed=2 * DAY_S), now=clock.now, wait=clock.wait))
    assert [event for chunk in cut for event in chunk] == sent
    assert clock.now_s - began_s == pytest.approx(5, abs=0.7)
    assert len(cut) <= 52


def test_the_warm_up_does_not_wait_and_the_rest_does():
    sent = list(Shop(3, 200, START_S).events(START_S + 20 * DAY_S))
    clock = Clock(now_s=START_S + 10_000 * DAY_S)
    began_s = clock.now_s
    pace = Pace(speed=DAY_S, from_s=START_S + 15 * DAY_S)
    for chunk in chunks(sent, pace, now=clock.now, wait=clock.wait):
        if chunk[-1].at_s < START_S + 15 * DAY_S:
            assert clock.now_s == began_s
    assert clock.now_s - began_s == pytest.approx(5, abs=0.7)


@pytest.mark.parametrize("speed", [math.inf, 1e6, 0.5])
def test_no_event_is_sent_before_it_happens(speed):
    clock = Clock(now_s=START_S + 20 * DAY_S, stop_at_s=START_S + 22 * DAY_S)
    shop = Shop(3, 50, START_S)
    for chunk in chunks(shop.events(), Pace(speed), now=clock.now, wait=clock.wait):
        assert chunk[-1].occurred_at_ms / 1000 <= clock.now_s
    if speed > 1:
        assert chunk[-1].at_s > START_S + 21 * DAY_S  # it went on at the speed of the clock


def test_a_stop_while_waiting_ends_the_stream():
    clock = Clock(now_s=START_S + 1, stop_at_s=START_S + 2)
    assert sum(map(len, chunks(events(10_000), Pace(math.inf), now=clock.now, wait=clock.wait))) < 10_000


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_a_speed_that_goes_nowhere_is_refused(speed):
    with pytest.raises(ValueError, match="speed"):
        Pace(speed)
