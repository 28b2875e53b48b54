"""What people say about a customer: read like an event, written as it is read, and no more than it is."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.commands import Command, CommandKind
from models.target import DAY_S
from streams.codec import decode
from streams.commands import encode
from streams.reasons import Reason
from streams.topics import COMMANDS
from tests.bad_input import KEY, body
from tests.builders import NOW_MS, START_MS, ack, email_open, login, order, snooze
from tests.streams.harness import FirstLine


def read(value: bytes, key: bytes = KEY):
    return decode(COMMANDS, key, value, now_ms=NOW_MS)


class TestCodec:
    def test_a_command_says_who_what_and_until_when(self):
        command = read(body(COMMANDS, until="2024-01-15T00:00:00.9Z"))
        assert command == Command.of(
            "c1", "k1", START_MS, kind=CommandKind.SNOOZE, by="Sato", until_s=START_MS // 1000 + 14 * DAY_S
        )
        assert not command.engaged

    def test_an_acknowledgement_needs_no_end_and_one_that_is_given_means_nothing(self):
        plain, odd = (read(body(COMMANDS, kind="ack", until=until)) for until in (None, "whenever"))
        assert plain == odd
        assert plain.until_s == 0

    def test_a_snooze_that_ends_at_once_ends_the_one_that_runs(self):
        assert read(body(COMMANDS, until=START_MS)).until_s == START_MS // 1000

    @pytest.mark.parametrize("by", ["佐藤\u3000花子", "O'Neil", "x" * 64, "名" * 64])
    def test_names_of_any_script_are_taken(self, by):
        assert read(body(COMMANDS, by=by)).by == by

    @given(
        st.sampled_from(CommandKind),
        st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=64),
        st.integers(START_MS, NOW_MS),
        st.integers(0, 90 * DAY_S),
    )
    def test_what_is_written_is_read_again(self, kind, by, issued_at_ms, snooze_s):
        until_s = -(-issued_at_ms // 1000) + snooze_s if kind == CommandKind.SNOOZE else 0
        command = Command.of("c1", "k1", issued_at_ms, kind=kind, by=by, until_s=until_s)
        assert read(encode(command)) == command


class TestAdmission:
    """What may become of a command before it reaches anybody's episode."""

    def test_a_command_about_nobody_is_set_aside_and_founds_nobody(self):
        line = FirstLine()
        line.take(ack("nobody"), snooze("nobody", at="+1d", until="+2d"), snooze("proxy", at="+1d", until="+2d"))
        line.pass_time("+3d")
        assert len(line.partition) == 0
        assert [dict(out.headers)["x-reason"] for out in line.dead_letters()] == [b"unknown_customer"] * 3
        assert line.metric("yocho_events_total", type="command", outcome="rejected") == 3
        assert line.metric("yocho_events_total", type="command", outcome="applied") == 0

    def test_who_is_known_by_machine_opens_alone_is_nobody_to_take_care_of(self):
        line = FirstLine()
        line.take(email_open(machine=True), snooze(at="+1d", until="+2d"))
        assert [dict(out.headers)["x-reason"] for out in line.dead_letters()] == [b"unknown_customer"]

    def test_whoever_was_met_in_the_same_batch_is_known(self):
        line = FirstLine()
        line.take(login(), snooze(at="+1m", until="+2d"), ack("c2", at="+2m"), order("c2", at="+3m"))
        assert line.row()["snoozed_until"] == START_MS // 1000 + 2 * DAY_S
        (dead,) = line.dead_letters()
        assert dead.key == b"c2", "the order came later"

    def test_a_snooze_lasts_a_horizon_at_most(self):
        line = FirstLine()
        line.take(order(), snooze(at="+1d", until="+8d"), snooze(at="+2d", until="+216h"))
        line.take(snooze(at="+3d", until="+11d"))
        assert [dict(out.headers)["x-reason"].decode() for out in line.dead_letters()] == [str(Reason.INVALID_UNTIL)]
        assert line.row()["snoozed_until"] == START_MS // 1000 + 9 * DAY_S

    def test_a_command_is_no_engagement(self):
        said, silent = FirstLine(), FirstLine()
        for line in (said, silent):
            line.take(order())
        said.take(ack(at="+1d"), snooze(at="+1d", until="+1d"))
        for line in (said, silent):
            line.pass_time("+2d")
        told = ("applied", "recent_ids", "recent_next", "snoozed_until")
        assert said.rows(without=told) == silent.rows(without=told)

    def test_a_command_given_twice_is_one_command(self):
        line = FirstLine()
        line.take(order(), snooze(at="+1d", until="+3d", command_id="k1"))
        line.take(snooze(at="+2d", until="+5d", command_id="k1"))
        assert line.row()["snoozed_until"] == START_MS // 1000 + 3 * DAY_S
        assert line.metric("yocho_events_total", type="command", outcome="duplicate") == 1

    def test_an_acknowledgement_of_nothing_is_counted_as_in_vain_and_publishes_nothing(self):
        line = FirstLine()
        line.take(order(), ack(at="+1h"))
        assert line.metric("yocho_events_total", type="command", outcome="in_vain") == 1
        assert line.metric("yocho_events_total", type="command", outcome="applied") == 0
        assert line.alerts() == line.dead_letters() == []

    def test_a_late_command_takes_effect_when_its_turn_comes(self):
        """An order of somebody else has carried time on to day 12, and c1's alert is older than that."""
        line = FirstLine()
        line.take(order(), order("c2", at="+12d"))
        line.pass_time("+12d")
        line.take(ack(at="+6d"))
        (answer,) = [alert for alert in line.alerts() if alert.type == "acknowledged"]
        assert answer.occurred_at.timestamp() == START_MS / 1000 + 12 * DAY_S


def test_the_body_written_for_an_acknowledgement_has_no_end():
    command = Command.of("c1", "k1", START_MS, kind=CommandKind.ACK, by="Sato")
    assert "until" not in orjson.loads(encode(command))
