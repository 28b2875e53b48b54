"""Rules for Prometheus: accepted, with cases that fire and that do not, and with all that a woken person needs."""

import re
from functools import cache

import pytest
import yaml

from tests.deploy.rules_read import ALERTS, RECORDED, RULES, asked, exported, promtool
from tests.documents import ROOT

CASES = sorted((ROOT / "tests" / "deploy" / "rules").glob("*_test.yml"))
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龯]")


@cache
def questions():
    """(query, what it should give) of every case."""
    return [
        (question["expr"], question["exp_samples"])
        for path in CASES
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for question in case["promql_expr_test"]
    ]


def test_promtool_accepts_configuration_and_rules():
    promtool("check", "config", "prometheus.yml")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_rules_do_what_their_cases_say(path):
    promtool("test", "rules", str(path))


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(alert):
    expected = [
        bool(samples) for query, samples in questions() if f'"{alert}"' in query and 'alertstate="firing"' in query
    ]
    assert set(expected) == {True, False}


@pytest.mark.parametrize("recorded", RECORDED)
def test_each_recorded_series_has_a_case_with_its_value(recorded):
    names = [asked(query) for query, samples in questions() if samples and "ALERTS" not in query]
    assert {recorded} in names


@pytest.mark.parametrize("recorded", [name for name in RECORDED if re.search(r":ratio_\w+$", name)])
def test_a_ratio_looks_back_as_far_as_its_name_says(recorded):
    """Days are too long for a case: 1 d and 3 d would give the same in it."""
    window = recorded.rpartition("_")[2]
    assert set(re.findall(r"\[(\w+)\]", RECORDED[recorded]["expr"])) == {window}


@pytest.mark.parametrize("promise", ["yocho:decisions_late", "yocho:intake_stuck"])
def test_both_promises_are_watched_at_the_windows_and_paces_of_the_workbook(promise):
    assert {f"{promise}:ratio_{window}" for window in WINDOWS} <= RECORDED.keys()
    budget = {"yocho:decisions_late": "0.01", "yocho:intake_stuck": "0.001"}[promise]
    pairs = {
        (long, short, pace, rule["labels"]["severity"])
        for rule in ALERTS.values()
        for long, pace, short, again in re.findall(
            rf"\({promise}:ratio_(\w+) > ([\d.]+) \* {budget} and {promise}:ratio_(\w+) > ([\d.]+) \* {budget}\)",
            rule["expr"],
        )
        if pace == again
    }
    assert pairs == {
        ("1h", "5m", "14.4", "critical"), ("6h", "30m", "6", "critical"),
        ("1d", "2h", "3", "warning"), ("3d", "6h", "1", "warning"),
    }  # fmt: skip


def test_rules_ask_for_nothing_that_is_not_exported_or_recorded():
    names = {name for rule in RULES for name in asked(rule["expr"])}
    assert len(names) > 30
    assert names - exported() == set()


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_says_how_urgent_it_is_what_happened_in_two_languages_and_where_to_read_on(alert):
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    said = rule["annotations"]
    assert said.keys() == {"summary", "summary_ja", "description", "runbook_url"}
    assert JAPANESE.search(said["summary_ja"])
    assert not JAPANESE.search(said["summary"] + said["description"])
    values = [sorted(re.findall(r"\{\{.*?\}\}", said[key])) for key in ("summary", "summary_ja")]
    assert values[0] == values[1]
    assert said["runbook_url"] == f"deploy/RUNBOOK.md#{alert.lower()}"


@pytest.mark.parametrize("alert", ALERTS)
def test_what_an_alert_says_of_its_labels_is_among_its_labels(alert):
    rule = ALERTS[alert]
    named = {name for text in rule["annotations"].values() for name in re.findall(r"\$labels\.(\w+)", text)}
    firing = [samples for query, samples in questions() if f'"{alert}"' in query and samples]
    given = [set(re.findall(r"(\w+)=", sample["labels"])) for samples in firing for sample in samples]
    assert given
    assert all(named <= labels for labels in given)
