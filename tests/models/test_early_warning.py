"""How early lost customers are noticed, by the protocol of the acceptance measurement."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.early_warning import NOT_LOST_S, EarlyWarning, early_warning, lost_at_s, threshold_at
from models.evaluate import day
from models.event_log import read_log
from models.events import Channel
from models.outcomes import WEEK_S, Outcomes, cuts_of, midnights
from models.target import DAY_S, Target

ORDER = Channel.ORDER
TARGET = Target(ORDER, 28 * DAY_S)
START_S = 1_704_067_200  # 2024-01-01
SHARED = Path(__file__).parents[3] / "shared"
CDNOW = Path(os.environ.get("YOCHO_CDNOW", SHARED / "data" / "cdnow_dev.csv.gz"))
SCORER = Path(os.environ.get("YOCHO_SCORER", SHARED / "score.py"))


def warned(p, *, weeks=None, last_day=0, ratio=0.5, stayed=(0.1, 0.5)):
    """Days to the alarm of one lost customer scored weekly; threshold 0.1 at half of the staying as false positives."""
    weeks = range(1, len(p) + 1) if weeks is None else weeks
    at_s = np.array([START_S + week * WEEK_S for week in weeks] + [START_S] * len(stayed), np.int64)
    n = len(p)
    return early_warning(
        ratio,
        at_s=at_s,
        customer=np.array([0] * n + [1] * len(stayed), np.int64),
        churned=np.array([True] * n + [False] * len(stayed), bool),
        p=np.array([*p, *stayed]),
        lost=np.array([START_S + last_day * DAY_S, NOT_LOST_S]),
        target=TARGET,
    )


@pytest.mark.parametrize(
    ("p", "days"),
    [
        ([0.0, 0.2, 0.3, 0.4], 14.0),  # the run that lasts to the end began in the second week
        ([0.3, 0.0, 0.3, 0.4], 21.0),  # an alarm that went away again does not count
        ([0.2, 0.2, 0.2, 0.2], 7.0),  # all the way
        ([0.3, 0.3, 0.3, 0.0], np.inf),  # quiet at the end: not detected
        ([0.3, 0.3, 0.3, 0.1], np.inf),  # on the threshold is not above it
    ],
)
def test_the_alarm_that_counts_is_the_unbroken_run_up_to_the_last_cut(p, days):
    assert warned(p).days.tolist() == [days]
    assert warned(p).threshold == 0.1


def test_an_alarm_before_the_last_event_is_early_by_a_negative_number_of_days():
    assert warned([0.2, 0.2, 0.3], last_day=16).days.tolist() == [-9.0]


def test_cuts_a_horizon_and_more_before_the_last_event_are_not_looked_at():
    assert warned([0.9, 0.9, 0.9], weeks=(1, 5, 6), last_day=35).days.tolist() == [0.0]


def test_only_lost_customers_are_counted():
    warning = warned([0.2, 0.3])
    assert len(warning.days) == 1  # customer 1 stayed


@pytest.fixture
def log_of(tmp_path):
    def write(*rows, end):
        path = tmp_path / "log.csv"
        path.write_text("customer_id,event_type,ts,value\n" + "\n".join([*rows, f"c,fax,{end},"]))
        return read_log(path, ORDER, "order")

    return write


def test_lost_is_who_was_last_seen_after_the_first_cut_and_two_horizons_before_the_end(log_of):
    a, b, c = "a,order,2024-01-06,1", "b,order,2024-02-14,1", "c,order,2024-02-15,1"
    log = log_of(a, b, c, "b,login,2024-03-01,", end="2024-04-09")  # 56 days after the 14th, 55 after the 15th
    at_a, at_b = START_S + 5 * DAY_S, START_S + 44 * DAY_S
    assert lost_at_s(log, TARGET, START_S).tolist() == [at_a, at_b, NOT_LOST_S]
    assert lost_at_s(log, TARGET, at_a).tolist() == [at_a, at_b, NOT_LOST_S]
    assert lost_at_s(log, TARGET, at_a + 1).tolist() == [NOT_LOST_S, at_b, NOT_LOST_S]


def test_who_never_had_a_main_event_is_not_lost(log_of):
    log = log_of("a,order,2024-01-06,1", "b,login,2024-01-07,", end="2024-04-09")
    assert lost_at_s(log, TARGET, START_S).tolist() == [START_S + 5 * DAY_S, NOT_LOST_S]


def test_nobody_lost_and_nothing_scored_are_unknown_not_an_error():
    nobody = EarlyWarning(0.1, 0.5, np.zeros(0))
    assert np.isnan(nobody.median_days) and np.isnan(nobody.detected_ratio)
    assert threshold_at(0.1, np.ones(3, bool), np.full(3, 0.4)) == 1.0
    assert warned([], stayed=()).days.size == 0


def test_a_median_of_customers_mostly_missed_is_never():
    assert EarlyWarning(0.1, 0.5, np.array([3.0, np.inf, np.inf])).median_days == np.inf


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.1, 1.5])
def test_a_share_of_false_positives_that_is_none_is_refused(ratio):
    with pytest.raises(ValueError, match="between 0 and 1"):
        warned([0.2], ratio=ratio)


scores = st.floats(0, 1).map(lambda p: round(p, 2))  # rounded: ties
examples = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4), scores, st.booleans()), max_size=40)


@given(examples, st.lists(st.integers(-1, 70), min_size=5, max_size=5), st.sampled_from([0.1, 0.25, 0.5]))
def test_it_equals_the_protocol_read_aloud(rows, last_days, ratio):
    """One example per customer and week, in any order."""
    rows = list({(week, who): (week, who, p, y) for week, who, p, y in rows}.values())
    week, who, p, y = (np.array([row[i] for row in rows]) for i in range(4))
    lost = np.array([NOT_LOST_S if d < 0 else START_S + d * DAY_S for d in last_days])
    found = early_warning(
        ratio,
        at_s=(START_S + week * WEEK_S).astype(np.int64),
        customer=who.astype(np.int64),
        churned=y.astype(bool),
        p=p.astype(float),
        lost=lost,
        target=TARGET,
    )
    stayed = sorted((p for _, _, p, y in rows if not y), reverse=True)
    above = stayed[int(ratio * len(stayed))] if stayed else 1.0
    expected = []
    for customer in range(5):
        if lost[customer] == NOT_LOST_S:
            continue
        seen = sorted((w, p) for w, c, p, _ in rows if c == customer)
        seen = [(w, p) for w, p in seen if START_S + w * WEEK_S > lost[customer] - TARGET.horizon_s]
        begin = None
        for w, p in seen:
            begin = (w if begin is None else begin) if p > above else None
        if seen:
            at = np.inf if begin is None else (START_S + begin * WEEK_S - lost[customer]) / DAY_S
            expected.append(at)
    assert found.threshold == above
    assert found.days.tolist() == expected


@given(examples)
def test_only_the_order_of_scores_matters(rows):
    rows = list({(week, who): (week, who, p, y) for week, who, p, y in rows}.values())
    week, who, p, y = (np.array([row[i] for row in rows], kind) for i, kind in enumerate((int, int, float, bool)))
    given_ = {"at_s": START_S + week * WEEK_S, "customer": who, "churned": y, "target": TARGET}
    lost = np.full(5, START_S + 20 * DAY_S)
    plain, squeezed = (early_warning(0.25, p=each, lost=lost, **given_) for each in (p, p**3 / 2))
    assert plain.days.tolist() == squeezed.days.tolist()


def recency_scores(log, target):
    """Every pooled example, scored by how long the customer has been silent, to two digits: many ties."""
    start_s, end_s = midnights(log)
    first_s = start_s + 2 * WEEK_S + 2 * target.horizon_s
    outcomes = Outcomes(log, target)
    for at_s in (at_s for at_s in cuts_of(log) if first_s <= at_s <= end_s - target.horizon_s):
        last = np.full(len(log.customers), -(10**12))
        before = log.at_s < at_s
        np.maximum.at(last, log.customer[before], log.at_s[before])
        live = np.flatnonzero(at_s - last <= 2 * target.horizon_s)
        p = np.round((at_s - last[live]) / (2 * target.horizon_s), 2)
        yield np.full(len(live), at_s), live, outcomes.churned(live, at_s), p


@pytest.mark.parametrize("horizon_days", [91, 28])
def test_it_equals_the_independent_scorer_on_cdnow(tmp_path, horizon_days):
    if not (CDNOW.exists() and SCORER.exists()):
        pytest.skip("no CDNOW log or no independent scorer here: YOCHO_CDNOW and YOCHO_SCORER say where they are")
    target = Target(ORDER, horizon_days * DAY_S)
    log = read_log(CDNOW, ORDER, "order")
    at_s, customer, churned, p = map(np.concatenate, zip(*recency_scores(log, target), strict=True))
    ours = {
        ratio: early_warning(
            ratio,
            at_s=at_s,
            customer=customer,
            churned=churned,
            p=p,
            lost=lost_at_s(log, target, int(at_s.min())),
            target=target,
        )
        for ratio in (0.10, 0.25)
    }
    with (tmp_path / "scores.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("cut", "customer_id", "p"))
        names = {int(t): day(int(t)) for t in np.unique(at_s)}
        writer.writerows(zip(map(names.get, at_s.tolist()), map(log.customers.__getitem__, customer), p, strict=True))
    command = [
        sys.executable,
        SCORER,
        "score",
        "cdnow_dev",
        str(horizon_days),
        tmp_path / "scores.csv",
        "--path",
        CDNOW,
    ]
    theirs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)
    assert theirs["n"] == len(p) and theirs["ew_n"] == len(ours[0.10].days)
    assert theirs["ew_threshold"] == round(ours[0.10].threshold, 4)
    for prefix, warning in (("ew", ours[0.10]), ("ew25", ours[0.25])):
        median = warning.median_days
        assert theirs[f"{prefix}_median_days"] == (round(median, 1) if np.isfinite(median) else None)
        assert theirs[f"{prefix}_detected"] == round(warning.detected_ratio, 4)
        within = float((warning.days <= horizon_days / 2).mean())
        assert theirs[f"{prefix}_within_half_h"] == round(within, 4)
