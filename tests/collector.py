"""A collector of traces, as far as Tracker can tell: it takes OTLP over HTTP and keeps what it was sent."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

HOST = "127.0.0.1"


class Collector:
    """What was sent to it."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def spans(self) -> list[Span]:
        sent = [ExportTraceServiceRequest.FromString(raw) for raw in self.raw]
        scopes = [scope for one in sent for resource in one.resource_spans for scope in resource.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


def attributes(span: Span) -> dict[str, str | int]:
    """Return what a span says of itself."""
    values = {pair.key: pair.value for pair in span.attributes}
    return {
        key: value.int_value if value.HasField("int_value") else value.string_value for key, value in values.items()
    }


@contextmanager
def collecting() -> Iterator[Collector]:
    """Give a collector that takes what it is sent."""
    collector = Collector()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.raw.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer((HOST, 0), Taking)
    collector.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
