"""`yocho demo` as a person runs it: alerts within the minute, an end by itself, and nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.end_to_end.brokers import embedded_only

pytestmark = embedded_only
DEMO = (sys.executable, "-m", "streams", "demo", "--customers", "400")
PATIENCE_S = 90.0


@contextmanager
def demo(tmp_path, *arguments: str, lang: str = "") -> Iterator[tuple[subprocess.Popen[str], "Output"]]:
    """Start it in a session of its own, as a terminal would; whatever a failing test leaves is killed."""
    path = tmp_path / "out"
    variables = {"PYTHONUNBUFFERED": "1", "YOCHO_LANG": lang, "TMPDIR": str(tmp_path)}
    with path.open("w") as out:
        process = subprocess.Popen(
            (*DEMO, *arguments), stdout=out, stderr=subprocess.STDOUT, text=True,
            env=os.environ | variables, start_new_session=True,
        )  # fmt: skip
    try:
        yield process, Output(path, process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # the worker follows: its leash is gone
            process.wait()


class Output:
    def __init__(self, path, process: subprocess.Popen[str]) -> None:
        self.path, self.process = path, process

    @property
    def text(self) -> str:
        return self.path.read_text()

    def wait_for(self, words: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while words not in self.text:
            waits = self.process.poll() is None and time.monotonic() < until
            assert waits, f"no {words!r} in\n{self.text}"
            time.sleep(0.1)

    @property
    def worker_pid(self) -> int:
        return int(re.search(r"worker starting, pid (\d+)", self.text)[1])


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found[1].replace(",", ""))


def test_the_demo_shows_japanese_alerts_within_a_minute_and_ends_by_itself_with_a_summary(tmp_path):
    with demo(tmp_path, "--seconds", "30") as (process, out):
        assert process.wait(PATIENCE_S) == 0, out.text
        text = out.text
    assert "broker up on 127.0.0.1:" in text
    assert "worker ready (4 partitions)" in text
    assert float(re.search(r"\[ *([\d.]+) s\] first alert", text)[1]) < 60
    assert re.search(r"【(注意|離反予兆|危険)・(新規|悪化)】顧客 c\d{7}", text)
    assert re.search(r"今後28日間注文がない確率: \d+%", text)
    assert "理由: " in text
    assert re.search(r"実際: [✓✗]", text)
    produced, processed = number(r"events: ([\d,]+) produced", text), number(r"produced, ([\d,]+) processed", text)
    assert produced == processed > 1_000
    assert number(r"dead letters: ([\d,]+)", text) == 0
    assert number(r"([\d,]+)\s+watch\s+opened", text) > 50
    assert "customers really were leaving" in text
    assert number(r"history, watch *[│|] *([\d,]+)", text) > 50
    assert not is_running(out.worker_pid)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_demo_in_order_and_leaves_nothing_running(tmp_path, end):
    with demo(tmp_path, lang="en") as (process, out):
        out.wait_for("first alert")
        out.wait_for("why: ")
        os.killpg(process.pid, end)  # what a terminal does
        assert process.wait(30) == 0, out.text
    assert "customers really were leaving" in out.text
    assert "Traceback" not in out.text
    assert not is_running(out.worker_pid)
    (log,) = tmp_path.glob("yocho-demo-worker-*.log")
    assert "Fatal" not in log.read_text()
    assert "yocho worker ended" in log.read_text()  # it ended in order, nobody had to kill it


def test_a_demo_that_is_killed_takes_its_worker_with_it(tmp_path):
    with demo(tmp_path) as (process, out):
        out.wait_for("worker ready")
        process.kill()
        process.wait()
    until = time.monotonic() + 20
    while is_running(out.worker_pid):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_worker_that_dies_ends_the_demo_with_its_last_words_and_one_clear_line(tmp_path):
    with demo(tmp_path) as (process, out):
        out.wait_for("worker ready")
        os.kill(out.worker_pid, signal.SIGKILL)
        assert process.wait(30) == 1
    assert re.search(r"^yocho.*: worker ended with exit code -9; see .*yocho-demo-worker-", out.text, re.M)
    assert re.search(r"worker \| .*yocho worker ready", out.text)
    assert "Traceback" not in out.text


@pytest.mark.parametrize("arguments", [("--seconds", "0"), ("--customers", "0"), ("--seed", "-1"), ("--wrong",)])
def test_a_wrong_argument_is_one_line_and_no_demo(arguments):
    ended = subprocess.run((*DEMO, *arguments), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.strip().splitlines()) == 1
