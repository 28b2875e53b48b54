"""The ledger commits up to the first record that has not had its effect, and notices when something was skipped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.ledger import Ledger, LedgerError

batch = st.tuples(st.integers(0, 3), st.lists(st.integers(1, 3), min_size=1, max_size=5))


def spans_of(batches):
    """Offsets of rising batches, with holes between and within them."""
    offset, spans = 0, []
    for hole, steps in batches:
        offset += hole
        span = [offset := offset + step for step in steps]
        spans.append(span)
    return spans


def fetched_and_delivered(*spans):
    ledger = Ledger()
    for first, last in spans:
        ledger.fetched(first, last)
        deliver(ledger, first, last)
    return ledger


def deliver(ledger, *offsets):
    """Deliver records whose event times are their offsets."""
    first, last = offsets[0], offsets[-1]
    offsets = range(first, last + 1) if len(offsets) == 2 else offsets
    ledger.delivered(list(offsets), np.array(offsets))


def test_nothing_may_be_committed_before_anything_was_applied():
    assert fetched_and_delivered((0, 9)).committable is None


def test_what_may_be_committed_is_the_next_record_to_read():
    ledger = fetched_and_delivered((5, 9))
    ledger.applied([5, 6, 7])
    assert ledger.committable == 8


def test_a_batch_that_was_delivered_and_not_applied_holds_the_commit_back():
    ledger = fetched_and_delivered((0, 4), (5, 9))
    ledger.applied(range(5))
    assert (ledger.committable, ledger.unapplied) == (5, True)


def test_holes_in_the_offsets_hold_nothing_back():
    ledger = fetched_and_delivered((0, 3), (100, 107))
    ledger.applied(range(4))
    ledger.applied(range(100, 108))
    assert (ledger.committable, ledger.unapplied) == (108, False)


@pytest.mark.parametrize("span", [(0, 4), (4, 4), (4, 8), (9, 8)])
def test_fetching_what_was_fetched_before_means_an_unnoticed_seek(span):
    ledger = fetched_and_delivered((0, 4))
    with pytest.raises(LedgerError, match="fetched"):
        ledger.fetched(*span)


def test_a_batch_whose_predecessor_never_arrived_is_refused():
    ledger = Ledger()
    ledger.fetched(0, 4)
    ledger.fetched(5, 9)
    with pytest.raises(LedgerError, match=r"expected \(0, 4\)"):
        deliver(ledger, 5, 9)


def test_a_batch_that_was_never_fetched_is_refused():
    with pytest.raises(LedgerError, match="expected None"):
        deliver(Ledger(), 0, 4)


@pytest.mark.parametrize("offsets", [[2], [3], [10], [4, 4]])
def test_a_record_is_applied_once_and_only_after_it_was_delivered(offsets):
    ledger = fetched_and_delivered((0, 9))
    ledger.applied(range(4))
    with pytest.raises(LedgerError, match="applied"):
        ledger.applied(offsets)


def test_what_was_applied_out_of_turn_is_not_committed_before_the_records_ahead_of_it():
    ledger = fetched_and_delivered((0, 4))
    ledger.applied([1, 3])
    assert ledger.committable is None
    ledger.applied([0])
    assert (ledger.committable, ledger.latest_ms) == (2, 1)


@given(st.lists(batch, min_size=1, max_size=8), st.data())
def test_the_commit_is_always_right_before_the_first_record_that_is_not_applied(batches, data):
    ledger, waiting, delivered, everything = Ledger(), spans_of(batches), [], []
    queue = []
    while waiting or queue or delivered:
        may = [name for name, some in (("fetch", waiting), ("deliver", queue), ("apply", delivered)) if some]
        match data.draw(st.sampled_from(may)):
            case "fetch":
                queue.append(waiting.pop(0))
                ledger.fetched(queue[-1][0], queue[-1][-1])
            case "deliver":
                span = queue.pop(0)
                ledger.delivered(span, np.array(span))
                delivered += span
                everything += span
            case "apply":
                applied = data.draw(st.lists(st.sampled_from(delivered), min_size=1, unique=True))
                delivered = [offset for offset in delivered if offset not in applied]
                ledger.applied(applied)
        done = [offset for offset in everything if not delivered or offset < delivered[0]]
        assert ledger.committable == (done[-1] + 1 if done else None)
        assert ledger.unapplied == bool(queue or delivered)
