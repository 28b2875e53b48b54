"""What one event changes in a row, and what it must not change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.apply import GAP_MEMORY, MAX_OCCASIONS, Columns, Outcome, apply_round
from models.events import Channel
from models.state import LONG_DAYS, N_RECENT, SHORT_DAYS, customer_dict, new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, OPEN = Channel
TARGET = Target(ORDER, 91 * DAY_S)
START_S = 852_076_800  # 1997-01-01
NAN = float("nan")
DTYPES = {"at_s": "u4", "channel": "u1", "source": "u1", "offset": "i8", "amount": "f4", "id_hash": "u8"}


def event(day=0.0, channel=ORDER, *, offset=0, amount=NAN, id_hash=0, engaged=True):
    """Build one event, `day` days after the start, from the source of its channel."""
    at_s = START_S + round(day * DAY_S)
    return at_s, channel, channel, offset, amount, id_hash, engaged


def columns(events):
    data = zip(*events, strict=True)
    return Columns(*(np.array(c, d) for c, d in zip(data, [*DTYPES.values(), "?"], strict=True)))


def apply_all(events, rows=None, target=TARGET):
    """Apply events to one customer, one after the other; later offsets first come later."""
    rows = new_rows(1) if rows is None else rows
    outcomes = [Outcome(apply_round(rows, columns([e]), target)[0]) for e in events]
    return rows, [outcome.name for outcome in outcomes]


def numbered(events):
    """Give events the offsets in which they arrive."""
    return [(*e[:3], offset, *e[4:]) for offset, e in enumerate(events)]


def customer(events, target=TARGET):
    rows, outcomes = apply_all(numbered(events), target=target)
    assert set(outcomes) <= {"APPLIED", "IGNORED"}
    return customer_dict(rows[0])


DAYS = st.integers(0, 4000).map(lambda eighth: eighth / 8)
EVENTS = st.builds(
    event,
    day=DAYS,
    channel=st.sampled_from(Channel),
    offset=st.integers(0, 8),
    amount=st.sampled_from([NAN, 0.0, 11.77, 250.0]),
    id_hash=st.integers(0, 9),
    engaged=st.sampled_from([True, True, True, False]),
)
ENGAGED = st.builds(event, day=DAYS, channel=st.sampled_from(Channel), amount=st.sampled_from([NAN, 0.0, 11.77, 250.0]))


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [
        ([event(offset=0), event(offset=1)], ["APPLIED", "APPLIED"]),
        ([event(offset=5), event(offset=5)], ["APPLIED", "REPLAYED"]),
        ([event(offset=5), event(offset=4)], ["APPLIED", "REPLAYED"]),
        ([event(offset=5), event(offset=4, channel=LOGIN)], ["APPLIED", "APPLIED"]),
        ([event(offset=0, id_hash=7), event(offset=1, id_hash=7)], ["APPLIED", "DUPLICATE"]),
        ([event(offset=0, id_hash=7), event(offset=0, id_hash=7)], ["APPLIED", "REPLAYED"]),
        ([event(offset=0, id_hash=0), event(offset=1, id_hash=0)], ["APPLIED", "APPLIED"]),
        ([event(channel=OPEN, engaged=False)], ["IGNORED"]),
        ([event(offset=0, id_hash=7, engaged=False), event(offset=1, id_hash=7)], ["IGNORED", "DUPLICATE"]),
        ([event(offset=0, engaged=False), event(offset=0, engaged=False)], ["IGNORED", "REPLAYED"]),
    ],
)
def test_an_event_is_recognised_by_its_offset_first_and_its_id_second(events, outcomes):
    assert apply_all(events)[1] == outcomes


@given(st.lists(EVENTS, max_size=12), EVENTS)
def test_applying_an_event_twice_changes_nothing(history, last):
    """At-least-once delivery: what is delivered again after a crash is a replay."""
    rows, _ = apply_all([*history, last])
    before = rows.tobytes()
    assert apply_all([last], rows)[1] == ["REPLAYED"]
    assert rows.tobytes() == before


def test_a_duplicate_moves_the_offset_and_nothing_else():
    rows, _ = apply_all([event(day=0, offset=0, id_hash=7, amount=5.0)])
    expected = rows.copy()
    expected["applied"][0, ORDER] = 9
    apply_all([event(day=3, offset=9, id_hash=7, amount=5.0)], rows)
    assert rows.tobytes() == expected.tobytes()


def test_a_machine_open_is_remembered_but_is_not_engagement():
    rows, _ = apply_all([event(channel=OPEN, offset=4, id_hash=7, engaged=False)])
    expected = new_rows(1)
    expected["applied"][0, OPEN] = 4
    expected["recent_ids"][0, 0] = 7
    expected["recent_next"] = 1
    expected["sends_at"] = rows["sends_at"]
    assert rows.tobytes() == expected.tobytes()


def test_a_machine_open_tells_of_a_stranger_that_an_e_mail_was_sent_and_of_anybody_else_nothing():
    rows, _ = apply_all(
        [event(day=2, channel=OPEN, engaged=False), event(day=3, channel=OPEN, offset=1, engaged=False)]
    )
    assert rows["sends_at"].tolist() == [event(day=2)[0]]
    rows, _ = apply_all([event(day=2), event(day=3, channel=OPEN, offset=1, engaged=False)])
    assert rows["sends_at"].tolist() == [0]


def test_the_ring_remembers_six_ids_and_forgets_the_seventh():
    ids = range(1, N_RECENT + 2)
    rows, _ = apply_all([event(offset=i, id_hash=i) for i in ids])
    repeats = [event(offset=100 + n, id_hash=i) for n, i in enumerate((2, N_RECENT + 1, 1))]
    assert apply_all(repeats, rows)[1] == ["DUPLICATE", "DUPLICATE", "APPLIED"]


@given(st.lists(st.lists(EVENTS, min_size=5, max_size=5), min_size=1, max_size=6), st.permutations(range(5)))
def test_a_row_becomes_the_same_whatever_rows_share_its_batch(rounds, places):
    """Partition, batch size and neighbours must not reach a customer's numbers, not even in the last bit."""
    together, shuffled = new_rows(5), new_rows(5)
    alone = [new_rows(1) for _ in range(5)]
    for events in rounds:
        outcomes = apply_round(together, columns(events), TARGET)
        moved = apply_round(shuffled, columns([events[i] for i in places]), TARGET)
        assert moved.tolist() == [outcomes[i] for i in places]
        for i, e in enumerate(events):
            assert apply_round(alone[i], columns([e]), TARGET)[0] == outcomes[i]
    for place, i in enumerate(places):
        assert alone[i].tobytes() == together[i].tobytes() == shuffled[place].tobytes()


def test_a_large_batch_equals_its_rows_one_by_one():
    """Vector instructions take arrays in blocks with a remainder: both must round alike."""
    rng = np.random.default_rng(0)
    together, alone = new_rows(301), new_rows(301)
    for offset in range(4):
        days, amounts = rng.uniform(0, 900, 301), rng.normal(30, 9, 301)
        kinds = rng.integers(0, 3, 301)
        events = [
            event(day, Channel(kind), offset=offset, amount=amount)
            for day, kind, amount in zip(days, kinds, amounts, strict=True)
        ]
        apply_round(together, columns(events), TARGET)
        for i, e in enumerate(events):
            apply_round(alone[i : i + 1], columns([e]), TARGET)
    assert together.tobytes() == alone.tobytes()


@given(st.lists(ENGAGED, min_size=1, max_size=15), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_only_the_rhythm(events, random):
    one, other = customer(events), customer(random.sample(events, len(events)))
    for name in ("first_at", "main_first_at", "last_at", "count"):
        assert one[name] == other[name]
    for name in ("short", "long"):
        assert one[name] == pytest.approx(other[name], rel=1e-5)
    for name in ("amount_short", "amount_long", "amount_short_weight", "amount_long_weight", "amount_sum"):
        assert one[name] == pytest.approx(other[name], rel=1e-4, abs=1e-4, nan_ok=True)


@given(st.lists(DAYS, min_size=1, max_size=25))
def test_counts_equal_an_offline_recount_of_the_log(days):
    row = customer([event(day) for day in days])
    for name, half_life in (("short", SHORT_DAYS), ("long", LONG_DAYS)):
        recount = sum(2 ** -((max(days) - day) / half_life) for day in days)
        assert row[name] == {"order": pytest.approx(recount, rel=1e-5), "login": 0.0, "email_open": 0.0}
    assert row["count"]["order"] == len(days)
    assert row["last_at"]["order"] == START_S + max(days) * DAY_S
    assert row["first_at"] == row["main_first_at"] == START_S + min(days) * DAY_S


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_the_rhythm_is_the_forgetting_mean_and_spread_of_log_gaps(gaps):
    days = np.cumsum([0, *gaps])
    row = customer([event(int(day), LOGIN) for day in days])
    weights = GAP_MEMORY ** np.arange(len(gaps))[::-1]
    mean = np.average(np.log(gaps), weights=weights)
    squares = weights @ (np.log(gaps) - mean) ** 2
    assert row["gap_weight"]["login"] == pytest.approx(weights.sum(), rel=1e-5)
    assert row["gap_mean"]["login"] == pytest.approx(mean, rel=1e-5, abs=1e-5)
    assert row["gap_m2"]["login"] == pytest.approx(squares, rel=1e-4, abs=1e-4)
    assert row["gap_weight"]["order"] == 0


def test_the_rhythm_remembers_about_ten_gaps():
    row = customer([event(day) for day in range(200)])
    assert row["gap_weight"]["order"] == pytest.approx(10, abs=0.01)


def test_several_orders_on_one_day_are_one_occasion_and_no_gap():
    row = customer([event(0.0), event(0.0), event(0.9), event(7.9), event(7.95)])
    assert (row["main_occasions"], row["count"]["order"]) == (2, 5)
    assert row["gap_weight"]["order"] == 1
    assert row["gap_mean"]["order"] == pytest.approx(np.log(7.0))


def test_a_gap_that_only_crosses_midnight_counts_as_one_day():
    row = customer([event(0.99), event(1.01)])
    assert (row["gap_mean"]["order"], row["gap_weight"]["order"], row["main_occasions"]) == (0, 1, 2)


def test_a_late_event_is_counted_by_its_age_and_leaves_last_time_and_rhythm_alone():
    in_time = [event(0.0), event(28.0)]
    before, after = customer(in_time), customer([*in_time, event(14.0)])
    assert after["short"]["order"] == pytest.approx(before["short"]["order"] + 0.5)
    assert after["count"]["order"] == 3
    for name in ("last_at", "gap_weight", "gap_mean", "gap_m2", "main_occasions"):
        assert after[name] == before[name]


def test_channels_do_not_touch_each_other():
    orders = [event(day, ORDER, amount=9.0) for day in (0, 30, 50)]
    logins = [event(day, LOGIN, amount=600.0) for day in (10, 20, 45)]
    mixed = customer([orders[0], *logins[:2], orders[1], logins[2], orders[2]])
    apart = customer(orders), customer(logins)
    for name in ("last_at", "count", "short", "long", "gap_weight", "gap_mean", "gap_m2"):
        assert mixed[name]["order"] == apart[0][name]["order"]
        assert mixed[name]["login"] == apart[1][name]["login"]
        assert mixed[name]["email_open"] == 0
    for name in ("amount_short", "amount_long", "amount_sum"):
        assert mixed[name] == apart[0][name], "the value of a login is seconds, not money"


@pytest.mark.parametrize(
    ("amounts", "mean", "total"),
    [
        ([NAN], NAN, 0.0),
        ([0.0], 0.0, 0.0),
        ([30.0, NAN], 30.0, 30.0),
        ([NAN, 30.0], 30.0, 30.0),
        ([30.0, 0.0], 10.0, 30.0),  # 30 days later the first weighs half: (30 * 0.5 + 0) / 1.5
        ([-6.0, 24.0], 14.0, 18.0),
    ],
)
def test_order_values_average_what_is_known(amounts, mean, total):
    row = customer([event(30 * i, amount=amount) for i, amount in enumerate(amounts)])
    assert row["amount_short"] == pytest.approx(mean, nan_ok=True)
    assert row["amount_sum"] == total


def test_the_main_channel_is_the_one_the_target_names():
    events = [event(0, ORDER), event(1, LOGIN), event(2, LOGIN), event(3, ORDER)]
    row = customer(events, target=Target(LOGIN, 28 * DAY_S))
    assert (row["first_at"], row["main_first_at"]) == (START_S, START_S + DAY_S)
    assert row["main_occasions"] == 2


def test_occasions_stop_at_the_largest_number_the_field_holds():
    rows = new_rows(1)
    rows["main_occasions"] = MAX_OCCASIONS - 1
    apply_all(numbered([event(0), event(1)]), rows)
    assert rows["main_occasions"][0] == MAX_OCCASIONS


@settings(max_examples=30)
@given(st.lists(ENGAGED, min_size=1, max_size=10))
def test_the_episode_and_the_due_time_are_not_ours_to_change(events):
    row = customer(events)
    assert {row[name] for name in ("due_at", "level", "episode", "step", "expired", "anchor_at")} == {0}


def test_a_round_of_nobody_is_empty():
    empty = Columns(*(np.empty(0, d) for d in [*DTYPES.values(), "?"]))
    assert apply_round(new_rows(0), empty, TARGET).tolist() == []
