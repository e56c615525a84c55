"""What is counted for whoever watches an installation: every metric is declared here, in one table.

The processes of a command write their counts into files, each into its own, and their parent adds them up for whoever
asks at METRICS_PORT. The file of a process that died stays until the command ends: what it counted did happen; only
what it had at hand, requests in flight and connections, is gone with it.
prometheus_client is imported late: it decides at its import, by PROMETHEUS_MULTIPROC_DIR, whether there are such files,
and a forked process has imported what its parent has.
"""

from __future__ import annotations

import re
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker import log_writer
from tracker.environment import hand_down
from tracker.observed import Doing, Request, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

_LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_RUNS = (0.01, 0.05, 0.25, 1.0, 5.0, 20.0, 60.0)


@dataclass(frozen=True)
class Metric:
    """One metric: its kind is ``counter``, ``gauge`` (of what is at hand), ``constant`` or ``histogram``."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()


_TABLE = (
    Metric(
        "requests_total",
        "counter",
        ("method", "route", "status"),
        "Requests that were answered, by method (`other` is any that HTTP does not name here), template of the path "
        "(`unmatched` is any other path) and status.",
    ),
    Metric(
        "request_duration_seconds",
        "histogram",
        ("route",),
        "How long it took from the head of a request to its answer, the arrival of its body included.",
        _LATENCIES,
    ),
    Metric("requests_in_flight", "gauge", ("route",), "Requests that are being answered right now."),
    Metric(
        "statements_total", "counter", ("operation",), "Statements sent to the database, by operation or `job <name>`."
    ),
    Metric("statement_seconds_total", "counter", ("operation",), "How long the database took for them."),
    Metric(
        "cache_answers_total",
        "counter",
        ("result",),
        "Lists and summaries by whether they were remembered: `hit_memory`, `hit_redis`, `miss`, `bypass` (Redis did "
        "not answer or was left alone, or CACHE=off).",
    ),
    Metric(
        "job_runs_total",
        "counter",
        ("job", "outcome"),
        "Runs of jobs that ended: `finished`, `interrupted` (the next one goes on), `taken_over`, `failed`.",
    ),
    Metric("job_done_total", "counter", ("job",), "Things that jobs did: see `tracker jobs` for what each counts."),
    Metric("job_failed_total", "counter", ("job",), "Things that jobs could not do and passed over."),
    Metric("job_duration_seconds", "histogram", ("job",), "How long runs of jobs took.", _RUNS),
    Metric("pool_connections", "gauge", (), "Connections to the database that processes may have, all together."),
    Metric("pool_connections_in_use", "gauge", (), "Those that somebody uses right now."),
    Metric("pool_waits_total", "counter", (), "How often somebody found all of a process's connections in use."),
    Metric("rounds_total", "counter", ("result",), "Rounds of ticks that beat `sent`, or that `failed`."),
    Metric("log_lines_dropped_total", "counter", (), "Log lines that nobody read in time."),
    Metric("build_info", "constant", ("version",), "1, with the version that runs."),
)
_PREFIX = "tracker_"


def table() -> Iterator[tuple[str, str, str, str]]:
    """Yield (name, kind, labels, meaning) for each metric, in Markdown."""
    for metric in _TABLE:
        kind = "gauge" if metric.kind == "constant" else metric.kind
        yield f"`{_PREFIX}{metric.name}`", kind, ", ".join(f"`{label}`" for label in metric.labels), metric.meaning


class Metrics:
    """The metrics of one process. With METRICS_PORT there can be one of these in it, for the files are by process.

    It observes what is done, and watches the connections of a store.
    """

    def __init__(self, version: str = "unknown") -> None:
        """Declare them."""
        from prometheus_client import CollectorRegistry  # noqa: PLC0415 - see above

        self.registry = CollectorRegistry()
        self._metrics = {metric.name: _declared(metric, self.registry) for metric in _TABLE}
        self._children: dict[tuple[str, ...], Any] = {}
        self._lost, self._counting_lost = 0, threading.Lock()
        self._of("build_info", version).set(1)

    def _of(self, name: str, *labels: str) -> Any:
        """Return a metric with these labels: found again here in a tenth of the time that the library takes."""
        child = self._children.get((name, *labels))
        if child is None:
            metric = self._metrics[name]
            child = self._children[name, *labels] = metric.labels(*labels) if labels else metric
        return child

    def began(self, doing: Doing) -> None:
        """Count a request that is in flight from now on."""
        if isinstance(doing, Request):
            self._of("requests_in_flight", doing.route).inc()

    def ended(self, doing: Doing) -> None:
        """Count what was done."""
        if isinstance(doing, Request):
            self._of("requests_in_flight", doing.route).dec()
            self._of("requests_total", doing.method, doing.route, str(doing.status)).inc()
            self._of("request_duration_seconds", doing.route).observe(doing.seconds)
            self._count_statements(doing, doing.name)
        elif isinstance(doing, Run):
            self._count_run(doing)
        if log_writer.lost() > self._lost:
            self._count_lost()

    def _count_lost(self) -> None:
        with self._counting_lost:  # several threads may have seen that there are more
            before, self._lost = self._lost, log_writer.lost()
            self._of("log_lines_dropped_total").inc(self._lost - before)

    def _count_run(self, run: Run) -> None:
        self._of("job_runs_total", run.name, run.outcome).inc()
        self._of("job_done_total", run.name).inc(run.done)
        self._of("job_failed_total", run.name).inc(run.failed)
        self._of("job_duration_seconds", run.name).observe(run.seconds)
        self._count_statements(run, f"job {run.name}")

    def _count_statements(self, doing: Doing, name: str) -> None:
        if doing.statements:
            self._of("statements_total", name).inc(doing.statements)
            self._of("statement_seconds_total", name).inc(doing.in_database)

    def cache_answered(self, result: str) -> None:
        """Count an answer that could have been remembered, by whether it was."""
        self._of("cache_answers_total", result).inc()

    def round_sent(self, result: str) -> None:
        """Count a round of ticks."""
        self._of("rounds_total", result).inc()

    def pool_opened(self, size: int) -> None:
        """Take note of how many connections a store may have."""
        self._of("pool_connections").inc(size)

    def connection_taken(self) -> None:
        """Count a connection that somebody uses from now on."""
        self._of("pool_connections_in_use").inc()

    def connection_returned(self) -> None:
        """Count one that nobody uses any more."""
        self._of("pool_connections_in_use").dec()

    def connection_awaited(self) -> None:
        """Count that somebody has to wait for one."""
        self._of("pool_waits_total").inc()


def _declared(metric: Metric, registry: Any) -> Any:
    import prometheus_client  # noqa: PLC0415 - see above

    given: dict[str, Any] = {"registry": registry}
    name = f"{_PREFIX}{metric.name}"
    if metric.kind == "counter":
        return prometheus_client.Counter(name, metric.meaning, metric.labels, **given)
    if metric.kind == "histogram":
        return prometheus_client.Histogram(name, metric.meaning, metric.labels, buckets=metric.buckets, **given)
    mode = "livesum" if metric.kind == "gauge" else "max"
    return prometheus_client.Gauge(name, metric.meaning, metric.labels, multiprocess_mode=mode, **given)  # type: ignore[arg-type]  # one of its literals


@contextmanager
def exposed(address: str, port: int) -> Iterator[None]:
    """Answer at a port with what all processes count that are started meanwhile."""
    with tempfile.TemporaryDirectory(prefix="tracker-metrics-") as folder:
        hand_down(prometheus_multiproc_dir=folder)
        from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 - see above

        registry = CollectorRegistry()
        registry.register(_Sum(folder))
        server, thread = start_http_server(port, address, registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Sum:
    """What all processes have counted, those that died included; what those had at hand is not there any more.

    A file is there a moment before anything is in it, which the library would take for a broken one.
    """

    def __init__(self, folder: str) -> None:
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - see above

        self._folder, self._one_at_a_time = Path(folder), threading.Lock()
        self._merged = MultiProcessCollector.merge

    def collect(self) -> Any:
        with self._one_at_a_time:
            return self._collected()

    def _collected(self) -> Any:
        for file in self._folder.glob("gauge_live*_*.db"):
            if not _is_alive(int(re.findall(r"_(\d+)\.db", file.name)[0])):
                file.unlink(missing_ok=True)
        files = [str(file) for file in self._folder.glob("*.db") if file.stat().st_size]
        return self._merged(files)  # type: ignore[no-untyped-call]  # it has no types


def _is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists() or not Path("/proc/self").exists()
