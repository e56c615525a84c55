"""The real server as a process of its own, and clients that speak to it through sockets, well or badly."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.canaries.watch import WATCH, look_at_exchange
from tests.client import Promises
from tests.world import DOCUMENT, UNLIMITED
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
PATIENCE = 120  # seconds; for what takes two
PROMISES = Promises(DOCUMENT)


@dataclass(frozen=True)
class Answer:
    """What came back through a socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """One that runs, at a port of its own."""

    process: subprocess.Popen[str]
    port: int
    log: Path
    token: str | None = None

    def ask(
        self, method: str, path: str, body: object = None, *, token: str | None = None, key: str | None = None
    ) -> Answer:
        """Return the answer to one request on a connection of its own, held to the contract."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        try:
            given = {"Authorization": token and f"Bearer {token}", "Idempotency-Key": key}
            headers = {name: value for name, value in given.items() if value}
            raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            if raw is not None:
                headers["Content-Type"] = "application/json"
            connection.request(method, path, raw, headers)
            response = connection.getresponse()
            answer = Answer(response.status, {n.lower(): v for n, v in response.getheaders()}, response.read())
        finally:
            connection.close()
        PROMISES.hold(method, path, answer)
        look_at_exchange(body, answer.status, answer.body)
        return answer

    def connect(self) -> socket.socket:
        """Return a socket that is connected and waits no longer than a test does."""
        return socket.create_connection((HOST, self.port), timeout=PATIENCE)

    def log_in(self, name: str) -> str:
        """Register somebody and return a token of theirs."""
        person = {"username": name, "email": f"{name}@example.com", "password": "correct horse battery"}
        registered = self.ask("POST", "/register", person)
        assert registered.status == 201, registered
        credentials = {"username": name, "password": person["password"]}
        token: str = self.ask("POST", "/login", credentials).json["access_token"]
        return token

    def wait(self) -> Server:
        """Return when the server answers; fail if it ends, or takes too long."""
        until = time.monotonic() + PATIENCE
        while not _answers(self.port):
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < until, self.log.read_text(encoding="utf-8")
            time.sleep(0.1)
        return self

    def stop(self) -> int:
        """Return the exit code of a server that is asked to stop."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def start(folder: Path, database_url: str, *, workers: int = 1, **settings: str) -> Server:
    """Start a server and return at once."""
    port = free_port(HOST)
    log = folder / f"stderr-{port}"
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "SECRET_KEY": "k" * 40,
        "DATABASE_URL": database_url,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "MONGO_ALLOW_STANDALONE": "true",
        "DRAIN_SECONDS": "0",
        **{name.upper(): value for name, value in UNLIMITED.items()},
        **settings,
    }
    WATCH.keep_settings(environment)
    arguments = [sys.executable, "-m", "tracker", "serve", "--port", str(port), "--workers", str(workers)]
    with log.open("w") as err:
        process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=err, stderr=err, text=True)
    return Server(process, port, log)


@contextmanager
def running(folder: Path, database_url: str, *, workers: int = 1, **settings: str) -> Iterator[Server]:
    """Give a server that answers; afterwards it has to stop by itself when asked to, and to have logged no bug."""
    server = start(folder, database_url, workers=workers, **settings)
    try:
        yield server.wait()
        if server.process.poll() is None:
            assert server.stop() == 0
        _, _, bug = server.log.read_text(encoding="utf-8").partition("Traceback")
        assert not bug, bug
    finally:
        server.process.kill()
        server.process.wait(timeout=PATIENCE)
        WATCH.look_at("the log of a server", server.log.read_text(encoding="utf-8", errors="replace"))


def read_answer(sock: socket.socket, method: str = "GET") -> Answer:
    """Return the next answer on a connection; ConnectionError if there is none."""
    response = http.client.HTTPResponse(sock, method=method)
    response.begin()
    body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def read_answers(sock: socket.socket) -> bytes:
    """Return all that comes until the server closes the connection."""
    received = b""
    try:
        while chunk := sock.recv(65_536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def status_of(raw: bytes) -> int | None:
    """Return the status of the first answer in what came; None if there is none."""
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", raw)
    return int(found[1]) if found else None
