"""On a broker that demands TLS and a login and denies what nobody allowed: everybody does their part, and no more."""

import contextlib
import dataclasses
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from click.testing import CliRunner
from kafka.admin import ACL, ACLFilter, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from streams.acls import ROLES, Right, default_user, rights
from streams.cli import main
from streams.cluster import Cluster
from streams.settings import Settings
from tests.apache_kafka.certificates import Authority
from tests.apache_kafka.secured import ADMIN, SecuredKafka
from tests.end_to_end.brokers import IS_KAFKA
from tests.end_to_end.cluster import WorkerProcess, environment, settle, total, wait_until
from tests.end_to_end.small_shop import BEGIN, MONTH, clocks, lines, shop

pytestmark = pytest.mark.skipif(not IS_KAFKA, reason="the embedded broker knows neither TLS nor users: make test-kafka")

USERS = {role: default_user(role).removeprefix("User:") for role in ROLES}
PASSWORDS = {user: f"{user}-pa55word" for user in (*USERS.values(), "stranger")}
OPERATIONS = {
    "Read": ACLOperation.READ,
    "Write": ACLOperation.WRITE,
    "Create": ACLOperation.CREATE,
    "Describe": ACLOperation.DESCRIBE,
    "DescribeConfigs": ACLOperation.DESCRIBE_CONFIGS,
}
TODAY = 90
EVENTS = sorted(shop() + clocks(TODAY), key=lambda one: one[1])
N_EVENTS = len(EVENTS)
YOCHO = (sys.executable, "-m", "streams")
WORKER = (*YOCHO, "worker", "--log-level", "DEBUG")


@pytest.fixture(scope="module")
def kafka():
    with SecuredKafka(PASSWORDS) as kafka:
        settings = Settings.from_env(kafka.variables(ADMIN))
        with Cluster.reach(settings).admin() as admin:
            given = {*rights(settings), *rights(dataclasses.replace(settings, trainer="apart"))}
            told = admin.create_acls([acl(right) for right in given])
            assert not told["failed"], told
        made = yocho(kafka.variables(USERS["provisioner"]), "topics", "create")
        assert made.exit_code == 0, made.stderr
        yield kafka


def acl(right):
    pattern = ResourcePattern(ResourceType[right.resource.upper()], right.name)
    return ACL(default_user(right.role), "*", OPERATIONS[right.operation], ACLPermissionType.ALLOW, pattern)


def yocho(variables, *arguments):
    clean = {name: None for name in os.environ if name.startswith("YOCHO_")}
    return CliRunner().invoke(main, arguments, env=clean | variables)


def beside_listening(stderr):
    """Lines but for the one that says where a worker listens, which is the log's and may go elsewhere."""
    return [line for line in stderr.strip().splitlines() if "yocho worker: metrics on" not in line]


def refused(run, *words):
    said = beside_listening(run.stderr)
    assert run.exit_code == 1, run.output
    assert len(said) == 1, run.stderr
    assert all(word in said[0] for word in words), said
    assert not any(password in run.output for password in PASSWORDS.values())


@pytest.fixture(scope="module")
def csv_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("shop") / "orders.csv"
    rows = (f"{customer},order,{(BEGIN + timedelta(days=day)).isoformat()},9" for customer, day in EVENTS)
    path.write_text("customer_id,event_type,ts,value\n" + "\n".join(rows))
    return str(path)


def test_shop_worker_people_and_operators_work_together_each_with_their_own_rights(kafka, csv_file):
    def of(role):
        return environment(kafka.bootstrap, YOCHO_LEARN="on", **MONTH, **kafka.variables(USERS[role]))

    everything = ("alerts", "--json", "--from-start", "--until-idle", "2")
    with WorkerProcess(of("worker"), WORKER) as worker:
        sent = yocho(of("producers"), "produce", csv_file)
        assert sent.exit_code == 0, sent.stderr
        worker.wait_ready()
        settle(worker, Unread(worker, N_EVENTS), quiet_s=2.0)
        last = {alert["customer_id"]: alert["type"] for alert in lines(yocho(of("mailers"), *everything).stdout)}
        customer = next(name for name, type_ in sorted(last.items()) if type_ in {"opened", "escalated"})
        upcoming = yocho(of("people"), "upcoming", "--within", "30d", "--json")
        assert upcoming.exit_code == 0, upcoming.stderr
        by = ("--by", "Sato", "--at", (BEGIN + timedelta(days=TODAY, minutes=1)).isoformat())
        for role, command in (("people", ("ack", customer)), ("operators", ("snooze", customer, "--until", "7d"))):
            run = yocho(of(role), *command, *by)
            assert run.exit_code == 0, run.stderr
        settle(worker, Unread(worker, N_EVENTS + 2), quiet_s=2.0)
        told = lines(yocho(of("people"), *everything).stdout)
        assert yocho(of("operators"), "erase", customer, *by).exit_code == 0
        settle(worker, Unread(worker, N_EVENTS + 3), quiet_s=2.0)
        left = yocho(of("operators"), "erase", "--verify", customer)
        assert left.exit_code == 0, left.stderr
        assert "named, until 20" in left.stdout
        refused = yocho(of("people"), "erase", "--verify", customer)
        assert refused.exit_code == 1 and "churn-labels" in refused.stderr and refused.stderr.count("\n") == 1
        code, said = worker.stop(), worker.said()
    assert code == 0, said
    assert {"acknowledged", "snoozed"} <= {alert["type"] for alert in told}
    assert "Traceback" not in said
    assert '"level":"debug"' in said
    assert not any(secret in said for secret in [*PASSWORDS.values(), customer, "Sato"])


def test_a_trainer_apart_comes_in_with_rights_of_its_own(kafka):
    variables = environment(
        kafka.bootstrap, YOCHO_LEARN="on", YOCHO_TRAINER="apart", **kafka.variables(USERS["trainer"])
    )
    with WorkerProcess(variables, (*YOCHO, "trainer", "--log-level", "DEBUG")) as trainer:
        wait_until(lambda: "yocho trainer learns" in trainer.said(), 30, trainer.said)
        code, said = trainer.stop(), trainer.said()
    assert code == 0, said
    assert PASSWORDS[USERS["trainer"]] not in said
    with Cluster.reach(Settings.from_env(kafka.variables(ADMIN))).admin() as admin:
        right = Right("trainer", "topic", "churn-model", "Write")
        with without(admin, right):
            refused_one = subprocess.run(
                (*YOCHO, "trainer"), env=os.environ | variables, capture_output=True, text=True, timeout=30, check=False
            )
    assert refused_one.returncode == 1
    assert "no right to Write topic churn-model" in refused_one.stderr.splitlines()[-1]


class Unread:
    """How much a worker has still to read, by its own count: what `settle` asks."""

    def __init__(self, worker, sent):
        self._worker, self._sent = worker, sent

    def lag(self):
        return self._sent - total(self._worker.metrics(), "yocho_events_total")


@pytest.mark.parametrize(
    ("role", "command"),
    [
        ("producers", ("alerts", "--from-start", "--until-idle", "5")),
        ("worker", ("alerts", "--from-start", "--until-idle", "5")),
        ("worker", ("produce",)),
        ("people", ("produce",)),
        ("people", ("worker",)),
        ("people", ("topics", "check")),
        ("mailers", ("ack", "c001", "--by", "Sato")),
        ("mailers", ("upcoming",)),
        ("provisioner", ("alerts", "--from-start", "--until-idle", "5")),
    ],
)
def test_who_has_no_right_is_told_so_in_one_line(kafka, csv_file, role, command):
    command = (*command, csv_file) if command == ("produce",) else command
    variables = kafka.variables(USERS[role]) | {"YOCHO_METRICS_PORT": "0"}
    run = yocho(variables, *command)
    refused(run, "yocho: ")
    assert "right" in run.stderr or "TopicAuthorizationFailed" in run.stderr


LET_IN = {
    "SCRAM-SHA-512": {},
    "SCRAM-SHA-256": {"YOCHO_SASL_MECHANISM": "SCRAM-SHA-256"},
    "PLAIN": {"YOCHO_SASL_MECHANISM": "PLAIN"},
}


@pytest.mark.parametrize("change", LET_IN.values(), ids=LET_IN)
def test_every_mechanism_lets_the_right_password_in_and_no_other(kafka, change):
    variables = kafka.variables(USERS["provisioner"]) | change
    assert yocho(variables, "topics", "check").exit_code == 0
    refused(yocho(variables | {"YOCHO_SASL_PASSWORD": "another"}, "topics", "check"), "does not let user", "in: ")
    refused(yocho(variables | {"YOCHO_SASL_USER": "nobody"}, "topics", "check"), "does not let user nobody in: ")


def test_a_worker_with_a_wrong_password_ends_at_once_with_one_line(kafka):
    variables = kafka.variables(USERS["worker"]) | {"YOCHO_SASL_PASSWORD": "another", "YOCHO_METRICS_PORT": "0"}
    run = subprocess.run(
        WORKER[:4], env=os.environ | variables, capture_output=True, text=True, timeout=20, check=False
    )
    listening, *said = run.stderr.splitlines()
    assert run.returncode == 1
    assert "yocho worker: metrics on" in listening
    assert len(said) == 1
    assert f"does not let user {USERS['worker']} in" in said[0]


@pytest.mark.parametrize(
    "right",
    [
        Right("worker", "group", "yocho", "Read"),
        Right("worker", "topic", "churn-alerts", "Write"),
        Right("worker", "topic", "churn-labels", "Read"),
    ],
    ids=str,
)
def test_a_worker_that_lacks_a_single_right_does_not_begin(kafka, right):
    """It would be missed in the middle of the work: a group that never forms, an alert that cannot be written."""
    with Cluster.reach(Settings.from_env(kafka.variables(ADMIN))).admin() as admin, without(admin, right):
        run = yocho(kafka.variables(USERS["worker"]) | {"YOCHO_METRICS_PORT": "0"}, "worker")
    assert run.exit_code == 1
    lacking = f"{right.operation} {right.resource} {right.name}"
    assert beside_listening(run.stderr) == [f"yocho: no right to {lacking}; yocho topics acls tells who needs which"]


@contextlib.contextmanager
def without(admin, right):
    one = acl(right)
    admin.delete_acls([ACLFilter(one.principal, one.host, one.operation, one.permission_type, one.resource_pattern)])
    try:
        yield
    finally:
        admin.create_acls([one])


def test_a_stranger_sees_nothing(kafka):
    refused(yocho(kafka.variables("stranger"), "topics", "check"), "no right to see", "churn-alerts", "orders")


def test_a_broker_nobody_vouches_for_is_not_talked_to(kafka, tmp_path):
    variables = kafka.variables(USERS["provisioner"])
    other = Authority("other", tmp_path)
    for authority in ("", str(other.file)):
        run = yocho(variables | {"YOCHO_TLS_CA_FILE": authority}, "topics", "check")
        refused(run, "certificate is not trusted", "YOCHO_TLS_CA_FILE")


def test_a_broker_under_another_name_than_its_certificate_says_is_not_talked_to(kafka):
    elsewhere = kafka.bootstrap.replace("127.0.0.1", "localhost")
    run = yocho(kafka.variables(USERS["provisioner"]) | {"YOCHO_BROKERS": elsewhere}, "topics", "check")
    refused(run, "not valid for 'localhost'")


def test_who_comes_without_tls_or_without_a_login_is_told_what_is_missing(kafka):
    plain = {"YOCHO_BROKERS": kafka.bootstrap}
    refused(yocho(plain, "topics", "check"), "wants TLS: YOCHO_SECURITY")
    encrypted = plain | {"YOCHO_SECURITY": "SSL", "YOCHO_TLS_CA_FILE": str(kafka.authority.file)}
    refused(yocho(encrypted, "topics", "check"), "wants a user and a password: YOCHO_SECURITY=SASL_SSL")


def test_a_certificate_of_ours_is_a_login_too(kafka, tmp_path):
    certificate, key = kafka.authority.issue("yocho-certified", password="opens-the-key")
    with Cluster.reach(Settings.from_env(kafka.variables(ADMIN))).admin() as admin:
        given = [right for right in rights(Settings()) if right.role == "provisioner"]
        pattern = [ResourcePattern(ResourceType.TOPIC, right.name) for right in given]
        admin.create_acls([
            ACL("User:CN=yocho-certified", "*", OPERATIONS[right.operation], ACLPermissionType.ALLOW, on)
            for right, on in zip(given, pattern, strict=True)
        ])  # fmt: skip
    variables = {
        "YOCHO_BROKERS": kafka.by_certificate,
        "YOCHO_SECURITY": "SSL",
        "YOCHO_TLS_CA_FILE": str(kafka.authority.file),
    }
    refused(yocho(variables, "topics", "check"), "wants YOCHO_TLS_CERT_FILE")
    ours = {"YOCHO_TLS_CERT_FILE": str(certificate), "YOCHO_TLS_KEY_FILE": str(key)}
    password = {"YOCHO_TLS_KEY_PASSWORD": "opens-the-key"}
    assert yocho(variables | ours | password, "topics", "check").exit_code == 0
    forged, its_key = Authority("forger", tmp_path).issue("yocho-certified")
    theirs = {"YOCHO_TLS_CERT_FILE": str(forged), "YOCHO_TLS_KEY_FILE": str(its_key)}
    refused(yocho(variables | theirs, "topics", "check"), "does not take our certificate")
