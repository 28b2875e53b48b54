"""The command `yocho`: help with an example, one clear line when something is wrong, and no traceback."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from streams.broker import EmbeddedBroker
from streams.cli import main
from streams.cli.group import LazyCommand, LazyGroup
from streams.cluster import Cluster
from streams.settings import Settings

NOBODY = {"YOCHO_BROKERS": "127.0.0.1:1"}
MINE = ("topics", "produce", "alerts", "ack", "snooze", "evaluate", "broker")
CSV = "customer_id,event_type,ts,value\nc1,order,2024-01-01T00:00:00Z,5\nc2,order,2024-01-02T00:00:00Z,7\n"


def yocho(*arguments, **environment):
    clean = {name: None for name in os.environ if name.startswith("YOCHO_")}
    return CliRunner().invoke(main, arguments, env=clean | environment)


def assert_one_line(result, *words, code=1):
    assert result.exit_code == code, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in lines[0]


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(CSV)
    return str(path)


@pytest.fixture(scope="module")
def broker():
    with EmbeddedBroker.for_settings(Settings()) as broker:
        yield broker


OVERVIEW = """
import sys
from streams.cli import main
try:
    main(["--help"])
except SystemExit:
    sys.exit(", ".join({"kafka", "numpy", "faust", "rich"} & set(sys.modules)) or 0)
"""


def test_the_overview_names_every_command_and_imports_none():
    run = subprocess.run([sys.executable, "-c", OVERVIEW], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for name in (
        "worker",
        "trainer",
        "topics",
        "produce",
        "simulate",
        "alerts",
        "ack",
        "snooze",
        "evaluate",
        "broker",
        "demo",
    ):
        assert f"  {name} " in run.stdout


@pytest.mark.parametrize("name", MINE)
def test_each_command_has_help_with_an_example(name):
    result = yocho(name, "--help")
    assert result.exit_code == 0
    assert "Example:" in result.output
    assert f"yocho {name}" in result.output.split("Example:")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("topics", "create"),
        ("topics", "check"),
        ("topics", "describe"),
        ("alerts",),
        ("alerts", "--json", "--until-idle", "1"),
    ],
)
def test_an_unreachable_broker_is_one_clear_line(arguments):
    assert_one_line(yocho(*arguments, **NOBODY), "no broker answers", "127.0.0.1:1", "YOCHO_BROKERS")


def test_an_unreachable_broker_is_one_clear_line_for_produce_too(csv_file):
    assert_one_line(yocho("produce", csv_file, **NOBODY), "no broker answers", "refused")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("teleport",), ("No such command 'teleport'",)),
        (("topics", "destroy"), ("No such command 'destroy'", "yocho topics --help")),
        (("produce",), ("Missing argument 'FILE'", "yocho produce --help")),
        (("produce", "absent.csv"), ("absent.csv", "does not exist")),
        (("evaluate", "absent.csv"), ("absent.csv", "does not exist")),
        (("alerts", "--until-idle", "-1"), ("--until-idle", "-1")),
        (("alerts", "--colour"), ("No such option", "--colour")),
        (("broker", "--port", "70000"), ("--port", "70000")),
        (("broker", "--partitions", "0"), ("--partitions",)),
    ],
)
def test_a_wrong_argument_is_one_clear_line(arguments, words):
    assert_one_line(yocho(*arguments), *words, code=2)


@pytest.mark.parametrize("text", ["fast", "0x", "86400"])
def test_a_wrong_speed_says_what_a_speed_is(csv_file, text):
    assert_one_line(yocho("produce", csv_file, "--speed", text), "--speed", "86400x", code=2)


@pytest.mark.parametrize(
    ("variable", "value"), [("YOCHO_BROKERS", "kafka"), ("YOCHO_HORIZON", "3 months"), ("YOCHO_PARTITIONS", "x")]
)
def test_a_wrong_setting_is_one_line_that_names_the_variable(variable, value):
    assert_one_line(yocho("topics", "check", **{variable: value}), variable, value, "must be")


def test_a_bad_row_is_one_line_that_names_file_and_line(tmp_path, broker):
    path = tmp_path / "bad.csv"
    path.write_text(CSV + "c3,order,2024-01-03T00:00:00Z,much\n")
    assert_one_line(yocho("produce", str(path), YOCHO_BROKERS=broker.bootstrap), "bad.csv, line 4", "much")


def test_an_evaluation_of_no_event_log_is_one_line(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("a,b\n1,2\n")
    assert_one_line(yocho("evaluate", str(path)), "bad.csv", "customer_id")


def test_topics_that_differ_are_listed_and_the_exit_code_says_so(broker):
    result = yocho("topics", "check", YOCHO_BROKERS=broker.bootstrap, YOCHO_PARTITIONS="5")
    assert "orders: 4 partitions, not 5" in result.stdout
    assert_one_line(result, "differences")
    assert yocho("topics", "check", YOCHO_BROKERS=broker.bootstrap).exit_code == 0


def test_topics_are_created_described_and_checked():
    with EmbeddedBroker({}) as broker:
        made = yocho("topics", "create", YOCHO_BROKERS=broker.bootstrap)
        assert "created orders" in made.stdout
        assert_one_line(made, "1 differences")  # the embedded broker gives churn-model four partitions
        described = yocho("topics", "describe", YOCHO_BROKERS=broker.bootstrap)
    assert described.exit_code == 0
    rows = {line.split()[0]: line for line in described.stdout.splitlines() if line.strip()}
    assert rows["churn-alerts"].split()[1:3] == ["4", "30d"]
    assert rows["carts"].split()[1] == "off"


def test_a_file_is_produced_and_the_summary_counts_it(csv_file, broker):
    result = yocho("produce", csv_file, YOCHO_BROKERS=broker.bootstrap)
    assert result.exit_code == 0, result.output
    assert "sent 2 to orders" in result.stdout


def test_alerts_as_json_are_the_bodies_one_a_line_and_end_when_idle(broker):
    cluster = Cluster.reach(Settings(brokers=(broker.bootstrap,)))
    producer = cluster.producer()
    bodies = [json.dumps({"alert_id": f"a{n}", "kind": "離反予兆"}, ensure_ascii=False) for n in range(3)]
    for body in bodies:
        producer.send("churn-alerts", key=b"c1", value=body.encode())
    producer.close()
    result = yocho("alerts", "--json", "--from-start", "--until-idle", "0.5", YOCHO_BROKERS=broker.bootstrap)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == bodies


def test_an_alert_that_cannot_be_read_does_not_end_the_view(broker):
    result = yocho("alerts", "--from-start", "--until-idle", "2", YOCHO_BROKERS=broker.bootstrap)
    assert result.exit_code == 0
    assert "not a valid alert" in result.stdout


@pytest.fixture
def log_file(tmp_path):
    """Eight customers with their own pace, half of whom stop after 60 days of 120."""
    rows = [
        f"c{customer},order,2024-{1 + day // 28:02d}-{1 + day % 28:02d}T00:00:00Z,5"
        for day in range(120)
        for customer in range(8)
        if day % (customer + 3) == 0 and (customer % 2 or day < 60)
    ]
    path = tmp_path / "log.csv"
    path.write_text("customer_id,event_type,ts,value\n" + "\n".join(rows))
    return str(path)


def test_an_evaluation_prints_each_week_and_the_pool_and_writes_predictions(log_file, tmp_path):
    scores = tmp_path / "scores.csv"
    result = yocho("evaluate", log_file, "--main", "order", "--horizon", "7d", "--predictions", str(scores))
    assert result.exit_code == 0, result.output
    head, *weeks, pooled, early, wrote = result.stdout.splitlines()[1:]
    assert head.split() == ["cut", "labels", "n", "churned", "AUC", "log", "loss", "Brier", "ECE"]
    assert len(weeks) > 10
    assert pooled.startswith("pooled")
    days, detected = r"(never|-?\d+\.\d days) at", r"false positives \(\d+\.\d% detected\)"
    assert re.search(rf"order to the alarm \(4 lost\): {days} 10% {detected}; {days} 25% {detected}$", early)
    lines = scores.read_text().splitlines()
    assert lines[0] == "cut,customer_id,p"
    assert f"wrote {len(lines) - 1:,} scores" in wrote


def test_an_evaluation_writes_its_pictures_and_says_where(log_file, tmp_path):
    result = yocho("evaluate", log_file, "--main", "order", "--horizon", "7d", "--pictures", str(tmp_path / "a" / "b"))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"wrote {tmp_path / 'a' / 'b' / 'index.html'}"
    assert (tmp_path / "a" / "b" / "index.html").exists() and (tmp_path / "a" / "b" / "quality.png").exists()


def test_a_directory_for_pictures_that_cannot_be_is_one_line_before_any_work(log_file):
    in_the_way = yocho("evaluate", log_file, "--pictures", log_file)
    assert_one_line(in_the_way, "--pictures", "is a file", code=2)
    below = yocho("evaluate", log_file, "--pictures", f"{log_file}/report")
    assert_one_line(below, "Not a directory", f"{log_file}/report")
    assert below.stdout == in_the_way.stdout == ""


def test_a_command_that_cannot_be_imported_breaks_no_other():
    group = LazyGroup("yocho", {"gone": LazyCommand("streams.cli.gone:command", "Gone.")})
    result = CliRunner().invoke(group, ["gone"])
    assert_one_line(result, "gone is not installed", "streams.cli.gone")
    assert "Gone." in CliRunner().invoke(group, ["--help"]).output


def test_a_bug_is_not_hidden_behind_a_line():
    import click

    @click.command()
    def buggy():
        raise ZeroDivisionError("a bug")

    group = LazyGroup("yocho", {})
    group.get_command = lambda ctx, name: buggy
    assert isinstance(CliRunner().invoke(group, ["buggy"]).exception, ZeroDivisionError)


def test_the_broker_prints_its_address_serves_and_ends_on_a_signal(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YOCHO_")}
    command = [sys.executable, "-m", "streams", "broker", "--port", "0", "--partitions", "3"]
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        name, _, address = process.stdout.readline().strip().partition("=")
        assert name == "YOCHO_BROKERS"
        check = yocho("topics", "check", YOCHO_BROKERS=address, YOCHO_PARTITIONS="3")
        assert check.exit_code == 0, check.output
        process.send_signal(number)
        assert process.wait(10) == 0
        process.stdout.close()


def test_a_real_process_fails_with_one_line_and_no_traceback():
    command = [sys.executable, "-m", "streams", "topics", "create"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | NOBODY)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("yocho: no broker answers")


def test_a_reader_that_has_enough_ends_the_command_quietly():
    with EmbeddedBroker.for_settings(Settings()) as broker:
        producer = Cluster.reach(Settings(brokers=(broker.bootstrap,))).producer()
        for _ in range(2_000):
            producer.send("churn-alerts", key=b"c1", value=b"{}" * 200)
        producer.close()
        run = subprocess.run(
            f"{sys.executable} -m streams alerts --json --from-start --until-idle 5 | head -1",
            shell=True, capture_output=True, text=True, check=False,
            env=os.environ | {"YOCHO_BROKERS": broker.bootstrap},
        )  # fmt: skip
    assert run.stdout.strip() == "{}" * 200
    assert run.stderr == ""
