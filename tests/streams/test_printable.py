"""Whatever a record holds, a terminal shows it and obeys none of it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from streams.printable import IDEOGRAPHIC_SPACE, pretty, safe_bytes, safe_text
from tests.bad_input import BAD_INPUT


def assert_harmless(text):
    assert text.replace(IDEOGRAPHIC_SPACE, " ").isprintable(), repr(text)


@given(st.binary(max_size=500))
def test_no_bytes_whatever_come_out_as_anything_a_terminal_obeys(data):
    assert_harmless(safe_bytes(data))
    assert_harmless(pretty(data).replace("\n", ""))


@given(st.text(max_size=200))
def test_no_text_whatever_does_and_what_can_be_printed_stays_as_it_is(text):
    assert_harmless(safe_text(text))
    if text.isprintable():
        assert safe_text(text) == text


def test_no_bad_input_does():
    for bad in BAD_INPUT:
        for data in (bad.key or b"", bad.value or b""):
            assert_harmless(pretty(data).replace("\n", ""))


PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PRINTABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
    max_leaves=10,
)


@given(
    JSON.filter(lambda value: abs(value) < 2**63 if isinstance(value, int) else True), st.sampled_from([None, 1, "\t"])
)
def test_json_is_the_same_json_when_it_is_indented(value, indent):
    written = json.dumps(value, indent=indent, ensure_ascii=False)
    assert json.loads(pretty(written.encode())) == value


def test_each_field_stands_on_a_line_of_its_own_and_doubled_ones_are_both_there():
    assert pretty(b'{"a":[],"b":{"c":[1,{}]},"a":"x:{,"}').splitlines() == [
        "{",
        '  "a": [],',
        '  "b": {',
        '    "c": [',
        "      1,",
        "      {}",
        "    ]",
        "  },",
        '  "a": "x:{,"',
        "}",
    ]


def test_depth_costs_a_line_a_level_and_no_more():
    shown = pretty(b"[" * 1_000 + b"]" * 1_000)
    assert len(shown) < 100_000
