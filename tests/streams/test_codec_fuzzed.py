"""No payload makes the codec raise or disagree with a second reading; none moves what only events move."""

import re
from collections import Counter

import pytest

from streams import checks, codec
from streams.admission import Admission
from streams.reasons import Reason, RejectedError
from streams.topics import READABLE
from tests.bad_input import BAD_INPUT, KEY
from tests.builders import NOW_MS
from tests.chaos.fuzz_decoder import IN_A_LINE, SEED, astray, fuzz, misread
from tests.chaos.fuzzed import HOSTILE, Payload, payload
from tests.chaos.second_reading import broken
from tests.streams.test_codec import FOUND_BY_THE_ENGINE, GOOD_ORDERS, SAMPLES

N_PAYLOADS = 4_000


@pytest.fixture(scope="module")
def read_twice():
    """Payloads, and every rule each of them breaks."""
    payloads = [payload(SEED, number) for number in range(N_PAYLOADS)]
    return [(one, broken(*one, NOW_MS)) for one in payloads]


def problems(read_twice):
    return [problem for one, rules in read_twice if (problem := misread(one, rules)[1])]


def test_every_payload_is_an_event_or_one_reject_as_a_second_reading_says(read_twice):
    assert problems(read_twice) == []


def test_fuzzing_reaches_events_and_every_reason_the_codec_can_give(read_twice):
    readings = Counter(misread(one, rules)[0] for one, rules in read_twice)
    assert 0.05 < readings["event"] / N_PAYLOADS < 0.5
    assert set(Reason) - FOUND_BY_THE_ENGINE - {Reason.NULL_VALUE} <= readings.keys()  # a null cannot be changed


@pytest.mark.parametrize("begin", range(0, 4 * IN_A_LINE, IN_A_LINE))
def test_in_the_first_line_only_events_move_time_and_found_customers(begin):
    payloads = [payload(SEED, number) for number in range(begin, begin + IN_A_LINE)]
    assert astray(payloads) == []


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("source", READABLE, ids=lambda source: source.key)
def test_what_is_made_to_cost_time_is_read_as_a_second_reading_says(name, source):
    one = Payload(source, KEY, HOSTILE[name])
    assert misread(one, broken(*one, NOW_MS))[1] is None


def test_the_second_reading_knows_good_from_bad():
    for bad in BAD_INPUT:
        assert bad.reason in broken(bad.source, bad.key, bad.value, NOW_MS), bad.name
    for sample in SAMPLES:
        assert broken(sample.source, sample.key, sample.value, NOW_MS) == set()
    for name, value in GOOD_ORDERS.items():
        assert broken(READABLE[0], KEY, value, NOW_MS) == set(), name


MINUTES = checks._RFC3339.pattern.replace("[0-5]", "[0-9]")
BREAKS = {
    "doubled fields are let through": (codec, "has_doubled", lambda *_: False),
    "versions do not matter": (codec, "_check_version", lambda _: None),
    "large values are read": (codec, "MAX_BYTES", 2**30),
    "any other key is another customer's": (codec, "_wrong_key", lambda _: RejectedError(Reason.KEY_MISMATCH, "")),
    "ids may be long": (checks, "MAX_ID_BYTES", 2**30),
    "ids may hold control characters": (checks, "_CONTROL", re.compile("(?!)")),
    "amounts have no bound": (checks, "MAX_AMOUNT", 1e308),
    "clocks may run ahead for years": (checks, "FUTURE_MS", 10**15),
    "an offset may have 60 minutes": (checks, "_RFC3339", re.compile(MINUTES)),
    "nobody looks at currencies": (codec, "check_currency", lambda _: None),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_codec_with_a_broken_rule_is_found_out(name, read_twice, monkeypatch):
    monkeypatch.setattr(*BREAKS[name])
    assert problems(read_twice) != []


def test_a_codec_that_raises_is_found_out(read_twice, monkeypatch):
    monkeypatch.setattr(codec, "check_items", len)
    with pytest.raises(TypeError):
        problems(read_twice)


def test_a_first_line_that_lets_rejects_move_time_is_found_out(monkeypatch):
    def moved(self, partition, number, record, reject):
        partition.stream_time_s += 1

    monkeypatch.setattr(Admission, "_set_aside", moved)
    found = astray([payload(SEED, number) for number in range(IN_A_LINE)])
    assert "stream time is not that of the latest event" in found
    assert any("but the codec says" in problem for problem in found)


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_a_hundred_thousand_others():
    assert fuzz(range(100_000), SEED + 1)[1] == []
