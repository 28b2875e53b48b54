"""What the calendar says, and that nobody hears it unasked."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import calendar_features
from models.events import Channel
from models.features import CALENDAR, N_KEPT, features
from models.groups import Group
from models.mixture import ChurnMixture
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target

MONTH = 28 * DAY_S
PLAIN, JAPAN = Target(Channel.ORDER, MONTH, "plain"), Target(Channel.ORDER, MONTH, "JP")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def customer(last_at_s: int):
    rows = new_rows(1)
    rows["last_at"][:, Channel.ORDER] = last_at_s
    rows["main_occasions"] = rows["count"][:, Channel.ORDER] = 1
    return rows


def test_a_saturday_and_a_sunday_are_days_of_rest_and_a_monday_is_not():
    # the thirteenth part of 28 days is two days
    rest = calendar_features(np.array([at("2025-06-07"), at("2025-06-09")]), PLAIN)[0]
    assert rest.tolist() == [1.0, 0.0]


def test_the_new_year_is_a_holiday_in_japan_and_begins_there_nine_hours_earlier():
    share = calendar_features(np.array([at("2024-12-31T14:59:59"), at("2024-12-31T15:00:00")]), JAPAN)[0]
    assert share.tolist() == [0.5, 0.5]  # from the 31st: the 1st is free; from the 1st: the 2nd is a working day
    assert np.isnan(calendar_features(at("2025-01-01"), PLAIN)[1])


def test_golden_week_is_in_the_coming_horizon_before_it_begins():
    april, june = calendar_features(np.array([at("2025-04-20"), at("2025-06-01")]), JAPAN)[1]
    assert april * 28 == 5  # 29 April, 3 to 6 May
    assert june == 0.0


@given(st.integers(at("1971-01-01"), at("2098-01-01")))
def test_every_moment_has_a_season_and_shares_between_none_and_all(at_s):
    rest, holiday, sine, cosine = calendar_features(at_s, JAPAN)
    assert 0 <= rest <= 1 and 0 <= holiday <= 1
    assert sine**2 + cosine**2 == pytest.approx(1.0)


def test_a_target_without_a_calendar_knows_nothing_of_it():
    last_at_s = at("2025-01-01")
    known = features(customer(last_at_s), last_at_s + DAY_S, PLAIN)[0, CALENDAR]
    assert np.isnan(known).tolist() == [False, True, False, False]
    unasked = features(customer(last_at_s), last_at_s + DAY_S, Target(Channel.ORDER, MONTH))[0, CALENDAR]
    assert np.isnan(unasked).all()


def test_there_is_no_other_calendar():
    with pytest.raises(ValueError, match="calendar must be empty, plain or JP, got 'US'"):
        Target(Channel.ORDER, MONTH, "US")


def test_an_example_gets_the_calendar_of_its_own_time_back():
    frozen_at_s = np.array([at("2025-04-20"), at("2025-06-01")])
    x = np.zeros((2, N_KEPT))
    group = Group(x, np.zeros(2), np.zeros((2, 6)), frozen_at_s, at("2025-07-01"), np.ones(2))
    assert np.array_equal(group.completed(JAPAN).x[:, CALENDAR], calendar_features(frozen_at_s, JAPAN).T)
    assert np.isnan(group.completed(Target(Channel.ORDER, MONTH)).x[:, CALENDAR]).all()


def test_a_mixture_that_knows_the_calendar_scores_the_seasons_it_has_seen_differently():
    rng = np.random.default_rng(5)
    mixture = ChurnMixture.for_target(PLAIN)
    start = at("2022-01-01")
    for day in range(0, 1_000, 5):
        frozen_at_s = np.full(60, start + day * DAY_S)
        winter = np.cos(2 * np.pi * day / 365.2425) > 0
        y = (rng.random(60) < (0.8 if winter else 0.2)).astype(float)
        x = np.full((60, N_KEPT), np.nan)
        x[:, 0] = rng.normal(size=60)
        kept = np.full((60, 6), np.nan)
        mixture.learn_steps(Group(x, y, kept, frozen_at_s, int(frozen_at_s[0]) + PLAIN.step_s, np.ones(60)))
        mixture.learn_horizons(Group(x, y, kept, frozen_at_s, int(frozen_at_s[0]) + MONTH, np.ones(60)))
    scorer = Scorer.of(mixture.snapshot())
    row = customer(at("2025-01-01"))
    winter, summer = (
        scorer.expert_log_odds(features(row, at(day), PLAIN))[0, 2] for day in ("2025-01-10", "2025-07-10")
    )
    assert winter > summer + 1.0
    assert scorer.target == PLAIN
