"""An OpenTelemetry collector for tests: takes spans by OTLP over HTTP and keeps them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from tests.end_to_end.post_server import PostServer


class Span(NamedTuple):
    """A span as it was sent, with the attributes of who sent it."""

    name: str
    span_id: bytes
    parent: bytes
    began_ns: int
    ended_ns: int
    attributes: dict[str, Any]
    resource: dict[str, Any]


class Collector(PostServer):
    """Keeps what was posted, and where."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []
        self.paths: set[str] = set()

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        self.bodies.append(body)

    def spans(self) -> list[Span]:
        return [span for body in self.bodies for span in _spans(body)]


def _spans(body: bytes) -> Iterator[Span]:
    for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _attributes(sent.resource.attributes)
        for scope in sent.scope_spans:
            for span in scope.spans:
                yield Span(
                    span.name,
                    span.span_id,
                    span.parent_span_id,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    _attributes(span.attributes),
                    resource,
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    def value(pair: KeyValue) -> Any:
        return getattr(pair.value, pair.value.WhichOneof("value"))

    return {pair.key: value(pair) for pair in pairs}
