"""docker-compose.yml without an engine: sound by its specification, pinned, on loopback, true to settings and files."""

import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from click import Context

from streams.cli import main
from streams.settings import SETTINGS, Settings
from tests.documents import ROOT

FILE = ROOT / "docker-compose.yml"
COMPOSE = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("yocho:")}


def test_it_is_sound_by_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_has_a_broker_topics_two_workers_a_trainer_a_shop_and_who_watches_them():
    assert SERVICES.keys() == {
        "kafka", "topics", "worker-1", "worker-2", "trainer", "simulator", "prometheus", "alertmanager", "grafana",
    }  # fmt: skip


def test_every_image_is_pinned_to_a_version():
    images = {service["image"] for service in SERVICES.values()}
    assert [image for image in images if not re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", image)] == []
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {service["image"] for service in OURS.values()} == {f"yocho:{version}"}


def test_everything_published_is_on_loopback_and_no_port_of_ours_is():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 4
    assert [port for port in ports if not re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)] == []
    assert not any("ports" in service for service in OURS.values())


def test_the_broker_is_where_workers_look_by_default_and_makes_no_topic_by_mistake():
    kafka = SERVICES["kafka"]
    assert re.fullmatch(r"apache/kafka:4\.\d+\.\d+", kafka["image"])
    (address,) = Settings().brokers
    assert kafka["ports"] == [f"{address}:{address.rpartition(':')[2]}"]
    listeners = dict(part.split("://") for part in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert listeners["HOST"] == address
    assert listeners["NETWORK"] == OURS["worker-1"]["environment"]["YOCHO_BROKERS"]
    assert kafka["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


@pytest.mark.parametrize("name", OURS)
def test_our_settings_are_known_and_allowed_and_the_same_in_all_of_ours(name):
    environment = OURS[name]["environment"]
    assert environment.keys() <= {setting.variable for setting in SETTINGS}
    settings = Settings.from_env(environment)
    assert settings == Settings.from_env(OURS["worker-1"]["environment"])
    assert settings.trainer == "apart"
    assert settings.metrics_port == Settings().metrics_port, "the ports in prometheus.yml and in the image"


@pytest.mark.parametrize("name", OURS)
def test_our_commands_can_be_given_as_they_stand(name):
    command, *arguments = OURS[name]["command"]
    context = Context(main, info_name="yocho")
    found = main.get_command(context, command)
    assert found is not None
    found.make_context(command, arguments, parent=context)


@pytest.mark.parametrize("name", OURS)
def test_ours_run_with_as_little_as_they_need(name):
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service, "the image names a user that is not root"


def test_nobody_starts_before_what_they_need():
    conditions = {
        (name, needed): how["condition"]
        for name, service in SERVICES.items()
        for needed, how in service.get("depends_on", {}).items()
    }
    assert conditions["topics", "kafka"] == "service_healthy"
    assert {conditions[name, "topics"] for name in OURS if name != "topics"} == {"service_completed_successfully"}
    assert conditions["grafana", "prometheus"] == "service_healthy"
    assert all(needed in SERVICES for _, needed in conditions)


def test_what_others_wait_for_says_how_it_is_and_only_what_ends_by_itself_does_not():
    own = {name for name, service in SERVICES.items() if "test" in service.get("healthcheck", {})}
    assert own == SERVICES.keys() - OURS.keys()
    assert {n for n in OURS if OURS[n].get("healthcheck", {}).get("disable")} == {"topics", "simulator"}


def test_every_file_exists_and_every_volume_is_named():
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    files = [source for source, *_ in mounts if source.startswith(".")]
    assert len(files) == 4
    assert [source for source in files if not (ROOT / source).is_dir()] == []
    assert {source for source, *_ in mounts} - set(files) == COMPOSE["volumes"].keys()
    build = OURS["worker-1"]["build"]
    assert (ROOT / build["context"] / build["dockerfile"]).is_file()


def test_the_one_password_comes_from_outside_and_has_no_default():
    assert COMPOSE["secrets"] == {"grafana_admin_password": {"environment": "GRAFANA_ADMIN_PASSWORD"}}
    values = [value for service in SERVICES.values() for value in service.get("environment", {}).items()]
    secret = [(name, value) for name, value in values if re.search("PASSWORD|SECRET|TOKEN|KEY", name)]
    assert secret == [("GF_SECURITY_ADMIN_PASSWORD__FILE", "/run/secrets/grafana_admin_password")]
    assert "${" not in FILE.read_text(encoding="utf-8")
