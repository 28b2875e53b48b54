"""What Prometheus, Alertmanager and Grafana are given: accepted by their own tools, and true to the other files."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from streams.settings import Settings
from tests.deploy.rules_read import CONFIG, RULES
from tests.documents import ROOT

GRAFANA = ROOT / "deploy" / "grafana"
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def test_amtool_accepts_the_configuration_of_alertmanager():
    if shutil.which("amtool") is None:
        pytest.skip("amtool is not here: on Debian install prometheus-alertmanager")
    command = ["amtool", "check-config", str(ROOT / "deploy" / "alertmanager" / "alertmanager.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_workers_and_the_trainer_are_asked_at_the_port_they_serve():
    jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in CONFIG["scrape_configs"]}
    port = Settings().metrics_port
    for job, command in (("yocho-worker", "worker"), ("yocho-trainer", "trainer")):
        names = [name for name, service in SERVICES.items() if service.get("command", [""])[0] == command]
        assert jobs[job] == [f"{name}:{port}" for name in names], job
    named = {found for rule in RULES for found in re.findall(r'job="[\w-]+"', rule["expr"])}
    assert {f'job="{name}"' for name in jobs} >= named


def test_grafana_finds_its_source_and_its_dashboards():
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/yocho.yml").read_text())["providers"]
    assert source["url"] == "http://prometheus:9090"
    mounts = dict(mount.split(":")[:2] for mount in SERVICES["grafana"]["volumes"])
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/worker.json"
    for path in (GRAFANA / "dashboards").glob("*.json"):
        panels = [panel for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]
        assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
