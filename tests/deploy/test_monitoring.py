"""What Prometheus, Alertmanager and Grafana are given: accepted by their own tools, and true to the other files."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from streams.settings import Settings
from tests.deploy.rules_read import ALERTS, CONFIG, RULES
from tests.documents import ROOT

GRAFANA = ROOT / "deploy" / "grafana"
ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def amtool(*arguments):
    """What amtool says; a test that finds none is skipped."""
    if shutil.which("amtool") is None:
        pytest.skip("amtool is not here: on Debian install prometheus-alertmanager")
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_amtool_accepts_the_configuration_of_alertmanager():
    assert amtool("check-config", str(ALERTMANAGER))


@pytest.mark.parametrize("alert", ALERTS)
def test_what_wakes_somebody_goes_to_the_pager_and_everything_else_waits(alert):
    severity = ALERTS[alert]["labels"]["severity"]
    told = amtool("config", "routes", "test", f"--config.file={ALERTMANAGER}", f"severity={severity}").strip()
    assert told == {"critical": "pager", "warning": "morning"}[severity]


def test_one_alert_keeps_back_another_only_if_both_exist_and_it_is_as_urgent():
    for rule in yaml.safe_load(ALERTMANAGER.read_text(encoding="utf-8"))["inhibit_rules"]:
        (source,), (target,) = rule["source_matchers"], rule["target_matchers"]
        told, *kept_back = re.findall(r"Yocho\w+", source + target)
        assert {told, *kept_back} <= ALERTS.keys()
        urgent = {name for name in kept_back if ALERTS[name]["labels"]["severity"] == "critical"}
        assert not urgent or ALERTS[told]["labels"]["severity"] == "critical"


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
