"""From a killed worker and a dead feed to somebody who is told, and told that it is over: see `tests.chain`.

Everything is real: broker, workers, Prometheus with the committed rules, Alertmanager with the committed routes, and a
server at the other end. Only time is shortened: durations in rules and routes are divided by `SHORT.by`, all alike.
`make chain` tells the same story with the rules as they are, and there nothing at all may fire that is not expected.
"""

import re
from types import SimpleNamespace

import pytest

from tests.chain.chain import started
from tests.chain.pictures import PICTURES, pictures
from tests.chain.story import CUT, DOWN, SHORT, SOURCE_OUT, UNSERVED, fired, tell
from tests.deploy.rules_read import ALERTS
from tests.documents import Document
from tests.end_to_end.brokers import embedded_only

pytestmark = [embedded_only, pytest.mark.timeout(600)]  # on Kafka: make chain; two minutes, more on a busy machine

EXPECTED = {DOWN: "morning", UNSERVED: "pager", SOURCE_OUT: "morning"}
OF_SHORT_TIME = {
    "YochoStreamTimeBehind": "events are hours old: their time runs faster than the clock",
    "YochoDecisionsLateFast": "a rebalance takes as long as ever, and weighs twenty times as much",
    "YochoDecisionsLateSlow": "the same",
    "YochoIntakeStuckFast": "to start a worker takes as long as ever: nobody serves for five shortened minutes",
    "YochoIntakeStuckSlow": "the same",
    "YochoRebalancesOften": "a session ends within 3 s, which a worker on a busy machine may miss",
    "YochoCommitFails": "a commit that meets a rebalance is refused, and a rebalance may last longer than a minute",
}
"""May fire, after the first kill."""


@pytest.fixture(scope="module")
def seen():
    with started(SHORT) as chain:
        tell(chain)
        at_s = {mark.name: mark.at_s for mark in chain.marks}
        return SimpleNamespace(
            at_s=at_s,
            told=list(chain.receiver.told),
            fired=fired(chain),
            pictures=pictures(chain.prometheus.address, at_s, SHORT),
        )


def told(seen, name, *, is_firing=True):
    return [one for one in seen.told if one.name == name and one.is_firing == is_firing]


def test_while_all_is_well_nobody_is_told_and_nothing_fires(seen):
    killed_at_s = seen.at_s["worker 2 killed"]
    assert [one for one in seen.told if one.at_s < killed_at_s] == []
    assert {one.name for one in seen.fired if one.from_s < killed_at_s} <= {"YochoStreamTimeBehind"}


def test_a_killed_worker_is_told_of_by_its_name_and_waits_until_the_morning(seen):
    first = told(seen, DOWN)[0]
    assert (first.receiver, first.labels["instance"]) == ("morning", "worker-2")
    waited_s = first.at_s - seen.at_s["worker 2 killed"]
    assert waited_s > 60 / SHORT.by


def test_nobody_is_woken_while_the_other_worker_has_its_partitions(seen):
    assert min(one.at_s for one in seen.told if one.receiver == "pager") > seen.at_s["worker 1 killed"]


def test_the_pager_is_told_once_the_last_worker_is_dead_and_of_every_partition(seen):
    assert {one.labels["partition"] for one in told(seen, UNSERVED)} == {"0", "1", "2", "3"}
    assert min(one.at_s for one in told(seen, UNSERVED)) > seen.at_s["worker 1 killed"] + 180 / SHORT.by


def test_who_was_told_of_unserved_partitions_is_not_told_of_stuck_intake_as_well(seen):
    over_s = min(one.at_s for one in told(seen, UNSERVED, is_firing=False))
    assert [one.at_s for one in told(seen, "YochoIntakeStuckFast") if one.at_s < over_s] == []


def test_a_dead_feed_is_told_of_by_its_name_after_it_was_cut_and_no_other_feed_is(seen):
    assert {one.labels["source"] for one in told(seen, SOURCE_OUT)} == {CUT}
    assert min(one.at_s for one in told(seen, SOURCE_OUT)) > seen.at_s[f"{CUT} known to be out"] + 300 / SHORT.by


@pytest.mark.parametrize(
    ("name", "mended"), [(DOWN, "worker 1 started"), (UNSERVED, "worker 1 started"), (SOURCE_OUT, f"{CUT} back")]
)
def test_that_it_is_over_is_told_after_it_was_mended(seen, name, mended):
    over = told(seen, name, is_firing=False)
    assert min(one.at_s for one in over) > seen.at_s[mended]
    assert {frozenset(one.labels.items()) for one in over} == {
        frozenset(one.labels.items()) for one in told(seen, name)
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_told_is_filled_in_in_two_languages_and_leads_to_its_section_of_the_runbook(seen, name):
    sections = {section.title for section in Document.read("deploy/RUNBOOK.md").sections}
    for one in told(seen, name):
        assert one.receiver == EXPECTED[name]
        assert one.labels["severity"] == ALERTS[name]["labels"]["severity"]
        assert one.annotations["runbook_url"] == f"deploy/RUNBOOK.md#{name.lower()}"
        assert name in sections
        assert re.search(r"[ぁ-んァ-ヶ一-龯]", one.annotations["summary_ja"])
        which = one.labels.get("instance") or one.labels.get("partition") or one.labels["source"]
        for text in (one.annotations["summary"], one.annotations["summary_ja"]):
            assert which in text
            assert "{{" not in text
            assert "no value" not in text


def test_nothing_else_fires_but_what_comes_of_a_shortened_time(seen):
    assert {one.name for one in seen.fired} - EXPECTED.keys() <= OF_SHORT_TIME.keys()
    assert {one.name for one in seen.told} - EXPECTED.keys() <= OF_SHORT_TIME.keys()


@pytest.mark.parametrize("name", PICTURES)
def test_no_panel_of_a_picture_is_empty(seen, name):
    shown, _ = seen.pictures[name]
    assert [one.panel.title for one in shown if one.is_empty] == []


def test_the_picture_of_killed_workers_shows_that_none_answers_and_then_both(seen):
    shown, _ = seen.pictures["workers-killed.png"]
    (workers,) = next(one.lines for one in shown if one.panel.title == "Workers that answer")
    assert (workers.values.min(), workers.values[-1]) == (0, 2)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_png_that_fits_a_page(seen, name, tmp_path):
    _, figure = seen.pictures[name]
    figure.savefig(tmp_path / name)
    header = (tmp_path / name).read_bytes()[:24]
    assert header[1:4] == b"PNG"
    assert 1000 < int.from_bytes(header[16:20]) <= 1600
