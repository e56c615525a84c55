"""The commands that keep running, as real processes on free ports."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tracker.cli.probe import status_of
from tracker.cli.processes import runs
from tracker.cli.server import free_port, is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
KEY = "a-key-of-more-than-thirty-two-bytes-0123456789"
START = 60  # seconds; it takes two
# uvloop looks at signals while it runs. A process of Granian's runs it once to start, and again to serve.
BETWEEN_TWO_RUNS = """
import pathlib, time
from granian.server import mp

make = mp.ASGIWorker

def slowly(*given):
    pathlib.Path("between").touch()
    time.sleep(1)
    return make(*given)

mp.ASGIWorker = slowly
"""


@pytest.fixture
def port() -> int:
    return free_port("127.0.0.1")


def start(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "tracker", *arguments],
            cwd=folder,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": str(ROOT),
                "TMPDIR": str(folder),
                "DRAIN_SECONDS": "0",
                **settings,
            },
            stdout=out,
            stderr=err,
            text=True,
        )


@contextmanager
def running(folder: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    process = start(folder, *arguments, **settings)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=START)


def wait_for(file: Path, pattern: str) -> re.Match[str]:
    until = time.monotonic() + START
    while time.monotonic() < until:
        if match := re.search(pattern, file.read_text(encoding="utf-8")):
            return match
        time.sleep(0.05)
    raise AssertionError(file.read_text(encoding="utf-8"))


def status(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=START) as answer:  # noqa: S310 - our own server
            return int(answer.status)
    except urllib.error.URLError:
        return None


def children(process: subprocess.Popen[str]) -> list[int]:
    # ps has another exit code where it finds none.
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listed.stdout.split()]


def test_serve_migrates_and_answers_in_as_many_processes_as_asked_for(tmp_path: Path, port: int) -> None:
    with running(tmp_path, "serve", "--port", str(port), "--workers", "2", SECRET_KEY=KEY, PORT="1") as server:
        wait_for(tmp_path / "stderr", rf"ready: http://127\.0\.0\.1:{port} .* 2 workers, sqlite:///tracker")
        assert status(f"http://127.0.0.1:{port}/livez") == 200
        assert status(f"http://127.0.0.1:{port}/readyz") == 200
        assert len(children(server)) == 2
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=START) == 0
    assert status(f"http://127.0.0.1:{port}/livez") is None
    assert len((tmp_path / "stderr").read_text().splitlines()) == 1


def test_a_process_that_is_told_to_stop_while_it_starts_does_so(tmp_path: Path, port: int) -> None:
    with running(tmp_path, "serve", "--workers", "6", SECRET_KEY=KEY, PORT=str(port)) as server:
        until = time.monotonic() + START
        while len(children(server)) < 6:
            assert time.monotonic() < until
            time.sleep(0.01)
        time.sleep(0.3)  # they are forked, and import what they serve
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=START) == 0
    assert "refused to gracefully stop" not in (tmp_path / "stderr").read_text()


def test_a_process_that_is_told_to_stop_before_it_listens_for_that_does_so(tmp_path: Path, port: int) -> None:
    (tmp_path / "sitecustomize.py").write_text(BETWEEN_TWO_RUNS)
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    with running(tmp_path, "serve", SECRET_KEY=KEY, PORT=str(port), PYTHONPATH=path) as server:
        until = time.monotonic() + START
        while not (tmp_path / "between").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=START) == 0
    assert "refused to gracefully stop" not in (tmp_path / "stderr").read_text()


def test_a_process_whose_end_was_heard_of_and_not_written_down_yet_has_ended() -> None:
    """Each has a thread that waits for it, and the one that stops them all looks too: one of them hears of it."""
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(START,))
    process.start()
    assert runs(process)
    process.kill()
    os.waitpid(process.pid or 0, 0)
    assert not runs(process)


def test_a_process_that_died_is_replaced(tmp_path: Path, port: int) -> None:
    with running(tmp_path, "serve", "--workers", "1", SECRET_KEY=KEY, PORT=str(port)) as server:
        wait_for(tmp_path / "stderr", "ready")
        (first,) = children(server)
        os.kill(first, signal.SIGKILL)
        wait_for(tmp_path / "stderr", "Unexpected exit")
        until = time.monotonic() + START
        while status(f"http://127.0.0.1:{port}/readyz") != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert first not in children(server)


def test_when_the_parent_is_killed_nobody_answers_at_its_port_any_more(tmp_path: Path, port: int) -> None:
    with running(tmp_path, "serve", "--workers", "2", SECRET_KEY=KEY, PORT=str(port)) as server:
        wait_for(tmp_path / "stderr", "ready")
        server.kill()
        server.wait(timeout=START)
        until = time.monotonic() + START
        while not is_free("127.0.0.1", port):
            assert time.monotonic() < until
            time.sleep(0.1)


def test_a_server_that_will_stop_says_so_first_and_goes_on_answering(tmp_path: Path, port: int) -> None:
    with running(tmp_path, "serve", "--workers", "2", SECRET_KEY=KEY, PORT=str(port), DRAIN_SECONDS="300") as server:
        wait_for(tmp_path / "stderr", "ready")
        server.send_signal(signal.SIGTERM)
        until = time.monotonic() + START
        unready = 0
        while unready < 20:  # of connections that go to either process
            unready = unready + 1 if status_of(f"http://127.0.0.1:{port}", "/readyz") == 503 else 0
            assert time.monotonic() < until
        assert status(f"http://127.0.0.1:{port}/livez") == 200
        server.send_signal(signal.SIGTERM)  # once more, and it is over
        assert server.wait(timeout=START) == 0
    assert "Unexpected exit" not in (tmp_path / "stderr").read_text()


def test_what_is_in_hand_is_answered_though_it_takes_seconds(tmp_path: Path, port: int) -> None:
    body = json.dumps({"username": "ann", "email": "ann@example.com", "password": "correct horse battery"}).encode()
    head = f"Host: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with running(tmp_path, "serve", SECRET_KEY=KEY, PORT=str(port)) as server:
        wait_for(tmp_path / "stderr", "ready")
        with socket.create_connection(("127.0.0.1", port), timeout=START) as slow:
            slow.sendall(f"POST /auth/register HTTP/1.1\r\n{head}".encode() + body[:5])
            time.sleep(0.5)  # it has the head
            server.send_signal(signal.SIGTERM)
            time.sleep(2.5)
            slow.sendall(body[5:])
            assert slow.recv(1024).startswith(b"HTTP/1.1 201 ")
        assert server.wait(timeout=START) == 0


def test_log_lines_are_json_where_that_is_asked_for(tmp_path: Path, port: int) -> None:
    with running(tmp_path, "serve", SECRET_KEY=KEY, PORT=str(port), LOG_FORMAT="json"):
        wait_for(tmp_path / "stderr", "ready")
    lines = [json.loads(line) for line in (tmp_path / "stderr").read_text().splitlines()]
    assert (lines[0]["level"], lines[0]["logger"]) == ("info", "tracker")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lines[0]["time"])


def test_a_port_that_is_taken_is_refused(tmp_path: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        server = start(tmp_path, "serve", SECRET_KEY=KEY, PORT=str(port))
        assert server.wait(timeout=START) == 1
    assert f"port {port} of 127.0.0.1 cannot be had" in (tmp_path / "stderr").read_text()


def test_serve_is_for_production_unless_it_is_told(tmp_path: Path, port: int) -> None:
    assert start(tmp_path, "serve", PORT=str(port)).wait(timeout=START) == 2
    assert len((tmp_path / "stderr").read_text().splitlines()) == 1
    with running(tmp_path, "serve", "--development", PORT=str(port), HOST="localhost"):
        wait_for(tmp_path / "stderr", "ready")


def test_development_is_what_the_environment_says(tmp_path: Path) -> None:
    assert start(tmp_path, "serve", "--development", TRACKER_ENV="production").wait(timeout=START) == 2
    assert "SECRET_KEY is needed" in (tmp_path / "stderr").read_text()


def test_the_demo_prints_a_line_that_works_as_pasted_and_leaves_nothing_behind(tmp_path: Path, port: int) -> None:
    with running(tmp_path, "demo", "--port", str(port)):
        line = wait_for(tmp_path / "stdout", r"curl .*")[0]
        *_, authorization, url = shlex.split(line)
        name, _, value = authorization.partition(": ")
        request = urllib.request.Request(url, headers={name: value})  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=START) as answer:  # noqa: S310 - likewise
            assert len(json.load(answer)["items"]) == 3
        assert f"http://127.0.0.1:{port}/docs" in (tmp_path / "stdout").read_text()
        calendar = wait_for(tmp_path / "stdout", r"Calendar +(http\S+)")[1]
        with urllib.request.urlopen(calendar, timeout=30) as answer:  # noqa: S310 - likewise
            assert answer.read().count(b"BEGIN:VEVENT") > 20
        assert len(list(tmp_path.glob("tracker-demo-*"))) == 1
    assert list(tmp_path.glob("tracker-demo-*")) == []


def test_a_process_that_serves_sqlite_has_neither_alembic_nor_pymongo_among_its_modules(
    tmp_path: Path, port: int
) -> None:
    assert start(tmp_path, "migrate", SECRET_KEY=KEY).wait(timeout=START) == 0
    with running(tmp_path, "serve", SECRET_KEY=KEY, PORT=str(port), WORKERS="1", PYTHONPROFILEIMPORTTIME="1"):
        wait_for(tmp_path / "stderr", "ready: ")
        assert status(f"http://127.0.0.1:{port}/readyz") == 200
    imported = set(re.findall(r"^import time:.*\| +([\w.]+)$", (tmp_path / "stderr").read_text(), re.MULTILINE))
    assert {"tracker.edge.stack", "tracker.store.sql.store"} <= imported
    assert not imported & {"alembic", "pymongo", "bson"}


def test_asking_for_help_imports_neither_the_server_nor_a_database() -> None:
    program = "import sys, tracker.cli; tracker.cli.tracker(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"granian", "sqlalchemy", "connexion", "pydantic", "yaml", "alembic"}
    assert "Serve a throw-away database" in done.stdout


def test_a_server_imports_no_driver_of_what_it_is_not_told_to_use(tmp_path: Path) -> None:
    program = (
        "import sys; from tracker import app; from tracker.settings import Settings; "
        f"settings = Settings(database_url='sqlite:///{tmp_path}/tracker.db', secret_key='k' * 40); "
        "app.responder(settings, app.open_store(settings, connections=1)); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "tracker.store.sql.store" in loaded
    assert not loaded & {"pymongo", "redis", "celery", "prometheus_client"}
