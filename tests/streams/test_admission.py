"""What is let into the first line: bad, late and misdirected records leave a dead letter and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.apply import Columns
from models.events import Source
from models.target import DAY_S
from streams.admission import fingerprint
from streams.batch import Batch
from streams.partitioner import partition_of
from streams.reasons import Reason
from streams.settings import Settings
from streams.topics import enabled_inputs
from tests.bad_input import BAD_INPUT
from tests.builders import START_MS, Record, consumed, email_click, email_open, email_send, login, order
from tests.streams.harness import FirstLine

LATENESS_S = 7 * DAY_S


def header(letter, name):
    return dict(letter.headers)[name].decode()


def unchanged(line):
    """Everything a bad record must leave alone."""
    return line.rows(), line.partition.stream_time_s, line.partition.dirty_count, len(line.partition.due), line.alerts()


@pytest.fixture(scope="module")
def line():
    """A partition on which the customer of the table is known."""
    line = FirstLine()
    line.take(order("c1", event_id="known"), login("c1"))
    return line


@pytest.mark.parametrize("bad", BAD_INPUT, ids=lambda bad: bad.name)
def test_bad_input_gives_exactly_one_dead_letter_and_changes_nothing_else(line, bad):
    before, letters = unchanged(line), len(line.dead_letters())
    rejected = line.metric("yocho_dead_letters_total", reason=str(bad.reason)) or 0
    ((_, record),) = line.take(Record(bad.source.key, 0, 0, START_MS, bad.key, bad.value, (("trace", b"t1"),)))
    (letter,) = line.dead_letters()[letters:]
    assert (letter.key, letter.value, letter.partition) == (bad.key, bad.value, 0)
    place = (header(letter, "x-topic"), int(header(letter, "x-partition")), int(header(letter, "x-offset")))
    assert place == (bad.source.key, 0, record.offset)
    assert header(letter, "x-reason") == bad.reason
    assert header(letter, "original.trace") == "t1"
    assert unchanged(line) == before
    assert line.metric("yocho_dead_letters_total", reason=str(bad.reason)) == rejected + 1


def test_a_bad_record_between_good_ones_keeps_neither_from_counting():
    line = FirstLine()
    line.take(order(), Record("orders", 0, 0, START_MS, b"c1", b"{"), order(at="+1d"))
    assert line.row()["count"].tolist() == [2, 0, 0]
    assert [header(letter, "x-offset") for letter in line.dead_letters()] == ["1"]


class TestLate:
    """An event may come as late as the setting says, to the second; beyond it, it is set aside."""

    @pytest.mark.parametrize(("late_by_s", "counted"), [(LATENESS_S - 1, 2), (LATENESS_S, 2), (LATENESS_S + 1, 1)])
    @pytest.mark.parametrize("together", [True, False])
    def test_the_boundary_is_exact(self, late_by_s, counted, together):
        line = FirstLine()
        samples = [order(at="+30d"), order(at=START_MS + (30 * DAY_S - late_by_s) * 1000)]
        for batch in [samples] if together else [[sample] for sample in samples]:
            line.take(*batch)
        assert line.row()["count"].tolist() == [counted, 0, 0]
        assert [header(letter, "x-reason") for letter in line.dead_letters()] == ["late"] * (2 - counted)

    def test_a_latecomer_founds_no_customer_and_moves_no_time(self):
        line = FirstLine()
        line.take(order("c1", at="+30d"))
        before = line.partition.stream_time_s
        line.take(order("c2", at="+1d"))
        assert list(line.partition) == [b"c1"]
        assert line.partition.stream_time_s == before

    def test_it_is_late_by_the_stream_time_of_its_turn_and_not_of_its_batch(self):
        line = FirstLine()
        line.take(order("c1", at="+1d"), order("c2", at="+30d"), order("c3", at="+2d"))
        assert {header(letter, "x-offset") for letter in line.dead_letters()} == {"2"}

    def test_one_that_state_already_holds_gives_no_dead_letter_when_it_is_delivered_again(self):
        """It was in time when it came; after a restart the stream time is ahead of what is read again."""
        line = FirstLine()
        sent = line.take(order("c1", at="+1d"), order("c1", at="+10d"))
        line.restart()
        line.fetch(sent)
        assert line.dead_letters() == []
        assert line.row()["count"].tolist() == [2, 0, 0]

    def test_a_lateness_of_its_own_choice(self):
        line = FirstLine(lateness_s=3600)
        line.take(order("c1", at="+2h"), order("c1", at="+1h"), order("c1", at=START_MS + 3_599_000))
        assert line.row()["count"].tolist() == [2, 0, 0]
        assert len(line.dead_letters()) == 1


class TestStrangers:
    """A customer lives on one partition; a second copy elsewhere would hold half the truth."""

    def test_a_key_of_another_partition_gives_a_dead_letter_and_no_customer(self):
        line = FirstLine(partitions=4, number=0)
        here, elsewhere = [n for n in range(50) if home(n) == 0], [n for n in range(50) if home(n) != 0]
        line.take(*[order(f"c{n}") for n in range(50)])
        assert set(line.partition) == {b"c%d" % n for n in here}
        assert {header(letter, "x-reason") for letter in line.dead_letters()} == {str(Reason.WRONG_PARTITION)}
        assert [letter.key for letter in line.dead_letters()] == [b"c%d" % n for n in elsewhere]

    def test_a_stranger_from_the_future_moves_no_stream_time(self):
        line = FirstLine(partitions=4, number=0)
        strange = next(n for n in range(50) if home(n) != 0)
        line.take(order(f"c{strange}", at="+90d"))
        assert line.partition.stream_time_s == 0


def home(n):
    return partition_of(b"c%d" % n, 4)


class TestDuplicates:
    def test_the_same_event_id_counts_once_and_is_no_dead_letter(self):
        line = FirstLine()
        line.take(order(event_id="o1"), order(event_id="o1"), order(event_id="o1", at="+1d", amount=99))
        assert line.row()["count"].tolist() == [1, 0, 0]
        assert line.row()["last_at"].max() == START_MS // 1000
        assert line.dead_letters() == []

    def test_the_same_id_is_known_again_after_an_optional_input_was_switched_on(self):
        """The number of an input depends on which are read, its fingerprints must not."""
        click = email_click(event_id="k1")
        before = FirstLine(email_clicks_topic="email-clicks")
        before.take(click)
        after = FirstLine(email_sends_topic="email-sends", email_clicks_topic="email-clicks")
        after.partition.restore([b"c1"], before.partition.rows[:1])
        after.take(email_send(), click)
        assert after.row()["clicks_long"] == 1.0
        assert after.row()["applied"].tolist() == [-1, -1, -1, 0, 0, -1]

    def test_an_order_and_a_login_may_carry_the_same_id(self):
        line = FirstLine()
        line.take(order(event_id="1"), login(event_id="1"))
        assert line.row()["count"].tolist() == [1, 1, 0]

    @pytest.mark.parametrize("form", ["{}", "e{}", "{:08d}", "o-{:013d}", "{:032x}"])
    def test_no_two_ids_are_taken_for_one_whatever_inputs_they_came_from(self, form):
        """Where inputs share a counter, their ids differ in a digit and their sources in a bit."""
        ids = [form.format(number) for number in range(20_000)]
        assert len({fingerprint(event_id, source) for event_id in ids for source in Source}) == len(ids) * len(Source)

    def test_an_order_is_not_lost_for_a_mail_that_was_opened_before_under_an_id_that_looks_alike(self):
        line = FirstLine()
        line.take(email_open(event_id="e160202"), order(event_id="e162202"))
        assert line.row()["count"].tolist() == [1, 0, 1]


def test_a_decoded_record_brings_its_event_time_and_a_bad_one_none():
    line = FirstLine()
    records = [consumed(order(at="+1d"), offset=7), Record("orders", 0, 8, START_MS, b"c1", None)]
    (time_ms, arrival), (no_time, refused) = line.pipeline.decode(0, records)
    assert (time_ms, arrival.offset) == (START_MS + DAY_S * 1000, 7)
    assert (no_time, refused.offset, refused.reject.reason) == (0, 8, Reason.NULL_VALUE)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_rounds_hold_everybody_once_and_keep_each_customers_order(slots):
    empty = np.zeros(len(slots))
    batch = Batch(np.array(slots, np.intp), Columns(*[empty] * 7), empty, empty)
    rounds = [index.tolist() for index in batch.rounds()]
    assert sorted(i for index in rounds for i in index) == list(range(len(slots)))
    for index in rounds:
        assert len({slots[i] for i in index}) == len(index)
    for slot in set(slots):
        assert [i for index in rounds for i in index if slots[i] == slot] == [
            i for i, s in enumerate(slots) if s == slot
        ]


def test_the_table_of_bad_input_meets_every_enabled_input():
    assert {bad.source for bad in BAD_INPUT} == set(enabled_inputs(Settings()))
