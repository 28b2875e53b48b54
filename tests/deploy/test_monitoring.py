"""What Prometheus, Alertmanager and Grafana are given: accepted by their own tools, and true to what is exported."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from streams.metrics.document import worker_families
from streams.settings import Settings
from tests.documents import ROOT

PROMETHEUS, GRAFANA = ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana"
CONFIG = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
(GROUP,) = yaml.safe_load((PROMETHEUS / "rules.yml").read_text(encoding="utf-8"))["groups"]
DASHBOARD = json.loads((GRAFANA / "dashboards" / "yocho.json").read_text(encoding="utf-8"))
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def tool(name, package):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not here: on Debian install {package}")
    return name


def run(*command):
    done = subprocess.run(command, cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_configuration_and_rules():
    run(tool("promtool", "prometheus"), "check", "config", "prometheus.yml")


def test_rules_fire_when_they_should_and_not_before():
    run(tool("promtool", "prometheus"), "test", "rules", str(ROOT / "tests" / "deploy" / "rules_test.yml"))


def test_amtool_accepts_the_configuration_of_alertmanager():
    run(tool("amtool", "prometheus-alertmanager"), "check-config", str(ROOT / "deploy/alertmanager/alertmanager.yml"))


def exported():
    families = worker_families()
    return {family.name for family in families} | {f"{family.name}_bucket" for family in families if family.buckets}


def queries():
    yield from (rule["expr"] for rule in GROUP["rules"])
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


def test_rules_and_dashboard_ask_for_nothing_that_is_not_exported():
    asked = {name for query in queries() for name in re.findall(r"\byocho_\w+", query)}
    assert len(asked) > 10
    assert asked - exported() == set()


def test_every_rule_says_what_happened_and_what_to_do():
    for rule in GROUP["rules"]:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}


def test_both_workers_and_the_trainer_are_asked_at_the_port_they_serve():
    jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in CONFIG["scrape_configs"]}
    port = Settings().metrics_port
    for job, command in (("yocho-worker", "worker"), ("yocho-trainer", "trainer")):
        names = [name for name, service in SERVICES.items() if service.get("command", [""])[0] == command]
        assert jobs[job] == [f"{name}:{port}" for name in names], job
    assert {f'job="{name}"' for name in jobs} >= {found for q in queries() for found in re.findall(r'job="[\w-]+"', q)}


def test_grafana_finds_its_source_and_its_dashboard():
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/yocho.yml").read_text())["providers"]
    assert source["url"] == "http://prometheus:9090"
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {source["uid"]}
    mounts = dict(mount.split(":")[:2] for mount in SERVICES["grafana"]["volumes"])
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/yocho.json"


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert {(panel["gridPos"]["w"], panel["gridPos"]["h"]) for panel in panels} == {(12, 8)}
