"""E-mails sent and clicked: counted, and a send is never something the customer did."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.apply import Columns, Outcome, apply_round
from models.events import Channel, Source
from models.state import LONG_DAYS, new_rows
from models.target import DAY_S, Target

TARGET = Target(Channel.ORDER, 91 * DAY_S)
START_S = 852_076_800  # 1997-01-01
OPEN, SEND, CLICK = Source.EMAIL_OPENS, Source.EMAIL_SENDS, Source.EMAIL_CLICKS
KEPT = ("applied", "recent_ids", "recent_next", "sends_at", "sends_long", "clicks_long")


def mail(rows, source, day=0.0, *, offset=None, id_hash=0, human=True, target=TARGET):
    """Apply one e-mail event to a single customer, with the next free offset if none is given."""
    offset = rows["applied"][0, source] + 1 if offset is None else offset
    fields = (START_S + round(day * DAY_S), Channel.EMAIL_OPEN, source, offset, np.nan, id_hash, human)
    dtypes = ("u4", "u1", "u1", "i8", "f4", "u8", "?")
    columns = Columns(*(np.array([field], dtype) for field, dtype in zip(fields, dtypes, strict=True)))
    return Outcome(apply_round(rows, columns, target)[0])


def mailed(*events, target=TARGET):
    rows = new_rows(1)
    for source, day in events:
        mail(rows, source, day, target=target)
    return rows


DAYS = st.integers(0, 4000).map(lambda eighth: eighth / 8)
EVENTS = st.lists(st.tuples(st.sampled_from([OPEN, SEND, CLICK]), DAYS), max_size=12)


@given(EVENTS, DAYS)
def test_a_send_changes_nothing_but_the_count_of_sends_and_what_was_seen(events, day):
    """Not the silence, not the rhythm, not the label: the shop did something, the customer did not."""
    rows = mailed(*events)
    before = rows.copy()
    assert mail(rows, SEND, day, id_hash=7) == Outcome.NOTED
    for name in rows.dtype.names:
        assert name in KEPT or rows[name].tobytes() == before[name].tobytes()


@given(EVENTS.filter(lambda events: any(source != OPEN for source, _ in events)))
def test_sends_and_clicks_equal_an_offline_recount_as_of_the_newest_of_both(events):
    rows = mailed(*events)
    newest = max(day for source, day in events if source != OPEN)
    assert rows["sends_at"][0] == START_S + newest * DAY_S
    for name, which in (("sends_long", SEND), ("clicks_long", CLICK)):
        recount = sum(2 ** -((newest - day) / LONG_DAYS) for source, day in events if source == which)
        assert rows[name][0] == pytest.approx(recount, rel=0.01, abs=1e-4), "half precision rounds at each event"


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_only_the_last_bits(events, random):
    one, other = mailed(*events), mailed(*random.sample(events, len(events)))
    assert one["sends_at"] == other["sends_at"]
    for name in ("sends_long", "clicks_long"):
        assert one[name][0] == pytest.approx(other[name][0], rel=0.01, abs=1e-4)


@pytest.mark.parametrize("source", [SEND, CLICK])
def test_a_repeat_is_known_by_offset_or_id_and_counts_once(source):
    rows = mailed()
    assert mail(rows, source, offset=3, id_hash=7) != Outcome.REPLAYED
    before = rows.copy()
    assert mail(rows, source, day=5, offset=3, id_hash=8) == Outcome.REPLAYED
    assert rows.tobytes() == before.tobytes()
    assert mail(rows, source, day=5, offset=4, id_hash=7) == Outcome.DUPLICATE
    before["applied"][0, source] = 4
    assert rows.tobytes() == before.tobytes()


def test_a_click_ends_the_silence_and_is_no_second_open():
    """The pixel tells of the open itself, if it is not blocked."""
    opened = mailed((OPEN, 0))
    clicked = mailed((OPEN, 0), (CLICK, 90))
    assert clicked["last_at"][0, Channel.EMAIL_OPEN] == START_S + 90 * DAY_S
    assert clicked["count"][0].tolist() == opened["count"][0].tolist() == [0, 0, 1]
    assert clicked["long"][0, Channel.EMAIL_OPEN] == 0.5, "aged to the click, as it is as of last_at"
    assert clicked["clicks_long"].tolist() == [1.0]


def test_a_click_without_an_open_still_gives_the_channel_its_rhythm():
    """Mail programs that block pixels would otherwise make a reader look asleep."""
    rows = mailed((CLICK, 0), (CLICK, 7))
    assert rows["gap_mean"][0, Channel.EMAIL_OPEN] == pytest.approx(np.log(7))
    assert rows["count"][0].tolist() == [0, 0, 0]
    assert rows["first_at"][0] == START_S


def test_an_open_and_its_click_on_one_day_are_one_occasion():
    rows = mailed((OPEN, 0), (OPEN, 7.0), (CLICK, 7.01))
    assert rows["gap_weight"][0, Channel.EMAIL_OPEN] == 1


@pytest.mark.parametrize(("source", "returned"), [(SEND, False), (CLICK, True), (OPEN, True)])
def test_where_opens_are_the_main_event_a_click_is_a_return_and_a_send_is_not(source, returned):
    target = Target(Channel.EMAIL_OPEN, 28 * DAY_S)
    rows = mailed((OPEN, 0), target=target)
    rows["example_at"], rows["example_frozen"] = START_S + 60, 1
    mail(rows, source, 1, target=target)
    assert bool(rows["example_returned"][0]) == returned


def test_a_machine_that_follows_links_is_no_click():
    rows = mailed()
    assert mail(rows, CLICK, offset=4, id_hash=7, human=False) == Outcome.IGNORED
    expected = new_rows(1)
    expected["applied"][0, CLICK] = 4
    expected["recent_ids"][0, 0] = 7
    expected["recent_next"] = 1
    expected["sends_at"] = rows["sends_at"]  # of a stranger: an e-mail was sent
    assert rows.tobytes() == expected.tobytes()


def test_a_count_that_half_precision_cannot_raise_any_more_stays_where_it_is():
    """2,048 e-mails in about a quarter: whoever gets so many is told apart no further."""
    rows = mailed((SEND, 0))
    rows["sends_long"] = 2048
    mail(rows, SEND, 0)
    assert rows["sends_long"].tolist() == [2048]
