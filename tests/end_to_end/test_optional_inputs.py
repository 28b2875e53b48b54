"""A worker that also reads e-mails sent and clicked, from topics named by its settings."""

import os
import subprocess
import sys

import pytest

from models.baskets import breadth
from models.state import from_bytes, new_rows
from streams.engine.changelog import META_KEY
from streams.settings import Settings
from streams.topics import CHANGELOG
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import Probe, WorkerProcess, environment, settle

DAYS = [f"2024-01-{day:02d}T12:00:00Z" for day in range(1, 29)]
TYPES = {"order": 9, "login": 1, "email_open": None, "email_send": None, "email_click": None}
N_CUSTOMERS = 20
SENDS, CLICKS = {"YOCHO_EMAIL_SENDS_TOPIC": "mails"}, {"YOCHO_EMAIL_CLICKS_TOPIC": "clicks"}


def shop(kinds):
    """Every customer does everything once a day."""
    lines = ["customer_id,event_type,ts,value,category"]
    for at in DAYS:
        for kind, value in TYPES.items():
            told = "" if value is None else value
            if kind in kinds:
                lines += [f"c{n:02d},{kind},{at},{told},tea;cake" for n in range(N_CUSTOMERS)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("variables", "kinds"),
    [
        (SENDS | CLICKS, list(TYPES)),
        (CLICKS, ["order", "login", "email_open", "email_click"]),
    ],
    ids=["five inputs", "four inputs"],
)
def test_a_worker_reads_the_inputs_its_settings_name(tmp_path, variables, kinds):
    settings = Settings.from_env(variables)
    path = tmp_path / "events.csv"
    path.write_text(shop(kinds))
    with fresh_broker(settings) as broker, Probe(broker.bootstrap, settings=settings) as probe:
        variables = environment(broker.bootstrap, **variables)
        with WorkerProcess(variables) as worker:
            worker.wait_ready()
            produce = (sys.executable, "-m", "streams", "produce", str(path))
            subprocess.run(produce, env=os.environ | variables, check=True, capture_output=True)
            settle(worker, probe)
            metrics = worker.metrics()
            assert worker.stop() == 0, worker.said()
        records = probe.records(CHANGELOG.topic(settings))
    applied = {kind: metrics[f'yocho_events_total{{outcome="applied",type="{kind}"}}'] for kind in kinds}
    assert applied == dict.fromkeys(kinds, N_CUSTOMERS * len(DAYS))
    assert not any(n for series, n in metrics.items() if series.startswith("yocho_dead_letters_total{"))
    rows = customers(records)
    assert len(rows) == N_CUSTOMERS
    n_mails = sum(2 ** (-day / 90) for day in range(len(DAYS)))
    for name, kind in (("sends_long", "email_send"), ("clicks_long", "email_click")):
        assert rows[name].tolist() == pytest.approx([n_mails * (kind in kinds)] * N_CUSTOMERS, rel=0.01)
    assert breadth(rows).tolist() == [2] * N_CUSTOMERS


def customers(records):
    """Rows as the changelog holds them in the end."""
    latest = {m.key(): m.value() for part in records.values() for m in part if m.key() != META_KEY}
    rows = new_rows(len(latest))
    for place, value in enumerate(latest.values()):
        rows[place] = from_bytes(value[4:])
    return rows
