"""The rate test of a source: what it takes for an outage, what not, and when it says so."""

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.feed import Feed
from models.feed_profile import WEEK_HOURS, WEEK_S, WeekProfile, week_start
from models.feed_sum import BREAK_EVEN, Expectation, Sum, walk
from models.target import DAY_S, HOUR_S

MONDAY = week_start(1_704_067_200)
NOTHING = np.empty(0, np.int64)


def shop_hours(rng: np.random.Generator, per_day: float, days: int, spread: float = 0.0) -> np.ndarray:
    """Poisson events with nights and weekends; `spread` is the standard deviation of a gamma factor of each hour."""
    hour = np.arange(days * 24)
    rate = (1.2 + np.sin((hour % 24 - 6) / 24 * 2 * np.pi)) * (1.0 + 0.5 * (hour // 24 % 7 >= 5))
    rate *= per_day / 24 / rate.mean()
    if spread:
        rate = rate * rng.gamma(1 / spread**2, spread**2, len(rate))
    n = rng.poisson(rate)
    return MONDAY + np.sort(np.repeat(hour * HOUR_S, n) + rng.integers(0, HOUR_S, n.sum()))


def follow(at_s: np.ndarray, until_s: int, feed: Feed | None = None, cuts: tuple[int, ...] = ()) -> tuple[list, Feed]:
    """Every change that a source with these events goes through, fetched in pieces that end at the cuts."""
    feed, changes = feed or Feed(int(at_s[0])), []
    while feed.at_s < until_s:
        ends = (until_s, feed.week_end_s, *(cut for cut in cuts if cut > feed.at_s))
        end = min(ends)
        part = at_s[(at_s >= feed.at_s) & (at_s < end)]
        change = feed.change(part, end)
        feed.take(part if change is None else part[part < change.at_s], end if change is None else change.at_s)
        at_s = at_s[at_s >= feed.at_s]
        if change is not None:
            feed.apply(change)
            changes.append(change)
    return changes, feed


@pytest.mark.parametrize(("per_day", "spread"), [(30, 0), (300, 0.3), (300, 0.6), (5000, 0.3)])
def test_a_healthy_source_is_never_out_in_a_year(per_day, spread):
    for seed in range(3):
        events = shop_hours(np.random.default_rng(seed), per_day, 365, spread)
        changes, feed = follow(events, MONDAY + 365 * DAY_S)
        assert changes == []
        assert feed.per_day == pytest.approx(per_day, rel=0.4)


@pytest.mark.parametrize(
    ("per_day", "kept", "within_hours"), [(30, 0, 60), (300, 0, 12), (5000, 0, 2), (300, 0.25, 36)]
)
def test_a_dead_or_thinned_source_is_noticed_and_dated_back(per_day, kept, within_hours):
    rng = np.random.default_rng(5)
    dies_s = MONDAY + 100 * DAY_S + 14 * HOUR_S
    events = shop_hours(rng, per_day, 120)
    events = events[(events < dies_s) | (rng.random(len(events)) < kept)]
    changes, feed = follow(events, dies_s + within_hours * HOUR_S)
    assert [change.is_stale for change in changes] == [True]
    assert abs(changes[0].since_s - dies_s) < 6 * HOUR_S
    assert feed.is_stale


def test_a_source_that_returns_is_back_since_its_first_events():
    events = shop_hours(np.random.default_rng(6), 300, 120)
    dies_s, back_s = (MONDAY + day * DAY_S + 12 * HOUR_S for day in (100, 103))
    changes, feed = follow(events[(events < dies_s) | (events >= back_s)], MONDAY + 110 * DAY_S)
    assert [change.is_stale for change in changes] == [True, False]
    assert back_s <= changes[1].since_s <= changes[1].at_s < back_s + 4 * HOUR_S
    assert not feed.is_stale


def test_nothing_is_said_before_two_full_weeks_are_known():
    events = shop_hours(np.random.default_rng(7), 300, 10)
    assert follow(events, MONDAY + 2 * WEEK_S - 1)[0] == []


def test_a_source_with_few_events_is_never_out():
    events = shop_hours(np.random.default_rng(8), 15, 60)
    assert follow(events, MONDAY + 90 * DAY_S)[0] == []


def test_a_log_that_knows_dates_only_is_well_and_misses_a_whole_day_when_it_is_not():
    """All events of a day have its midnight, three times as many on Saturdays."""
    rng = np.random.default_rng(9)
    per_day = rng.poisson(200 * (1 + 2 * (np.arange(200) % 7 == 5)))
    events = MONDAY + np.repeat(np.arange(200) * DAY_S, per_day)
    assert follow(events, MONDAY + 200 * DAY_S)[0] == []
    (change,), _ = follow(events, MONDAY + 203 * DAY_S)
    assert change.is_stale
    assert change.at_s <= MONDAY + 202 * DAY_S


def test_a_campaign_every_other_week_is_no_outage():
    rng = np.random.default_rng(10)
    events = MONDAY + np.sort(
        np.concatenate(
            [2 * week * WEEK_S + 10 * HOUR_S + rng.exponential(3 * HOUR_S, 800).astype(int) for week in range(26)]
        )
    )
    assert follow(events, MONDAY + 50 * WEEK_S)[0] == []


def test_a_shop_that_grows_tenfold_and_shrinks_again_within_a_year_is_well():
    rng = np.random.default_rng(11)
    events = shop_hours(rng, 2000, 364)
    share = np.exp(-np.log(10) * np.abs((events - MONDAY) / (182 * DAY_S) - 1.0))
    assert follow(events[rng.random(len(events)) < share], MONDAY + 364 * DAY_S)[0] == []


def test_a_source_that_stays_thin_is_normal_after_four_weeks_and_a_dead_one_never():
    rng = np.random.default_rng(12)
    events = shop_hours(rng, 1000, 260)
    dies_s = MONDAY + 100 * DAY_S
    thin = events[(events < dies_s) | (rng.random(len(events)) < 0.15)]
    changes, feed = follow(thin, MONDAY + 260 * DAY_S)
    assert [(change.is_stale, change.is_new_normal) for change in changes] == [(True, False), (False, True)]
    assert feed.per_day == pytest.approx(150, rel=0.2)
    assert follow(events[events < dies_s], MONDAY + 260 * DAY_S)[1].is_stale


def test_an_outage_is_not_learnt():
    events = shop_hours(np.random.default_rng(13), 300, 140)
    out = (events >= MONDAY + 100 * DAY_S) & (events < MONDAY + 105 * DAY_S)
    usual = follow(events, MONDAY + 140 * DAY_S)[1].per_day
    assert follow(events[~out], MONDAY + 140 * DAY_S)[1].per_day == pytest.approx(usual, rel=0.05)


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 40 * DAY_S), max_size=8), kept=st.sampled_from([0.0, 0.3]))
def test_neither_second_nor_state_depend_on_how_events_were_cut_into_pieces(cuts, kept):
    rng = np.random.default_rng(14)
    events = shop_hours(rng, 150, 40)
    out = (events >= MONDAY + 24 * DAY_S) & (events < MONDAY + 30 * DAY_S) & (rng.random(len(events)) >= kept)
    until_s = MONDAY + 40 * DAY_S
    whole, feed = follow(events[~out], until_s)
    pieces, cut_feed = follow(events[~out], until_s, cuts=tuple(MONDAY + cut for cut in cuts))
    assert whole == pieces
    assert len(whole) == 2
    assert feed.to_dict() == cut_feed.to_dict()


@given(day=st.integers(1, 39))
@settings(max_examples=15, deadline=None)
def test_stored_and_read_again_it_goes_on_exactly(day):
    events = shop_hours(np.random.default_rng(15), 150, 40)
    events = events[(events < MONDAY + 24 * DAY_S) | (events >= MONDAY + 30 * DAY_S)]
    restart_s, until_s = MONDAY + day * DAY_S + 4321, MONDAY + 40 * DAY_S
    first, feed = follow(events, restart_s)
    feed = Feed.from_dict(orjson.loads(orjson.dumps(feed.to_dict())))
    rest, feed = follow(events[events >= restart_s], until_s, feed)
    whole, once = follow(events, until_s)
    assert first + rest == whole
    assert feed.to_dict() == once.to_dict()


class TestSum:
    steady = Expectation(WeekProfile(np.full(WEEK_HOURS, 60.0), np.full(WEEK_HOURS, 8), 1.0, 8))

    def test_at_the_second_of_the_change_the_threshold_is_reached_and_a_second_before_it_is_not(self):
        _, change_s = walk(Sum(MONDAY), self.steady, NOTHING, MONDAY + WEEK_S)
        before, at = (walk(Sum(MONDAY), self.steady, NOTHING, second)[0].score for second in (change_s - 1, change_s))
        assert before < self.steady.threshold <= at

    def test_it_falls_for_a_source_above_the_break_even_and_rises_below(self):
        for share, direction in ((BREAK_EVEN + 0.1, -1), (BREAK_EVEN - 0.1, 1)):
            events = MONDAY + np.arange(0, DAY_S, int(60 / share))
            start = Sum(MONDAY, score=self.steady.threshold // 2)
            end, _ = walk(start, self.steady, events[events < MONDAY + HOUR_S], MONDAY + HOUR_S)
            assert np.sign(end.score - start.score) == direction


class TestProfile:
    everything = np.ones(WEEK_HOURS, bool)

    def test_a_jump_of_one_hour_is_learnt_as_four_times_what_was_expected_at_most(self):
        profile = WeekProfile()
        for _ in range(8):
            profile = profile.learn(np.full(WEEK_HOURS, 10), self.everything)
        counts = np.full(WEEK_HOURS, 10)
        counts[5] = 100_000
        assert profile.learn(counts, self.everything).rate[5] < 15

    def test_hours_that_were_not_counted_keep_what_was_known(self):
        profile = WeekProfile().learn(np.full(WEEK_HOURS, 10), self.everything)
        counted = np.arange(WEEK_HOURS) < 100
        learnt = profile.learn(np.where(counted, 10, 0), counted)
        assert learnt.rate.tolist() == profile.rate.tolist()

    def test_clumps_raise_the_dispersion_and_chance_alone_does_not(self):
        rng = np.random.default_rng(3)
        single, clumped = WeekProfile(), WeekProfile()
        for _ in range(12):
            single = single.learn(rng.poisson(50, WEEK_HOURS), self.everything)
            clumped = clumped.learn(10 * rng.poisson(5, WEEK_HOURS), self.everything)
        assert single.dispersion < 1.3
        assert clumped.dispersion == pytest.approx(10, rel=0.3)
