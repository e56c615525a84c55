"""A PostgreSQL of one's own: Debian's programs, with their default settings, fsync included."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2  # type: ignore[import-untyped]  # ships no types

from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAMS = Path("/usr/lib/postgresql")
_START = 30.0


class NotInstalled(Exception):
    """There is no PostgreSQL on this machine."""


@dataclass
class PostgreSQLServer:
    """One that runs, at a port of its own, and can go and come back."""

    port: int
    folder: Path
    owner: dict[str, Any]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def stop(self) -> None:
        """Let all of its processes stand still: they hold their connections and answer nothing."""
        self._tell(signal.SIGSTOP)

    def wake(self) -> None:
        self._tell(signal.SIGCONT)

    def shut_down(self) -> None:
        self.process.send_signal(signal.SIGINT)  # what PostgreSQL calls a fast shutdown
        self.process.wait(timeout=_START)

    def kill(self) -> None:
        """End it without a word; the processes it has made notice that, and have to be gone before it comes back."""
        others = self._processes()[1:]
        self.process.kill()
        self.process.wait(timeout=_START)
        until = time.monotonic() + _START
        while any(Path(f"/proc/{process}").exists() for process in others):
            assert time.monotonic() < until, "processes of PostgreSQL outlive it"
            time.sleep(0.02)

    def start_again(self) -> None:
        self.process = _started(self.folder, self.port, self.owner)
        _once_it_answers(self.url)

    def _tell(self, what: signal.Signals) -> None:
        for process in self._processes():
            with suppress(ProcessLookupError):  # one that served a connection may have ended just now
                os.kill(process, what)

    def _processes(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [self.process.pid, *map(int, children.split())]


@contextmanager
def postgresql_server(port: int | None = None, *, place: Path | None = None) -> Iterator[str]:
    """Give the URL of a server that is stopped and gone afterwards; it runs as the user postgres if we are root.

    Its files are in a new folder in ``place``.
    """
    with own_postgresql(port, place=place) as server:
        yield server.url


@contextmanager
def own_postgresql(port: int | None = None, *, place: Path | None = None) -> Iterator[PostgreSQLServer]:
    """Give such a server to whoever lets it go and come back."""
    programs = _newest_programs()
    owner: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    port = port or free_port("127.0.0.1")
    with tempfile.TemporaryDirectory(prefix="tracker-postgresql-", dir=place, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if owner:
            shutil.chown(folder, "postgres", "postgres")
        made = ["--pgdata=data", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        subprocess.run([programs / "initdb", *made], check=True, **_kept(folder, owner))
        server = PostgreSQLServer(port, folder, owner, _started(folder, port, owner))
        try:
            _once_it_answers(server.url)
            yield server
        finally:
            if server.process.poll() is None:
                server.wake()
                server.shut_down()


def _started(folder: Path, port: int, owner: dict[str, Any]) -> subprocess.Popen[bytes]:
    where = ["-D", "data", "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
    # In a session of its own: Ctrl-C is for us, we stop it once nobody needs it any more.
    return subprocess.Popen([_newest_programs() / "postgres", *where], start_new_session=True, **_kept(folder, owner))


def _kept(folder: Path, owner: dict[str, Any]) -> dict[str, Any]:
    return {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **owner}


def _newest_programs() -> Path:
    found = sorted(_PROGRAMS.glob("*/bin/initdb"), key=lambda program: int(program.parts[-3]))
    if not found:
        raise NotInstalled("there is no PostgreSQL: apt-get install postgresql")
    return found[-1].parent


def _once_it_answers(url: str) -> str:
    until = time.monotonic() + _START
    while True:
        try:
            psycopg2.connect(url).close()
        except psycopg2.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return url
