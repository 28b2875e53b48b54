"""deploy/Dockerfile without an engine: what it copies is there, its health check works, and SIGTERM ends process 1."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from fnmatch import fnmatch

import pytest
from prometheus_client import CollectorRegistry

from streams.health import HealthServer
from tests.documents import ROOT

TEXT = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def arguments(instruction):
    return [line.removeprefix(f"{instruction} ") for line in LINES if line.startswith(f"{instruction} ")]


def last(instruction):
    return arguments(instruction)[-1]


def pins(name):
    """Version and hashes by package."""
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text(encoding="utf-8"))
    return dict(block.split("==", 1) for block in blocks if "==" in block)


def is_sent(path):
    """Whether .dockerignore lets a path through; the last pattern that fits decides."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    fitting = [p for p in patterns if fnmatch(path, p.lstrip("!")) or path.startswith(p.lstrip("!") + "/")]
    return fitting[-1].startswith("!")


def test_it_begins_with_a_pinned_python_that_the_project_runs_on():
    bases = {base.split(" ")[0] for base in arguments("FROM")}
    assert len(bases) == 1
    found = re.fullmatch(r"python:(\d+)\.(\d+)\.\d+-slim", bases.pop())
    assert f"Programming Language :: Python :: {found[1]}.{found[2]}" in PROJECT["classifiers"]


def test_everything_it_copies_is_there_and_is_sent_to_the_engine():
    sources = [word for copy in arguments("COPY") if "--from" not in copy for word in copy.split()[:-1]]
    assert len(sources) == 6
    assert [source for source in sources if not (ROOT / source).exists() or not is_sent(source)] == []
    packages = re.search(r'packages = \["(\w+)", "(\w+)"\]', (ROOT / "pyproject.toml").read_text())
    assert set(packages.groups()) < set(sources)
    assert not any(map(is_sent, ("tests/builders.py", ".git/config", ".kafka/libs", "deploy/prometheus/slo.yml")))


def test_it_installs_with_hashes_what_the_project_was_tested_with_and_no_test_tool():
    assert "--no-deps --require-hashes --requirement deploy/requirements.lock" in " ".join(arguments("RUN"))
    image, everything = pins("deploy/requirements.lock"), pins("requirements.lock")
    assert {name: pin for name, pin in image.items() if everything.get(name) != pin} == {}
    wanted = {re.match(r"[\w-]+", requirement)[0] for requirement in PROJECT["dependencies"]}
    assert wanted <= image.keys()
    assert not {"pytest", "ruff", "mypy", "hypothesis"} & image.keys()


def test_it_runs_yocho_as_somebody_who_is_not_root():
    assert json.loads(last("ENTRYPOINT")) == ["yocho"]
    assert "yocho" in PROJECT["scripts"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last("USER")), "by number, so that Kubernetes can see it is not root"


@pytest.mark.parametrize(("is_up", "code"), [(True, 0), (False, 1)])
def test_its_health_check_asks_healthz(is_up, code):
    _, test = last("HEALTHCHECK").split("CMD ", 1)
    _, *rest = json.loads(test)
    server = HealthServer(CollectorRegistry(), lambda: False, "127.0.0.1", 0)
    if not is_up:
        server.close()
    environment = {**os.environ, "YOCHO_METRICS_PORT": str(server.port)}
    done = subprocess.run([sys.executable, *rest], env=environment, capture_output=True, timeout=30, check=False)
    assert done.returncode == code, done.stderr
    if is_up:
        server.close()


def test_a_command_ends_on_sigterm_as_process_1_too(tmp_path):
    """The kernel does not end process 1 for a signal it does not handle, as if the signal were ignored."""
    log = tmp_path / "log.csv"
    command = [sys.executable, "-m", "streams", "simulate", "--csv", str(log), "--customers", "50000", "--days", "5000"]
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        process = subprocess.Popen(command, cwd=ROOT, restore_signals=False)  # inherits that it is ignored
    finally:
        signal.signal(signal.SIGTERM, before)
    try:
        deadline_s = time.monotonic() + 60
        while not log.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()


LOSES_IT = """
import os, signal, time
import click, numpy as np
from streams.cli.group import LazyCommand, LazyGroup

class Asked(type):
    def __getattr__(cls, name):
        if not asked:
            asked.append(name)
            os.kill(os.getpid(), signal.SIGTERM)
        raise AttributeError(name)

class Odd(metaclass=Asked):
    pass

asked = []

@click.command()
def compare():
    np.arange(3) == Odd
    print("lost while asked for", *asked, flush=True)
    time.sleep(60)

LazyGroup("yocho", {"compare": LazyCommand("__main__:compare", "Compare.")}).main(["compare"])
"""


def test_a_signal_to_end_is_not_lost_where_c_code_clears_what_its_handler_raised():
    command = [sys.executable, "-c", LOSES_IT]
    process = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=40)
    assert "lost while asked for" in process.stdout, "nothing was cleared: " + process.stderr
    assert process.returncode == 128 + signal.SIGTERM
