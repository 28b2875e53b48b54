"""The option of traces: on or off, as a deployment says. While it is off, nothing of OpenTelemetry is imported.

Where spans go, under which name of service and how many of them are kept, OpenTelemetry reads itself from its own
variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`).
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from streams.settings import Settings
from streams.tracing.parts import Tracer


class TracingError(RuntimeError):
    """The option is asked for and cannot be had."""


class Tracing(Protocol):
    """Traces that are on."""

    tracer: Tracer
    """Who is to hear of batches and commits."""

    def finish(self) -> None:
        """Begin to send what is left, and trace nothing more; returns at once."""


@contextmanager
def traced(settings: Settings) -> Iterator[Tracing | None]:
    """Trace while a worker runs, and send what is left in the end; None where traces are off.

    Raises
    ------
    TracingError
        OpenTelemetry is not installed, or refuses its own variables.
    """
    if settings.tracing == "off":
        yield None
        return
    try:
        export: Any = importlib.import_module("streams.tracing.export")
    except ModuleNotFoundError as error:
        raise TracingError(f"YOCHO_TRACING=on needs {error.name}: pip install 'yocho[tracing]'") from None
    try:
        exporting = export.Export(settings)
    except ValueError as error:
        raise TracingError(f"YOCHO_TRACING=on: OpenTelemetry refuses its variables (OTEL_*): {error}") from None
    try:
        yield exporting
    finally:
        exporting.close()
