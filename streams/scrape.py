"""What the metrics of a worker on this machine name, read as Prometheus reads them: for `yocho erase --verify`."""

from contextlib import closing
from http.client import HTTPConnection, HTTPException

from prometheus_client.parser import text_string_to_metric_families

from streams.settings import Settings

TIMEOUT_S = 2.0
NUMBERS = frozenset({"partition", "bin", "le"})
"""Labels whose values are numbers of our own: a customer called "3" is not meant."""


def address(settings: Settings) -> str:
    """Return where a worker with these settings serves its metrics; port 0, a free one, cannot be known."""
    return f"http://{settings.metrics_host}:{settings.metrics_port}/metrics"


def label_values(settings: Settings) -> set[str] | None:
    """Return every value of every label that names something; None where nobody serves metrics."""
    if not settings.metrics_port:
        return None
    try:
        with closing(HTTPConnection(settings.metrics_host, settings.metrics_port, timeout=TIMEOUT_S)) as worker:
            worker.request("GET", "/metrics")
            text = worker.getresponse().read().decode()
    except (OSError, HTTPException):
        return None
    return {
        value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for name, value in sample.labels.items()
        if name not in NUMBERS
    }
