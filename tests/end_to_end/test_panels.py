"""Each query of each panel, asked of a real Prometheus that has read a worker and a trainer under load, gives data."""

import math
import sys
from types import SimpleNamespace

import pytest

from deploy.dashboards.__main__ import DASHBOARDS
from deploy.dashboards.building import Graph
from streams.settings import Settings
from tests.documents import Document
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import Outbound, Probe, WorkerProcess, environment, send, send_to, settle, wait_until
from tests.end_to_end.log import event_log
from tests.end_to_end.prometheus_server import PrometheusServer

N_EVENTS, N_CUSTOMERS = 6_000, 200
BACKLOG = 2_000
LIVE_PER_S = 700
SETTINGS = Settings(horizon_s=28 * 86_400, snapshot_every=300)
VARIABLES = {
    "YOCHO_HORIZON": "28d",
    "YOCHO_SNAPSHOT_EVERY": str(SETTINGS.snapshot_every),
    "YOCHO_LEARN": "on",
    "YOCHO_TRAINER": "apart",
}
TRAIN = (sys.executable, "-m", "streams", "trainer")
INSTEAD = {"$__rate_interval": "5s", "$__range": "10m"}
"""What Grafana puts in place of its variables: five scrapes, and all that there is."""

BAD = [Outbound("logins", 0, b"c-1", b"{"), Outbound("orders", 0, b"c-1", b"[]")]
QUESTIONS = {
    f"{name.removesuffix('.json')}: {panel.title}: {query.expr}": (panel, query)
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard.panels
    for query in panel.queries
}
RUNBOOK = [
    line
    for section in Document.read("deploy/RUNBOOK.md").sections
    for language, text in section.blocks
    if language == "promql"
    for line in text.splitlines()
]


@pytest.fixture(scope="module")
def seen():
    """What every query gave: a worker takes over a backlog, then keeps up with events, some of which are bad."""
    log = event_log(N_EVENTS, N_CUSTOMERS)
    with (
        fresh_broker(SETTINGS) as broker,
        Probe(broker.bootstrap) as probe,
        WorkerProcess(environment(broker.bootstrap, **VARIABLES)) as worker,
        WorkerProcess(environment(broker.bootstrap, **VARIABLES), TRAIN) as trainer,
    ):
        wait_until(lambda: worker.port is not None and trainer.port is not None, 60, worker.said)
        jobs = {"yocho-worker": [worker.port], "yocho-trainer": [trainer.port]}
        with PrometheusServer(jobs) as prometheus:
            worker.wait_ready()
            prometheus.wait_ready()
            list(send(broker.bootstrap, log[:BACKLOG]))
            settle(worker, probe)
            for sent in send(broker.bootstrap, log[BACKLOG:], pace_per_s=LIVE_PER_S):
                if sent % 500 == 0:
                    send_to(broker.bootstrap, BAD)
            settle(worker, probe)
            wait_until(lambda: prometheus.now("sum(yocho_census_customers)") != [], 30, worker.said)
            return SimpleNamespace(
                panels={name: asked(prometheus, panel, query.expr) for name, (panel, query) in QUESTIONS.items()},
                runbook={query: prometheus.since_start(query) for query in RUNBOOK},
                exemplars=prometheus.exemplars("yocho_event_to_alert_seconds_bucket"),
            )


def asked(prometheus, panel, expr):
    """What a panel would show, once its variables are replaced."""
    for variable, value in INSTEAD.items():
        expr = expr.replace(variable, value)
    assert "$" not in expr
    return prometheus.since_start(expr) if isinstance(panel, Graph) else prometheus.now(expr)


def numbers(result):
    """Every value that can be drawn."""
    found = [float(value) for series in result for _, value in series.get("values") or [series["value"]]]
    return [value for value in found if math.isfinite(value)]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_panel_has_something_to_show(seen, name):
    assert numbers(seen.panels[name]), name


def test_dots_beside_the_slow_alerts_lead_to_their_records(seen):
    assert seen.exemplars
    assert {tuple(sorted(labels)) for labels in seen.exemplars} == {("alert_id", "offset", "partition", "topic")}


def test_no_panel_draws_more_lines_than_can_be_told_apart(seen):
    most = max(seen.panels, key=lambda name: len(seen.panels[name]))
    assert len(seen.panels[most]) <= 12, most


def test_every_query_of_the_runbook_can_be_asked_and_most_find_something(seen):
    empty = [query for query, result in seen.runbook.items() if not numbers(result)]
    assert len(empty) < len(seen.runbook) / 10, empty
