"""Dashboards as pictures: what Prometheus answers is what is drawn, and the README's pictures fit a page."""

import json
import math
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from click.testing import CliRunner

from deploy.dashboards.building import Graph, Number, Query
from deploy.pictures import FOLDER
from deploy.pictures.__main__ import main
from deploy.pictures.asked import Fired, Line, Prometheus, Shown, Stretch
from deploy.pictures.drawing import Headline, Moment, drawn
from deploy.pictures.golden import AT_LEAST, GOLDEN, TITLES
from tests.chain.pictures import PICTURES

STRETCH = Stretch(1_000, 1_060, 10)
LATENCY = Graph(title="Latency", says="Of all.", unit="s", queries=[Query("late", "{{stage}}")], red_from=1)
WORKERS = Number(title="Workers", says="All.", unit="short", queries=[Query("sum(up)")])
ANSWERS = {
    "late": [({"stage": "emit"}, {1_020: "0.5", 1_030: "NaN", 1_060: "2"}), ({"stage": "decode"}, {1_000: "0.1"})],
    "sum(up)": [({}, dict.fromkeys(range(1_000, 1_061, 10), "2"))],
    'ALERTS{alertname=~"Yocho.*"}': [
        ({"alertname": "YochoB", "severity": "warning", "alertstate": "firing", "partition": "1"}, {1_050: "1"}),
        ({"alertname": "YochoA", "severity": "critical", "alertstate": "pending"}, {1_020: "1", 1_030: "1"}),
        ({"alertname": "YochoA", "severity": "critical", "alertstate": "firing"}, {1_040: "1"}),
        ({"alertname": "YochoB", "severity": "warning", "alertstate": "firing", "partition": "2"}, {1_060: "1"}),
    ],
}


@pytest.fixture(scope="module")
def prometheus():
    """One that knows the answers above, and has nothing to say to other questions or of other times."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
            found = [
                {"metric": labels, "values": [[at_s, value] for at_s, value in values.items()]}
                for labels, values in ANSWERS.get(asked["query"], [])
                if float(asked["start"]) <= min(values) <= float(asked["end"])
            ]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"data": {"result": found}}).encode())

        def log_message(self, *_):
            """Not into the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_line_has_a_gap_where_prometheus_has_nothing(prometheus):
    decode, emit = Prometheus(prometheus, STRETCH).shown(LATENCY).lines
    assert (decode.name, emit.name) == ("decode", "emit")
    assert np.isnan(emit.values).tolist() == [True, True, False, True, True, True, False]
    assert emit.values[[2, 6]].tolist() == [0.5, 2]


def test_a_large_number_becomes_a_line(prometheus):
    (line,) = Prometheus(prometheus, STRETCH).shown(WORKERS).lines
    assert line.values.tolist() == [2] * 7


def test_an_alert_is_one_bar_for_all_its_labels_and_the_first_one_is_on_top(prometheus):
    first, second = Prometheus(prometheus, STRETCH).alerts()
    assert (first.name, first.severity) == ("YochoA", "critical")
    assert np.flatnonzero(first.pending).tolist() == [2, 3]
    assert np.flatnonzero(first.firing).tolist() == [4]
    assert (second.name, np.flatnonzero(second.firing).tolist()) == ("YochoB", [5, 6])


def test_a_panel_without_anything_to_show_says_so():
    assert Shown(LATENCY, []).is_empty
    assert Shown(LATENCY, [Line("", np.array([math.nan]))]).is_empty
    assert not Shown(LATENCY, [Line("", np.array([math.nan, 0.0]))]).is_empty


def test_moments_alerts_and_titles_stand_in_the_picture(prometheus):
    asked = Prometheus(prometheus, STRETCH)
    shown = [asked.shown(panel) for panel in (LATENCY, WORKERS)]
    moments = [Moment(1_020, "worker killed"), Moment(1_050, "alert told")]
    figure = drawn(Headline("Killed", is_well=False), STRETCH, shown, asked.alerts(), moments)
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"1   0:00  worker killed", "2   +0:30  alert told", "1", "2"} <= texts
    assert {"YochoA, critical", "YochoB, warning"} <= texts
    assert {"Latency", "Workers"} <= {axes.get_title(loc="left") for axes in figure.axes}


def test_a_panel_reaches_to_where_it_is_bad_even_if_all_is_well():
    calm = Shown(LATENCY, [Line("", np.full(7, 0.001))])
    figure = drawn(Headline("Well"), STRETCH, [calm], [], [])
    (axes,) = (axes for axes in figure.axes if axes.get_title(loc="left") == "Latency")
    assert axes.get_ylim()[1] > 1


def test_bars_last_as_long_as_the_alert():
    firing = np.array([False, True, True, False, False, True, False])
    figure = drawn(Headline("Bad"), STRETCH, [], [Fired("YochoA", "warning", ~firing, firing)], [])
    (axes,) = (axes for axes in figure.axes if axes.patches)
    assert sorted(round(60 * bar.get_width()) for bar in axes.patches) == [10, 10, 10, 20, 20]


def test_the_command_draws_the_golden_signals_of_any_prometheus(prometheus, tmp_path):
    file = tmp_path / "incident.png"
    arguments = [str(file), "--prometheus", prometheus, "--moment", "2026-04-01T03:12+09:00 worker killed"]
    done = CliRunner().invoke(
        main, [*arguments, "--from", "2026-04-01T03:00+09:00", "--until", "2026-04-01T03:40+09:00"]
    )
    assert done.exit_code == 0, done.output
    assert file.read_bytes()[1:4] == b"PNG"


def test_golden_signals_are_panels_of_the_dashboard():
    assert [panel.title for panel in GOLDEN] == list(TITLES)
    assert AT_LEAST.keys() <= set(TITLES)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_of_the_readme_fit_a_page_and_load_quickly(name):
    content = (FOLDER / name).read_bytes()
    assert len(content) < 200_000
    assert int.from_bytes(content[16:20]) <= 1_600


def test_there_is_no_other_picture():
    assert {path.name for path in FOLDER.glob("*.png")} == PICTURES.keys()
