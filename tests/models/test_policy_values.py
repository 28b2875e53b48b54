"""What a policy accepts, what an alert id is made of, and what levels are called."""

from dataclasses import replace

import pytest

from models.events import Channel
from models.levels import ALERT_LEVELS, LEVELS, Level
from models.policy import Policy, TransitionType, alert_id
from models.target import DAY_S, Target

POLICY = Policy(dwell_s=3 * DAY_S, expire_s=182 * DAY_S)


def test_the_alert_id_is_a_function_of_history_alone():
    """Pinned: consumers remember ids, so the recipe must never change unnoticed."""
    assert alert_id("顧客-1", 2, 852_076_800, 4, TransitionType.EXPIRED) == ("yocho-f9fac2b99614af37f48a398cbf66f28e")


@pytest.mark.parametrize(
    "other",
    [
        ("c2", 1, 5, 1, "opened"),
        ("c1", 2, 5, 1, "opened"),
        ("c1", 1, 6, 1, "opened"),
        ("c1", 1, 5, 2, "opened"),
    ],
)
def test_another_customer_episode_anchor_or_step_gives_another_alert_id(other):
    assert alert_id(*other) != alert_id("c1", 1, 5, 1, TransitionType.OPENED)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"enter": (0.6, 0.6, 0.9)}, "enter"),
        ({"enter": (0.6, 0.75, 1.0)}, "enter"),
        ({"enter": (0.6, 0.75, float("nan"))}, "enter"),
        ({"enter": (0.6, 0.75)}, "one probability each"),
        ({"exit": (0.0, 0.65, 0.8)}, "exit"),
        ({"exit": (0.5, 0.4, 0.8)}, "exit"),
        ({"exit": (0.5, 0.65, 0.9)}, "below its enter"),
        ({"dwell_s": -1}, "dwell_s"),
        ({"expire_s": 3 * DAY_S}, "expire_s"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused_at_once(wrong, named):
    with pytest.raises(ValueError, match=named):
        replace(POLICY, **wrong)


def test_the_default_policy_follows_the_horizon():
    policy = Policy.for_target(Target(Channel.ORDER, 26 * DAY_S))
    assert (policy.dwell_s, policy.expire_s) == (DAY_S, 52 * DAY_S)
    assert (policy.enter, policy.exit) == ((0.70, 0.80, 0.90), (0.60, 0.70, 0.80))


def test_the_table_of_levels_is_indexed_by_level():
    assert [title.level for title in LEVELS] == list(Level)
    assert LEVELS[Level.AT_RISK].ja == "離反予兆"
    assert [LEVELS[level].name for level in ALERT_LEVELS] == ["watch", "at_risk", "critical"]
