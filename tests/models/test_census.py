"""How much is much in this shop: everybody counts alike, and what counts is taken over a quarter at a time."""

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from models.census import LEAST_CUSTOMERS, Census
from models.events import Channel
from models.segments import Segment, segments_of
from models.state import new_rows
from tests.models.histories import START_S, TARGET, customer

ORDER = Channel.ORDER
QUARTER_S = TARGET.horizon_s // 4
BEGIN_S = START_S // QUARTER_S * QUARTER_S


def shop(n=100, least=10.0, most=1_000.0):
    """Customers who all ordered once, one spent more than the other."""
    rows = new_rows(n)
    rows["main_first_at"], rows["last_at"][:, ORDER], rows["long"][:, ORDER] = BEGIN_S, BEGIN_S, 1
    rows["count"][:, ORDER], rows["main_occasions"] = 1, 1
    rows["amount_long"] = rows["amount_short"] = np.linspace(least, most, n)
    return rows


def counted(rows, at_s=BEGIN_S + 5, close_s=BEGIN_S + QUARTER_S):
    census = Census(TARGET)
    census.count(rows, np.broadcast_to(np.int64(at_s), len(rows)))
    census.close(close_s)
    return census


class TestCensus:
    def test_what_is_counted_in_a_quarter_counts_from_its_end_on_and_not_before(self):
        rows = shop()
        census = counted(rows, close_s=BEGIN_S + QUARTER_S - 1)
        assert np.isnan(census.ranks(rows).spend).all()
        census.close(BEGIN_S + QUARTER_S)
        assert census.ranks(rows).spend[[0, 99]].round(1).tolist() == [0.0, 1.0]

    def test_too_few_customers_rank_nobody(self):
        few, enough = shop(LEAST_CUSTOMERS - 1), shop(LEAST_CUSTOMERS)
        assert np.isnan(counted(few).ranks(few).pace).all()
        assert not np.isnan(counted(enough).ranks(enough).pace).any()

    @given(st.lists(st.integers(0, 5 * QUARTER_S), min_size=60, max_size=60), st.integers(1, 59))
    def test_batches_and_order_within_a_quarter_do_not_matter(self, seconds, cut):
        rows, at_s = shop(60), BEGIN_S + np.array(seconds)
        at_once, in_pieces = Census(TARGET), Census(TARGET)
        at_once.count(rows, at_s)
        for piece in (slice(cut, None), slice(0, cut)):
            in_pieces.count(rows[piece], at_s[piece])
        for end in range(1, 8):
            for census in (at_once, in_pieces):
                census.close(BEGIN_S + end * QUARTER_S)
            assert in_pieces.to_dict() == at_once.to_dict()

    def test_what_was_counted_two_horizons_ago_weighs_one_half(self):
        census = counted(shop(least=10, most=10))
        later_s = BEGIN_S + 2 * TARGET.horizon_s
        dear = shop(least=1_000, most=1_000)
        census.count(dear, np.full(100, later_s))
        census.close(later_s + QUARTER_S)
        assert census.ranks(shop(1, least=100)).spend.round(3).tolist() == [round(50 / 150, 3)]

    def test_it_comes_back_from_json_as_it_was(self):
        census = counted(shop())
        census.count(shop(7), np.full(7, BEGIN_S + QUARTER_S + 9))
        kept = orjson.loads(orjson.dumps(census.to_dict()))
        assert Census(TARGET, kept).to_dict() == census.to_dict()

    def test_a_partition_keeps_one_and_makes_it_of_what_the_changelog_brought(self):
        memory = {}
        census = Census.of(memory, TARGET)
        census.count(shop(60), np.full(60, BEGIN_S))
        assert Census.of(memory, TARGET) is census
        brought = {"census": orjson.loads(orjson.dumps(census.to_dict()))}
        assert Census.of(brought, TARGET).to_dict() == census.to_dict()

    def test_the_end_of_a_quarter_is_waited_for_until_it_is_closed(self):
        census = Census(TARGET)
        assert census.next_close_s(0) is None
        census.close(BEGIN_S + 5)
        assert census.next_close_s(BEGIN_S + 5) == BEGIN_S + QUARTER_S
        assert census.next_close_s(BEGIN_S + QUARTER_S) == BEGIN_S + QUARTER_S, "reached, but not closed yet"
        assert census.close(BEGIN_S + QUARTER_S)
        assert not census.close(BEGIN_S + QUARTER_S + 2), "told once"
        assert census.next_close_s(BEGIN_S + QUARTER_S) == BEGIN_S + 2 * QUARTER_S


def regular(gap_days, n, amount):
    return customer(*[(day * gap_days, ORDER, amount) for day in range(n)])


def segment_of(rows, census):
    (segment,) = segments_of(rows, census, TARGET)
    return Segment(segment)


class TestSegments:
    """Against a shop where everybody ordered once, for 10 to 1,000."""

    SHOP = counted(shop())

    def test_much_and_often_is_a_fan(self):
        assert segment_of(regular(7, 10, 500.0), self.SHOP) == Segment.VIP

    def test_two_quick_orders_make_no_fan_yet(self):
        assert segment_of(regular(3, 3, 500.0), self.SHOP) == Segment.NURTURE

    def test_one_large_order_is_worth_nurturing_and_a_small_one_is_nothing_special(self):
        assert segment_of(regular(1, 1, 950.0), self.SHOP) == Segment.NURTURE
        assert segment_of(regular(1, 1, 300.0), self.SHOP) == Segment.REGULAR

    def test_who_halves_the_order_value_or_the_pace_is_slipping(self):
        seldom = [(120 * n, ORDER, 50.0) for n in range(6)]
        assert segment_of(customer(*seldom), self.SHOP) == Segment.REGULAR
        smaller = customer(*seldom[:4], *[(480 + 120 * n, ORDER, 10.0) for n in range(3)])
        assert segment_of(smaller, self.SHOP) == Segment.SLIPPING
        slower = customer(*[(60 * n, ORDER, 50.0) for n in range(8)], *[(480 + 150 * n, ORDER, 50.0) for n in range(3)])
        assert segment_of(slower, self.SHOP) == Segment.SLIPPING

    def test_who_comes_more_and_more_often_is_worth_nurturing_without_any_comparison(self):
        faster = customer(*[(90 * n, ORDER, 50.0) for n in range(5)], *[(375 + 15 * n, ORDER, 50.0) for n in range(4)])
        assert segment_of(faster, Census(TARGET)) == Segment.NURTURE

    def test_before_there_is_a_comparison_own_histories_speak_and_all_else_is_regular(self):
        nothing = Census(TARGET)
        assert segment_of(regular(7, 10, 500.0), nothing) == Segment.REGULAR
        halved = customer(*[(30 * n, ORDER, 50.0 if n < 8 else 10.0) for n in range(12)])
        assert segment_of(halved, nothing) == Segment.SLIPPING

    def test_prices_may_be_in_any_currency(self):
        yen = counted(shop(least=1_500.0, most=150_000.0))
        for gap_days, n, amount in ((7, 10, 500.0), (3, 3, 500.0), (1, 1, 950.0), (1, 1, 300.0)):
            in_yen = segment_of(regular(gap_days, n, 150 * amount), yen)
            assert in_yen == segment_of(regular(gap_days, n, amount), self.SHOP)

    def test_where_no_amount_is_known_pace_alone_speaks(self):
        rows = shop()
        rows["amount_long"] = rows["amount_short"] = np.nan
        unpriced = counted(rows)
        often = customer(*[(7 * n, ORDER) for n in range(10)])
        assert segment_of(often, unpriced) == Segment.VIP

    def test_silence_changes_no_segment_and_neither_do_others(self):
        rows = np.concatenate([regular(7, 10, 500.0), regular(1, 1, 300.0), new_rows(1)])
        assert segments_of(rows, self.SHOP, TARGET).tolist() == [
            int(segment_of(rows[i : i + 1], self.SHOP)) for i in range(3)
        ]
