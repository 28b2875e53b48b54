"""Why a customer has this risk: exact shares, and the reasons a person reads."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.apply import Columns, apply_round
from models.events import Channel
from models.explain import LEAST, MAX_REASONS, explain
from models.features import FEATURES, SIGNALS
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, EMAIL_OPEN = Channel
TARGET = Target(ORDER, 91 * DAY_S)
START_S = 852_076_800  # 1997-01-01
NAN = float("nan")


class Shares:
    """A scorer that says what each signal contributes; the rest is baseline."""

    def __init__(self, baseline=-1.0, prior=0.0, **by_signal):
        self.baseline, self.prior, self.by_signal = baseline, prior, by_signal

    def contributions(self, rows, at_s):
        parts = np.zeros((len(rows), len(FEATURES) + 2))
        owners = [feature.signal for feature in FEATURES]
        for signal, share in self.by_signal.items():
            columns = [i for i, owner in enumerate(owners) if owner == signal]
            parts[:, columns] = share / len(columns)
        parts[:, -2:] = self.prior, self.baseline
        return parts


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


def why(scorer, rows=WEEKLY, day=44, target=TARGET):
    (explanation,) = explain(scorer, rows, np.array([START_S + round(day * DAY_S)]), target)
    return explanation


def told(explanation):
    return explanation.reasons.ja


def test_the_strongest_signal_becomes_the_first_reason():
    reasons = why(Shares(login_silence=0.5, order_silence=2.0)).reasons
    assert reasons.ja == [
        "ふだんは約7日ごとに注文がありますが、すでに23日間ありません。",
        "ふだんは約3日ごとにログインがありますが、すでに17日間ありません。",
    ]
    assert reasons.en == [
        "Usually orders about every 7 days; none for 23 days.",
        "Usually logs in about every 3 days; none for 17 days.",
    ]


def test_a_signal_that_argues_for_staying_is_evidence_but_no_reason():
    explanation = why(Shares(order_silence=2.0, basket=-1.0))
    assert len(told(explanation)) == 1
    assert [e.signal for e in explanation.evidence][-1] == "basket"
    assert explanation.evidence[-1].contribution == pytest.approx(-1.0)


def test_at_most_three_reasons_are_given():
    shares = Shares(order_silence=1.0, order_trend=0.9, order_history=0.8, basket=0.7, login_trend=0.6)
    assert len(told(why(shares))) == MAX_REASONS


def test_one_gap_is_not_told_twice():
    """Silence and rhythm of the main channel are the same gap; the next signal takes the place."""
    explanation = why(Shares(main_rhythm=2.0, order_silence=1.0, login_silence=0.5))
    assert told(explanation) == [
        "注文の間隔が、ふだん（約7日）の約3.3倍に延びています。",
        "ふだんは約3日ごとにログインがありますが、すでに17日間ありません。",
    ]


def test_that_somebody_came_only_once_is_not_told_twice():
    once = customer((0, ORDER, 50.0))
    explanation = why(Shares(main_rhythm=1.0, order_history=0.9, basket=0.8), once)
    assert told(explanation) == ["注文はまだ一度きりで、それから44日たちました。", "1回の注文額は約50です。"]


def test_the_prior_speaks_as_the_rhythm_because_it_is_made_of_nothing_else():
    explanation = why(Shares(prior=1.5))
    assert told(explanation) == ["注文の間隔が、ふだん（約7日）の約3.3倍に延びています。"]
    assert explanation.evidence[0].signal == "main_rhythm"
    assert explanation.evidence[0].contribution == 1.5


def test_without_any_raising_signal_the_reason_says_so_honestly():
    explanation = why(Shares(baseline=1.0, order_silence=LEAST / 2, basket=-0.1))
    (sentence,) = explanation.reasons.en
    assert sentence == "No single signal stands out; taken together the risk of churn is 72%."


def test_evidence_gives_usual_and_now_with_unit():
    found = {e.signal: e for e in why(Shares(order_silence=2.0)).evidence}
    assert (found["order_silence"].usual, found["order_silence"].now) == (pytest.approx(7.0), 23.0)
    assert found["order_silence"].unit == "days"
    assert found["order_history"].usual is None


def test_a_channel_never_seen_and_without_a_share_is_left_out():
    assert not {"email_silence", "email_trend"} & {e.signal for e in why(Shares()).evidence}


def test_the_explanation_of_a_customer_does_not_depend_on_the_neighbours():
    scorer = Scorer.cold(TARGET)
    rows = np.concatenate([WEEKLY, customer((1, ORDER, NAN), (2, EMAIL_OPEN, NAN)), customer((3, ORDER, 9.0))])
    at_s = np.full(3, START_S + 50 * DAY_S)
    together = explain(scorer, rows, at_s, TARGET)
    assert together == [explain(scorer, rows[i : i + 1], at_s[:1], TARGET)[0] for i in range(3)]


EVENTS = st.lists(
    st.tuples(st.floats(0, 300), st.sampled_from(Channel), st.sampled_from([NAN, 0.0, 9.5, 400.0])),
    max_size=12,
)


@given(EVENTS, st.floats(0, 400))
def test_the_shares_add_up_to_the_log_odds_and_nothing_is_nan(events, later):
    rows = customer((0, ORDER, 20.0), *events)
    day = max((event[0] for event in events), default=0) + later
    scorer = Scorer.cold(TARGET)
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
        why(Scorer.cold(TARGET), customer((0, LOGIN, NAN)))


def test_every_signal_has_its_measure_and_its_sentence():
    explanation = why(Shares(**dict.fromkeys(SIGNALS, 1.0)))
    assert {e.signal for e in explanation.evidence} == set(SIGNALS)
