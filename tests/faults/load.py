"""Clients that read and write all the time, each on connections it keeps, and what became of every request.

A write that was not acknowledged is sent again under its key until it is: afterwards each has to be there once.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tests.faults.server import HOST, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.server import Server

CLIENTS = 12
LOST = 0  # in place of a status: no answer came
_PAUSE = 0.02  # seconds between two requests of a client: a load, and not a race


@dataclass(frozen=True)
class Asked:
    """A request, and what came of it."""

    at: float
    took: float
    status: int
    retry_after: bool


@dataclass
class Load:
    """So many clients at a port, until they are told to stop."""

    port: int
    token: str
    asked: list[Asked] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    unacknowledged: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def since(self, begin: float, end: float = float("inf")) -> list[Asked]:
        """Return what was asked in a while."""
        return [asked for asked in self.asked if begin <= asked.at < end]

    def run(self, number: int) -> None:
        """Read and write in turn."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        for n in range(10**9):
            if self.stopped.wait(_PAUSE):
                break
            if n % 3:
                self._ask(connection, "GET", "/tasks?limit=5")
            else:
                self._write(connection, f"{number}-{n}")
        connection.close()

    def _write(self, connection: http.client.HTTPConnection, title: str) -> None:
        """Create a task, however often that has to be said, unless the end has come and nobody answers."""
        until = None
        while True:
            status = self._ask(connection, "POST", "/tasks", {"title": title}, key=f"key-{title}")
            if status == http.HTTPStatus.CREATED:
                self.acknowledged[title] = self.acknowledged.get(title, 0) + 1
                return
            self.unacknowledged += 1
            if self.stopped.is_set():
                until = until or time.monotonic() + PATIENCE
                if time.monotonic() > until:
                    return
            time.sleep(_PAUSE)

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, key: str = ""
    ) -> int:
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        began = time.monotonic()
        try:
            connection.request(method, path, body and json.dumps(body), headers)
            response = connection.getresponse()
            response.read()
            status, retry = response.status, response.getheader("Retry-After") is not None
        except (OSError, http.client.HTTPException):
            connection.close()
            status, retry = LOST, False
        self.asked.append(Asked(began, time.monotonic() - began, status, retry))
        return status


@contextmanager
def load(port: int, token: str, clients: int = CLIENTS) -> Iterator[Load]:
    """Give clients that are at work; afterwards each has its last write acknowledged."""
    made = Load(port, token)
    threads = [threading.Thread(target=made.run, args=(n,), daemon=True) for n in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.stopped.set()
        for thread in threads:
            thread.join(2 * PATIENCE)


def titles(server: Server, token: str) -> Counter[str]:
    """Return how often there is a task of each title."""
    found: Counter[str] = Counter()
    path: str | None = "/tasks?limit=200"
    while path:
        page = _once_it_answers(server, path, token)
        found.update(task["title"] for task in page["items"])
        path = page["next"] and f"/tasks?limit=200&cursor={page['next']}"
    return found


def _once_it_answers(server: Server, path: str, token: str) -> Any:
    until = time.monotonic() + PATIENCE
    while (answer := server.ask("GET", path, token=token)).status != http.HTTPStatus.OK:
        assert time.monotonic() < until, answer
        time.sleep(_PAUSE)
    return answer.json


def summary(asked: list[Asked]) -> str:
    """Return how many answers of each status there were, and how long the slowest took."""
    statuses = Counter(one.status or "lost" for one in asked)
    slowest = max((one.took for one in asked), default=0.0)
    counted = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items(), key=str))
    return f"{len(asked)} requests ({counted}), slowest {slowest:.3f} s"


class Pulse:
    """Asks /livez all the time, on a connection of its own each time, and keeps how long each answer took."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.took: list[float] = []
        self.bad: list[int] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._stopped.wait(0.05):
            connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
            began = time.monotonic()
            try:
                connection.request("GET", "/livez")
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                status = LOST
            finally:
                connection.close()
            self.took.append(time.monotonic() - began)
            if status != http.HTTPStatus.OK:
                self.bad.append(status)
