"""Nobody from outside: whatever Yochō starts listens on this machine alone."""

import os
import socket
import subprocess
import sys

import pytest

from streams.settings import Settings
from tests.end_to_end.brokers import embedded_only, fresh_broker
from tests.end_to_end.cluster import WorkerProcess, environment
from tests.end_to_end.listening import listening

YOCHO = (sys.executable, "-m", "streams")


def test_a_worker_listens_for_metrics_on_loopback_and_on_nothing_else():
    """Faust's own web server would show table contents on every address."""
    with fresh_broker() as broker, WorkerProcess(environment(broker.bootstrap)) as worker:
        worker.wait_ready()
        assert listening(worker.process.pid) == [("127.0.0.1", worker.port)]


@embedded_only
def test_the_embedded_broker_listens_on_loopback_alone():
    command = (*YOCHO, "broker", "--port", "0", "--partitions", "1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as broker:
        first = broker.stdout.readline()
        found = listening(broker.pid)
        broker.terminate()
    assert first.startswith("YOCHO_BROKERS=127.0.0.1:")
    assert len(found) >= 2  # the port that was asked for, and the broker's own
    assert {address for address, _ in found} == {"127.0.0.1"}


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_the_list_of_listeners_sees_every_kind_of_address(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with server:
        assert (host, server.getsockname()[1]) in listening(os.getpid())


def test_by_default_every_address_is_of_this_machine():
    settings = Settings()
    assert settings.metrics_host == "127.0.0.1"
    assert all(broker.startswith("127.0.0.1:") for broker in settings.brokers)
