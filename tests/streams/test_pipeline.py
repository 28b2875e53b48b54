"""The first line as a whole: what becomes of a customer depends on their events and on time, on nothing else."""

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.target import DAY_S
from streams.topics import ALERTS, DEAD_LETTERS, LABELS, OUTCOMES
from tests.builders import START_MS, at_ms, email_open, login, order
from tests.streams.harness import FirstLine, fixed_scorer, in_pieces
from tests.streams.random_logs import CUTS, END, MAIL, STEPS, by_customer, erased_of, log_of, run


def history(line, customer_id):
    """What a customer was told about, without what depends on where the records of others stand."""
    return [
        (alert.alert_id, alert.type, alert.level, alert.occurred_at, alert.probability, alert.reasons, alert.evidence)
        for alert in line.alerts()
        if alert.customer_id == customer_id
    ]


@given(steps=STEPS, cuts=CUTS, max_batch=st.sampled_from([1, 2, 3, 7, 4_000]), pace=st.sampled_from([1, 3, 1_000]))
def test_rows_alerts_outcomes_labels_and_dead_letters_do_not_depend_on_how_a_log_was_cut(steps, cuts, max_batch, pace):
    """Batches come as the broker, the network and the load will have it; none of this may reach a customer."""
    samples = log_of(steps)
    at_once, cut = run(samples), run(samples, cuts, max_batch=max_batch, pace=pace)
    assert cut.rows() == at_once.rows()
    assert cut.partition.stream_time_s == at_once.partition.stream_time_s
    for topic in (ALERTS, OUTCOMES, LABELS):
        assert by_customer(cut.told(topic)) == by_customer(at_once.told(topic))
    assert sorted(cut.dead_letters(), key=repr) == sorted(at_once.dead_letters(), key=repr)
    assert len(cut.alerts()) == len({alert.alert_id for alert in cut.alerts()})
    opened = Counter((alert.customer_id, alert.episode.number) for alert in cut.alerts() if alert.type == "opened")
    followed = Counter((outcome.customer_id, outcome.episode) for outcome in cut.outcomes())
    assert followed <= opened
    assert {customer_id for customer_id, _ in opened - followed} <= erased_of(samples), "an alert without an outcome"


@settings(max_examples=max(50, settings.default.max_examples // 2))
@given(steps=STEPS)
def test_a_customer_has_the_same_history_alone_and_among_others(steps):
    samples = log_of(steps, late=False)
    together = run(samples)
    for customer_id in {sample.event.customer_id for sample in samples}:
        alone = run([sample for sample in samples if sample.event.customer_id == customer_id])
        assert history(alone, customer_id) == history(together, customer_id)
        key = customer_id.encode()
        assert alone.rows(without=("applied",)).get(key) == together.rows(without=("applied",)).get(key)


@example(steps=[("c1", 7, 0), ("c2", 0, 1)], cuts=[], again_from=0)
@example(steps=[("c1", 7, 0), ("c1", 0, 200)], cuts=[], again_from=0)
@given(steps=STEPS, cuts=CUTS, again_from=st.integers(0, 40))
def test_records_delivered_again_change_nothing(steps, cuts, again_from):
    """A worker that died goes on from committed offsets, with state that may be ahead of them."""
    line = FirstLine(forget=1_000 * DAY_S, **MAIL)
    sent = line.send(*log_of(steps, late=False))
    line.fetch(sent)
    rows, told, stream_time_s = line.rows(), list(line.out), line.partition.stream_time_s
    line.restart()
    for piece in in_pieces(sent[again_from:], cuts):
        line.fetch(piece)
    assert line.rows() == rows
    again = line.out[len(told) :]
    assert line.out[: len(told)] == told
    assert {out.topic for out in again} <= {DEAD_LETTERS.topic(line.settings)}  # they may come twice, with the same id
    assert {dict(out.headers)["x-id"] for out in again} <= {dict(out.headers or ()).get("x-id") for out in told}
    assert line.partition.stream_time_s == stream_time_s


@pytest.mark.parametrize("together", [True, False])
def test_what_is_due_in_the_second_of_an_event_comes_before_the_event(together):
    """An order in the very second of the expiry does not undo the expiry: it recovers a customer who expired."""
    line = FirstLine()
    samples = [order(at="+0s"), order(at="+14d")]
    for batch in [samples] if together else [[sample] for sample in samples]:
        line.take(*batch)
    types = [(str(alert.type), alert.occurred_at.timestamp() - START_MS / 1000) for alert in line.alerts()]
    assert types[-2:] == [("expired", 14 * DAY_S), ("recovered", 14 * DAY_S)]


def test_a_timer_waits_until_its_second_is_over():
    """Events of that second may still come, and they count first or last the same way whoever brings the time."""
    line = FirstLine()
    line.take(order())
    due_at = int(line.row()["due_at"])
    line.pass_time(due_at * 1000)
    assert line.row()["due_at"] == due_at
    line.pass_time((due_at + 1) * 1000)
    assert line.row()["due_at"] > due_at


class TestForgotten:
    """Five horizons after the last sign of life a customer's state goes."""

    def test_who_is_silent_for_so_long_leaves_a_tombstone_and_a_free_row(self):
        line = FirstLine()
        line.take(order())
        line.partition.take_changes()
        line.pass_time("+36d")
        assert (len(line.partition), line.partition.slot(b"c1")) == (0, None)
        assert line.partition.take_changes()[2] == [b"c1"]

    def test_who_comes_back_is_new_whether_the_next_event_was_in_the_batch_or_came_later(self):
        samples = [order(at="+0s"), order(at="+1d"), order(at="+60d")]
        together, apart = FirstLine(), FirstLine()
        together.take(*samples)
        apart.take(*samples[:2])
        apart.pass_time("+40d")
        assert b"c1" not in apart.partition
        apart.take(samples[2])
        assert together.rows() == apart.rows()
        assert by_customer(together.out) == by_customer(apart.out)
        assert together.row()["count"].tolist() == [1, 0, 0]

    def test_an_old_event_that_is_delivered_again_afterwards_founds_nobody_and_is_no_dead_letter(self):
        line = FirstLine()
        sent = line.take(order("c1"), order("c2", at="+40d"))
        line.recover()
        line.fetch(sent)
        assert list(line.partition) == [b"c2"]
        assert line.dead_letters() == []
        assert line.metric("yocho_events_total", type="order", outcome="replayed") == 2

    def test_one_that_was_never_applied_is_set_aside_all_the_same(self):
        line = FirstLine()
        line.take(order("c1"), order("c2", at="+40d"))
        line.recover()
        line.take(order("c1", event_id="late"), login("c1"))
        assert [dict(letter.headers)["x-reason"] for letter in line.dead_letters()] == [b"late"] * 2

    @pytest.mark.parametrize("in_the_batch", [True, False])
    def test_the_changelog_gets_the_new_row_and_no_tombstone(self, in_the_batch):
        line = FirstLine()
        first, back = order(at="+0s"), order(at="+60d")
        if in_the_batch:
            line.take(first, back)
        else:
            line.take(first)
            line.partition.take_changes()
            line.pass_time("+40d")
            line.take(back)
        ids, rows, deleted = line.partition.take_changes()
        assert (ids, deleted) == ([b"c1"], [])
        assert rows["count"].tolist() == [[1, 0, 0]]


def test_a_new_assignment_begins_with_the_model_of_its_stream_time():
    line = FirstLine(pinned=False)
    line.take(order())
    line.book.add(fixed_scorer(line.settings.target, 4.0, at_ms("+1d") // 1000))
    line.partition.stream_time_s = at_ms("+2d") // 1000
    line.pipeline.forget_partitions()
    line.take(order(at="+16d"))
    assert {alert.receipt.model_version for alert in line.alerts()} == {"n000001-00000000"}


def test_an_alert_caused_by_an_event_counts_how_long_the_event_was_under_way():
    line = FirstLine()
    line.take(order(), order(at="+13d"))
    assert [str(alert.type) for alert in line.alerts()][-1] == "recovered"
    assert line.metric("yocho_event_to_alert_seconds_count") == 1


def test_looks_and_outcomes_are_counted():
    line = FirstLine()
    line.take(order(event_id="a"), order(event_id="a"), email_open(machine=True), login())
    line.pass_time(END)
    assert line.metric("yocho_looks_total") > 0
    counted = {
        (kind, outcome): line.metric("yocho_events_total", type=kind, outcome=outcome)
        for kind, outcome in [("order", "applied"), ("order", "duplicate"), ("email_open", "machine")]
    }
    assert set(counted.values()) == {1.0}


def test_who_is_known_only_by_machine_opens_is_forgotten_when_others_are_too():
    line = FirstLine(forget=100 * DAY_S)
    line.take(email_open("ghost", machine=True), email_open("ghost", at="+5d", machine=True))
    line.pass_time("+99d")
    assert line.rows().keys() == {b"ghost"}
    line.pass_time("+101d")
    assert line.rows() == {}
