"""The chain of a customer's examples: when they are frozen and resolved, from the first order to the last rest."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.pending import FROZEN, PHASES, next_label_at, phase
from models.state import new_rows
from models.target import DAY_S
from tests.models.one_example import START_S, STEP, TARGET, H, fire, happen

ORDERS = st.lists(st.integers(START_S, START_S + 200 * DAY_S), min_size=1, max_size=12, unique=True)
PHASE = st.integers(0, PHASES - 1)


def live(order_times, until_s, customer_phase=0):
    """Run one customer's orders and due times in event time; give [(now, resolved)] and the freeze times.

    Each due time gives a step label, a horizon label or none, and perhaps a freeze.
    """
    rows = new_rows(1)
    rows["phase"] = customer_phase
    resolutions, freezes = [], []
    for at_s in [*sorted(order_times), until_s]:
        while 0 < (due := int(next_label_at(rows, TARGET)[0])) <= at_s:
            resolved = fire(rows, due)
            resolutions += [(due, resolved)] if resolved else []
            freezes += [due] if rows["example_frozen"][0] == FROZEN else []
        if at_s < until_s:
            happen(rows, at_s)
    return resolutions, freezes


@given(ORDERS, PHASE)
def test_churned_and_returned_examples_are_learnt_at_the_same_delay(orders, customer_phase):
    """A return is known early; telling it early would teach the model too many returns."""
    resolutions, _ = live(orders, START_S + 400 * DAY_S, customer_phase)
    for now_s, resolved in resolutions:
        frozen_at_s, waited_s = resolved.frozen_at_s[0], STEP if resolved.is_step[0] else H
        assert now_s == resolved.resolved_at_s[0] == frozen_at_s + waited_s
        came_back = any(frozen_at_s <= at_s < frozen_at_s + waited_s for at_s in orders)
        assert resolved.churned[0] == (not came_back)


@given(ORDERS, PHASE)
def test_every_example_gives_a_step_label_and_then_a_horizon_label_of_the_same_moment(orders, customer_phase):
    resolutions, freezes = live(orders, START_S + 400 * DAY_S, customer_phase)
    told = [(int(resolved.frozen_at_s[0]), bool(resolved.is_step[0])) for _, resolved in resolutions]
    assert told == [(at_s, is_step) for at_s in freezes for is_step in (True, False)]
    for (_, step), (_, horizon) in zip(resolutions[::2], resolutions[1::2], strict=True):
        assert step.x.tobytes() == horizon.x.tobytes()
        assert step.probability == horizon.probability
        assert step.churned[0] >= horizon.churned[0], "who came back in the step came back in the horizon"


@given(ORDERS, PHASE)
def test_freezes_follow_the_schedule_and_stop_when_the_customer_is_long_gone(orders, customer_phase):
    _, freezes = live(orders, START_S + 400 * DAY_S, customer_phase)
    orders = sorted(orders)
    assert 1 <= freezes[0] - orders[0] <= H // 4
    for before, after in itertools.pairwise(freezes):
        if after != before + H:
            last_seen = max(at_s for at_s in orders if at_s < before + H)
            next_seen = min(at_s for at_s in orders if at_s >= before + H)
            assert before + H - last_seen > 2 * H
            assert 1 <= after - next_seen <= H // 4
    for at_s in freezes:
        assert at_s - max(o for o in orders if o < at_s) <= 2 * H


def test_a_customer_who_never_returns_gives_churned_examples_for_two_horizons_and_then_rests():
    resolutions, freezes = live([START_S], START_S + 20 * H)
    assert [(at_s - START_S) // H for at_s in freezes] == [0, 1]
    assert [bool(resolved.churned[0]) for _, resolved in resolutions] == [True] * 4


def test_an_order_after_the_rest_starts_a_new_chain():
    back_s = START_S + 10 * H
    _, freezes = live([START_S, back_s], START_S + 11 * H)
    assert freezes == [START_S + 1, START_S + 1 + H, back_s + 1]


def test_first_freezes_spread_evenly_over_a_quarter_horizon():
    """Customers of one campaign sign up in one minute; they must not all be scored in one second."""
    phases = np.array([phase(f"customer-{i}".encode()) for i in range(10_000)])
    shares = np.bincount(phases * 10 // PHASES, minlength=10) / 10_000
    assert shares.min() > 0.08
    assert shares.max() < 0.12
    _, freezes = live([START_S], START_S + H, PHASES - 1)
    assert 0 <= H // 4 - (freezes[0] - START_S) <= H // 4 // PHASES + 1


def test_the_phase_of_a_customer_is_the_same_in_every_process_and_release():
    assert [phase(b"c1"), phase("顧客".encode())] == [22018, 17057]
