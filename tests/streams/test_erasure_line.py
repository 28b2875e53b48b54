"""An erasure on the first line: nothing of the customer stays, nothing of it comes back, and nobody else notices."""

import numpy as np
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.erased import PART
from models.target import DAY_S
from streams.codec import decode
from streams.commands import Erase, encode_erase
from streams.engine.changelog import META_KEY, take_changes
from streams.partitioner import partition_of
from streams.topics import ALERTS, COMMANDS, DEAD_LETTERS, LABELS, OUTCOMES
from tests.bad_input import body
from tests.builders import NOW_MS, START_MS, Record, ack, at_ms, email_open, erase, erase_tombstone, login, order
from tests.streams.harness import FirstLine, in_pieces
from tests.streams.random_logs import CUTS, END, KINDS, MAIL, STEPS, by_customer, erased_of, log_of, run


def erased_line(*samples, at="+10d", **options):
    """A line that knew c1, erased on day 10."""
    line = FirstLine(**options)
    line.take(order(), login(at="+1d"), *samples)
    line.take(erase(at=at))
    return line


def keys(line):
    return [key for key, _, _ in take_changes(line.partition)]


class TestCodec:
    def test_what_is_written_is_read_again(self):
        value = encode_erase("c1", "k1", START_MS + 999, "Sato")
        assert decode(COMMANDS, b"c1", value, now_ms=NOW_MS) == Erase(START_MS + 999)
        assert orjson.loads(value)["kind"] == "erase"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"by": ""}, "invalid_by"),
            ({"by": None}, "missing_field"),
            ({"customer_id": None}, "missing_field"),
            ({"customer_id": "c2"}, "key_mismatch"),
            ({"issued_at": "soon"}, "invalid_time"),
        ],
    )
    def test_an_erasure_must_be_whole(self, changes, reason):
        value = body(COMMANDS, **{"kind": "erase"} | changes)
        assert decode(COMMANDS, b"c1", value, now_ms=NOW_MS).reason == reason


class TestGone:
    def test_the_state_goes_and_tombstones_follow_it_on_every_topic_that_tells_of_the_customer(self):
        line = FirstLine()
        line.take(order())
        take_changes(line.partition)
        line.pass_time("+10d")
        assert line.alerts()
        line.take(erase(at="+11d"))
        assert list(line.partition) == []
        assert len(line.partition.due) == 0 or not line.partition.rows["due_at"].any()
        assert [line.tombstones(topic) for topic in (ALERTS, OUTCOMES, LABELS)] == [[b"c1"]] * 3
        assert line.out[-1].value is None
        changes = {key: value for key, value, _ in take_changes(line.partition)}
        assert changes.keys() == {b"c1", META_KEY}
        assert changes[b"c1"] is None
        line.pass_time(END)
        assert line.out[-1].value is None, "nothing is told of them afterwards"

    def test_somebody_unknown_leaves_tombstones_too_as_a_copy_may_lie_where_no_worker_reads_it(self):
        line = FirstLine()
        line.take(order("c2"), erase("c1", at="+1d"))
        assert [line.tombstones(topic) for topic in (ALERTS, OUTCOMES, LABELS)] == [[b"c1"]] * 3
        assert keys(line) == [b"c2", b"c1", META_KEY]
        assert list(line.partition) == [b"c2"]
        assert line.dead_letters() == []

    def test_it_is_never_too_late(self):
        """Stream time is two months ahead; whoever asked to be erased is."""
        line = FirstLine()
        line.take(order("c1", at="+59d"), order("c2", at="+60d"))
        line.take(erase("c1", at="+1d"))
        assert list(line.partition) == [b"c2"]
        assert line.dead_letters() == []
        assert line.partition.stream_time_s == at_ms("+60d") // 1000

    def test_what_silence_had_brought_about_by_then_is_told_and_nothing_after(self):
        asked, lived = FirstLine(), FirstLine()
        for line in (asked, lived):
            line.take(order())
        asked.take(erase(at="+9d"))
        lived.pass_time("+9d")
        lived.pass_time(at_ms("+9d") + 1000)
        assert [alert.alert_id for alert in asked.alerts()] == [alert.alert_id for alert in lived.alerts()] != []

    def test_the_memory_of_it_does_not_hold_the_id(self):
        line = FirstLine()
        line.take(order("erase-me"), erase("erase-me", at="+1d"))
        *_, (_, meta, _) = take_changes(line.partition)
        assert b"erase-me" not in meta
        assert len(orjson.loads(meta)["memory"][PART]) == 1


class TestSuppressed:
    def test_whatever_they_had_done_by_then_has_no_effect_and_is_no_dead_letter(self):
        line = erased_line(order("c2", at="+9d"))
        before, told = line.rows(), list(line.out)
        line.take(order(at="+2d"), login(at="+10d"), email_open(at="+1d", machine=True), ack(at="+9d"))
        assert (line.rows(), line.out) == (before, told)
        for kind in ("order", "login", "email_open", "command"):
            assert line.metric("yocho_events_total", type=kind, outcome="erased") == 1

    def test_not_even_what_is_later_than_the_bound_becomes_a_dead_letter(self):
        line = erased_line(order("c2", at="+40d"))
        line.take(order("c1", at="+2d"), order("c3", at="+2d"))
        assert [out.key for out in line.dead_letters()] == [b"c3"]

    def test_a_bad_record_goes_by_when_it_was_appended(self):
        line = erased_line()
        bad = Record("orders", 0, 0, at_ms("+10d"), b"c1", b"{")
        line.take(bad, bad._replace(key=b"c2"), bad._replace(timestamp=at_ms("+10d") + 1000), bad._replace(key=None))
        assert [out.key for out in line.dead_letters()] == [b"c2", b"c1", None]

    def test_what_they_do_from_the_next_second_on_is_that_of_somebody_new(self):
        line = erased_line()
        line.take(order(at=at_ms("+10d") + 999))
        assert list(line.partition) == []
        line.take(order(at=at_ms("+10d") + 1000))
        assert line.row()["count"].tolist() == [1, 0, 0]
        assert line.row()["first_at"] == at_ms("+10d") // 1000 + 1

    def test_a_recovered_worker_knows_of_it(self):
        line = erased_line()
        line.recover()
        line.take(order(at="+2d"), login(at="+3d"))
        assert list(line.partition) == []
        assert line.dead_letters() == []

    def test_who_left_long_ago_is_remembered_as_long_as_state_would_be(self):
        line = erased_line(forget=1_000 * DAY_S)
        line.take(order("c2", at="+1009d"), erase("c3", at="+1009d"), erase("c4", at="+1011d"))
        assert len(line.partition.memory[PART]) == 2


class TestAgain:
    def test_an_erasure_said_or_delivered_twice_leaves_alone_who_has_come_back(self):
        line = erased_line()
        line.take(order(at="+11d"))
        row, tombstones = line.rows(), line.tombstones(ALERTS)
        line.take(erase(at="+10d"), erase(at="+9d"))
        assert (line.rows(), line.tombstones(ALERTS)) == (row, tombstones)
        assert line.metric("yocho_events_total", type="command", outcome="in_vain") == 2
        line.take(erase(at="+12d"))
        assert list(line.partition) == []
        assert len(line.tombstones(ALERTS)) == 2

    def test_a_late_one_covers_what_came_before_it_so_that_no_redelivery_brings_it_back(self):
        line = FirstLine()
        sent = line.take(order(at="+0s"), order(at="+20d"))
        sent += line.take(erase(at="+19d"))
        assert list(line.partition) == []
        line.restart()
        line.fetch(sent[:2])
        line.fetch(sent[2:])
        assert list(line.partition) == []
        assert line.metric("yocho_events_total", type="order", outcome="erased") == 2


def test_a_file_of_erasures_is_as_many_erasures_said_one_by_one():
    """They come together, a tombstone behind each; one is named twice, one is unknown, and one comes back between."""
    at_once, one_by_one = FirstLine(), FirstLine()
    for line in (at_once, one_by_one):
        line.take(*[order(f"c{n}", event_id=f"e{n}") for n in range(6)])
    said = [erase(who, at="+1d", command_id=f"k{n}") for n, who in enumerate(["c0", "c1", "c9", "c1", "c4"])]
    tombstones = [erase_tombstone(sample.event.customer_id, at="+1d") for sample in said]
    behind = [record for pair in zip(said, tombstones, strict=True) for record in pair]
    again = [order("c0", at="+2d", event_id="again"), erase("c5", at="+2d", command_id="k9")]
    at_once.take(*behind, *again)
    for sample in [*said, *again]:
        one_by_one.take(sample)
    assert at_once.rows().keys() == {b"c0", b"c2", b"c3"}
    assert at_once.rows(without=("applied",)) == one_by_one.rows(without=("applied",))
    assert by_customer(at_once.out) == by_customer(one_by_one.out)
    assert at_once.metric("yocho_events_total", type="command", outcome="in_vain") == 1
    assert _erased(at_once) == _erased(one_by_one)


def test_the_tombstone_behind_an_erasure_says_nothing():
    line = FirstLine()
    line.take(order("c1"))
    rows, told, time_s = line.rows(), list(line.out), line.partition.stream_time_s
    line.take(erase_tombstone("c1", at="+1d"), erase_tombstone("c9", at="+1d"))
    assert (line.rows(), line.out, line.partition.stream_time_s) == (rows, told, time_s)


def test_an_erasure_on_a_wrong_partition_erases_nobody_and_is_set_aside():
    line = FirstLine(partitions=4, number=(partition_of(b"c1", 4) + 1) % 4)
    line.take(erase("c1"))
    (letter,) = line.dead_letters()
    assert dict(letter.headers)["x-reason"] == b"wrong_partition"
    assert PART not in line.partition.memory
    assert line.partition.stream_time_s == 0


@given(steps=STEPS, cut=st.integers(0, 30), back=st.integers(0, 30), cuts=CUTS)
@example(steps=[("c2", 0, 0), ("c1", 0, 200), ("c1", 0, 400), ("c1", 0, 400)], cut=4, back=4, cuts=[])
@example(  # c2 is forgotten and comes back by another source
    steps=[("c2", 2, 0), *[("c1", 0, 400)] * 4, ("c2", 0, 0)], cut=6, back=6, cuts=[]
)
def test_a_crash_after_any_commit_changes_nothing(steps, cut, back, cuts):
    """State is written, offsets are not yet: what was applied comes again, the erasures with it."""
    samples = log_of(steps, late=False)
    whole, line = run(samples), FirstLine(**MAIL)
    sent = line.send(*samples)
    line.fetch(sent[:cut])
    applied = [ledger.committable or 0 for ledger in line.ledgers]
    line.recover()
    again = [one for i, one in enumerate(sent) if i >= cut - back or one.record.offset >= applied[one.number]]
    for piece in in_pieces(again, cuts):
        line.fetch(piece)
    line.pass_time(END)
    assert line.rows() == whole.rows()
    assert _erased(line) == _erased(whole)
    for topic in (ALERTS, OUTCOMES, LABELS):
        assert _told(line, topic) == _told(whole, topic)
    assert _letter_ids(line) == _letter_ids(whole)  # the reason may be another: by then it may be late, say


def _letter_ids(line):
    return {dict(letter.headers)["x-id"] for letter in line.told(DEAD_LETTERS)}


@given(steps=STEPS)
def test_of_who_is_erased_in_the_end_nothing_is_left_and_the_others_are_as_if_they_had_been_alone(steps):
    samples = log_of(steps, late=False)
    last = max(sample.event.occurred_at_ms for sample in samples) if samples else START_MS
    line = run([*samples, erase("c1", at=last), erase("c2", at=last)])
    alone = run([sample for sample in samples if sample.event.customer_id == "c3"])
    assert b"c1" not in line.partition
    assert b"c2" not in line.partition
    assert line.rows(without=("applied",)) == alone.rows(without=("applied",))


def test_the_kinds_of_the_random_logs_hold_erasures():
    samples = [kind("c1", at=START_MS, event_id="e1") for kind in KINDS]
    assert erased_of(samples) == {"c1"}


def _told(line, topic):
    """Each thing once: what was told before a crash may be told again."""
    return {key: set(map(repr, told)) for key, told in by_customer(line.told(topic)).items()}


def _erased(line):
    kept = line.partition.memory.get(PART)
    return {} if kept is None else kept if isinstance(kept, dict) else kept.to_dict()


def test_rows_that_were_freed_hold_nothing():
    line = erased_line()
    line.take(order("c2", at="+11d"))
    assert np.count_nonzero(line.partition.rows["first_at"][: len(line.partition)]) == 1
