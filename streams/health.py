"""/metrics, /healthz and /readyz on one port, loopback by default.

Faust's own web server stays off: it shows table contents to anybody who can reach it.
"""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from streams.logs import LIFE, get_logger

life = get_logger(LIFE)

StartResponse = Callable[..., Any]


PATIENCE_S = 10.0
"""How long a connection may stay silent."""


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: a client that connects and says nothing must not make a healthy worker look dead."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = PATIENCE_S

    def log_message(self, format: str, *args: Any) -> None:
        """One line per scrape tells nobody anything."""


class HealthServer:
    """Serves metrics and health from a daemon thread.

    Parameters
    ----------
    registry
        What /metrics shows.
    is_ready
        Asked at each /readyz: state recovered and partitions running.
    host, port
        Where to listen; port 0 takes a free one, see `port`.

    Raises
    ------
    OSError
        The address is in use or not ours.
    """

    def __init__(self, registry: CollectorRegistry, is_ready: Callable[[], bool], host: str, port: int) -> None:
        self._metrics = make_wsgi_app(registry)
        self._is_ready = is_ready
        self._host = host
        self._server: WSGIServer = make_server(host, port, self._serve, _Server, _Quiet)
        self.port = int(self._server.server_port)
        threading.Thread(target=self._server.serve_forever, name="yocho-health", daemon=True).start()

    def _serve(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                body: Iterable[bytes] = self._metrics(environ, start_response)
                return body
            case "/healthz":
                return _text(start_response, "200 OK", "alive")
            case "/readyz" if self._is_ready():
                return _text(start_response, "200 OK", "ready")
            case "/readyz":
                return _text(start_response, "503 Service Unavailable", "recovering state")
            case _:
                return _text(start_response, "404 Not Found", "try /metrics, /healthz or /readyz")

    def announce(self, process: str) -> None:
        """Say in the log where to look, for people and scripts."""
        life.info(f"yocho {process}: metrics on http://{self._host}:{self.port}/metrics")

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _text(start_response: StartResponse, status: str, body: str) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [body.encode() + b"\n"]
