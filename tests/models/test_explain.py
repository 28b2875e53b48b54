"""Why a customer has this risk: exact shares, and the reasons a person reads."""

import dataclasses
import math

import numpy as np
import pytest
from histories import learnt_model
from hypothesis import given
from hypothesis import strategies as st

from models.apply import Columns, apply_round
from models.confidence import Confidence
from models.events import Channel
from models.experts import NAMES
from models.explain import LEAST, MAX_REASONS, explain
from models.features import FEATURES, SIGNALS
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, EMAIL_OPEN = Channel
TARGET = Target(ORDER, 91 * DAY_S, calendar="JP")
START_S = 852_076_800  # 1997-01-01
NAN = float("nan")
COLD = Scorer.cold(TARGET)
LEARNT = Scorer.of(learnt_model().snapshot())
MEAN = 0.011  # of every feature: nobody is exactly like that, so each known feature can contribute


def shares(baseline=-1.0, *, rows=None, day=44, **by_signal):
    """A linear scorer in whose eyes each signal of this customer contributes so much."""
    rows = WEEKLY if rows is None else rows
    values = COLD.features_of(rows, START_S + round(day * DAY_S))[0] - MEAN
    owners = np.array([feature.signal for feature in FEATURES])
    weights = np.append(np.zeros(len(FEATURES)), baseline)
    for signal, share in by_signal.items():
        columns = np.flatnonzero((owners == signal) & ~np.isnan(values))
        weights[columns] = share / values[columns] / len(columns)
    return dataclasses.replace(
        COLD,
        n_labels=5000,
        weights=np.array([float(name == "linear") for name in NAMES]),
        linear=weights,
        centre=np.full(len(FEATURES), MEAN),
        unit=np.ones(len(FEATURES)),
    )


def customer(*events):
    """One customer to whom (day, channel, amount) happened."""
    rows = new_rows(1)
    for offset, (day, channel, amount) in enumerate(events):
        fields = (START_S + round(day * DAY_S), channel, channel, offset, amount, 0, True)
        dtypes = ("u4", "u1", "u1", "i8", "f4", "u8", "?")
        apply_round(rows, Columns(*(np.array([f], d) for f, d in zip(fields, dtypes, strict=True))), TARGET)
    return rows


WEEKLY = customer(
    *((day, ORDER, 50.0) for day in (0, 7, 14, 21)),
    *((day, LOGIN, NAN) for day in range(0, 30, 3)),
)


def why(scorer, rows=WEEKLY, day=44):
    (explanation,) = explain(scorer, rows, np.array([START_S + round(day * DAY_S)]))
    return explanation


def told(explanation):
    return explanation.reasons.ja


def test_the_strongest_signal_becomes_the_first_reason():
    reasons = why(shares(login_silence=0.5, order_silence=2.0)).reasons
    assert reasons.ja == [
        "ふだんは約7日ごとに注文がありますが、すでに23日間ありません。",
        "ふだんは約3日ごとにログインがありますが、すでに17日間ありません。",
    ]
    assert reasons.en == [
        "Usually orders about every 7 days; none for 23 days.",
        "Usually logs in about every 3 days; none for 17 days.",
    ]


def test_a_signal_that_argues_for_staying_is_evidence_but_no_reason():
    explanation = why(shares(order_silence=2.0, basket=-1.0))
    assert len(told(explanation)) == 1
    assert [e.signal for e in explanation.evidence][-1] == "basket"
    assert explanation.evidence[-1].contribution == pytest.approx(-1.0)


def test_at_most_three_reasons_are_given():
    scorer = shares(order_silence=1.0, order_trend=0.9, order_history=0.8, basket=0.7, login_trend=0.6)
    assert len(told(why(scorer))) == MAX_REASONS


def test_one_gap_is_not_told_twice():
    """Silence and rhythm of the main channel are the same gap; the next signal takes the place."""
    explanation = why(shares(main_rhythm=2.0, order_silence=1.0, login_silence=0.5))
    assert told(explanation) == [
        "注文の間隔が、ふだん（約7日）の約3.3倍に延びています。",
        "ふだんは約3日ごとにログインがありますが、すでに17日間ありません。",
    ]


def test_that_somebody_came_only_once_is_not_told_twice():
    once = customer((0, ORDER, 50.0))
    explanation = why(shares(rows=once, main_rhythm=1.0, order_history=0.9, order_trend=0.85, basket=0.8), once)
    assert told(explanation) == ["注文はまだ一度きりで、それから44日たちました。", "1回の注文額は約50です。"]


def test_before_any_label_the_rhythm_is_the_reason():
    explanation = why(COLD, day=70)
    assert told(explanation) == ["注文の間隔が、ふだん（約7日）の約7倍に延びています。"]
    assert explanation.evidence[0].signal == "main_rhythm"
    assert explanation.evidence[0].contribution == explanation.log_odds
    assert not any(e.contribution for e in explanation.evidence[1:])


def test_categories_that_were_dropped_are_a_reason_of_their_own():
    rows = WEEKLY.copy()
    rows["cats_ever"], rows["cats_now"], rows["cats_before"] = 0b11111, 0b1, 0b10
    explanation = why(shares(rows=rows, categories=1.0, basket=0.2), rows)
    assert told(explanation) == [
        "以前買っていた5カテゴリーのうち、3カテゴリーは最近買っていません。",
        "1回の注文額は約50です。",
    ]
    found = {e.signal: e for e in explanation.evidence}
    assert (found["categories"].usual, found["categories"].now) == (5.0, 2.0)
    assert found["categories"].contribution == pytest.approx(1.0)


def test_a_low_click_rate_is_told_beside_the_mean_and_not_again_as_opens():
    rows = WEEKLY.copy()
    rows["sends_long"], rows["sends_at"] = 10.0, START_S
    explanation = why(shares(rows=rows, email_click_rate=1.0, email_open_rate=0.5), rows)
    assert explanation.reasons.en == ["Clicks on 0% of e-mails sent; the average customer 1.1%."]


def test_without_any_raising_signal_the_reason_says_so_honestly():
    explanation = why(shares(baseline=1.0, order_silence=LEAST / 2, basket=-0.1))
    (sentence,) = explanation.reasons.en
    assert sentence == "No single signal stands out; taken together the risk of churn is 72%."


def test_without_enough_evidence_even_that_sentence_gives_no_number():
    ignorant = dataclasses.replace(shares(baseline=1.0), n_labels=0)
    once = customer((0, ORDER, 50.0))
    explanation = why(ignorant, once)
    assert explanation.confidence == Confidence.NOT_ENOUGH
    assert explanation.reasons.en == ["No single signal stands out; not enough evidence yet."]
    assert why(ignorant).confidence == Confidence.ENOUGH, "four orders are a rhythm"


def test_evidence_gives_usual_and_now_with_unit():
    found = {e.signal: e for e in why(shares(order_silence=2.0)).evidence}
    assert (found["order_silence"].usual, found["order_silence"].now) == (pytest.approx(7.0), 23.0)
    assert found["order_silence"].unit == "days"
    assert found["order_history"].usual is None


def test_a_channel_never_seen_and_without_a_share_is_left_out():
    assert not {"email_silence", "email_trend"} & {e.signal for e in why(shares()).evidence}


@pytest.mark.parametrize("scorer", [COLD, LEARNT], ids=["cold", "learnt"])
def test_the_explanation_of_a_customer_does_not_depend_on_the_neighbours(scorer):
    rows = np.concatenate([WEEKLY, customer((1, ORDER, NAN), (2, EMAIL_OPEN, NAN)), customer((3, ORDER, 9.0))])
    at_s = np.full(3, START_S + 50 * DAY_S)
    together = explain(scorer, rows, at_s)
    assert together == [explain(scorer, rows[i : i + 1], at_s[:1])[0] for i in range(3)]


EVENTS = st.lists(
    st.tuples(st.floats(0, 300), st.sampled_from(Channel), st.sampled_from([NAN, 0.0, 9.5, 400.0])),
    max_size=12,
)


@given(EVENTS, st.floats(0, 400), st.sampled_from([COLD, LEARNT]))
def test_the_shares_add_up_to_the_log_odds_and_nothing_is_nan(events, later, scorer):
    rows = customer((0, ORDER, 20.0), *events)
    day = max((event[0] for event in events), default=0) + later
    explanation = why(scorer, rows, day)
    total = explanation.baseline + sum(e.contribution for e in explanation.evidence)
    exact = float(scorer.log_odds(rows, np.array([START_S + round(day * DAY_S)]))[0])
    assert total == pytest.approx(exact, abs=1e-9)
    assert explanation.log_odds == pytest.approx(exact, abs=1e-9)
    for e in explanation.evidence:
        assert all(value is None or math.isfinite(value) for value in (e.usual, e.now, e.contribution))
    assert 1 <= len(explanation.reasons.ja) == len(explanation.reasons.en) <= MAX_REASONS


def test_a_customer_who_never_ordered_has_no_risk_to_explain():
    with pytest.raises(ValueError, match="without any main event"):
        why(COLD, customer((0, LOGIN, NAN)))


def test_every_signal_has_its_measure_and_its_sentence():
    rows = customer(*((day, channel, 50.0) for day in (0, 7, 14, 21) for channel in Channel))
    rows["cats_ever"], rows["cats_now"], rows["sends_long"], rows["sends_at"] = 0b111, 0b1, 10.0, START_S
    explanation = why(shares(rows=rows, **dict.fromkeys(SIGNALS, 1.0)), rows)
    assert {e.signal: e.contribution for e in explanation.evidence} == pytest.approx(dict.fromkeys(SIGNALS, 1.0))
    assert all(e.now is not None for e in explanation.evidence)
