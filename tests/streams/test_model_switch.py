"""Another model takes effect at the same events whatever the speed, and everybody is reconsidered in good time."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scorer import COLD
from models.target import DAY_S
from streams.topics import ALERTS, DEAD_LETTERS
from tests.builders import at_ms, login, order
from tests.streams.harness import H_S, FirstLine, fixed_scorer, in_pieces
from tests.streams.random_logs import CUTS, END, MAIL, STEPS, by_customer, log_of


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

    @settings(max_examples=max(40, settings.default.max_examples // 2))
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

    @settings(max_examples=max(40, settings.default.max_examples // 2))
    @given(steps=STEPS, cuts=CUTS, pace=st.sampled_from([1, 3, 1_000]), again_s=st.sampled_from([0, 100, 3 * DAY_S]))
    def test_a_worker_that_dies_between_two_models_changes_nothing(self, steps, cuts, pace, again_s):
        """Whoever takes over knows from the changelog which model was followed and who has been revisited."""
        samples = log_of(steps, late=False)
        at_s = samples[len(samples) // 2].event.occurred_at_ms // 1000
        runs = []
        for dies in (False, True):
            line = FirstLine(pinned=False, pace=pace, forget=1_000 * DAY_S, **MAIL)
            for n, log_odds in enumerate((4.0, 1.0)):
                line.book.add(fixed_scorer(line.settings.target, log_odds, at_s + n * again_s, f"n00000{n}-00000000"))
            sent, fetched = line.send(*samples), []
            for piece in in_pieces(sent, cuts):
                line.fetch(piece)
                if line.partition.stream_time_s:  # before the first event there is no time to go on
                    line.pass_time((line.partition.stream_time_s + 40) * 1000)
                fetched += piece
                if dies:
                    line.recover()
                    line.fetch(fetched)
            line.pass_time(END)
            told = [out for out in line.out if out.topic != DEAD_LETTERS.topic(line.settings)]  # these may come twice
            runs.append((line.rows(), by_customer(told)))
        assert runs[0] == runs[1]

    def test_customers_are_revisited_within_a_tolerance_each_at_a_second_of_their_own(self):
        """A model that finds everybody at risk is noticed soon after the switch, not at the next event of each."""
        line = switched({}, [order(f"c{n}", at="+9d") for n in range(25)] + [order("clock", at="+11d")], at="+10d")
        opened = {alert.customer_id: alert for alert in line.alerts() if alert.type == "opened"}
        after_s = {
            alert.occurred_at.timestamp() - at_ms("+10d") / 1000 for key, alert in opened.items() if key != "clock"
        }
        assert len(after_s) > 20
        assert min(after_s) > 0
        assert max(after_s) <= H_S // 2184
        assert {alert.level for alert in opened.values()} == {"critical"}

    @pytest.mark.parametrize("pace", [1, 7, 1_000])
    def test_revisits_go_in_slices_and_events_between_them_change_nothing(self, pace):
        samples = [order(f"c{n}", at="+9d") for n in range(25)]
        samples += [login(f"c{n}", at=at_ms("+10d") + n * 20_000) for n in range(10)]
        opened = [
            (alert.alert_id, alert.occurred_at)
            for alert in switched({"pace": pace}, samples, at="+10d").alerts()
            if alert.type == "opened"
        ]
        expected = [
            (alert.alert_id, alert.occurred_at) for alert in switched({}, samples).alerts() if alert.type == "opened"
        ]
        assert len(expected) >= 25
        assert sorted(opened) == sorted(expected)

    def test_each_turn_revisits_no_more_customers_than_allowed(self):
        line = self.with_model_after_a_day(4.0)
        planned = []
        for turn in itertools.count():
            done = line.pipeline.advance(line.partition, at_ms("+25h") // 1000 + H_S // 2184 + 1, 10)
            planned.append(line.partition.dirty_count)
            line.partition.take_changes()
            if done:
                break
            assert turn < 20
        assert max(planned) <= 10
        assert sum(planned) >= 25

    def test_a_model_that_says_the_same_writes_nobody(self):
        line = self.with_model_after_a_day(-9.0)
        assert line.pipeline.advance(line.partition, at_ms("+25h") // 1000 + H_S // 2184 + 1, 1_000)
        assert line.partition.dirty_count == 0
        assert line.partition.memory["model"].version != COLD

    def with_model_after_a_day(self, log_odds):
        """Customers whose dwell is over and of whom nothing is due for hours, at the switch to another model."""
        line = FirstLine(pinned=False)
        line.take(*[order(f"c{n}") for n in range(25)])
        line.pass_time("+24h")
        line.book.add(fixed_scorer(line.settings.target, log_odds, at_ms("+25h") // 1000))
        while not line.pipeline.advance(line.partition, at_ms("+25h") // 1000, 1_000):
            pass
        line.partition.take_changes()
        return line

    def test_a_pinned_worker_never_switches(self):
        line = FirstLine(pinned=True)
        line.take(order())
        line.book.add(fixed_scorer(line.settings.target, 4.0, at_ms("+1d") // 1000))
        line.pass_time(END)
        assert {alert.receipt.model_version for alert in line.alerts()} == {COLD}
