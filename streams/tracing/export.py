"""Where spans go: by OTLP over HTTP to a collector, from a thread of their own.

Guarantee: at most once, and never in the way of the line. Spans wait in a queue of limited length; when it is full, or
when the collector does not take them within its time, they are lost and the log says so, once in a while. An orderly
stop sends what is left within `LAST_WORDS_S`; a crash does not.
"""

import logging
import math
import threading
import time
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from streams.logs import Seldom, get_logger
from streams.settings import Settings
from streams.tracing.batches import BatchTracer

log = get_logger(__name__)

SERVICE = "yocho-worker"
LAST_WORDS_S = 2.0
"""How long an orderly stop may wait for the collector; it takes about as long to let go of the group meanwhile."""

COMPLAINT_EVERY_S = 600.0
_LIBRARY, _EXPORTER = "opentelemetry", "opentelemetry.exporter"


class Export:
    """A tracer whose spans go to a collector; the `streams.tracing.option.Tracing`.

    Parameters
    ----------
    settings
        Names of topics and group, and of this worker.

    Attributes
    ----------
    tracer
        Makes the spans.
    """

    def __init__(self, settings: Settings) -> None:
        self._provider = TracerProvider(resource=resource(settings), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer = BatchTracer(self._provider.get_tracer("yocho", version("yocho")), settings)
        self._last = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        self._until_s = math.inf
        self._complaints = Complaints()
        library = logging.getLogger(_LIBRARY)
        library.addHandler(self._complaints)
        library.propagate = False

    def finish(self) -> None:
        """Begin to send what is left, and trace nothing more; returns at once."""
        self._until_s = time.monotonic() + LAST_WORDS_S
        self._last.start()

    def close(self) -> None:
        """Wait until what is left is sent, as far as the collector takes it in time."""
        if self._until_s == math.inf:
            self.finish()
        self._last.join(max(0.0, self._until_s - time.monotonic()))
        if self._last.is_alive():
            log.warning("the last spans are lost: the collector did not take them in time", waited_s=LAST_WORDS_S)
            return  # and may go on complaining
        library = logging.getLogger(_LIBRARY)
        library.removeHandler(self._complaints)
        library.propagate = True


def resource(settings: Settings) -> Resource:
    """Say who makes these spans; what OpenTelemetry's variables say of it goes first."""
    usual = {"service.name": SERVICE, "service.version": version("yocho")}
    if settings.instance is not None:
        usual["service.instance.id"] = settings.instance
    return Resource.create({**usual, **OTELResourceDetector().detect().attributes})


class Complaints(logging.Handler):
    """Puts what OpenTelemetry says of lost spans into the log: a warning, and not more often than one wants to read it.

    That a collector did not answer and is asked again is no loss yet.
    """

    def __init__(self) -> None:
        super().__init__()
        self._news = Seldom(COMPLAINT_EVERY_S)

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, unless it is no loss or was said a short while ago."""
        is_exporter = record.name.startswith(_EXPORTER)
        is_loss = record.levelno >= (logging.ERROR if is_exporter else logging.WARNING)
        unsaid = self._news.ask("loss", time.monotonic()) if is_loss else None
        if unsaid is None:
            log.debug("OpenTelemetry says", what=record.getMessage())
        else:
            log.warning("spans are lost, alerts are not", why=record.getMessage(), unsaid=unsaid)
