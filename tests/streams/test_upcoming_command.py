"""`yocho upcoming`: the alerts of the next days, as time then brings them, in words and as JSON."""

import asyncio
import json

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from models.levels import Level
from models.target import DAY_S
from models.value import spend_a_year
from streams.broker import EmbeddedBroker
from streams.cli import main
from streams.cli import upcoming as command
from streams.cluster import Cluster
from streams.engine.changelog import take_changes
from streams.settings import Settings
from streams.topics import CHANGELOG
from streams.upcoming import ahead, soonest, watch_in_effect
from tests.builders import START_MS, login, order
from tests.streams.harness import FirstLine

TODAY, H_DAYS = 60, 14
WITHIN_S = 9 * DAY_S
ENVIRONMENT = {"YOCHO_HORIZON": f"{H_DAYS}d", "YOCHO_LEARN": "off", "YOCHO_PARTITIONS": "2", "YOCHO_LANG": None}


def worked(number=0):
    """A partition of a shop on day 60; odd and even customers live on different ones."""
    rng = np.random.default_rng(3 + number)
    line = FirstLine(number=number, horizon_s=H_DAYS * DAY_S, partitions=2)
    line.pipeline.admission._partition_of = lambda key: number
    samples = []
    for n in range(number, 200, 2):
        gap_days, until = rng.uniform(1, 7), rng.uniform(25, TODAY)
        days = np.arange(rng.uniform(0, 10), until, gap_days)
        samples += [order(f"c{n:03d}", at=START_MS + round(day * DAY_S) * 1000) for day in days]
        samples += [login(f"c{n:03d}", at=START_MS + round(until * DAY_S) * 1000)] * (n % 3 == 0)
    line.take(*sorted(samples, key=lambda sample: sample.event.occurred_at_ms))
    line.pass_time(f"+{TODAY}d")
    return line


@pytest.fixture
def line():
    return worked()


def watch_of(line):
    return watch_in_effect(line.settings, line.book, line.partition)


def rises(alerts):
    return [(a.customer_id, a.level, a.occurred_at) for a in alerts if a.type in ("opened", "escalated")]


@pytest.mark.parametrize("least", [Level.WATCH, Level.AT_RISK, Level.CRITICAL])
def test_who_is_listed_gets_that_alert_at_that_second_when_time_passes(line, least):
    listed = ahead(watch_of(line), line.partition, WITHIN_S, least)
    told_before = len(line.alerts())
    line.pass_time(START_MS + TODAY * DAY_S * 1000 + (WITHIN_S + 1) * 1000)
    names = [level.name.lower() for level in Level if level >= least]
    first = {}
    for who, level, at in rises(line.alerts()[told_before:]):
        if level in names:
            first.setdefault(who, (level, at))
    assert {one.customer_id: (one.next_level, one.at) for one in listed} == first
    assert {level for level, _ in first.values()} >= {names[0]}


def test_each_line_says_where_the_customer_stands_today(line):
    for one in ahead(watch_of(line), line.partition, WITHIN_S, Level.WATCH):
        row = line.row(one.customer_id)
        assert one.level == Level(row["level"]).name.lower()
        now_s = np.array([line.partition.stream_time_s])
        (p,) = watch_of(line).scorer.probabilities(row.reshape(1), now_s)
        assert one.probability is None or one.probability == p
        assert (one.value_at_stake is None) == (one.probability is None)
        assert one.value_at_stake is None or one.value_at_stake == p * spend_a_year(
            row.reshape(1), line.settings.target
        )
        assert one.days == (one.at - one.as_of).total_seconds() / DAY_S
        assert one.as_of.timestamp() == now_s[0]


def test_who_would_be_news_of_a_partition_without_customers():
    line = FirstLine()
    assert ahead(watch_of(line), line.partition, WITHIN_S, Level.WATCH) == []


def test_while_the_order_feed_is_out_nobody_crosses_a_level_by_its_silence(line):
    """The owner of a partition remembers the outage, and the changelog holds what it remembers."""
    out_since_s = line.partition.stream_time_s - DAY_S
    assert ahead(watch_of(line), line.partition, WITHIN_S, Level.WATCH)
    known = line.partition.memory["feeds"].to_dict()
    line.partition.memory["feeds"] = known | {"outages": [["order", out_since_s, None]]}
    assert ahead(watch_of(line), line.partition, WITHIN_S, Level.WATCH) == []


class TestThroughABroker:
    """The changelog as workers write it, read by the command."""

    @pytest.fixture(scope="class")
    @staticmethod
    def shop():
        lines = [worked(number) for number in range(2)]
        settings = Settings.from_env({name: value for name, value in ENVIRONMENT.items() if value})
        with EmbeddedBroker.for_settings(settings) as broker:
            producer = Cluster.reach(Settings(brokers=(broker.bootstrap,))).producer()
            for number, line in enumerate(lines):
                for key, value, headers in take_changes(line.partition):
                    producer.send(CHANGELOG.topic(settings), value, key, headers=headers, partition=number)
            producer.close()
            yield broker.bootstrap, lines

    @staticmethod
    def run(shop, *arguments, **variables):
        return CliRunner().invoke(
            main, ["upcoming", *arguments], env={**ENVIRONMENT, "YOCHO_BROKERS": shop[0]} | variables
        )

    def test_all_partitions_are_asked_and_the_soonest_come_first(self, shop):
        result = self.run(shop, "--within", "9d", "--json")
        listed = [json.loads(text) for text in result.stdout.splitlines()]
        expected = [one for line in shop[1] for one in ahead(watch_of(line), line.partition, WITHIN_S, Level.WATCH)]
        assert {(one["customer_id"], one["days"]) for one in listed} == {(e.customer_id, e.days) for e in expected}
        assert [one["at"] for one in listed] == sorted(one["at"] for one in listed)
        assert {one["partition"] for one in listed} == {0, 1}

    def test_a_limit_keeps_the_soonest(self, shop):
        everybody = self.run(shop, "--within", "9d", "--json").stdout.splitlines()
        assert self.run(shop, "--within", "9d", "--json", "--limit", "3").stdout.splitlines() == everybody[:3]

    @pytest.mark.parametrize(("lang", "risk"), [("ja", "離反確率"), ("en", "risk now")])
    def test_people_get_a_table_in_their_language(self, shop, lang, risk):
        head, *rows, total = self.run(shop, "--within", "9d", YOCHO_LANG=lang).stdout.splitlines()
        assert risk in head
        assert total.startswith(f"{len(rows)}")
        assert "2024-03-01 00:00 UTC" in total
        assert all(row.startswith("c") and " UTC " in row for row in rows)

    def test_a_group_that_never_ran_has_no_state(self, shop):
        result = self.run(shop, YOCHO_GROUP="strangers")
        assert result.exit_code == 1
        assert "strangers-customers-changelog is missing" in result.stderr

    def test_another_partition_count_is_told_and_not_waited_for(self, shop):
        result = self.run(shop, YOCHO_PARTITIONS="5")
        assert result.exit_code == 1
        assert "has 2 partitions" in result.stderr

    def test_the_answer_can_be_had_without_a_command(self, shop):
        settings = Settings.from_env({**{k: v for k, v in ENVIRONMENT.items() if v}, "YOCHO_BROKERS": shop[0]})
        assert len(asyncio.run(soonest(settings, WITHIN_S, Level.WATCH, limit=2))) == 2


@pytest.mark.parametrize(
    ("lang", "words"),
    [("ja", "7日以内に次のレベルに達する顧客はいません"), ("en", "Nobody reaches another level within 7 days")],
)
def test_an_empty_list_says_so(capsys, lang, words):
    command._print([], lang, 7 * DAY_S)
    assert words in capsys.readouterr().out


def test_a_customer_id_cannot_steer_the_terminal(capsys, line):
    (one, *_) = ahead(watch_of(line), line.partition, WITHIN_S, Level.WATCH)
    command._print([msgspec.structs.replace(one, customer_id="[red]c\x1b[2J")], "en", WITHIN_S)
    out = capsys.readouterr().out
    assert "[red]c?[2J" in out and "\x1b" not in out


@pytest.mark.parametrize(
    "arguments", [("--within", "week"), ("--level", "healthy"), ("--limit", "0")], ids=["within", "level", "limit"]
)
def test_a_wrong_argument_is_one_line(arguments):
    result = CliRunner().invoke(main, ["upcoming", *arguments])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1 and arguments[0] in result.stderr
