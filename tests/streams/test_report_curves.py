"""The curves of the pictures are what counting gives, and labels find their places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.metrics import ece
from streams.report.curves import NEW, alert_costs, reliability, week_before
from streams.report.style import spread

arrays = st.lists(st.tuples(st.integers(0, 100), st.booleans(), st.integers(-1, 100)), min_size=1, max_size=50)


@given(arrays, st.integers(0, 100), st.integers(1, 9))
def test_precision_recall_and_alerts_are_what_counting_gives(rows, percent, weeks):
    p, before = (np.array([row[i] for row in rows]) / 100 for i in (0, 2))
    before[before < 0] = NEW
    churned = np.array([row[1] for row in rows])
    threshold = percent / 100
    costs = alert_costs(np.array([threshold]), churned, p, before, weeks)
    alerted = [row for row, score in zip(rows, p, strict=True) if score > threshold]
    hits = sum(row[1] for row in alerted)
    assert costs.standing[0] * weeks == pytest.approx(len(alerted))
    assert costs.rising[0] * weeks == pytest.approx(sum(row[2] / 100 <= threshold for row in alerted))
    assert costs.precision[0] == pytest.approx(hits / len(alerted) if alerted else np.nan, nan_ok=True)
    assert costs.recall[0] == pytest.approx(hits / churned.sum() if churned.any() else np.nan, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), unique=True, min_size=1))
def test_the_week_before_is_that_of_the_same_customer(pairs):
    week, customer = np.array(pairs).T
    p = np.arange(len(pairs)) / 100
    known = dict(zip(pairs, p, strict=True))
    expected = [known.get((w - 1, c), NEW) for w, c in pairs]
    assert week_before(week, customer, p).tolist() == expected


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_the_reliability_diagram_shows_the_calibration_error(rows):
    p, churned = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    bins = reliability(churned, p)
    gaps = np.nan_to_num(np.abs(bins.predicted - bins.observed)) * bins.count
    assert bins.count.sum() == len(p)
    assert gaps.sum() / len(p) == pytest.approx(ece(churned, p), abs=1e-12)


@given(st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=10))
def test_labels_keep_their_order_and_their_distance_and_stay_in_the_panel(wanted):
    placed = spread(np.array(wanted), 0.1)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(placed[order]) >= 0.1 - 1e-9).all()
    assert placed.min() >= -1e-9 and placed.max() <= 1 + 1e-9


def test_labels_far_apart_stay_where_their_lines_end():
    assert spread(np.array([0.8, 0.1, 0.5]), 0.1).tolist() == pytest.approx([0.8, 0.1, 0.5])
