"""While a whole source is out, silence on its channel does not count; without an outage nothing is different."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from histories import NOW_S, START_S, TARGET, customer, learnt_model, random_rows
from hypothesis import given
from hypothesis import strategies as st

from models.clocks import RUNNING, ChannelClocks, Outage
from models.crossing import NEVER, next_crossing
from models.events import Channel
from models.evidence import values_of
from models.features import RHYTHM, SILENCE_OF, TAIL, TREND_OF
from models.scorer import Scorer
from models.target import DAY_S, Target

ORDER, LOGIN, EMAIL_OPEN = Channel
LOGIN_TARGET = Target(LOGIN, 28 * DAY_S)
LEARNT = replace(Scorer.of(learnt_model().snapshot()), weights=np.full(5, 0.2), level_shift=0.2, hazard_level=-0.3)
LOGINS = Scorer.of(learnt_model(target=LOGIN_TARGET).snapshot())
SCORERS = [Scorer.cold(TARGET), LEARNT, LOGINS]
ROWS = random_rows(300, seed=11)
each_scorer = pytest.mark.parametrize("scorer", SCORERS, ids=["cold", "learnt", "login"])

seconds = st.integers(START_S, NOW_S + 100 * DAY_S)
outages = st.builds(
    lambda channel, begin, length: Outage(channel, begin, length and begin + length),
    st.sampled_from(Channel),
    seconds,
    st.none() | st.integers(1, 60 * DAY_S),
)
clocks_of_any = st.lists(outages, max_size=6).map(lambda some: ChannelClocks(tuple(some)))


def same_bits(a, b):
    return a.tobytes() == b.tobytes()


def columns_of(channel, target):
    own = [SILENCE_OF[channel], TREND_OF[channel]]
    return [*own, RHYTHM, TAIL] if channel == target.main else own


@given(clocks_of_any, st.sampled_from(Channel), seconds, seconds)
def test_seconds_that_do_not_count_are_those_of_outages_each_once(clocks, channel, one, other):
    since, at = sorted((one, other))
    edges = sorted({since, at, *(s for o in clocks.outages for s in (o.from_s, o.until_s) if s and since < s < at)})
    expected = sum(end - begin for begin, end in itertools.pairwise(edges) if channel in clocks.stale(begin))
    assert clocks.stopped_s(channel, since, at) == expected
    assert clocks.stopped_s(channel, at, since) == 0


@given(clocks_of_any, st.sampled_from(Channel), st.lists(seconds, min_size=2, max_size=20).map(sorted))
def test_a_clock_never_goes_back_nor_faster_than_time(clocks, channel, moments):
    at_s = np.array(moments, np.float64)
    tau = clocks.read(channel, at_s)
    assert (np.diff(tau) >= 0).all() and (np.diff(tau) <= np.diff(at_s)).all()
    assert same_bits(tau, np.rint(tau))


@given(st.permutations([Outage(LOGIN, 10, 20), Outage(LOGIN, 15, 30), Outage(LOGIN, 30, 40), Outage(ORDER, 5)]))
def test_outages_that_touch_are_one_in_whatever_order_they_are_told(some):
    assert ChannelClocks(tuple(some)).outages == (Outage(ORDER, 5), Outage(LOGIN, 10, 40))
    assert ChannelClocks((Outage(LOGIN, 35), *some)).outages == (Outage(ORDER, 5), Outage(LOGIN, 10))


@given(clocks_of_any)
def test_clocks_are_read_back_as_they_were_written_down(clocks):
    assert ChannelClocks.from_dict(clocks.to_dict()) == clocks


@pytest.mark.parametrize("until_s", [99, 100])
def test_an_outage_that_ends_before_it_begins_is_refused(until_s):
    with pytest.raises(ValueError, match="must end after 100"):
        Outage(LOGIN, 100, until_s)


@each_scorer
def test_without_an_outage_every_bit_is_the_same(scorer):
    elsewhere = scorer.with_clocks(ChannelClocks((Outage(ORDER, 1, 9), Outage(LOGIN, 3 * 10**9))))
    rows = ROWS[ROWS["last_at"][:, scorer.target.main] > 0]
    until_s = NOW_S + 2 * scorer.target.horizon_s
    assert scorer.clocks is RUNNING and scorer.with_clocks(RUNNING).clocks is RUNNING
    for other in (scorer.with_clocks(RUNNING), elsewhere):
        assert same_bits(other.features_of(rows, NOW_S), scorer.features_of(rows, NOW_S))
        assert same_bits(other.log_odds(rows, NOW_S), scorer.log_odds(rows, NOW_S))
        crossings = [next_crossing(model, rows, NOW_S, until_s, 0.8) for model in (other, scorer)]
        assert np.array_equal(*crossings)


@each_scorer
@given(channel=st.sampled_from(Channel), more_s=st.integers(0, 300 * DAY_S))
def test_while_a_source_is_out_its_features_stand_still_and_no_others(scorer, channel, more_s):
    out = scorer.with_clocks(ChannelClocks((Outage(channel, NOW_S),)))
    later = scorer.features_of(ROWS, NOW_S + more_s)
    expected = np.array(later)
    frozen = columns_of(channel, scorer.target)
    expected[:, frozen] = scorer.features_of(ROWS, NOW_S)[:, frozen]
    assert same_bits(out.features_of(ROWS, NOW_S + more_s), expected)


@each_scorer
def test_when_every_source_is_out_nobodys_risk_moves(scorer):
    out = scorer.with_clocks(ChannelClocks(tuple(Outage(channel, NOW_S) for channel in Channel)))
    rows = ROWS[ROWS["last_at"][:, scorer.target.main] > 0]
    assert same_bits(out.log_odds(rows, NOW_S + 50 * DAY_S), scorer.log_odds(rows, NOW_S))
    safe = rows[scorer.probabilities(rows, NOW_S) < 0.8]
    assert (next_crossing(scorer, safe, NOW_S, NOW_S + 182 * DAY_S, 0.8) != NEVER).any()
    assert (next_crossing(out, safe, NOW_S, NOW_S + 182 * DAY_S, 0.8) == NEVER).all()


@each_scorer
@given(days=st.integers(0, 90), begin_s=st.integers(-60 * DAY_S, 60 * DAY_S), length_s=st.integers(1, 60 * DAY_S))
def test_after_an_outage_a_silence_is_shorter_by_what_it_shares_with_it(scorer, days, begin_s, length_s):
    main, at_s = scorer.target.main, NOW_S + days * DAY_S
    outage = Outage(main, NOW_S + begin_s, NOW_S + begin_s + length_s)
    out = scorer.with_clocks(ChannelClocks((outage,)))
    for i in range(0, len(ROWS), 60):
        row = ROWS[i : i + 1]
        last_s = int(row["last_at"][0, main])
        if last_s:
            shared_s = max(0, min(at_s, outage.until_s) - max(last_s, outage.from_s))
            columns = columns_of(main, scorer.target)
            found = out.features_of(row, at_s)[:, columns]
            assert same_bits(found, scorer.features_of(row, at_s - shared_s)[:, columns])


@each_scorer
@given(channel=st.sampled_from(Channel), before_s=st.integers(0, 30 * DAY_S), length_s=st.integers(1, 30 * DAY_S))
def test_who_was_active_on_all_channels_after_an_outage_is_untouched(scorer, channel, before_s, length_s):
    has_all = (ROWS["last_at"] > 0).all(axis=1)
    until_s = int(ROWS["last_at"][has_all].min()) - before_s
    out = scorer.with_clocks(ChannelClocks((Outage(channel, until_s - length_s, until_s),)))
    rows = ROWS[has_all]
    assert same_bits(out.features_of(rows, NOW_S), scorer.features_of(rows, NOW_S))
    assert same_bits(out.log_odds(rows, NOW_S), scorer.log_odds(rows, NOW_S))


@each_scorer
def test_the_threshold_is_reached_at_that_second_on_stopped_clocks_too(scorer):
    main, other = scorer.target.main, LOGIN if scorer.target.main == ORDER else ORDER
    past, ongoing = Outage(main, NOW_S - 20 * DAY_S, NOW_S - 3 * DAY_S), Outage(other, NOW_S - DAY_S)
    out = scorer.with_clocks(ChannelClocks((past, ongoing)))
    rows = ROWS[ROWS["last_at"][:, main] > 0]
    at_s = next_crossing(out, rows, NOW_S, NOW_S + 2 * scorer.target.horizon_s, 0.8)
    found = at_s > NOW_S + 1
    assert found.sum() > 20
    assert (out.probabilities(rows[found], at_s[found]) >= 0.8).all()
    assert (out.probabilities(rows[found], at_s[found] - 1) < 0.8).all()


def test_features_of_one_moment_score_as_the_rows_did_on_stopped_clocks_too():
    out = LEARNT.with_clocks(ChannelClocks((Outage(LOGIN, NOW_S - 9 * DAY_S), Outage(ORDER, START_S, NOW_S))))
    assert np.array_equal(out.log_odds_of(out.features_of(ROWS, NOW_S)), out.log_odds(ROWS, NOW_S), equal_nan=True)


@given(st.integers(1, 40), st.integers(1, 40))
def test_evidence_shows_the_days_that_counted(days_before, days_out):
    row = customer((0, ORDER), (7, ORDER), (14, ORDER), (20, LOGIN))
    begin_s = START_S + (20 + days_before) * DAY_S
    at_s = np.array([begin_s + days_out * DAY_S])
    out = LEARNT.with_clocks(ChannelClocks((Outage(LOGIN, begin_s),)))
    x = out.features_of(row, at_s)
    logins, orders = (values_of(signal, out, row, at_s, x) for signal in ("login_silence", "order_silence"))
    assert logins.now.tolist() == [days_before]
    assert orders.now.tolist() == [6 + days_before + days_out]
    trend = values_of("login_trend", out, row, at_s, x)
    assert same_bits(trend.now, values_of("login_trend", LEARNT, row, at_s - days_out * DAY_S, x).now)


def test_what_ended_before_anybody_was_last_active_can_be_forgotten():
    clocks = ChannelClocks((Outage(LOGIN, START_S, START_S + 5), Outage(ORDER, START_S, NOW_S), Outage(EMAIL_OPEN, 7)))
    assert clocks.since(START_S + 5).outages == (Outage(ORDER, START_S, NOW_S), Outage(EMAIL_OPEN, 7))
