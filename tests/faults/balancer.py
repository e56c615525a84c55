"""A small load balancer: it asks every server at /readyz once a second, believes it, and shares out connections.

It is as simple as they come: a request goes to the next server that was ready when last asked, on a connection that is
kept for as long as the server keeps it. It never sends a request twice: what goes wrong beneath it, its client sees.
"""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.faults.server import HOST, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED_EVERY = 1.0  # seconds
_PASSED_ON = ("Authorization", "Content-Type", "Idempotency-Key")


class Balancer(ThreadingHTTPServer):
    """Serves at a port of its own what the servers behind it answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.ready: tuple[int, ...] = ()
        self._behind: set[int] = set()
        self._turn = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def add(self, port: int) -> None:
        """Ask a server from now on."""
        with self._lock:
            self._behind.add(port)

    def remove(self, port: int) -> None:
        """Ask it no more."""
        with self._lock:
            self._behind.discard(port)

    def next(self) -> int | None:
        """Return the port of the one whose turn it is."""
        with self._lock:
            ready = self.ready
            self._turn += 1
            return ready[self._turn % len(ready)] if ready else None

    def ask_on(self) -> None:
        """Find out who is ready, until it is stopped."""
        while True:
            with self._lock:
                behind = sorted(self._behind)
            ready = tuple(port for port in behind if is_ready(port))
            with self._lock:
                self.ready = ready
            if self._stopped.wait(ASKED_EVERY):
                return

    def stop(self) -> None:
        self._stopped.set()
        self.shutdown()
        self.server_close()


def is_ready(port: int) -> bool:
    """Whether a server says that it is; a connection of its own, as a prober makes it, reaches any of its processes."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    """One client's connection, and those it uses behind."""

    protocol_version = "HTTP/1.1"
    server: Balancer

    def setup(self) -> None:
        super().setup()
        self._kept: dict[int, http.client.HTTPConnection] = {}

    def finish(self) -> None:
        for connection in self._kept.values():
            connection.close()
        super().finish()

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        port = self.server.next()
        if port is None:
            self._answer(HTTPStatus.BAD_GATEWAY, b"nobody is ready")
            return
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        try:
            status, answer = self._asked(port, body or None, headers)
        except (OSError, http.client.HTTPException) as problem:
            self._kept.pop(port).close()
            self._answer(HTTPStatus.BAD_GATEWAY, type(problem).__name__.encode())
        else:
            self._answer(status, answer)

    def _asked(self, port: int, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = self._kept.setdefault(port, http.client.HTTPConnection(HOST, port, timeout=PATIENCE))
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: what went wrong, the clients count."""


@contextmanager
def balancer() -> Iterator[Balancer]:
    """Give one that serves; there is nobody behind it yet."""
    made = Balancer()
    threads = [threading.Thread(target=work, daemon=True) for work in (made.serve_forever, made.ask_on)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.stop()
        for thread in threads:
            thread.join(PATIENCE)
