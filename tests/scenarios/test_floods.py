"""Mass alerts: a broken model must not send a thousand win-back offers before somebody has looked.

The shop: 100 customers who order once, three each day, so that a handful is reported a day; 400 who order about every
other day. On day 40 a model takes effect that gives everybody 95 %.
"""

import orjson
import pytest

from models.events import Channel
from models.target import DAY_S, Target
from streams.commands import encode_release
from streams.topics import COMMANDS
from tests.builders import START_MS, Record
from tests.logged import logged
from tests.scenarios.shop_log import START_S, Log, told
from tests.streams.harness import FirstLine, fixed_scorer

H = 28 * DAY_S
REGULAR = {f"c{customer}" for customer in range(100, 500)}
WARNED = ("opened", "escalated")
LIMIT = 50


def shop(days: float = 43) -> Log:
    log = Log(days)
    for customer in range(100):
        log.orders([customer], 1, since=customer / 3, until=customer / 3 + 1)
    log.orders(range(100, 500), 2.5)
    return log


def worker(**settings) -> FirstLine:
    bad = fixed_scorer(Target(Channel.ORDER, H), 2.9, effective_at_s=START_S + 40 * DAY_S)
    return FirstLine(**({"horizon_s": H, "pinned": False, "scorers": [bad]} | settings))


def is_open(line: FirstLine) -> float | None:
    return line.metric("yocho_breaker_open", partition="0")


def release(line: FirstLine, day: float) -> None:
    at_ms = START_MS + round(day * DAY_S * 1000)
    line.take(Record(COMMANDS.key, 0, 0, at_ms, b"release-0", encode_release("k1", at_ms, "Sato")))


@pytest.fixture(scope="module")
def a_day_of_the_bad_model():
    log, line = shop(), worker()
    log.play(line, until_day=41)
    return log, line


def test_without_a_breaker_everybody_is_reported():
    line = shop().play(worker(breaker=0.0), until_day=41)
    assert len(told(line, 40, 41, *WARNED)) > 250


def test_with_it_no_more_than_the_limit_are_and_the_rest_wait(a_day_of_the_bad_model, caplog):
    _, line = a_day_of_the_bad_model
    assert 0 < len(told(line, 40, 41, *WARNED)) <= LIMIT
    assert is_open(line) == 1
    assert line.metric("yocho_alerts_held", partition="0") > 150


def test_the_days_before_were_not_touched(a_day_of_the_bad_model):
    _, line = a_day_of_the_bad_model
    free = shop().play(worker(breaker=0.0), until_day=40)
    before = [alert.alert_id for alert in line.alerts() if alert.occurred_at.timestamp() < START_S + 40 * DAY_S]
    assert sorted(before) == sorted(alert.alert_id for alert in free.alerts())


def test_the_log_says_why_without_naming_anybody(caplog):
    shop().play(worker(), until_day=40.5)
    ((event, about),) = [line for line in logged(caplog.records) if "breaker open" in line[0]]
    assert "yocho release" in event
    assert about.keys() == {"partition", "since", "limit", "stale_sources"}
    assert (about["partition"], about["limit"], about["stale_sources"]) == (0, 50, [])


@pytest.fixture(scope="module")
def released_on_day_41():
    """A new owner takes the partition over while the breaker is open, then a person releases it."""
    log, line = shop(), worker()
    log.play(line, until_day=40.5)
    line.partition.memory = orjson.loads(orjson.dumps(line.partition.memory, default=lambda part: part.to_dict()))
    line.restart()
    log.play(line, from_day=40.5, until_day=41)
    release(line, 41)
    log.play(line, from_day=41, until_day=42)
    return line


def test_a_release_tells_within_two_hours_what_is_still_true(released_on_day_41):
    line = released_on_day_41
    assert len(told(line, 41, 41 + 2.1 / 24, *WARNED) & REGULAR) > 100
    assert is_open(line) == 0
    assert line.metric("yocho_alerts_held", partition="0") == 0


def test_who_ordered_meanwhile_is_not_reported(released_on_day_41):
    came_back = {sample.event.customer_id for sample in shop().samples(40.5, 41)}
    assert not came_back & told(released_on_day_41, 41, 41 + 2.1 / 24, *WARNED)


def test_nobody_is_told_twice_and_nothing_is_lost(released_on_day_41):
    free = shop().play(worker(breaker=0.0), until_day=42)
    ids = [alert.alert_id for alert in released_on_day_41.alerts()]
    assert len(ids) == len(set(ids))
    back = {sample.event.customer_id for sample in shop().samples(40, 42)}
    assert told(free, 40, 42, *WARNED) - told(released_on_day_41, 40, 42, *WARNED) <= back


def test_after_two_weeks_looks_are_rare_and_a_release_still_tells_within_two_hours():
    log, line = shop(56), worker()
    log.play(line, until_day=54)
    held, looks = line.metric("yocho_alerts_held", partition="0"), line.metric("yocho_looks_total")
    log.play(line, from_day=54, until_day=55)
    looks_a_day = line.metric("yocho_looks_total") - looks
    assert held > 150
    assert looks_a_day < 6 * held  # on the first day there are 16 of each
    release(line, 55)
    log.play(line, from_day=55, until_day=55 + 2.1 / 24)
    assert len(told(line, 55, 55 + 2.1 / 24, *WARNED) & REGULAR) > 100
    assert line.metric("yocho_alerts_held", partition="0") < 5


def test_a_release_of_a_closed_breaker_does_nothing():
    log = shop()
    plain, released = log.play(worker(), until_day=35), log.play(worker(), until_day=30)
    release(released, 30)
    log.play(released, from_day=30, until_day=35)
    assert {alert.alert_id for alert in plain.alerts()} == {alert.alert_id for alert in released.alerts()}
    assert released.dead_letters() == []
