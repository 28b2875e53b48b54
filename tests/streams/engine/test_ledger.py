"""The ledger commits up to the first record that has not had its effect, and notices when something was skipped."""

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
        ledger.delivered(first, last)
    return ledger


def test_nothing_may_be_committed_before_anything_was_applied():
    assert fetched_and_delivered((0, 9)).committable is None


def test_what_may_be_committed_is_the_next_record_to_read():
    ledger = fetched_and_delivered((5, 9))
    ledger.applied(7)
    assert ledger.committable == 8


def test_a_batch_that_was_delivered_and_not_applied_holds_the_commit_back():
    ledger = fetched_and_delivered((0, 4), (5, 9))
    ledger.applied(4)
    assert (ledger.committable, ledger.unapplied) == (5, True)


def test_holes_in_the_offsets_hold_nothing_back():
    ledger = fetched_and_delivered((0, 3), (100, 107))
    ledger.applied(3)
    ledger.applied(107)
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
        ledger.delivered(5, 9)


def test_a_batch_that_was_never_fetched_is_refused():
    with pytest.raises(LedgerError, match="expected None"):
        Ledger().delivered(0, 4)


@pytest.mark.parametrize("offset", [2, 3, 10])
def test_a_record_is_applied_once_and_only_after_it_was_delivered(offset):
    ledger = fetched_and_delivered((0, 9))
    ledger.applied(3)
    with pytest.raises(LedgerError, match="applied"):
        ledger.applied(offset)


@given(st.lists(batch, min_size=1, max_size=8), st.data())
def test_the_commit_is_always_right_behind_the_last_applied_record(batches, data):
    ledger, waiting, delivered, applied = Ledger(), spans_of(batches), [], -1
    queue = []
    while waiting or queue or delivered:
        may = [name for name, some in (("fetch", waiting), ("deliver", queue), ("apply", delivered)) if some]
        match data.draw(st.sampled_from(may)):
            case "fetch":
                queue.append(waiting.pop(0))
                ledger.fetched(queue[-1][0], queue[-1][-1])
            case "deliver":
                span = queue.pop(0)
                ledger.delivered(span[0], span[-1])
                delivered += span
            case "apply":
                n = data.draw(st.integers(1, len(delivered)))
                applied, delivered = delivered[n - 1], delivered[n:]
                ledger.applied(applied)
        assert ledger.committable == (applied + 1 if applied >= 0 else None)
        assert ledger.unapplied == bool(queue or delivered)
