"""The demo's processes: the worker always ends, the shop does not run ahead of it."""

import os
import signal
import socket
import sys
import time

import pytest

from models.simulator import Shop
from streams.demo.child import Worker
from streams.demo.feed import BACKLOG_EVENTS, Feed
from streams.simulate import Pace

START_S = 1_577_836_800

FAKE_WORKER = """
import http.server, os, signal, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open(os.environ["METRICS"], "rb").read() if self.path == "/metrics" else b"ready"
        early = self.path == "/readyz" and time.time() < float(os.environ["READY_AT"])
        self.send_response(503 if early else 200)
        self.end_headers()
        self.wfile.write(body)
if "STUBBORN" in os.environ:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("hello from the worker", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class Recorder:
    """Takes records; breaks if told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.taken, self.error = 0, error

    def send(self, record: object) -> None:
        self.taken += 1

    def flush(self) -> None:
        if self.error:
            raise self.error


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def worker(tmp_path, free_port):
    (tmp_path / "metrics").write_text(
        'yocho_events_total{type="order",outcome="applied"} 40.0\n'
        'yocho_events_total{type="login",outcome="rejected"} 2.0\n'
        'yocho_events_created{type="order",outcome="applied"} 1.7e9\n'
        'yocho_dead_letters_total{reason="late"} 2.0\n'
    )

    def start(**more: str) -> Worker:
        variables = {"PORT": str(free_port), "METRICS": str(tmp_path / "metrics"), "READY_AT": "0", **more}
        return Worker(variables, free_port, tmp_path / "log", (sys.executable, "-c", FAKE_WORKER))

    return start


def wait_for(condition, timeout_s=10.0):
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def test_a_worker_is_ready_when_it_says_so_and_not_before(worker):
    with worker(READY_AT=str(time.time() + 1.0)) as process:
        assert not process.is_ready()
        wait_for(lambda: process.counts() is not None)
        assert not process.is_ready()
        wait_for(process.is_ready)


def test_a_workers_counts_are_summed_over_labels(worker):
    with worker() as process:
        wait_for(lambda: process.counts() is not None)
        assert process.counts() == (42, 2, 0)


def test_leaving_the_block_ends_the_worker(worker):
    with worker() as process:
        wait_for(process.is_ready)
        assert process.exit_code is None
    assert process.exit_code == -signal.SIGTERM
    assert process.counts() is None
    assert process.last_lines(1)[0] != ""


def test_a_worker_that_will_not_end_is_killed_with_its_group(worker, monkeypatch):
    monkeypatch.setattr("streams.demo.child.STOP_S", 0.3)
    with worker(STUBBORN="1") as process:
        wait_for(process.is_ready)
    assert process.exit_code == -signal.SIGKILL


def test_ctrl_c_in_the_terminal_does_not_reach_the_worker_itself(worker):
    with worker() as process:
        assert os.getpgid(process.pid) == process.pid != os.getpgid(0)


def test_the_shop_never_runs_further_ahead_than_the_broker_can_keep():
    sender, taken = Recorder(), 0
    feed = Feed(Shop(1, 2_000, START_S), Pace(float("inf")), sender, processed=lambda: taken)
    feed.start()
    wait_for(lambda: feed.sent > BACKLOG_EVENTS, timeout_s=30)
    time.sleep(0.3)
    held = feed.sent
    assert held <= BACKLOG_EVENTS + 2_000
    taken = held
    wait_for(lambda: feed.sent > held)
    feed.stop()
    assert feed.error is None
    assert sender.taken == feed.sent
    assert feed.stream_time_s > START_S


def test_a_broken_broker_ends_the_shop_with_its_error():
    sender = Recorder(error=ConnectionError("gone"))
    feed = Feed(Shop(1, 10, START_S), Pace(float("inf")), sender, processed=lambda: 0)
    feed.start()
    wait_for(lambda: feed.error is not None)
    assert str(feed.error) == "gone"


def test_stopping_a_shop_that_never_opened_is_no_error():
    Feed(Shop(1, 10, START_S), Pace(1.0), Recorder(), processed=lambda: 0).stop()
