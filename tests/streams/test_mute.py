"""A backfill calls nobody to action, and cuts over to live at a moment of event time: no gap, no flood."""

from datetime import UTC, datetime

import msgspec
import orjson
import pytest
from click.testing import CliRunner

from models.target import DAY_S
from streams.alerts import EXAMPLE, encode
from streams.broker import EmbeddedBroker
from streams.cli import main
from streams.cli import worker as worker_command
from streams.cluster import Cluster
from streams.logs import LIFE
from streams.settings import Settings
from streams.times import time_s, time_text
from streams.topics import ALERTS, LABELS
from streams.worker import _say_muted
from tests.builders import START_MS, at_ms, login, order
from tests.streams.harness import FirstLine, in_pieces

CUT_DAY = 40
CUT_S = at_ms(f"+{CUT_DAY}d") // 1000
ORDER_DAYS = {f"c{n}": list(range(n, 30 + 4 * n, 2 + n)) for n in range(12)} | {"back": [0, 3, 6, 9, 44, 47]}
END = "+90d"


def history():
    samples = [order(who, at=START_MS + day * DAY_S * 1000) for who, days in ORDER_DAYS.items() for day in days]
    samples += [login(f"c{n}", at=f"+{20 + 3 * n}d") for n in range(8)]
    return sorted(samples, key=lambda sample: sample.event.occurred_at_ms)


def played(samples, *, cuts=(), restart=False, **settings):
    line = FirstLine(horizon_s=14 * DAY_S, **settings)
    for part in in_pieces(samples, cuts):
        line.take(*part)
        if restart:
            line.restart()
    line.pass_time(END)
    return line


@pytest.fixture(scope="module")
def samples():
    return history()


@pytest.fixture(scope="module")
def loud(samples):
    return played(samples)


@pytest.fixture(scope="module")
def marked(samples):
    return played(samples, mute_before_s=CUT_S)


def news(line):
    return [(alert.alert_id, alert.level, alert.occurred_at) for alert in line.alerts()]


def at_s(alert):
    return alert.occurred_at.timestamp()


def at_day(day):
    return datetime.fromtimestamp(START_MS // 1000 + day * DAY_S, UTC)


def test_a_muted_run_tells_what_an_unmuted_one_tells(loud, marked):
    assert news(marked) == news(loud)
    assert [msgspec.structs.replace(alert, replay=False) for alert in marked.alerts()] == loud.alerts()


def test_everything_before_the_cut_is_marked_and_nothing_after_it(marked):
    before = [alert.replay for alert in marked.alerts() if at_s(alert) < CUT_S]
    after = [alert.replay for alert in marked.alerts() if at_s(alert) >= CUT_S]
    assert len(before) > 10 and all(before)
    assert len(after) > 10 and not any(after)


def test_the_header_tells_a_mailer_without_reading_the_body(marked):
    for out, alert in zip(marked.told(ALERTS), marked.alerts(), strict=True):
        assert dict(out.headers).get("ce_yochoreplay") == (b"true" if alert.replay else None)


def test_dropped_history_leaves_exactly_the_live_alerts(samples, loud):
    dropped = played(samples, mute_before_s=CUT_S, muted="drop")
    assert news(dropped) == [(alert_id, level, at) for alert_id, level, at in news(loud) if at.timestamp() >= CUT_S]


@pytest.mark.parametrize("muted", ["mark", "drop"])
def test_state_and_labels_are_built_all_the_same(samples, loud, muted):
    quiet = played(samples, mute_before_s=CUT_S, muted=muted)
    assert [out.value for out in quiet.told(LABELS)] == [out.value for out in loud.told(LABELS)]
    assert quiet.rows() == loud.rows()


def test_the_cut_is_where_it_was_after_restarts_and_in_other_batches(samples, marked):
    again = played(samples, cuts=(7, 30, 31, 60, 75), restart=True, mute_before_s=CUT_S)
    assert sorted((a.alert_id, a.replay) for a in again.alerts()) == sorted(
        (a.alert_id, a.replay) for a in marked.alerts()
    )


def test_who_slipped_away_before_the_cut_is_heard_of_when_it_gets_worse_or_better(marked):
    """Nobody is called to action about its opening; its end on day 44 is news."""
    theirs = [alert for alert in marked.alerts() if alert.customer_id == "back"]
    opened, *_, before, after = [alert for alert in theirs if alert.occurred_at <= at_day(44)]
    assert (opened.replay, before.replay, after.replay) == (True, True, False)
    assert before.type != "recovered" == after.type


def test_a_late_order_from_before_the_cut_ends_an_episode_that_people_know():
    def told(late_at_s, mute_before_s):
        line = FirstLine(horizon_s=14 * DAY_S, lateness_s=60 * DAY_S, mute_before_s=mute_before_s)
        line.take(*(order(at=f"+{day}d") for day in range(10)))
        line.take(order("other", at="+15d"))
        line.take(order(at=late_at_s * 1000))
        return [alert for alert in line.alerts() if alert.customer_id == "c1"]

    cut_s = int(at_s(told(at_ms("+15d") // 1000, 1)[0]))
    opened, *_, recovered = told(cut_s - 3_600, cut_s)
    assert (opened.type, recovered.type, at_s(recovered)) == ("opened", "recovered", cut_s - 3_600)
    assert not opened.replay and not recovered.replay


def test_outcomes_that_were_certain_before_the_cut_are_history_too(samples, loud, marked):
    dropped = played(samples, mute_before_s=CUT_S, muted="drop")
    assert [msgspec.structs.replace(one, replay=False) for one in marked.outcomes()] == loud.outcomes()
    assert {one.replay for one in marked.outcomes()} == {True, False}
    assert all(one.replay == (at_s(one) < CUT_S) for one in marked.outcomes())
    assert dropped.outcomes() == [one for one in loud.outcomes() if at_s(one) >= CUT_S]


def test_live_metrics_leave_out_what_nobody_was_called_to_action_about(marked, loud):
    for level in ("watch", "at_risk", "critical"):
        for outcome in ("returned", "churned"):
            counted = marked.metric("yocho_outcomes_total", level=level, outcome=outcome) or 0
            known = [one for one in marked.outcomes() if (one.level, one.outcome) == (level, outcome)]
            assert counted == sum(one.opened_at.timestamp() >= CUT_S for one in known)
    told = ("none", "watch", "at_risk", "critical")
    lost, all_lost = (
        sum(line.metric("yocho_lost_customers_total", told=level) for level in told) for line in (marked, loud)
    )
    assert 0 < lost < all_lost


def test_muted_alerts_are_counted_apart(samples, loud, marked):
    dropped = played(samples, mute_before_s=CUT_S, muted="drop")
    for kind in ("opened", "escalated", "recovered", "expired"):
        for level in ("watch", "at_risk", "critical", "churned", "healthy"):
            labels = {"level": level, "type": kind}
            published = [a for a in marked.alerts() if (a.level, a.type) == (level, kind)]
            for line in (marked, dropped):
                live, muted = (line.metric(f"yocho_{name}_total", **labels) or 0 for name in ("alerts", "muted_alerts"))
                assert live == sum(not a.replay for a in published)
                assert muted == sum(a.replay for a in published)
                assert live + muted == (loud.metric("yocho_alerts_total", **labels) or 0)


def test_without_the_setting_nothing_is_muted(loud):
    assert not any(alert.replay for alert in loud.alerts())
    assert Settings().mute.before_s == 0


def test_history_is_shown_only_to_who_asks_for_it():
    def shown(*options):
        command = ["alerts", *options, "--from-start", "--until-idle", "0.5"]
        return CliRunner().invoke(main, command, env={"YOCHO_BROKERS": broker.bootstrap}).stdout

    with EmbeddedBroker.for_settings(Settings()) as broker:
        producer = Cluster.reach(Settings(brokers=(broker.bootstrap,))).producer()
        for replay in (True, False):
            producer.send("churn-alerts", key=b"c1", value=encode(msgspec.structs.replace(EXAMPLE, replay=replay)))
        producer.close()
        live, everything, live_json, all_json = (
            shown(*options) for options in ((), ("--replay",), ("--json",), ("--json", "--replay"))
        )
    assert (live.count("【"), live.count("（過去分）")) == (1, 0)
    assert (everything.count("【"), everything.count("（過去分）")) == (2, 1)
    assert [orjson.loads(line)["replay"] for line in live_json.splitlines()] == [False]
    assert sorted(orjson.loads(line)["replay"] for line in all_json.splitlines()) == [False, True]


class TestCommand:
    """`yocho worker --mute`, with the worker itself left out."""

    @pytest.fixture
    def ran(self, monkeypatch, caplog):
        """Settings it would run with; what it says of them at its start is in the log."""
        taken = []
        caplog.set_level("INFO", LIFE)

        def start(settings, level):
            _say_muted(settings)
            taken.append(settings)
            return 0

        monkeypatch.setattr(worker_command, "run_worker", start)

        def run(*arguments, **environment):
            result = CliRunner().invoke(main, ["worker", *arguments], env={"YOCHO_MUTE_BEFORE": None} | environment)
            return result, (taken or [None])[-1]

        return run

    def test_mute_takes_the_present_moment_and_prints_it_for_the_next_start(self, ran, monkeypatch, caplog):
        monkeypatch.setattr(worker_command.time, "time", lambda: 1_743_433_200.9)
        _, settings = ran("--mute")
        assert settings.mute_before_s == 1_743_433_200
        assert "YOCHO_MUTE_BEFORE=2025-03-31T15:00:00Z are marked replay" in caplog.text
        _, again = ran(YOCHO_MUTE_BEFORE="2025-03-31T15:00:00Z")
        assert again == settings

    def test_another_moment_can_be_named(self, ran, caplog):
        _, settings = ran("--mute-before", "2025-04-01T00:00:00+09:00", YOCHO_MUTED="drop")
        assert settings.mute_before_s == 1_743_433_200
        assert "are not sent" in caplog.text

    def test_without_it_nothing_is_said(self, ran, caplog):
        result, settings = ran()
        assert (settings.mute_before_s, result.stderr, caplog.text) == (None, "", "")

    @pytest.mark.parametrize(
        ("arguments", "variables"),
        [
            (("--mute", "--mute-before", "2025-04-01T00:00:00Z"), {}),
            (("--mute",), {"YOCHO_MUTE_BEFORE": "2025-04-01T00:00:00Z"}),
        ],
    )
    def test_a_restart_with_mute_cannot_move_a_moment_that_is_named(self, ran, arguments, variables):
        """It would mute what happened while the worker was down."""
        result, settings = ran(*arguments, **variables)
        assert (result.exit_code, settings) == (2, None)
        assert "leave --mute out" in result.stderr

    @pytest.mark.parametrize("text", ["yesterday", "2025-04-01", "2025-04-01T00:00:00", "1960-01-01T00:00:00Z"])
    def test_a_moment_without_a_zone_is_refused(self, ran, text):
        result, _ = ran("--mute-before", text)
        assert result.exit_code == 2 and "RFC 3339" in result.stderr


@pytest.mark.parametrize("text", ["2025-03-31T15:00:00Z", "1970-01-01T00:00:01Z", "2106-02-07T06:28:15Z"])
def test_moments_are_written_as_they_are_read(text):
    assert time_text(time_s(text)) == text
