"""Who was erased: asked for by whoever has the id, readable by nobody, and not for ever."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import erased as module
from models.erased import FEWER, MOST, PART, Erased, fingerprint

KEEP_S = 1_000
IDS = st.sampled_from([b"c1", b"c2", b"c3", "顧客".encode()])
ERASURES = st.lists(st.tuples(IDS, st.integers(1, 5_000)), max_size=20)


@given(ERASURES, IDS, st.integers(-1, 6_000))
def test_everything_up_to_the_last_erasure_that_is_remembered_is_covered_and_nothing_else(erasures, who, at_s):
    erased, latest = Erased(KEEP_S), {}
    for customer_id, second in erasures:
        erased.add([customer_id], second)
        latest[customer_id] = max(second, latest.get(customer_id, 0))
        newest_s = max(latest.values())
        latest = {id_: second for id_, second in latest.items() if second >= newest_s - KEEP_S}
    assert erased.covers(who, at_s) == (at_s <= latest.get(who, -2))
    assert len(erased) == len(latest)


@given(ERASURES, IDS, st.integers(-1, 6_000))
def test_what_is_written_down_is_remembered_again(erasures, who, at_s):
    erased = Erased(KEEP_S)
    for customer_id, second in erasures:
        erased.add([customer_id], second)
    again = Erased.of({PART: orjson.loads(orjson.dumps(erased.to_dict()))}, KEEP_S)
    assert again.covers(who, at_s) == erased.covers(who, at_s)
    assert (again.to_dict(), again.latest_s) == (erased.to_dict(), erased.latest_s)


def test_adding_the_same_erasure_again_changes_nothing():
    erased = Erased(KEEP_S)
    erased.add([b"c1"], 500)
    before = dict(erased.to_dict())
    erased.add([b"c1"], 500)
    erased.add([b"c1"], 400)
    assert erased.to_dict() == before


def test_no_id_can_be_read_from_what_is_written_down():
    erased = Erased(KEEP_S)
    erased.add([b"erase-me@example.com"], 500)
    written = orjson.dumps(erased.to_dict())
    assert b"erase" not in written
    assert b"example" not in written


def test_fingerprints_of_many_ids_are_many():
    assert len({fingerprint(b"c%d" % n) for n in range(100_000)}) == 100_000


def test_of_more_than_the_most_the_earliest_are_forgotten():
    erased = Erased(keep_s=10 * MOST)
    for n in range(MOST + 1):
        erased.add([b"c%d" % n], 1 + n)
    assert len(erased) == FEWER
    assert not erased.covers(b"c0", 1)
    assert erased.covers(b"c%d" % MOST, 1 + MOST)
    assert erased.covers(b"c%d" % (MOST + 1 - FEWER), 1)
    assert not erased.covers(b"c%d" % (MOST - FEWER), 1)


@pytest.mark.parametrize("many", [10, 37])
def test_however_many_are_erased_at_once_the_memory_is_bounded(many, monkeypatch):
    monkeypatch.setattr(module, "MOST", 8)
    monkeypatch.setattr(module, "FEWER", 6)
    erased = Erased(KEEP_S)
    for n in range(many):
        erased.add([b"c%d" % n], 7)
        assert len(erased) <= 8
