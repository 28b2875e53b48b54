"""From a decision to an alert: everything a reader needs, all of it true of that second."""

import math
from datetime import UTC, datetime, timedelta

import jsonschema
import msgspec
import numpy as np
import pytest

from models.apply import Columns, apply_round
from models.commands import Command, CommandKind
from models.episodes import episode_of, store_episode
from models.events import Channel
from models.levels import LEVELS
from models.life_cycle import step
from models.policy import Cause, Moment, Policy, alert_id
from models.scorer import COLD, Scorer
from models.state import ROW_VERSION, new_rows
from models.target import DAY_S, Target
from models.watch import Decision, Watch
from streams.alert_building import alerts_of
from streams.alerts import Threshold, encode, json_schema

ORDER, LOGIN, EMAIL_OPEN = Channel
TARGET = Target(ORDER, 91 * DAY_S)
POLICY = Policy.for_target(TARGET)
WATCH = Watch(Scorer.cold(TARGET), POLICY, TARGET, forget_s=4 * 91 * DAY_S)
TOPICS = {0: "orders", 1: "logins", 2: "email-opens"}
START_S = 852_076_800  # 1997-01-01
NAN = float("nan")


class Shop:
    """One customer in a partition; what happens to them gives alerts."""

    def __init__(self, customer_id="c-1"):
        self.customer_id, self.rows, self.offset = customer_id, new_rows(1), 0

    def event(self, day, channel):
        self._apply(day, channel)
        return self._look(day, Cause.MAIN_EVENT if channel == ORDER else Cause.ACTIVITY, channel=channel)

    def silence(self, day):
        return self._look(day, Cause.SILENCE)

    def says(self, day, kind, until_day=0):
        """Sato does."""
        until_s = START_S + until_day * DAY_S if until_day else 0
        said = Command.of("c-1", "k-1", (START_S + day * DAY_S) * 1000, kind=kind, by="Sato", until_s=until_s)
        return self._look(day, Cause.SNOOZE if until_day else Cause.ACKNOWLEDGEMENT, command=said)

    def expiry(self, day):
        return self._look(day, Cause.EXPIRY)

    def _apply(self, day, channel):
        self.offset += 1
        fields = (START_S + round(day * DAY_S), channel, channel, self.offset, NAN, 0, True)
        dtypes = ("u4", "u1", "u1", "i8", "f4", "u8", "?")
        columns = Columns(*(np.array([f], d) for f, d in zip(fields, dtypes, strict=True)))
        apply_round(self.rows, columns, TARGET)

    def _look(self, day, cause, **known):
        at_s = START_S + round(day * DAY_S)
        p = float(WATCH.scorer.probabilities(self.rows, at_s)[0])
        moment = Moment(at_s, p, cause, int(self.rows["last_at"].max()), **known)
        episode, news = step(POLICY, episode_of(self.rows[0]), moment)
        store_episode(self.rows[0], episode)
        return [self._tell(Decision(0, transition, p)) for transition in news]

    def _tell(self, decision):
        (alert,) = alerts_of(
            WATCH, self.rows, [decision], [self.customer_id], partition=3, topics=TOPICS, code_version="0.1.0"
        )
        body = msgspec.json.decode(encode(alert))
        jsonschema.validate(body, json_schema(), jsonschema.Draft202012Validator)
        return alert


def weekly_buyer():
    shop = Shop()
    for day in (0, 7, 14, 21, 28):
        shop.event(day, ORDER)
    shop.event(30, LOGIN)
    return shop


def test_a_weekly_buyer_who_falls_silent_gives_an_alert_that_says_why():
    (alert,) = weekly_buyer().silence(170)
    assert (alert.kind, alert.type, alert.previous_level) == ("離反予兆", "opened", "healthy")
    assert alert.level == LEVELS[POLICY.reached(alert.probability)].name != "healthy"
    assert alert.occurred_at == datetime(1997, 6, 20, tzinfo=UTC)
    assert alert.horizon_days == 91.0
    assert alert.main_event == "order"
    assert alert.reasons.ja == ["注文の間隔が、ふだん（約7日）の約20倍に延びています。"]
    assert alert.comeback.sentence.ja == "注文1回で「平常」に戻ります。"
    assert [option.event for option in alert.comeback.options] == ["login", "order"]
    assert alert.confidence == "enough"


def test_baseline_and_contributions_give_the_probability():
    (alert,) = weekly_buyer().silence(170)
    log_odds = alert.baseline + sum(e.contribution for e in alert.evidence)
    assert 1 / (1 + math.exp(-log_odds)) == pytest.approx(alert.probability, abs=1e-9)


def test_who_came_once_is_told_about_before_any_label_but_without_a_number():
    shop = Shop()
    shop.event(0, ORDER)
    (alert,) = shop.silence(60)
    assert (alert.level, alert.probability, alert.confidence) == ("watch", None, "not_enough_evidence")
    assert [option.probability for option in alert.comeback.options] == [None]
    decided = alert.baseline + sum(e.contribution for e in alert.evidence)
    assert POLICY.reached(1 / (1 + math.exp(-decided))) == 1, "what decided the level can be checked all the same"


def test_what_is_foretold_of_silence_is_what_happens_in_silence():
    shop = weekly_buyer()
    at_s = START_S + 30 * DAY_S + POLICY.dwell_s
    told = []
    while len(told) < 4:
        for decision in WATCH.look(shop.rows, np.array([at_s])).decisions:
            told += [shop._tell(decision)]
        at_s = int(shop.rows["due_at"][0])
    assert [(alert.level, alert.occurred_at) for alert in told[1:]] == [
        (alert.if_silent.level, alert.if_silent.at) for alert in told[:-1]
    ]
    assert [alert.level for alert in told] == ["watch", "at_risk", "critical", "churned"]
    assert told[0].if_silent.days == (told[1].occurred_at - told[0].occurred_at).total_seconds() / DAY_S
    assert told[-2].if_silent.sentence.ja.endswith("日後に離反とみなします。")
    assert told[-1].if_silent is None


def test_the_id_is_derived_from_customer_episode_and_step():
    (alert,) = weekly_buyer().silence(170)
    anchor_at_s = START_S + 30 * DAY_S
    assert alert.alert_id == alert_id("c-1", 1, anchor_at_s, alert.episode.step, "opened")
    assert alert.episode.number == 1
    assert alert.episode.opened_at == alert.occurred_at


def test_the_receipt_says_what_the_decision_was_made_from():
    (alert,) = weekly_buyer().silence(170)
    receipt = alert.receipt
    assert (receipt.model_version, receipt.state_version) == (COLD, ROW_VERSION)
    assert receipt.source_offsets == {"orders": 5, "logins": 6}
    assert receipt.thresholds["at_risk"] == Threshold(0.80, 0.70)
    assert (receipt.partition, receipt.code_version) == (3, "0.1.0")


def test_an_order_gives_a_recovery_that_says_what_brought_them_back():
    shop = weekly_buyer()
    (opened,) = shop.silence(170)
    (alert,) = shop.event(172, ORDER)
    assert (alert.type, alert.level, alert.previous_level) == ("recovered", "healthy", opened.level)
    assert alert.reasons.ja == ["注文がありました。"]
    assert alert.recovered_by == "order"
    assert alert.comeback is None
    assert alert.if_silent is None
    assert alert.episode.opened_at == opened.occurred_at


def test_a_login_that_lowers_the_risk_is_named_too():
    shop = weekly_buyer()
    shop.silence(170)
    shop._apply(172, LOGIN)
    calm = Moment(START_S + 172 * DAY_S, 0.2, Cause.ACTIVITY, START_S + 172 * DAY_S, channel=LOGIN)
    episode, (transition,) = step(POLICY, episode_of(shop.rows[0]), calm)
    store_episode(shop.rows[0], episode)
    alert = shop._tell(Decision(0, transition, 0.2))
    assert (alert.recovered_by, alert.reasons.en) == ("login", ["A login lowered the risk."])


def test_what_somebody_says_is_answered_with_who_and_until_when():
    shop = weekly_buyer()
    (opened,) = shop.silence(170)
    (taken,) = shop.says(171, CommandKind.ACK)
    (snoozed,) = shop.says(172, CommandKind.SNOOZE, until_day=186)
    assert (taken.type, taken.by, taken.until, taken.level) == ("acknowledged", "Sato", None, opened.level)
    assert taken.reasons.ja == ["Satoさんが対応します。"]
    assert (snoozed.type, snoozed.by, snoozed.until) == ("snoozed", "Sato", opened.occurred_at + timedelta(days=16))
    assert snoozed.reasons.en == ["Snoozed by Sato until 1997-07-06 00:00 UTC, unless it gets worse."]
    assert len({opened.alert_id, taken.alert_id, snoozed.alert_id}) == 3


def test_later_alerts_of_an_episode_say_that_somebody_takes_care_and_the_next_episode_does_not():
    shop = weekly_buyer()
    told = [*shop.silence(170), *shop.says(171, CommandKind.ACK), *shop.event(172, ORDER), *shop.silence(340)]
    assert [alert.acknowledged for alert in told] == [False, True, True, False]
    assert [(alert.by, alert.recovered_by) for alert in told][2:] == [(None, "order"), (None, None)]


def test_an_expiry_says_since_when_and_that_only_an_order_would_change_it():
    shop = weekly_buyer()
    shop.silence(170)
    (alert,) = shop.expiry(210)
    assert (alert.type, alert.level) == ("expired", "churned")
    assert alert.reasons.ja == ["最後の注文から182日たち、離反とみなしました。"]
    assert alert.comeback.sentence.ja == "注文1回で「平常」に戻ります。"


def test_an_alert_is_the_same_alone_and_among_others():
    rows = np.concatenate([weekly_buyer().rows, Shop().rows, weekly_buyer().rows])
    rows["last_at"][2, LOGIN] += 5 * DAY_S
    decisions, at_s = [], START_S + 170 * DAY_S
    for i in (2, 0):
        moment = Moment(at_s, 0.8, Cause.SILENCE, int(rows["last_at"][i].max()))
        episode, (transition,) = step(POLICY, episode_of(rows[i]), moment)
        store_episode(rows[i], episode)
        decisions.append(Decision(i, transition, 0.8))
    say = {"partition": 0, "topics": TOPICS, "code_version": "x"}
    together = alerts_of(WATCH, rows, decisions, ["c-3", "c-1"], **say)
    alone = [
        alerts_of(WATCH, rows, [decision], [customer_id], **say)[0]
        for decision, customer_id in zip(decisions, ["c-3", "c-1"], strict=True)
    ]
    assert together == alone
    assert together[0].alert_id != together[1].alert_id


def test_no_decision_gives_no_alert():
    assert alerts_of(WATCH, new_rows(2), [], [], partition=0, topics=TOPICS, code_version="x") == []
