"""A Redis of one's own: the program ``redis-server``, as a process that a test may stop, wake and kill.

Without the program, what needs it is skipped; TRACKER_REQUIRE_SERVERS=1 makes that a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import Redis, RedisError

from tests.missing import unavailable
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
PASSWORD = "geheim-5f1d"
PATIENCE = 120  # seconds; for what takes a moment, or RabbitMQ ten seconds, on a machine that does other things too


class Haltable:
    """A server that is a process of ours."""

    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Let it hold its connections and answer nothing, once all of its threads stand still."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def shut_down(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=PATIENCE)


@dataclass
class RedisServer(Haltable):
    """One that runs, at a port of its own."""

    port: int
    folder: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@{HOST}:{self.port}/0"

    def client(self) -> Redis:
        return Redis.from_url(self.url)

    def start_again(self) -> None:
        """Start it anew, empty, at the same port."""
        self.process = _started(self.port, self.folder)
        self.wait()

    def wait(self) -> None:
        until = time.monotonic() + PATIENCE
        with self.client() as client:
            while not _answers(client):
                assert self.process.poll() is None, "redis-server ended"
                assert time.monotonic() < until, "redis-server does not answer"
                time.sleep(0.02)


@contextmanager
def redis_server(port: int | None = None) -> Iterator[RedisServer]:
    """Give a Redis that answers, and has nothing in it."""
    if shutil.which("redis-server") is None:
        unavailable("no Redis: the program redis-server is not installed")
    port = port or free_port(HOST)
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(port, folder, _started(port, folder))
        try:
            server.wait()
            yield server
        finally:
            server.wake()
            server.kill()


def _started(port: int, folder: str) -> subprocess.Popen[bytes]:
    options = {"port": port, "bind": HOST, "dir": folder, "save": "", "appendonly": "no", "requirepass": PASSWORD}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    silent = subprocess.DEVNULL
    return subprocess.Popen(["redis-server", *arguments], start_new_session=True, stdout=silent, stderr=silent)


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
