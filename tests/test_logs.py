"""Log lines: what stands on each of them, what never does, and that nobody waits for whoever reads them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.edge.wire import Wire, exchange, pieces, scope
from tracker import logs, observed
from tracker.edge.front import Front
from tracker.edge.observer import Watched
from tracker.log_writer import QueuedLines, lost
from tracker.logs import AccessLog, formatter
from tracker.observed import Doing, Observers, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world import Person, World

PATIENCE = 60
SECRET = "the-secret-of-the-house"


class Said(logging.Handler):
    """Keeps each line as it would be written."""

    def __init__(self, log_format: str) -> None:
        super().__init__()
        self.setFormatter(formatter(log_format))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


def listening(log_format: str) -> Iterator[Said]:
    said, root, ours = Said(log_format), logging.getLogger(), logging.getLogger("tracker")
    before = ours.level
    root.addHandler(said)
    ours.setLevel(logging.INFO)
    yield said
    ours.setLevel(before)
    root.removeHandler(said)


@pytest.fixture
def said() -> Iterator[Said]:
    yield from listening("json")


@pytest.fixture
def shown() -> Iterator[Said]:
    yield from listening("text")


def fail() -> None:
    password = SECRET
    try:
        int(password)
    except ValueError as problem:
        raise LookupError(password) from problem


def fail_and_log(logger: str = "tracker") -> None:
    try:
        fail()
    except LookupError:
        logging.getLogger(logger).exception("something failed")


def test_an_exception_is_told_by_its_frames_and_kinds_and_never_by_its_text(said: Said, shown: Said) -> None:
    fail_and_log()
    (line,) = said.json
    told = line["exception"].splitlines()
    assert [each for each in told if not each.startswith("  File")] == [
        "Traceback (most recent call last):",
        "ValueError",
        "which was the cause of:",
        "Traceback (most recent call last):",
        "LookupError",
    ]
    assert f'File "{__file__}", line' in line["exception"]
    assert "in fail" in line["exception"]
    assert shown.lines[0].endswith(line["exception"])
    assert SECRET not in str(said.lines + shown.lines)


def test_a_recursion_and_a_group_of_exceptions_are_told_in_bounded_length(said: Said) -> None:
    def deeper() -> None:
        deeper()

    try:
        deeper()
    except RecursionError as problem:
        both = ExceptionGroup(SECRET, [problem, ValueError(SECRET)])
        logging.getLogger("tracker").exception("both", exc_info=both)
    assert "of which one part is:\nTraceback (most recent call last):\nValueError" in said.json[0]["exception"]
    assert len(said.lines[0]) < 30_000
    assert SECRET not in said.lines[0]


def test_lines_of_libraries_are_ours(said: Said) -> None:
    logging.getLogger("celery.worker").warning("lost %s", "it", extra={"attempt": 2})
    (line,) = said.json
    assert line.pop("time")[-1] == "Z"
    assert line == {"level": "warning", "logger": "celery.worker", "event": "lost it", "attempt": 2}


def test_text_has_what_json_has(shown: Said) -> None:
    with observed.at(Doing(name="remind", about={"job": "remind", "run": "now"})):
        logging.getLogger("tracker").warning("well", extra={"n": 1})
    assert shown.lines[0].endswith(" WARNING tracker: well job=remind run=now n=1")


def test_what_is_no_terminal_is_told_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.makeLogRecord({"msg": "well", "levelname": "INFO", "name": "tracker"})
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert json.loads(formatter("auto").format(record))["event"] == "well"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert formatter("auto").format(record).endswith("well")


def served(world: World, token: str | None, *observers: observed.Observer) -> Any:
    respond = world.responder
    return Wire.to(Front(respond, threads=2, watched=Watched(Observers(*observers), respond.routes)), token=token)


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann")


def test_a_request_is_one_line_by_templates_and_ids(world: World, ann: Person, said: Said) -> None:
    with served(world, ann.token, AccessLog()) as wire:
        made = wire.send("POST", "/tasks", json.dumps({"title": SECRET}).encode())
        wire.send("GET", f"/tasks/{made.json['id']}?if=1", headers={"x-request-id": "one-of-mine"})
        wire.send("GET", f"/{SECRET}")
    created, read, nowhere = said.json
    assert {name: created[name] for name in ("level", "logger", "event", "method", "route", "operation", "status")} == {
        "level": "info",
        "logger": "tracker.access",
        "event": "answered",
        "method": "POST",
        "route": "/tasks",
        "operation": "createTask",
        "status": 201,
    }
    assert (created["user_id"], created["change"]) == (ann.id, made.headers["operation-id"])
    assert created["bytes"] == len(made.body)
    assert created["statements"] >= 2
    assert created["duration_ms"] >= created["database_ms"] > 0
    assert (read["route"], read["operation"], read["request_id"]) == ("/tasks/{task_id}", "getTask", "one-of-mine")
    assert (nowhere["route"], nowhere["status"]) == ("unmatched", 404)
    everything = str(said.lines)
    assert not [each for each in (SECRET, made.json["id"], "if=1", ann.user.username, ann.token) if each in everything]


def test_each_line_of_a_request_has_its_id_also_of_a_bug(
    world: World, ann: Person, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(world.store), "standing", lambda *_: fail())
    with served(world, ann.token, AccessLog()) as wire:
        headers = [("x-request-id", "a-bug-of-mine"), ("authorization", f"Bearer {ann.token}")]
        answer = asyncio.run(exchange(wire.front, scope("GET", "/tasks", headers=headers), pieces(None)))
    assert (answer.status, answer.json["request_id"]) == (500, "a-bug-of-mine")
    assert [line["request_id"] for line in said.json] == ["a-bug-of-mine"] * 2
    assert [line["event"] for line in said.json] == ["request a-bug-of-mine failed", "answered"]
    assert SECRET not in str(said.lines)


def test_what_is_refused_before_a_thread_has_it_is_told_as_well(world: World, said: Said) -> None:
    with served(world, None, AccessLog()) as wire:
        wire.send("POST", "/login", b"x" * (300 * 1024))
    assert [(line["route"], line["status"]) for line in said.json] == [("/login", 413)]


def test_an_observer_that_fails_fails_nobody_else(world: World, said: Said) -> None:
    class Failing:
        def began(self, _: Doing) -> None:
            fail()

        def ended(self, _: Doing) -> None:
            fail()

    with served(world, None, Failing(), AccessLog()) as wire:
        assert wire.send("GET", "/problems").status == 200
    assert [line["event"] for line in said.json].count("answered") == 1


def test_nobody_waits_for_a_reader_that_has_stopped_and_what_was_lost_is_told() -> None:
    reading, writing = os.pipe()
    handler = QueuedLines(os.fdopen(writing, "w"), lines=100)
    handler.setFormatter(formatter("json"))
    record = logging.makeLogRecord({"msg": "x" * 1000, "name": "tracker", "levelname": "INFO"})
    logging.getLogger().addHandler(handler)
    try:
        while handler.lost < 5:  # the pipe takes some, then the writer waits, and the queue fills
            handler.emit(record)
        assert lost() == handler.lost
        received = read_until(reading, b"log lines were dropped: nobody read them in time")
    finally:
        logging.getLogger().removeHandler(handler)
    lines = [json.loads(line) for line in received.splitlines() if line.endswith(b"}")]
    assert lines[0]["event"] == "x" * 1000
    os.close(reading)


def read_until(file: int, awaited: bytes) -> bytes:
    received = b""
    until = time.monotonic() + PATIENCE
    while awaited not in received:
        assert time.monotonic() < until
        received += os.read(file, 65_536)
    return received


def test_all_is_written_before_a_process_ends() -> None:
    reading, writing = os.pipe()
    handler = QueuedLines(os.fdopen(writing, "w"))
    handler.emit(logging.makeLogRecord({"msg": "the last word", "name": "tracker"}))
    handler.flush()
    assert b"the last word" in os.read(reading, 1000)


FORKING = """
import logging, os, sys
from tracker.log_writer import QueuedLines
handler = QueuedLines(sys.stderr)
child = os.fork()
handler.emit(logging.makeLogRecord({"msg": "from the parent" if child else "from the child"}))
handler.flush()
if child:
    os.waitpid(child, 0)
os._exit(0)
"""


def test_a_process_that_was_forked_writes_too() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], capture_output=True, text=True, check=True)
    assert sorted(done.stderr.splitlines()) == ["from the child", "from the parent"]


def test_a_thread_that_nobody_catches_is_logged_without_its_text(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", logs._log_uncaught)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert said.json[0]["event"] == "a thread ended by an exception"
    assert SECRET not in said.lines[0]


def test_what_is_known_is_that_of_ones_own_request() -> None:
    """Two threads answer at once, each with a request of its own."""
    both = threading.Barrier(2, timeout=PATIENCE)
    seen: dict[str, str] = {}

    def work(name: str) -> None:
        with observed.at(Request(name=name, about={"request_id": name}, method="GET", route="/")):
            both.wait()
            present = observed.doing()
            seen[name] = present.name if present else ""
            both.wait()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"one": "one", "two": "two"}
