"""Traces, for whoever follows a request through many systems: OpenTelemetry's, set up by its own OTEL_* variables.

They are an extra (``pip install 'tracker[otel]'``): nothing of it is imported unless those variables name a collector.
Spans are handed over by a thread, in batches; a collector that is gone costs a line a minute and nobody any time.
"""

from __future__ import annotations

import logging
import threading
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tracker import tracebacks
from tracker.environment import Misconfigured, wants_traces
from tracker.observed import Doing, Request, Run

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

_FAREWELL = 2.0  # seconds for the last spans at the end of a process
_SILENCE = 60.0  # seconds from one word about a collector that does not take spans to the next
_NANOSECONDS = 1_000_000_000
_FAILED = 500
_log = logging.getLogger("tracker")


def check_traces() -> None:
    """Raise Misconfigured where traces are asked for and the extra is not installed."""
    if wants_traces() and find_spec("opentelemetry") is None:
        raise Misconfigured("OTEL_* variables ask for traces; install them with: pip install 'tracker[otel]'")


def open_traces(version: str) -> Traces | None:
    """Return what traces this process, if that is asked for."""
    if not wants_traces():
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - likewise
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - likewise
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - likewise

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)  # it would tell of each batch; see Quiet
    named = Resource({"service.name": "tracker", "service.version": version})
    provider = TracerProvider(resource=named.merge(Resource.create()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_quiet(OTLPSpanExporter())))
    return Traces(provider)


class Traces:
    """Makes a span of each request, run of a job, and trip to the database."""

    def __init__(self, provider: TracerProvider) -> None:
        """Take what hands spans over."""
        self._provider = provider
        self._tracer = provider.get_tracer("tracker")

    def began(self, doing: Doing) -> None:
        """Begin its span, as part of the trace that whoever asked is at, and put its ids on the log lines."""
        from opentelemetry import trace  # noqa: PLC0415 - an extra
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - likewise

        if isinstance(doing, Request):
            sent = {"traceparent": doing.traceparent}
            context, kind = TraceContextTextMapPropagator().extract(sent), trace.SpanKind.SERVER
            name = f"{doing.method} {doing.route}"
        else:
            context, kind, name = None, trace.SpanKind.INTERNAL, f"job {doing.name}"
        span = self._tracer.start_span(name, context, kind)
        ids = span.get_span_context()
        doing.about["trace_id"] = trace.format_trace_id(ids.trace_id)
        doing.about["span_id"] = trace.format_span_id(ids.span_id)
        doing.trace = _Open(self._tracer, span)

    def ended(self, doing: Doing) -> None:
        """End it with all that is known now."""
        if isinstance(doing.trace, _Open):
            doing.trace.end(doing)

    def close(self) -> None:
        """Hand over the last spans, or leave them after a moment."""
        last = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        last.start()
        last.join(_FAREWELL)


class _Open:
    """A span that has not ended."""

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer, self._span = tracer, span

    def ran(self, statement: str, count: int, began: float, ended: float) -> None:
        """Make a span of a trip to the database: what it did and to which table, never with which values."""
        if not self._span.is_recording():
            return
        from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415 - an extra

        now, at = time.time_ns(), time.perf_counter()
        self._tracer.start_span(
            statement,
            set_span_in_context(self._span),
            SpanKind.CLIENT,
            {"db.query.summary": statement, "db.operation.batch.size": count},
            start_time=now - int((at - began) * _NANOSECONDS),
        ).end(now - int((at - ended) * _NANOSECONDS))

    def end(self, doing: Doing) -> None:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415 - an extra

        self._span.set_attributes(_attributes(doing))
        if _failed(doing):
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def _attributes(doing: Doing) -> dict[str, Any]:
    known: dict[str, Any] = {"tracker.statements": doing.statements}
    if isinstance(doing, Request):
        known |= {
            "http.request.method": doing.method,
            "http.route": doing.route,
            "http.response.status_code": doing.status,
            "tracker.operation": doing.name,
            "tracker.request_id": doing.about["request_id"],
        }
    elif isinstance(doing, Run):
        known |= {"tracker.job": doing.name, "tracker.run": doing.about["run"], "tracker.outcome": doing.outcome}
    return known


def _failed(doing: Doing) -> bool:
    if isinstance(doing, Request):
        return doing.status >= _FAILED
    return isinstance(doing, Run) and doing.outcome == "failed"


def _quiet(exporter: SpanExporter) -> SpanExporter:
    """Return an exporter that says once a minute that nobody takes spans, and not more."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult  # noqa: PLC0415 - an extra

    class Quiet(SpanExporter):
        next = 0.0

        def export(self, spans: Any) -> SpanExportResult:
            why = "it refused them"
            try:
                if exporter.export(spans) is SpanExportResult.SUCCESS:
                    return SpanExportResult.SUCCESS
            except Exception as problem:  # noqa: BLE001 - whatever it is: traces are lost, and nothing else
                why = tracebacks.kind(problem)
            if time.monotonic() >= self.next:
                self.next = time.monotonic() + _SILENCE
                _log.warning("%s spans could not be handed to the collector (%s)", len(spans), why)
            return SpanExportResult.FAILURE

        def shutdown(self) -> None:
            exporter.shutdown()

    return Quiet()
