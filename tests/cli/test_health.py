"""What probes are told: of a server by what it answers, of a worker and a beat by when they last got on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from tests.crew import Crew, hired
from tracker import heartbeat
from tracker.cli import tracker
from tracker.cli.health import DEFAULTS
from tracker.cli.server import free_port
from tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crew import Broker

ROOT = Path(__file__).parents[2]
STATUSES = {"/livez": 200, "/readyz": 503}
LONG_AGO = time.time() - 3600


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Answering(BaseHTTPRequestHandler):
    """Alive, and not ready."""

    def do_GET(self) -> None:
        self.send_response(STATUSES[self.path])
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering() -> Iterator[int]:
    """Give the port of a server that is alive and not ready."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def health(*arguments: str, **settings: str) -> Result:
    with patch.dict("os.environ", settings, clear=True):
        return CliRunner().invoke(tracker, ["health", *arguments], prog_name="tracker")


def told(result: Result) -> tuple[int, str]:
    lines = result.output.splitlines()
    assert len(lines) == 1, result.output
    return result.exit_code, lines[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_server_that_answers_is_alive_and_may_not_be_ready(host: str) -> None:
    with answering() as port:
        assert told(health(HOST=host, PORT=str(port))) == (0, f"http://127.0.0.1:{port}/livez answers 200")
        assert told(health("--ready", HOST=host, PORT=str(port))) == (
            1,
            f"tracker: http://127.0.0.1:{port}/readyz answers 503",
        )


def test_where_nothing_answers_there_is_no_health() -> None:
    port = free_port("127.0.0.1")
    assert told(health(PORT=str(port))) == (1, f"tracker: nothing answers at http://127.0.0.1:{port}")


def test_a_server_is_asked_where_it_listens_by_default() -> None:
    fields = Settings.model_fields
    assert {name: str(fields[name].default) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("settings", "rule"), [({"PORT": "eighty"}, "PORT must be a number"), ({"TRACKER_PROT": "80"}, "is not a setting")]
)
def test_settings_that_cannot_be_used_are_one_line(settings: dict[str, str], rule: str) -> None:
    exit_code, line = told(health(**settings))
    assert exit_code == 2
    assert rule in line


def test_a_heartbeat_is_fresh_for_a_minute(tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"
    assert told(health("--heartbeat", HEARTBEAT_FILE=str(file))) == (
        1,
        "tracker: HEARTBEAT_FILE is not there: no worker and no beat has touched it",
    )
    heartbeat.touch(file)
    assert health("--heartbeat", HEARTBEAT_FILE=str(file)).exit_code == 0
    os.utime(file, (LONG_AGO, LONG_AGO))
    assert "whoever does so is stuck, or gone" in health("--heartbeat", HEARTBEAT_FILE=str(file)).output
    assert told(health("--heartbeat")) == (2, "tracker: HEARTBEAT_FILE is not given")


def test_a_heartbeat_that_cannot_be_shown_stops_nobody(tmp_path: Path) -> None:
    heartbeat.touch(tmp_path / "no" / "folder")
    assert heartbeat.age(tmp_path / "no" / "folder") is None


def test_asking_imports_hardly_anything(tmp_path: Path) -> None:
    program = "import sys, tracker.cli\ntry: tracker.cli.tracker(['health'])\nfinally: print(*sys.modules)"
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "PORT": str(free_port("127.0.0.1"))}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 1
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "tracker.cli.health" in loaded
    assert not loaded & {"granian", "sqlalchemy", "connexion", "pydantic", "celery", "prometheus_client", "asyncio"}


def beats_anew(crew: Crew, file: Path) -> None:
    """Return once a heartbeat is seen that is none of before."""
    os.utime(file, (LONG_AGO, LONG_AGO))
    crew.wait(lambda: file.stat().st_mtime > LONG_AGO + 1)


def test_a_worker_and_a_beat_show_that_they_get_on(broker: Broker, tmp_path: Path) -> None:
    with hired(tmp_path, broker) as crew:
        for command in ("worker", "beat"):
            crew.start(command, HEARTBEAT_FILE=str(tmp_path / command))
        for command in ("worker", "beat"):
            beats_anew(crew, tmp_path / command)
        assert crew.stop() == [0, 0]


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_they_get_on_also_while_they_look_for_a_broker(scheme: str, tmp_path: Path) -> None:
    nowhere = SimpleNamespace(url=f"{scheme}://127.0.0.1:{free_port('127.0.0.1')}")
    with hired(tmp_path, cast("Broker", nowhere)) as crew:
        for command in ("worker", "beat"):
            crew.hire(command, HEARTBEAT_FILE=str(tmp_path / command))
        crew.wait(lambda: "does not answer" in crew.logs)
        for command in ("worker", "beat"):
            crew.wait((tmp_path / command).exists)
            beats_anew(crew, tmp_path / command)


def test_a_heartbeat_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with (
        patch.dict("os.environ", {"CELERY_BROKER_URL": "redis://127.0.0.1:1", "SECRET_KEY": "k" * 40}, clear=True),
        patch.dict("os.environ", HEARTBEAT_FILE=str(tmp_path / "no" / "file")),
    ):
        result = CliRunner().invoke(tracker, ["beat"], prog_name="tracker")
    assert told(result) == (2, "tracker: HEARTBEAT_FILE must be a file in a folder that is there")
