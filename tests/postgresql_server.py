"""A PostgreSQL of one's own: Debian's programs, with their default settings, fsync included."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
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


@contextmanager
def postgresql_server(port: int | None = None) -> Iterator[str]:
    """Give the URL of a server that is stopped and gone afterwards; it runs as the user postgres if we are root."""
    programs = _newest_programs()
    owner: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    port = port or free_port("127.0.0.1")
    with tempfile.TemporaryDirectory(prefix="tracker-postgresql-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if owner:
            shutil.chown(folder, "postgres", "postgres")
        kept: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **owner}
        made = ["--pgdata=data", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        subprocess.run([programs / "initdb", *made], check=True, **kept)
        where = ["-D", "data", "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
        # In a session of its own: Ctrl-C is for us, we stop it once nobody needs it any more.
        process = subprocess.Popen([programs / "postgres", *where], start_new_session=True, **kept)
        try:
            yield _once_it_answers(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        finally:
            process.send_signal(signal.SIGINT)  # what PostgreSQL calls a fast shutdown
            process.wait(timeout=_START)


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
