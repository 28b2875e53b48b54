"""What would bring a customer back is tried out, not guessed, and the trial leaves no trace."""

import numpy as np
import pytest

from models.apply import Columns, apply_round
from models.comeback import ComebackOption, comeback
from models.episodes import store_episode
from models.events import Channel
from models.levels import Level
from models.policy import STEP_EXPIRED, Episode, Policy
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, EMAIL_OPEN = Channel
TARGET = Target(ORDER, 91 * DAY_S)
POLICY = Policy.for_target(TARGET)
START_S = 852_076_800  # 1997-01-01
NOW_S = START_S + 100 * DAY_S
NAN = float("nan")


class RiskAfter:
    """A scorer that knows only on which channel a customer was last seen."""

    def __init__(self, **risk):
        self.risk = [risk[channel.name.lower()] for channel in Channel]

    def probabilities(self, rows, at_s):
        return np.array([self.risk[channel] for channel in rows["last_at"].argmax(axis=1)], float)


def customer(*events, level=Level.CRITICAL, expired=False):
    """One customer with an open episode, to whom (day, channel) happened."""
    rows = new_rows(1)
    for offset, (day, channel) in enumerate(events):
        happen(rows, START_S + day * DAY_S, channel, offset)
    number, told = (1, STEP_EXPIRED if expired else int(level)) if level or expired else (0, 0)
    store_episode(rows[0], Episode(level, number, told, NOW_S, START_S, expired))
    return rows


def happen(rows, at_s, channel, offset):
    fields = (at_s, channel, channel, offset, NAN, 0, True)
    dtypes = ("u4", "u1", "u1", "i8", "f4", "u8", "?")
    apply_round(rows, Columns(*(np.array([f], d) for f, d in zip(fields, dtypes, strict=True))), TARGET)


def way_back(rows, scorer):
    (found,) = comeback(scorer, POLICY, rows, np.array([NOW_S]), TARGET)
    return found


def test_the_lightest_event_that_lowers_the_level_is_the_advice():
    rows = customer((0, ORDER), (20, LOGIN), (25, EMAIL_OPEN))
    found = way_back(rows, RiskAfter(order=0.2, login=0.6, email_open=0.85))
    assert found.options == [
        ComebackOption("email_open", 0.85, "critical"),
        ComebackOption("login", 0.6, "watch"),
        ComebackOption("order", 0.2, "healthy"),
    ]
    assert found.sentence.ja == "ログイン1回で「注意」に戻ります。"
    assert found.sentence.en == 'One login returns them to "watch".'


def test_an_order_always_returns_them_even_if_the_risk_stays_high():
    found = way_back(customer((0, ORDER)), RiskAfter(order=0.95, login=0.95, email_open=0.95))
    assert found.options == [ComebackOption("order", 0.95, "healthy")]
    assert found.sentence.ja == "注文1回で「平常」に戻ります。"


def test_a_channel_the_customer_never_used_is_not_advised():
    found = way_back(customer((0, ORDER), (3, LOGIN)), RiskAfter(order=0.1, login=0.1, email_open=0.1))
    assert [option.event for option in found.options] == ["login", "order"]


def test_only_the_main_event_brings_back_who_counts_as_churned():
    rows = customer((0, ORDER), (3, LOGIN), level=Level.HEALTHY, expired=True)
    found = way_back(rows, RiskAfter(order=0.3, login=0.1, email_open=0.1))
    assert [option.level for option in found.options] == ["churned", "healthy"]
    assert found.sentence.en == 'One order returns them to "healthy".'


def test_a_healthy_customer_needs_no_way_back():
    rows = customer((0, ORDER), level=Level.HEALTHY)
    assert way_back(rows, RiskAfter(order=0.1, login=0.1, email_open=0.1)) is None


def test_the_trial_changes_nothing():
    rows = customer((0, ORDER), (3, LOGIN))
    before = rows.tobytes()
    way_back(rows, Scorer.cold(TARGET))
    assert rows.tobytes() == before


@pytest.mark.parametrize("channel", [ORDER, LOGIN])
def test_the_promised_risk_is_the_risk_after_the_real_event(channel):
    scorer = Scorer.cold(TARGET)
    rows = customer((0, ORDER), (9, ORDER), (12, LOGIN))
    promised = {option.event: option.probability for option in way_back(rows, scorer).options}
    happen(rows, NOW_S + 1, channel, 99)
    assert promised[channel.name.lower()] == scorer.probabilities(rows, np.array([NOW_S + 1]))[0]


def test_customers_are_tried_together_and_get_what_each_would_get_alone():
    scorer = Scorer.cold(TARGET)
    rows = np.concatenate([
        customer((0, ORDER), (3, LOGIN)),
        customer((0, ORDER), level=Level.HEALTHY),
        customer((5, ORDER), (6, EMAIL_OPEN), level=Level.WATCH),
    ])  # fmt: skip
    together = comeback(scorer, POLICY, rows, np.full(3, NOW_S), TARGET)
    assert together == [way_back(rows[i : i + 1], scorer) for i in range(3)]
    assert together[1] is None
