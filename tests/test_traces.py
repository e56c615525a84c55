"""Traces: what a collector is sent of requests and jobs, and that nobody notices where there is none."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.collector import Collector, attributes, collecting
from tests.edge.wire import Wire
from tracker import observed, traces
from tracker.cli.server import free_port
from tracker.domain import clock
from tracker.edge.front import Front
from tracker.edge.observer import Watched
from tracker.environment import Misconfigured
from tracker.jobs.runner import Job, Runner
from tracker.jobs.schedule import MINUTE
from tracker.logs import AccessLog, formatter
from tracker.observed import Observers
from tracker.traces import Traces, check_traces, open_traces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world import World
    from tracker.jobs.work import Work

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "one-of-mine"}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    yield
    logging.getLogger("opentelemetry").setLevel(logging.NOTSET)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "tracker-of-ours")
        yield collector


def opened() -> Traces:
    found = open_traces("1.2.3")
    assert found is not None
    return found


def served(world: World, *observers: observed.Observer) -> Wire:
    respond = world.responder
    watched = Watched(Observers(*observers), respond.routes)
    return Wire(Front(respond, threads=1, watched=watched), token=world.person("ann").token)


def test_a_request_is_a_span_of_the_trace_it_belongs_to_with_one_for_each_trip_to_the_database(
    world: World, collector: Collector
) -> None:
    tracing = opened()
    body = json.dumps({"title": "a-title-of-its-own"}).encode()
    assert served(world, tracing).send("POST", "/tasks", body, headers=HEADERS).status == 201
    tracing.close()

    (span,) = collector.named("POST /tasks")
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.kind) == (TRACE, PARENT, 2)
    told = attributes(span)
    assert told.pop("tracker.statements")
    assert told == {
        "http.request.method": "POST",
        "http.route": "/tasks",
        "http.response.status_code": 201,
        "tracker.operation": "createTask",
        "tracker.request_id": "one-of-mine",
    }
    children = [each for each in collector.spans if each.parent_span_id == span.span_id]
    assert len(children) >= 2
    assert all(
        span.start_time_unix_nano <= child.start_time_unix_nano <= child.end_time_unix_nano <= span.end_time_unix_nano
        for child in children
    )
    sent = b"".join(collector.raw)
    assert b"tracker-of-ours" in sent
    assert b"a-title-of-its-own" not in sent


def test_its_ids_are_on_its_log_lines(world: World, collector: Collector) -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(formatter("json").format(record))  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    tracing = opened()
    served(world, tracing, AccessLog()).send("GET", "/tasks", headers=HEADERS)
    tracing.close()
    logging.getLogger().removeHandler(handler)
    (line,) = map(json.loads, lines)
    assert (line["trace_id"], line["span_id"]) == (TRACE, collector.named("GET /tasks")[0].span_id.hex())


def test_a_run_of_a_job_is_a_span(world: World, collector: Collector) -> None:
    def work(_: Work) -> None:
        raise LookupError("a-text-of-its-own")

    tracing = opened()
    runner = Runner(world.store, [Job("fails", MINUTE, "nothing", work)], clock.now, Observers(tracing))
    with pytest.raises(LookupError):
        runner.tick("fails")
    tracing.close()
    (span,) = collector.named("job fails")
    assert attributes(span)["tracker.outcome"] == "failed"
    assert span.status.code == 2
    assert b"a-text-of-its-own" not in b"".join(collector.raw)


def test_what_is_not_sampled_is_not_sent(world: World, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    tracing = opened()
    assert served(world, tracing).send("GET", "/tasks").status == 200
    tracing.close()
    assert collector.raw == []


def test_a_collector_that_is_gone_is_told_of_once_and_a_process_ends_nevertheless(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port('127.0.0.1')}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    tracing = opened()
    wire = served(world, tracing)
    for _ in range(3):
        assert wire.send("GET", "/tasks").status == 200
    tracing.close()
    until = time.monotonic() + 60
    while not (told := [each for each in caplog.records if "could not be handed" in each.getMessage()]):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert len(told) == 1
    assert not [each for each in caplog.records if each.name.startswith("opentelemetry")]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"OTEL_SERVICE_NAME": "tracker"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:1", "OTEL_SDK_DISABLED": "TRUE"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_hands_spans_over_unless_it_is_asked_for(given: dict[str, str]) -> None:
    """The driver of Redis imports the rest where it is there."""
    program = (
        "import sys; from tracker.app import responder; from tracker.traces import open_traces;"
        "assert open_traces('1') is None; assert 'opentelemetry.exporter' not in sys.modules"
    )
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), **given}
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], env=environment, check=True)


def test_where_the_extra_is_not_installed_the_start_ends_with_one_line(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_traces()
    monkeypatch.setattr(traces, "find_spec", lambda _: None)
    with pytest.raises(Misconfigured, match=r"pip install 'tracker\[otel\]'"):
        check_traces()
