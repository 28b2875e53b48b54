"""Twenty of each kind of bad record among many good events change nothing: `tests/chaos/bad_input.py`, in short."""

import pytest

from tests.chaos.bad_input import DAYS, EACH, differences, lived_through
from tests.end_to_end.bad_log import KINDS, good, named_log, spoilt
from tests.end_to_end.brokers import fresh_broker

N_EVENTS, N_CUSTOMERS = 20_000, 500


def left_of(items):
    with fresh_broker() as broker:
        return lived_through(broker.bootstrap, items)


@pytest.fixture(scope="module")
def log():
    return named_log(N_EVENTS, N_CUSTOMERS, DAYS)


@pytest.fixture(scope="module")
def clean(log):
    return left_of(map(good, log))


@pytest.fixture(scope="module")
def dirty(log):
    return left_of(spoilt(log, EACH))


def test_each_becomes_one_dead_letter_and_everything_else_is_as_in_a_clean_run(clean, dirty, log):
    assert KINDS >= 60
    assert dirty.expected.total() == EACH * KINDS
    assert differences(clean, dirty, log) == []


def test_the_comparison_notices_what_it_is_there_for(clean, dirty, log):
    lost, *_ = dirty.dead
    dirty.dead[lost] -= 1
    try:
        assert "dirty: not exactly one dead letter each, with place, bytes and reason" in differences(clean, dirty, log)
    finally:
        dirty.dead[lost] += 1
    key = next(iter(clean.rows))
    clean.rows[key]["count"][0] += 1
    try:
        assert set(differences(clean, dirty, log)) == {"clean: counts are not those of the log", "dirty: other state"}
    finally:
        clean.rows[key]["count"][0] -= 1
