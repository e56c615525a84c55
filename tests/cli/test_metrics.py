"""What a server tells whoever watches it, at a port of its own: the counts of all its processes together."""

from __future__ import annotations

import os
import re
import signal
import socket
import urllib.request
from pathlib import Path

from tests.databases import database
from tests.faults.server import HOST, Server, running, start
from tests.racing import at_once
from tracker.cli.server import free_port

PATIENCE = 60


def counts(port: int) -> dict[str, int]:
    """Return how often answers were found where."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=PATIENCE) as answer:
        told = answer.read().decode()
    assert "# TYPE tracker_cache_answers_total counter" in told or not told.strip()
    found = re.findall(r'^tracker_cache_answers_total\{result="(\w+)"\} (\d+)', told, re.MULTILINE)
    return {result: int(float(times)) for result, times in found}


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
        before = counts(port)
        for pid in processes(server):
            os.kill(pid, signal.SIGKILL)
        server.wait()
        server.ask("GET", "/tasks", token=token)

        assert sum(before.values()) == 40
        assert 1 <= before["miss"] <= 2 * 4  # each process has a memory of its own, each thread may be the first in it
        assert sum(counts(port).values()) == 41
        assert len([*tmp_path.glob("tracker-metrics-*")]) == 1
    assert [*tmp_path.glob("tracker-metrics-*")] == []


def test_where_the_cache_is_off_that_is_what_is_counted(tmp_path: Path) -> None:
    port = free_port(HOST)
    with database("sqlite") as url, running(tmp_path, url, METRICS_PORT=str(port), CACHE="off") as server:
        token = server.log_in("ann")
        for _ in range(3):
            server.ask("GET", "/summary", token=token)
        assert counts(port) == {"bypass": 3}


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    port = free_port(HOST)
    with database("sqlite") as url, socket.create_server((HOST, port)):
        server = start(tmp_path, url, METRICS_PORT=str(port))
        assert server.process.wait(timeout=PATIENCE) == 1
    assert f"port {port} of 127.0.0.1 cannot be had; choose another with METRICS_PORT" in server.log.read_text()
