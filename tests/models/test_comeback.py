"""What would bring a customer back is tried out, not guessed, and the trial leaves no trace."""

import numpy as np
import pytest
from histories import learnt_model, random_rows

from models.apply import Columns, apply_round
from models.comeback import ComebackOption, comeback, worsening
from models.confidence import confidence_of
from models.episodes import episode_of, expires_at, settled_at, store_episode
from models.events import Channel
from models.levels import Level
from models.life_cycle import step
from models.lost import lost_at
from models.policy import STEP_EXPIRED, Cause, Episode, Moment, Policy
from models.scorer import Scorer
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, EMAIL_OPEN = Channel
TARGET = Target(ORDER, 91 * DAY_S)
POLICY = Policy.for_target(TARGET)
START_S = 852_076_800  # 1997-01-01
NOW_S = START_S + 100 * DAY_S
NAN = float("nan")
COLD, LEARNT = Scorer.cold(TARGET), Scorer.of(learnt_model().snapshot())
both_scorers = pytest.mark.parametrize("scorer", [COLD, LEARNT], ids=["cold", "learnt"])


class RiskAfter:
    """A scorer that knows only on which channel a customer was last seen, from many labels."""

    n_labels, weights = 5000, np.array([1.0, 0.0, 0.0, 0.0, 0.0])

    def __init__(self, **risk):
        self.risk = np.array([risk[channel.name.lower()] for channel in Channel], float)

    def features_of(self, rows, at_s):
        return np.tile(rows["last_at"].argmax(axis=1)[:, None], (1, 99))

    def probabilities_of(self, x):
        return self.risk[x[:, 0]]

    def expert_log_odds(self, x):
        return np.zeros((len(x), 6))


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
    way_back(rows, COLD)
    worsening(COLD, POLICY, rows, np.array([NOW_S]))
    assert rows.tobytes() == before


@both_scorers
@pytest.mark.parametrize("channel", [ORDER, LOGIN])
def test_the_promised_risk_is_the_risk_after_the_real_event(scorer, channel):
    rows = customer((0, ORDER), (9, ORDER), (15, ORDER), (17, LOGIN))
    promised = {option.event: option.probability for option in way_back(rows, scorer).options}
    happen(rows, NOW_S + 1, channel, 99)
    real = scorer.probabilities(rows, np.array([NOW_S + 1]))[0]
    enough = confidence_of(scorer, scorer.features_of(rows, NOW_S + 1)) == ["enough"]
    assert promised[channel.name.lower()] == (real if enough else None)


def test_without_enough_evidence_the_level_is_promised_and_no_number():
    """One order is no rhythm; the third makes it one, so the risk after that can be told."""
    assert way_back(customer((0, ORDER)), COLD).options == [ComebackOption("order", None, "healthy")]
    rows = customer((0, ORDER), (9, ORDER), (12, LOGIN), level=Level.WATCH)
    login, order = way_back(rows, COLD).options
    assert (login.event, login.probability) == ("login", None)
    assert order.probability > 0


# -- time


def ahead(rows, scorer, at_s=NOW_S):
    (found,) = worsening(scorer, POLICY, rows, np.array([at_s]))
    return found


def level_at(rows, scorer, at_s):
    """Where a look in silence at a second would leave the customer."""
    p = float(scorer.probabilities(rows, np.array([at_s]))[0])
    last, lost_s = int(rows["last_at"].max()), int(lost_at(rows, TARGET)[0])
    return step(POLICY, episode_of(rows[0]), Moment(at_s, p, Cause.SILENCE, last, lost_at_s=lost_s))[0].level


@both_scorers
def test_silence_reaches_the_next_level_at_that_second_and_no_sooner(scorer):
    rows = random_rows(300, seed=2)
    rows = rows[rows["last_at"][:, ORDER] > 0]
    rows["level"], rows["episode"], rows["step"] = Level.WATCH, 1, 1
    now_s = rows["last_at"].max(axis=1).astype(np.int64) + POLICY.dwell_s
    risen = 0
    for i, (level, at_s) in enumerate(worsening(scorer, POLICY, rows, now_s)):
        if level == Level.AT_RISK and at_s > now_s[i] + 1:
            row = rows[i : i + 1]
            assert level_at(row, scorer, at_s - 1) < Level.AT_RISK == level_at(row, scorer, at_s)
            risen += 1
    assert risen > 20


def test_who_was_just_here_must_dwell_first():
    rows = customer(*((day, ORDER) for day in range(0, 36, 7)), (99, LOGIN), level=Level.WATCH)
    level, at_s = ahead(rows, COLD)
    assert (level, at_s) == (Level.AT_RISK, START_S + 99 * DAY_S + POLICY.dwell_s)
    assert at_s == settled_at(POLICY, rows, TARGET)[0] > NOW_S
    assert level_at(rows, COLD, at_s - 1) < Level.AT_RISK == level_at(rows, COLD, at_s)


def test_who_has_not_ordered_for_a_horizon_need_not_dwell():
    rows = customer(*((day, ORDER) for day in range(0, 9)), (99, LOGIN), level=Level.WATCH)
    level, at_s = ahead(rows, COLD)
    assert (level, at_s) == (Level.AT_RISK, NOW_S + 1), "somebody looks from now on; it has been true since day 99"
    assert level_at(rows, COLD, at_s) > Level.WATCH


def test_after_critical_there_is_only_being_lost():
    rows = customer((0, ORDER), level=Level.CRITICAL)
    assert ahead(rows, COLD) == (Level.CHURNED, expires_at(POLICY, rows, TARGET)[0])


def test_who_expires_before_the_next_level_is_told_when():
    """A one-time buyer never becomes critical before they count as lost."""
    rows = customer((0, ORDER), level=Level.AT_RISK)
    assert ahead(rows, COLD) == (Level.CHURNED, START_S + POLICY.expire_s)


def test_where_nothing_is_open_nothing_is_foretold():
    assert ahead(customer((0, ORDER), level=Level.HEALTHY), COLD) is None
    assert ahead(customer((0, ORDER), level=Level.HEALTHY, expired=True), COLD) is None


@both_scorers
def test_customers_are_tried_together_and_get_what_each_would_get_alone(scorer):
    rows = np.concatenate([
        customer((0, ORDER), (3, LOGIN)),
        customer((0, ORDER), level=Level.HEALTHY),
        customer((5, ORDER), (6, EMAIL_OPEN), level=Level.WATCH),
    ])  # fmt: skip
    together = comeback(scorer, POLICY, rows, np.full(3, NOW_S), TARGET)
    assert together == [way_back(rows[i : i + 1], scorer) for i in range(3)]
    assert together[1] is None
    assert worsening(scorer, POLICY, rows, np.full(3, NOW_S)) == [ahead(rows[i : i + 1], scorer) for i in range(3)]
