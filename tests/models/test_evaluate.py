"""Replaying a log is honest: a score knows what was known at its cut, and the measures are the field's own."""

import csv
import gzip
import math
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from models import evaluate as evaluation
from models.evaluate import WEEK_S, day, evaluate, replay, write_predictions
from models.event_log import read_log
from models.event_rows import EventLogError
from models.events import Channel
from models.groups import Pending
from models.metrics import Metrics, auc, brier, ece, log_loss
from models.outcomes import Outcomes
from models.state import new_rows
from models.target import DAY_S, Target
from tests.models.logs import pooled_auc, simulated_log, target_of

ORDER, LOGIN, EMAIL_OPEN = Channel
TARGET = Target(ORDER, 28 * DAY_S)
START_S = 852_076_800  # 1997-01-01
HEADER = ("customer_id", "event_type", "ts", "value")
SHARED = Path(__file__).parents[3] / "shared" / "data" / "cdnow_dev.csv.gz"
CDNOW = Path(os.environ.get("YOCHO_CDNOW", SHARED))


def iso(at_s):
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def made_up_events(n=120, weeks=40, seed=1):
    """Customers with their own pace who order, log in, and one day stop."""
    rng = np.random.default_rng(seed)
    end_s = START_S + weeks * WEEK_S
    for i in range(n):
        pace_days, at_s = np.exp(rng.normal(2.2, 0.8)), START_S + rng.uniform(0, 10 * WEEK_S)
        while at_s < end_s and rng.random() > 0.08:
            kind = rng.choice(["order", "order", "login", "email_opens", "fax"])
            yield f"c{i:03}", kind, int(at_s), f"{rng.gamma(2, 20):.2f}" if kind == "order" else ""
            at_s += pace_days * rng.gamma(1.5, 1 / 1.5) * DAY_S
    yield "c000", "order", START_S, "5.00"


EVENTS = sorted(made_up_events(), key=lambda event: event[2])


def write_log(path, events=EVENTS, header=HEADER):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows((c, kind, iso(at_s), value) for c, kind, at_s, value in events)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_log(tmp_path_factory.mktemp("log") / "events.csv")


@pytest.fixture(scope="module")
def report(path):
    return evaluate(path, TARGET, "order")


def scores(report):
    return {cut.at_s: dict(zip(ids(report, cut), cut.p.tolist(), strict=True)) for cut in report.cuts}


def expert_scores(report):
    return {cut.at_s: dict(zip(ids(report, cut), cut.experts.T.tolist(), strict=True)) for cut in report.cuts}


def ids(report, cut):
    return [report.log.customers[index] for index in cut.customer.tolist()]


def until(cut_s):
    return [event for event in EVENTS if event[2] < cut_s]


def differs_after_truncation(report, path, tmp_path, cut_s):
    """Tell at how many cuts up to and including `cut_s` the mixture or an expert differs when the file ends there."""
    short = evaluate(write_log(tmp_path / path.name, until(cut_s)), TARGET, "order")
    assert short.cuts[-1].at_s == cut_s
    full, full_experts = scores(report), expert_scores(report)
    differs = [full[at_s] != p or full_experts[at_s] != expert_scores(short)[at_s] for at_s, p in scores(short).items()]
    return sum(differs)


@pytest.mark.parametrize("week", [1, 2, 9, 20, 33])
def test_cutting_the_file_off_changes_no_score_up_to_and_including_the_cut(report, path, tmp_path, week):
    assert differs_after_truncation(report, path, tmp_path, START_S + week * WEEK_S) == 0


@pytest.mark.parametrize("leak", ["later outcome", "early label", "event at the cut"])
def test_the_truncation_test_sees_a_leak(path, tmp_path, monkeypatch, leak):
    """A replay that looked a week ahead must fail the test above, or that test proves nothing."""
    churned, apply = Outcomes.churned, evaluation._apply
    if leak == "later outcome":
        later = lambda self, c, at_s, within_s=None: churned(self, c, at_s + WEEK_S, within_s)  # noqa: E731
        monkeypatch.setattr(Outcomes, "churned", later)
    elif leak == "early label":
        learn = Pending.learn_until
        monkeypatch.setattr(Pending, "learn_until", lambda self, mixture, at_s: learn(self, mixture, at_s + WEEK_S))
    else:
        monkeypatch.setattr(evaluation, "_apply", lambda r, log, b, e, t: apply(r, log, b, min(e + 1, len(log)), t))
    leaky = evaluate(path, TARGET, "order")
    assert differs_after_truncation(leaky, path, tmp_path, START_S + 20 * WEEK_S) > 0


def test_everyone_with_a_main_event_in_the_last_two_horizons_is_scored_and_no_one_else(report):
    for cut in report.cuts:
        last = {}
        for customer_id, kind, at_s, _ in until(cut.at_s):
            if kind == "order":
                last[customer_id] = at_s
        eligible = [c for c, at_s in sorted(last.items()) if cut.at_s - at_s <= 2 * TARGET.horizon_s]
        assert ids(report, cut) == eligible


def test_events_applied_in_rounds_are_the_events_one_by_one(report):
    log, n = report.log, len(report.log.customers)
    together, one_by_one = new_rows(n), new_rows(n)
    evaluation._apply(together, log, 0, len(log), TARGET)
    for event in range(len(log)):
        evaluation._apply(one_by_one, log, event, event + 1, TARGET)
    assert together.tobytes() == one_by_one.tobytes()


def test_a_label_is_learnt_when_its_horizon_has_passed_and_not_before(report):
    for cut in report.cuts:
        resolved = [c for c in report.cuts if c.at_s + TARGET.horizon_s <= cut.at_s]
        assert cut.n_labels == sum(len(c.customer) for c in resolved)


def test_churn_is_no_main_event_from_the_cut_to_one_horizon_later(report):
    outcomes = Outcomes(report.log, TARGET)
    for cut in report.cuts[::7]:
        end_s = cut.at_s + TARGET.horizon_s
        back = {c for c, kind, at_s, _ in EVENTS if kind == "order" and cut.at_s <= at_s < end_s}
        expected = [customer_id not in back for customer_id in ids(report, cut)]
        assert outcomes.churned(cut.customer, cut.at_s).tolist() == expected


def test_weeks_are_pooled_from_two_horizons_and_two_weeks_on_to_one_horizon_before_the_end(report):
    end_s = (EVENTS[-1][2] // DAY_S + 1) * DAY_S
    assert [week.at_s for week in report.weekly] == [
        cut.at_s for cut in report.cuts if cut.at_s + TARGET.horizon_s <= end_s
    ]
    pooled = [week for week in report.weekly if week.is_pooled]
    assert pooled[0].at_s == START_S + 2 * WEEK_S + 2 * TARGET.horizon_s
    assert report.pooled.n == sum(week.metrics.n for week in pooled)
    assert 0.6 < report.pooled.auc < 1.0


def test_the_same_file_gives_the_same_report(report, path):
    again = evaluate(path, TARGET, "order")
    assert scores(again) == scores(report) and again.pooled == report.pooled


def test_the_order_of_lines_of_different_seconds_does_not_matter(report, tmp_path):
    shuffled = [EVENTS[i] for i in np.random.default_rng(0).permutation(len(EVENTS))]
    assert scores(evaluate(write_log(tmp_path / "shuffled.csv.gz", shuffled), TARGET, "order")) == scores(report)


def test_predictions_are_written_in_the_protocols_form(report, tmp_path):
    write_predictions(report, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["cut", "customer_id", "p"]
    read = {}
    for line in lines:
        at_s = int(datetime.fromisoformat(line["cut"]).replace(tzinfo=UTC).timestamp())
        read.setdefault(at_s, {})[line["customer_id"]] = float(line["p"])
    assert read == {at_s: p for at_s, p in scores(report).items() if p}


def test_progress_counts_the_cuts(path):
    seen = []
    report = evaluate(path, TARGET, "order", lambda *step: seen.append(step))
    assert [done for done, _, _ in seen] == list(range(1, len(report.cuts) + 1))
    assert {total for _, total, _ in seen} == {len(report.cuts)}
    assert seen[0][2].startswith(day(START_S + WEEK_S))


def test_another_main_channel_and_another_name_for_it_work(path, tmp_path):
    target = Target(LOGIN, 28 * DAY_S)
    renamed = [(c, "visit" if kind == "login" else kind, at_s, v) for c, kind, at_s, v in EVENTS]
    by_name = evaluate(path, target, "login")
    assert scores(evaluate(write_log(tmp_path / "visits.csv", renamed), target, "visit")) == scores(by_name)


def test_types_go_to_their_channels_and_unknown_ones_are_counted(report):
    kinds = [kind for _, kind, _, _ in EVENTS]
    counted = np.bincount(report.log.channel, minlength=3).tolist()
    assert counted == [kinds.count("order"), kinds.count("login"), kinds.count("email_opens")]
    assert report.log.skipped == {"fax": kinds.count("fax")}


def test_a_type_of_the_main_channels_name_is_not_the_main_type(tmp_path):
    log = read_log(
        write_log(tmp_path / "x.csv", [("a", "buy", START_S, "1"), ("a", "order", START_S, "")]), ORDER, "buy"
    )
    assert len(log) == 1 and log.skipped == {"order": 1}


BAD_FILES = {
    "": "no column 'customer_id'",
    "customer_id,ts,value\n": "no column 'event_type'",
    "customer_id,event_type,ts,value\n": "no event of the main type 'order'",
    "customer_id,event_type,ts,value\na,login,1997-01-01,\n": "no event of the main type 'order'",
    "customer_id,event_type,ts,value\na,order,1997-01-01,1\na,order,soon,1\n": "line 3",
    "customer_id,event_type,ts,value\na,order,1997-01-01,much\n": "line 2",
    "customer_id,event_type,ts,value\na,order,1969-12-31,1\n": "before 1970",
    "customer_id,event_type,ts,value\na,order\n": "line 2: 2 cells, not 4",
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.items())
def test_a_file_that_is_no_event_log_is_refused_with_the_line(tmp_path, text, message):
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    with pytest.raises(EventLogError, match=message):
        read_log(tmp_path / "bad.csv", ORDER, "order")


def test_measures_agree_with_scikit_learn():
    rng = np.random.default_rng(2)
    p = rng.random(500).round(2)  # rounded: ties
    y = rng.random(500) < p
    assert auc(y, p) == pytest.approx(sklearn_metrics.roc_auc_score(y, p), abs=1e-12)
    assert brier(y, p) == pytest.approx(sklearn_metrics.brier_score_loss(y, p), abs=1e-12)
    inner = np.clip(p, 1e-6, 1 - 1e-6)
    assert log_loss(y, p) == pytest.approx(sklearn_metrics.log_loss(y, inner), abs=1e-12)
    assert ece(y, y.astype(float)) == 0.0


def test_measures_of_nothing_and_of_one_outcome_are_unknown():
    assert Metrics.of(np.zeros(0, bool), np.zeros(0)).n == 0
    one = Metrics.of(np.ones(3, bool), np.full(3, 0.5))
    assert math.isnan(one.auc) and one.base_rate == 1.0


@pytest.mark.parametrize(
    ("horizon_days", "least_auc", "most_log_loss", "most_ece"), [(91, 0.751, 0.5355, 0.010), (28, 0.727, 0.454, 0.010)]
)
def test_cdnow_is_scored_better_than_by_every_single_model_refit_each_week(
    horizon_days, least_auc, most_log_loss, most_ece
):
    """The bars of the acceptance measurement on the whole development log; one default configuration for both."""
    if not CDNOW.exists():
        pytest.skip("no CDNOW log here: set YOCHO_CDNOW to cdnow_dev.csv.gz")
    pooled = replay(read_log(CDNOW, ORDER, "order"), Target(ORDER, horizon_days * DAY_S)).pooled
    assert pooled.auc >= least_auc
    assert pooled.log_loss <= most_log_loss
    assert pooled.ece <= most_ece


SMALL = ("season", "growth", "decline", "price-rise", "grocery", "community")
TOLERANCE = 0.003 + 0.007
"""Promised are 0.003 AUC on logs of thousands (benchmark `climates`); 400 customers add the error of small numbers."""


@pytest.mark.parametrize("climate", SMALL)
def test_the_mixture_is_not_far_behind_its_best_expert_in_any_climate(climate):
    report = replay(simulated_log(climate, 400, 450), target_of(climate))
    *experts, mixture = pooled_auc(report)
    assert mixture >= max(experts) - TOLERANCE
    assert 0.6 < mixture < 1.0
