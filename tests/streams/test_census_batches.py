"""Customers are compared with the same numbers whatever the batches, and a partition remembers them."""

import numpy as np
import orjson
import pytest

from models.census import Census
from tests.builders import START_MS, login, order
from tests.streams.harness import H_S, FirstLine, in_pieces

HOUR_MS = 3_600_000
QUARTER_S = H_S // 4


def shop_log(seed, n=70, hours=24 * 21):
    """Orders and logins of customers with habits of their own, in order of time."""
    rng = np.random.default_rng(seed)
    samples = []
    for number in range(n):
        pace_h, price, at_h = rng.choice([15, 40, 90]), rng.lognormal(3, 1), rng.uniform(1, hours / 2)
        while at_h < hours:
            what = order if rng.random() < 0.8 else login
            fields = {"amount": round(float(price), 2)} if what is order else {}
            samples.append(what(f"c{number}", at=START_MS + int(at_h * HOUR_MS), event_id=f"{number}-{at_h}", **fields))
            at_h += rng.exponential(pace_h)
    return sorted(samples, key=lambda sample: sample.event.occurred_at_ms)


def run(samples, cuts=(), **options):
    line = FirstLine(**options)
    for piece in in_pieces(line.send(*samples), cuts):
        line.fetch(piece)
    line.pass_time("+35d")
    return line


def segments(line):
    return {(alert.alert_id, alert.segment.name, alert.value_at_stake, alert.occurred_at) for alert in line.alerts()}


def remembered(line):
    return orjson.dumps(Census.of(line.partition.memory, line.settings.target).to_dict())


@pytest.mark.parametrize("seed", range(2))
def test_segments_do_not_depend_on_how_a_log_was_cut(seed):
    samples = shop_log(seed)
    at_once = run(samples)
    told = segments(at_once)
    assert {segment for _, segment, _, _ in told} >= {"regular", "nurture", "vip"}, "not all alike"
    rng = np.random.default_rng(seed)
    for max_batch, pace in ((7, 1_000), (50, 2)):
        cuts = rng.integers(0, len(samples), 20).tolist()
        cut = run(samples, cuts, max_batch=max_batch, pace=pace)
        assert segments(cut) == told
        assert remembered(cut) == remembered(at_once)


def test_events_wait_for_the_end_of_a_quarter_horizon_and_then_go_on():
    line = FirstLine()
    line.take(order(at="+1h"))
    first_end_s = line.pipeline.next_switch_s(line.partition)
    assert first_end_s % QUARTER_S == 0
    line.take(order(at="+40d"), order("c2", at="+41d"))
    assert line.row("c2")["count"][0] == 1
    assert line.pipeline.next_switch_s(line.partition) > first_end_s


def test_what_was_counted_survives_a_change_of_owner():
    samples = shop_log(1)
    half = len(samples) // 2
    line = FirstLine()
    line.take(*samples[:half])
    line.partition.memory = orjson.loads(
        orjson.dumps(line.partition.memory, default=lambda part: part.to_dict())
    )  # as the changelog gives it back
    line.restart()
    line.take(*samples[half:])
    line.pass_time("+35d")
    assert remembered(line) == remembered(run(samples, [half]))


def test_everybody_counts_once_a_horizon_however_often_they_come():
    line = FirstLine()
    line.take(*[order("hourly", at=f"+{hour}h") for hour in range(24 * 6)], order("once", at="+1h"))
    line.pass_time("+6d")
    kept = Census.of(line.partition.memory, line.settings.target).to_dict()
    weight = sum(sum(counted["pace"].values()) for counted in [kept["all"], *kept["quarters"].values()])
    assert 1.5 < weight <= 2, "each of the two within their first horizon, faded a little"
