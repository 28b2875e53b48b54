"""Rules in a shortened time are the committed ones, but for their durations: what the chain in CI stands on."""

import re

import pytest
import yaml

from tests.chain.shortened import shortened, shortened_duration, write_shortened
from tests.deploy.rules_read import ALERTS, CONFIG, PROMETHEUS, RECORDED, promtool

TIMES = re.compile(r"(?<=\[)[^]]+(?=\])|(?<=offset )\w+")


def test_nothing_but_windows_and_offsets_changes_in_a_query():
    for rule in [*ALERTS.values(), *RECORDED.values()]:
        before, after = rule["expr"], shortened(rule, 30)["expr"]
        assert TIMES.sub("", before) == TIMES.sub("", after)
        assert TIMES.findall(after) == [shortened_duration(text, 30) for text in TIMES.findall(before)]


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_keeps_its_words_and_waits_for_a_thirtieth(alert):
    before, after = ALERTS[alert], shortened(ALERTS[alert], 30)
    assert (after["annotations"], after["labels"]) == (before["annotations"], before["labels"])
    assert after.get("for") == (shortened_duration(before["for"], 30) if "for" in before else None)


def test_a_factor_of_one_changes_nothing_that_counts():
    for rule in ALERTS.values():
        assert shortened(rule, 1) == rule


def test_promtool_accepts_them(tmp_path):
    write_shortened(PROMETHEUS, CONFIG["rule_files"], tmp_path, 30)
    for name in CONFIG["rule_files"]:
        promtool("check", "rules", str(tmp_path / name))
        assert yaml.safe_load((tmp_path / name).read_text(encoding="utf-8"))["groups"]
