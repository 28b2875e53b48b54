"""Dashboards: what is committed is what the code gives, it asks for what is there, and people can read it."""

import json
import re

import pytest

from deploy.dashboards.__main__ import DASHBOARDS, FOLDER
from deploy.dashboards.building import WIDTH, Graph
from tests.deploy.rules_read import asked, exported

JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龯]")
UNITS = {"s", "ops", "short", "bytes", "percentunit"}
by_name = pytest.mark.parametrize("name", DASHBOARDS)


def committed(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@by_name
def test_the_committed_json_is_what_the_code_gives(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == DASHBOARDS[name].to_json(), "make dashboards writes it"


def test_there_is_no_other_dashboard():
    assert {path.name for path in FOLDER.iterdir()} == DASHBOARDS.keys()


@by_name
def test_it_asks_for_nothing_that_is_not_exported_or_recorded(name):
    names = {name for panel in DASHBOARDS[name].panels for query in panel.queries for name in asked(query.expr)}
    assert len(names) > 10
    assert names - exported() == set()


@by_name
def test_every_panel_says_how_to_read_it_and_in_which_unit(name):
    for panel in DASHBOARDS[name].panels:
        assert panel.says.endswith((".", "。")), panel.title
        assert panel.unit in UNITS, panel.title


@by_name
def test_lines_of_one_panel_can_be_told_apart(name):
    for panel in DASHBOARDS[name].panels:
        legends = [query.legend for query in panel.queries]
        assert len(set(legends)) == len(legends), panel.title
        for query in panel.queries:
            grouped = re.search(r"by \(([^)]*)\)", query.expr)
            labels = set(re.split(", ", grouped[1])) - {"le"} if grouped and isinstance(panel, Graph) else set()
            if query.expr.startswith("count(count by"):
                labels = set()
            assert labels <= set(re.findall(r"\{\{(\w+)\}\}", query.legend)), panel.title


@by_name
def test_panels_have_numbers_of_their_own_and_do_not_overlap(name):
    panels = committed(name)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = set()
    for panel in panels:
        place = panel["gridPos"]
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in mine) < WIDTH
        assert not mine & cells, panel["title"]
        cells |= mine


def test_each_has_an_address_of_its_own_and_finds_the_others():
    made = [committed(name) for name in DASHBOARDS]
    assert len({dashboard["uid"] for dashboard in made}) == len(made)
    assert {tuple(dashboard["tags"]) for dashboard in made} == {("yocho",)}
    assert all(dashboard["links"][0]["tags"] == ["yocho"] for dashboard in made)


def test_retention_leads_read_japanese_first_and_english_beside():
    dashboard = DASHBOARDS["alerts.json"]
    titles = [dashboard.title.removeprefix("Yochō: "), *(row.title for row in dashboard.rows)]
    for title in [*titles, *(panel.title for panel in dashboard.panels)]:
        japanese, english = title.split(" · ")
        assert JAPANESE.search(japanese), title
        assert re.match(r"[A-Z]", english), title
        assert not JAPANESE.search(english), title
    assert all(JAPANESE.search(panel.says) for panel in dashboard.panels)


def test_sres_see_the_golden_signals_first():
    titles = [row.title for row in DASHBOARDS["worker.json"].rows]
    assert titles == ["At a glance", "Latency", "Traffic", "Errors", "Saturation"]
