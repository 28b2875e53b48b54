"""Metrics and health on one port: who is asked for what, and nobody kept waiting by somebody else."""

import socket
from http.client import HTTPConnection

import pytest
from prometheus_client import CollectorRegistry, Counter

from streams.health import HealthServer


class Served:
    def __init__(self):
        self.registry, self.ready = CollectorRegistry(), False
        self.server = HealthServer(self.registry, lambda: self.ready, "127.0.0.1", 0)

    def get(self, path, method="GET"):
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=5)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body


@pytest.fixture
def served():
    served = Served()
    yield served
    served.server.close()


def test_a_free_port_is_taken_for_port_zero_and_said(served):
    assert served.server.port > 0


def test_alive_from_the_start_and_ready_only_when_state_is_recovered(served):
    assert served.get("/healthz") == (200, "alive\n")
    assert served.get("/readyz") == (503, "recovering state\n")
    served.ready = True
    assert served.get("/readyz") == (200, "ready\n")
    served.ready = False  # a rebalance takes the partitions away
    assert served.get("/readyz")[0] == 503


def test_metrics_are_those_of_the_registry_it_was_handed(served):
    Counter("yocho_things", "Things.", registry=served.registry).inc(3)
    status, body = served.get("/metrics")
    assert status == 200
    assert "yocho_things_total 3.0" in body
    assert "python_info" not in body


@pytest.mark.parametrize("path", ["/", "/metrics/", "/customers", "/healthz/x", "/..%2f..%2fetc/passwd"])
def test_every_other_path_is_not_found_and_says_what_is_there(served, path):
    assert served.get(path) == (404, "try /metrics, /healthz or /readyz\n")


def test_a_query_is_no_other_path(served):
    assert served.get("/healthz?probe=1")[0] == 200


def test_a_client_that_connects_and_says_nothing_keeps_nobody_waiting(served):
    """Else one forgotten connection makes a healthy worker look dead, and it is restarted."""
    with (
        socket.create_connection(("127.0.0.1", served.server.port)),
        socket.create_connection(("127.0.0.1", served.server.port)),
    ):
        assert served.get("/healthz") == (200, "alive\n")


def test_closed_it_listens_no_more_and_the_port_is_free():
    served = Served()
    port = served.server.port
    served.server.close()
    with pytest.raises(ConnectionRefusedError):
        served.get("/healthz")
    HealthServer(CollectorRegistry(), lambda: True, "127.0.0.1", port).close()


def test_a_port_in_use_is_an_error(served):
    with pytest.raises(OSError, match="in use"):
        HealthServer(CollectorRegistry(), lambda: True, "127.0.0.1", served.server.port)
