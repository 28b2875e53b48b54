"""After a switch of models a look moves only if the new model wants it sooner, by more than the tolerance."""

from dataclasses import replace

import numpy as np
import pytest

from models.episodes import last_activity_at
from models.events import Channel
from models.state import new_rows
from models.target import DAY_S, Target
from tests.models.histories import START_S, random_rows
from tests.models.test_watch import COLD, LEARNT, ORDER, POLICY, TARGET, H, happen, live, seconds

GLOOMY = replace(COLD, scorer=replace(COLD.scorer, version="gloomy", level_shift=-1.0))


def waiting():
    """Somebody past the dwell, whose crossing the cold model has planned; and a moment some hours later."""
    rows = new_rows(1)
    happen(COLD, rows, START_S, ORDER, 0)
    rows["example_at"] = 0
    COLD.look(rows, seconds(START_S + POLICY.dwell_s))
    return rows, seconds(START_S + POLICY.dwell_s + 3_600)


def crossing_s(watch, rows, at_s):
    anew = rows.copy()
    watch.plan(anew, at_s)
    return int(anew["due_at"][0])


def test_the_same_model_moves_nothing():
    for at_s, rows, _, found in live(LEARNT, [(7 * DAY_S, ORDER)] * 6):
        if found is None or found.forgotten.size or rows["due_at"][0] < at_s + 3:
            continue
        before = rows.copy()
        assert LEARNT.revisit(rows, seconds((at_s + int(rows["due_at"][0])) // 2)).size == 0
        assert rows.tobytes() == before.tobytes()


@pytest.mark.parametrize("shift", [-0.02, -0.1, -0.5, -4.0])
def test_what_comes_sooner_by_more_than_the_tolerance_is_planned_to_the_second(shift):
    rows, at_s = waiting()
    gloomier = replace(COLD, scorer=replace(COLD.scorer, version="gloomy", level_shift=shift))
    before, wanted = int(rows["due_at"][0]), crossing_s(gloomier, rows, at_s)
    assert wanted < before - COLD.tolerance_s, "the shift is too small to show anything"
    assert gloomier.revisit(rows, at_s).tolist() == [0]
    assert rows["due_at"][0] == wanted


def test_what_comes_sooner_by_less_than_the_tolerance_stays():
    rows, at_s = waiting()
    rows["due_at"] = due_at = crossing_s(COLD, rows, at_s) + COLD.tolerance_s - 1
    assert COLD.revisit(rows, at_s).size == 0
    assert rows["due_at"][0] == due_at


def test_what_comes_later_is_left_to_the_look_that_is_planned():
    rows, at_s = waiting()
    brighter = replace(COLD, scorer=replace(COLD.scorer, version="bright", level_shift=1.0))
    before = rows.copy()
    assert crossing_s(brighter, rows, at_s) > before["due_at"][0]
    assert brighter.revisit(rows, at_s).size == 0
    assert rows.tobytes() == before.tobytes()


def test_revisiting_many_is_revisiting_each():
    rows = random_rows(200, seed=4, target=TARGET)
    at_s = last_activity_at(rows) + np.random.default_rng(1).integers(1, 80 * DAY_S, len(rows))
    rows["example_at"] = 0  # only what the model says counts
    COLD.plan(rows, at_s)
    together, alone = rows.copy(), rows.copy()
    moved = GLOOMY.revisit(together, at_s).tolist()
    singly = [i for i in range(len(rows)) if GLOOMY.revisit(alone[i : i + 1], at_s[i : i + 1]).size]
    assert moved == singly
    assert 0 < len(moved) < len(rows)
    assert together.tobytes() == alone.tobytes()


def test_an_hour_is_let_pass_for_a_quarter_and_never_more():
    assert replace(COLD, target=Target(Channel.ORDER, 91 * DAY_S), forget_s=400 * DAY_S).tolerance_s == 3_600
    assert replace(COLD, target=Target(Channel.ORDER, 182 * DAY_S), forget_s=800 * DAY_S).tolerance_s == 3_600
    assert COLD.tolerance_s == H // 2184
