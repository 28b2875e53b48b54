"""Outages and the breaker beside the first line: what SREs see, what a partition remembers, what a person says."""

import orjson
import pytest

from models.clocks import ChannelClocks
from models.events import Channel, Source
from models.target import DAY_S
from streams.codec import decode
from streams.commands import Release, encode_release
from streams.engine.partition import PartitionRows
from streams.feeds import Feeds
from streams.outages import BREAKER, FEEDS, Outages
from streams.reasons import Reason
from streams.topics import COMMANDS
from tests.builders import NOW_MS, START_MS, Record, email_open, email_send, login, order
from tests.streams.harness import FirstLine

START_S = START_MS // 1000


def every_hour(build, customers: int, days: float, **fields) -> list:
    """Each hour one of these customers; all of them have ordered before."""
    return [build(f"c{hour % customers}", at=f"+{hour}h", **fields) for hour in range(1, int(days * 24))]


class TestSources:
    def test_newcomers_do_not_count_so_the_end_of_a_campaign_is_no_outage(self):
        line = FirstLine(horizon_s=28 * DAY_S)
        regulars = every_hour(order, 20, 40)
        newcomers = [order(f"n{n}", at=f"+{n * 6}m") for n in range(20 * 240)]  # 240 a day for 20 days
        line.fetch(line.send(*sorted(regulars + newcomers, key=lambda s: s.event.occurred_at_ms)))
        feeds = line.outages.feeds(line.partition)
        assert feeds.clocks == ChannelClocks()
        assert feeds.per_day(Source.ORDERS) == pytest.approx(24, rel=0.2)

    def test_what_is_read_again_after_a_restart_is_counted_once(self):
        line = FirstLine(horizon_s=28 * DAY_S)
        sent = line.send(*every_hour(order, 20, 10))
        line.fetch(sent)
        before = orjson.dumps(line.outages.feeds(line.partition).to_dict())
        line.restart()
        line.fetch(sent)
        assert orjson.dumps(line.outages.feeds(line.partition).to_dict()) == before

    def test_an_optional_source_that_is_out_is_shown_and_stops_no_clock(self):
        line = FirstLine(horizon_s=28 * DAY_S, email_sends_topic="email-sends")
        sends = [s for s in every_hour(email_send, 20, 60) if s.event.at_s < START_S + 40 * DAY_S]
        events = sorted([*every_hour(order, 20, 60), *sends, *sends], key=lambda s: s.event.occurred_at_ms)
        line.fetch(line.send(*events))
        feeds = line.outages.feeds(line.partition)
        assert feeds.stale == [Source.EMAIL_SENDS]
        assert feeds.clocks == ChannelClocks()
        assert line.metric("yocho_source_stale_seconds", source="email_sends", partition="0") > 10 * DAY_S

    def test_opens_by_machines_are_signs_of_life(self):
        line = FirstLine(horizon_s=28 * DAY_S)
        opens = every_hour(email_open, 20, 30) + [
            email_open(f"c{hour % 20}", at=f"+{hour}h", machine=True) for hour in range(30 * 24, 60 * 24)
        ]
        events = sorted([*every_hour(order, 20, 60), *opens], key=lambda s: s.event.occurred_at_ms)
        line.fetch(line.send(*events))
        assert line.outages.feeds(line.partition).stale == []

    def test_two_sources_may_be_out_at_once_and_return_one_after_the_other(self):
        line = FirstLine(horizon_s=28 * DAY_S)
        out = {Channel.LOGIN: (30, 34), Channel.EMAIL_OPEN: (31, 36)}
        events = [*every_hour(order, 20, 45), *every_hour(login, 20, 45), *every_hour(email_open, 20, 45)]
        kept = [
            s
            for s in sorted(events, key=lambda s: s.event.occurred_at_ms)
            if not out.get(s.event.channel, (99, 0))[0]
            <= (s.event.at_s - START_S) / DAY_S
            < out.get(s.event.channel, (0, 0))[1]
        ]
        line.fetch(line.send(*kept))
        days = {
            o.channel: tuple(round((second - START_S) / DAY_S) for second in (o.from_s, o.until_s))
            for o in line.outages.feeds(line.partition).clocks.outages
        }
        assert days == out

    def test_a_finished_outage_is_forgotten_when_nobodys_silence_reaches_back_to_it(self):
        line = FirstLine(horizon_s=7 * DAY_S)  # forgotten after 28 days
        events = [s for s in every_hour(login, 20, 100) if not 30 <= (s.event.at_s - START_S) / DAY_S < 33]
        line.fetch(line.send(*sorted([*events, *every_hour(order, 20, 100)], key=lambda s: s.event.occurred_at_ms)))
        (outage,) = line.outages.feeds(line.partition).clocks.outages
        later = [s for s in every_hour(login, 20, 110) if (s.event.at_s - START_S) / DAY_S > 106]
        line.fetch(line.send(*later))
        assert outage not in line.outages.feeds(line.partition).clocks.outages


class TestMemory:
    def test_parts_are_read_from_plain_json_and_then_belong_to_the_partition(self):
        partition, outages = PartitionRows(0), Outages(DAY_S, 5.0)
        feeds, breaker = outages.feeds(partition), outages.breaker(partition)
        assert partition.memory == {FEEDS: feeds, BREAKER: breaker}
        partition.memory = orjson.loads(orjson.dumps(partition.memory, default=lambda part: part.to_dict()))
        assert isinstance(outages.feeds(partition), Feeds)
        assert outages.feeds(partition) is outages.feeds(partition)
        assert outages.breaker(partition).to_dict() == breaker.to_dict()

    def test_three_sources_take_a_few_kilobytes(self):
        line = FirstLine(horizon_s=28 * DAY_S)
        events = [*every_hour(order, 20, 40), *every_hour(login, 20, 40), *every_hour(email_open, 20, 40)]
        line.fetch(line.send(*sorted(events, key=lambda s: s.event.occurred_at_ms)))
        assert len(orjson.dumps(line.outages.feeds(line.partition).to_dict())) < 6_000


class TestRelease:
    def read(self, **changes):
        fields = {"command_id": "k1", "kind": "release", "by": "Sato", "issued_at": START_MS} | changes
        value = orjson.dumps({name: value for name, value in fields.items() if value is not None})
        return decode(COMMANDS, b"release-0", value, now_ms=NOW_MS)

    def test_what_is_written_is_what_is_read(self):
        value = encode_release("k1", START_MS, "Sato")
        assert decode(COMMANDS, b"any", value, now_ms=NOW_MS) == Release(START_MS)
        assert self.read().at_s == START_S

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"by": None}, Reason.MISSING_FIELD),
            ({"by": "a\nb"}, Reason.INVALID_BY),
            ({"issued_at": "yesterday"}, Reason.INVALID_TIME),
            ({"customer_id": "c1"}, Reason.KEY_MISMATCH),
        ],
    )
    def test_a_bad_one_is_a_dead_letter_that_says_why(self, changes, reason):
        assert self.read(**changes).reason == reason

    def test_it_founds_no_customer_and_gives_no_alert(self):
        line = FirstLine()
        line.take(Record(COMMANDS.key, 0, 0, START_MS, b"release-0", encode_release("k1", START_MS, "Sato")))
        assert len(line.partition) == 0
        assert line.out == []
