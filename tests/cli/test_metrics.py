"""What a command tells whoever watches it, at a port of its own: the counts of all its processes together."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.crew import hired
from tests.databases import database
from tests.faults.server import HOST, Server, running, start
from tests.racing import at_once
from tracker import log_writer
from tracker.cli.server import free_port
from tracker.metrics import Metrics, _Sum, table
from tracker.observed import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.crew import Broker

PATIENCE = 60
DOCS = Path(__file__).parents[2] / "docs" / "operations.md"


def told(port: int) -> dict[str, float]:
    """Return each metric with its labels, and its value."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


def counts(port: int, metric: str = "tracker_cache_answers_total") -> dict[str, float]:
    """Return the values of a metric by its labels."""
    return {name.partition("{")[2].rstrip("}"): value for name, value in told(port).items() if name.startswith(metric)}


def counted(port: int, method: str, route: str, status: int) -> float:
    name = f'tracker_requests_total{{method="{method}",route="{route}",status="{status}"}}'
    return told(port).get(name, 0.0)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def processes(server: Server) -> list[int]:
    """Return the processes that serve."""
    return [
        int(pid) for pid in Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    ]


def test_the_processes_of_a_server_count_together_and_what_one_that_died_has_counted_stays(tmp_path: Path) -> None:
    port = free_port(HOST)
    with (
        database("sqlite") as url,
        running(tmp_path, url, workers=2, METRICS_PORT=str(port), TMPDIR=str(tmp_path)) as server,
    ):
        token = server.log_in("ann")
        assert counts(port) == {}
        assert {answer.status for answer in at_once(40, lambda _: server.ask("GET", "/tasks", token=token))} == {200}
        assert counted(port, "GET", "/tasks", 200) == 40
        assert sum(counts(port).values()) == 40
        for pid in processes(server):
            os.kill(pid, signal.SIGKILL)
        server.wait()
        server.ask("GET", "/tasks", token=token)

        wait_for(lambda: counted(port, "GET", "/tasks", 200) == 41)
        wait_for(lambda: sum(counts(port).values()) == 41)
        assert len([*tmp_path.glob("tracker-metrics-*")]) == 1
    assert [*tmp_path.glob("tracker-metrics-*")] == []


@dataclass(frozen=True)
class Counted:
    """A server, somebody's token, and the port where it tells what it counts."""

    server: Server
    token: str
    port: int


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    """One for several tests: each looks at what it adds."""
    port, folder = free_port(HOST), tmp_path_factory.mktemp("counted")
    with database("sqlite") as url, running(folder, url, METRICS_PORT=str(port)) as server:
        yield Counted(server, server.log_in("ann"), port)


def test_a_request_is_counted_before_its_answer_is_sent(one: Counted) -> None:
    for so_far in range(1, 11):
        one.server.ask("GET", "/problems")
        assert counted(one.port, "GET", "/problems", 200) == so_far


def test_whatever_is_sent_the_labels_are_few(one: Counted) -> None:
    for number in range(20):
        assert one.server.ask("GET", f"/nothing-{number}").status == 404
        assert one.server.ask(f"M{number}", "/tasks", token=one.token).status == 405
        assert one.server.ask("GET", f"/tasks/no-such-task-{number}", token=one.token).status in {400, 404}

    assert counted(one.port, "GET", "unmatched", 404) == 20
    assert counted(one.port, "other", "/tasks", 405) == 20
    labels = {name for name in told(one.port) if name.startswith("tracker_requests_total")}
    assert not [label for label in labels if re.search(r"nothing-|M\d|no-such", label)]


def test_what_the_database_does_is_counted_by_operation_and_what_is_at_hand_goes_back_to_nothing(one: Counted) -> None:
    assert one.server.ask("POST", "/tasks", {"title": "Water the plants"}, token=one.token).status == 201
    now = told(one.port)
    assert now['tracker_statements_total{operation="createTask"}'] >= 3
    assert now['tracker_statement_seconds_total{operation="createTask"}'] > 0
    assert now['tracker_requests_in_flight{route="/tasks"}'] == 0
    assert now['tracker_request_duration_seconds_count{route="/tasks"}'] >= 1
    assert now["tracker_pool_connections"] >= 1
    wait_for(lambda: told(one.port)["tracker_pool_connections_in_use"] == 0)
    assert [name for name in now if name.startswith("tracker_build_info{version=")]


def test_a_server_counts_the_jobs_it_runs_by_itself(one: Counted) -> None:
    finished = 'tracker_job_runs_total{job="archive",outcome="finished"}'
    wait_for(lambda: told(one.port).get(finished, 0) >= 1)
    assert told(one.port)['tracker_job_duration_seconds_count{job="archive"}'] >= 1
    assert told(one.port)['tracker_statements_total{operation="job archive"}'] >= 1


def test_what_a_process_had_at_hand_is_gone_with_it(tmp_path: Path) -> None:
    port = free_port(HOST)
    with database("sqlite") as url, running(tmp_path, url, METRICS_PORT=str(port)) as server:
        before = told(port)["tracker_pool_connections"]
        for pid in processes(server):
            os.kill(pid, signal.SIGKILL)
        server.wait()
        wait_for(lambda: told(port)["tracker_pool_connections"] == before)


def test_a_file_that_is_just_being_made_is_passed_over(tmp_path: Path) -> None:
    for name in ("counter_1.db", "histogram_1.db", "gauge_livesum_1.db", f"gauge_livesum_{os.getpid()}.db"):
        (tmp_path / name).touch()
    assert list(_Sum(str(tmp_path)).collect()) == []


def test_worker_and_beat_count_as_well(tmp_path: Path, broker: Broker) -> None:
    of_worker, of_beat = free_port(HOST), free_port(HOST)
    with database("sqlite") as url, hired(tmp_path, broker) as crew:
        crew.start("worker", module="tracker", DATABASE_URL=url, METRICS_PORT=str(of_worker))
        crew.start("beat", module="tracker", DATABASE_URL=url, METRICS_PORT=str(of_beat))
        wait_for(lambda: told(of_beat).get('tracker_rounds_total{result="sent"}', 0) >= 1)
        wait_for(lambda: told(of_worker).get('tracker_job_runs_total{job="archive",outcome="finished"}', 0) >= 1)
        assert crew.stop() == [0, 0]


def test_where_the_cache_is_off_that_is_what_is_counted(tmp_path: Path) -> None:
    port = free_port(HOST)
    with database("sqlite") as url, running(tmp_path, url, METRICS_PORT=str(port), CACHE="off") as server:
        token = server.log_in("ann")
        for _ in range(3):
            server.ask("GET", "/summary", token=token)
        assert counts(port) == {'result="bypass"': 3}


def test_lines_that_were_lost_are_counted_once_however_many_threads_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics()
    counter = metrics._of("log_lines_dropped_total")
    count = counter.inc

    def slowly(lost: int) -> None:
        time.sleep(0.01)
        count(lost)

    monkeypatch.setattr(counter, "inc", slowly)
    monkeypatch.setattr(log_writer, "lost", lambda: 5)
    at_once(8, lambda _: metrics.ended(Run(name="reminders", about={})))
    assert metrics.registry.get_sample_value("tracker_log_lines_dropped_total") == 5


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    port = free_port(HOST)
    with database("sqlite") as url, socket.create_server((HOST, port)):
        server = start(tmp_path, url, METRICS_PORT=str(port))
        assert server.process.wait(timeout=PATIENCE) == 1
    assert f"port {port} of 127.0.0.1 cannot be had; choose another with METRICS_PORT" in server.log.read_text()


def test_every_metric_is_described_where_operators_look() -> None:
    rows = [f"| {name} | {kind} | {labels} | {meaning} |" for name, kind, labels, meaning in table()]
    described = DOCS.read_text(encoding="utf-8").partition("<!-- metrics -->")[2].partition("<!-- /metrics -->")[0]
    assert described.strip().splitlines()[2:] == rows
