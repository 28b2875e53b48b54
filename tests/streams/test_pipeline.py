"""The first line as a whole: what becomes of a customer depends on their events and on time, on nothing else."""

import itertools
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scorer import COLD
from models.target import DAY_S
from streams.topics import ALERTS, LABELS, OUTCOMES
from tests.builders import START_MS, at_ms, email_click, email_open, email_send, login, order
from tests.streams.harness import FirstLine, fixed_scorer, in_pieces

END = "+800d"
KINDS = (
    order, order, login, email_open, lambda *a, **k: email_open(*a, machine=True, **k), email_send, email_click,
)  # fmt: skip
MAIL = {"email_sends_topic": "email-sends", "email_clicks_topic": "email-clicks"}
HOUR_MS = 3_600_000

# (customer, kind, hours since the one before; negative is late, by up to twice what is allowed), within two years
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["c1", "c2", "c3"]),
        st.integers(0, len(KINDS) - 1),
        st.sampled_from([0, 0, 1, 5, 30, 200, 400, -1, -8, -100, -336]),
    ),
    min_size=1,
    max_size=30,
)
CUTS = st.lists(st.integers(0, 40), max_size=8)


def log_of(steps, *, late=True):
    """Samples in the order they were sent; same steps, same bytes."""
    now_ms, samples = START_MS + 400 * HOUR_MS, []
    for n, (customer_id, kind, hours) in enumerate(steps):
        at = now_ms + hours * HOUR_MS
        if hours >= 0:
            now_ms = at
        elif not late:
            at = now_ms
        samples.append(KINDS[kind](customer_id, at=at, event_id=f"e{n % 30}"))
    return samples


def run(samples, cuts=(), **options):
    line = FirstLine(**MAIL, **options)
    for piece in in_pieces(line.send(*samples), cuts):
        line.fetch(piece)
    line.pass_time(END)
    return line


def by_customer(outs):
    told = defaultdict(list)
    for out in outs:
        told[out.key].append((out.value, out.headers))
    return told


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
    opened = [(alert.customer_id, alert.episode.number) for alert in cut.alerts() if alert.type == "opened"]
    assert sorted((outcome.customer_id, outcome.episode) for outcome in cut.outcomes()) == sorted(opened)


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
    assert line.out == told
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
    """Four horizons after the last sign of life a customer's state goes."""

    def test_who_is_silent_for_so_long_leaves_a_tombstone_and_a_free_row(self):
        line = FirstLine()
        line.take(order())
        line.partition.take_changes()
        line.pass_time("+29d")
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

    def test_an_old_event_that_is_delivered_again_afterwards_founds_nobody(self):
        """State has forgotten that it was applied: it is set aside as late. The limit of knowing by the row alone."""
        line = FirstLine()
        sent = line.take(order("c1"), order("c2", at="+40d"))
        line.restart()
        line.fetch(sent)
        assert list(line.partition) == [b"c2"]
        assert [dict(letter.headers)["x-reason"] for letter in line.dead_letters()] == [b"late"]

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


def switched(line_options, samples, cuts=(), log_odds=4.0, at="+10d"):
    """A run in which another model takes effect."""
    line = FirstLine(pinned=False, **MAIL, **line_options)
    line.book.add(fixed_scorer(line.settings.target, log_odds, at_ms(at) // 1000))
    for piece in in_pieces(line.send(*samples), cuts):
        line.fetch(piece)
    line.pass_time(END)
    return line


class TestModelSwitch:
    """A model takes effect at a stream time it names: at the same event whatever the speed."""

    @given(steps=STEPS, cuts=CUTS, max_batch=st.sampled_from([1, 3, 4_000]), pace=st.sampled_from([1, 2, 1_000]))
    def test_it_takes_effect_at_the_same_events_however_the_log_was_cut(self, steps, cuts, max_batch, pace):
        samples = log_of(steps)
        at = samples[len(samples) // 2].event.occurred_at_ms
        at_once = switched({}, samples, at=at)
        cut = switched({"max_batch": max_batch, "pace": pace}, samples, cuts, at=at)
        assert by_customer(cut.told(ALERTS)) == by_customer(at_once.told(ALERTS))
        assert cut.rows() == at_once.rows()

    def test_events_before_it_are_scored_with_the_old_model_and_those_at_it_with_the_new(self):
        line = switched({}, [order("old", at=at_ms("+9d") - 20 * DAY_S * 1000), order("new", at="+9d")])
        versions = {
            (alert.customer_id, alert.receipt.model_version) for alert in line.alerts() if alert.type != "expired"
        }
        assert ("old", COLD) in versions
        assert ("new", COLD) not in versions

    def test_the_next_looks_of_everybody_are_planned_anew(self):
        """A model that finds everybody at risk is noticed at the switch, not at the next event of each."""
        line = switched({}, [order(f"c{n}", at="+9d") for n in range(25)] + [order("clock", at="+11d")], at="+10d")
        opened = {alert.customer_id: alert for alert in line.alerts() if alert.type == "opened"}
        assert {alert.occurred_at.timestamp() for key, alert in opened.items() if key != "clock"} == {
            at_ms("+10d") // 1000 + 1
        }
        assert {alert.level for alert in opened.values()} == {"critical"}

    @pytest.mark.parametrize("pace", [1, 7, 1_000])
    def test_planning_anew_goes_in_slices_and_events_wait_for_it(self, pace):
        """Or an event would carry stream time past a crossing nobody had planned yet."""
        samples = [order(f"c{n}", at="+9d") for n in range(25)] + [order("late riser", at="+30d")]
        opened = [
            (alert.alert_id, alert.occurred_at)
            for alert in switched({"pace": pace}, samples, at="+10d").alerts()
            if alert.type == "opened"
        ]
        expected = [
            (alert.alert_id, alert.occurred_at) for alert in switched({}, samples).alerts() if alert.type == "opened"
        ]
        assert sorted(opened) == sorted(expected)

    def test_each_turn_plans_no_more_customers_than_allowed(self):
        line = FirstLine(pinned=False)
        line.take(*[order(f"c{n}") for n in range(25)])
        line.book.add(fixed_scorer(line.settings.target, 4.0, at_ms("+1h") // 1000))
        line.partition.take_changes()
        planned = []
        for turn in itertools.count():
            done = line.pipeline.advance(line.partition, at_ms("+1h") // 1000, 10)
            planned.append(line.partition.dirty_count)
            line.partition.take_changes()
            if done:
                break
            assert turn < 9
        assert max(planned) <= 10
        assert sum(planned) == 25

    def test_a_pinned_worker_never_switches(self):
        line = FirstLine(pinned=True)
        line.take(order())
        line.book.add(fixed_scorer(line.settings.target, 4.0, at_ms("+1d") // 1000))
        line.pass_time(END)
        assert {alert.receipt.model_version for alert in line.alerts()} == {COLD}


def test_a_new_assignment_begins_with_the_model_of_its_stream_time():
    line = FirstLine(pinned=False)
    line.take(order())
    line.book.add(fixed_scorer(line.settings.target, 4.0, at_ms("+1d") // 1000))
    line.partition.stream_time_s = at_ms("+2d") // 1000
    line.pipeline.forget_partitions()
    assert line.pipeline.next_switch_s(line.partition) > at_ms("+2d") // 1000, "the switch lies behind"


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
