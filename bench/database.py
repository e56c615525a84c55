"""A PostgreSQL to measure on: one of our own, from Debian's programs, or one that is given."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg2  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import make_url

from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAMS = Path("/usr/lib/postgresql")
_START = 30.0


class CannotMeasure(Exception):
    """Something that a run needs is not there, or an answer was not what it should be."""


@contextmanager
def database(server: str | None) -> Iterator[str]:
    """Give the URL of an empty database on a server: the one at this URL, or one that is started and stopped here."""
    if server is None:
        with _own_server() as url, _own_database(url) as database_url:
            yield database_url
    else:
        with _own_database(server) as database_url:
            yield database_url


def run(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements one by one, each committed by itself; return the rows of the last."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def server_version(url: str) -> str:
    """Return the version of the server, without what the distribution says of its package."""
    return str(run(url, "SHOW server_version")[0][0]).partition(" ")[0]


@contextmanager
def _own_database(server: str) -> Iterator[str]:
    name = f"tracker_bench_{uuid4().hex[:8]}"
    run(server, f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        run(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _own_server() -> Iterator[str]:
    """Start a PostgreSQL with its default settings, fsync included; as the user postgres if we are root."""
    programs = _newest_programs()
    owner: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    port = free_port("127.0.0.1")
    with tempfile.TemporaryDirectory(prefix="tracker-bench-", ignore_cleanup_errors=True) as name:
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
        raise CannotMeasure("there is no PostgreSQL: apt-get install postgresql, or give BENCH_DATABASE_URL")
    return found[-1].parent


def _once_it_answers(url: str) -> str:
    until = time.monotonic() + _START
    while True:
        try:
            run(url, "SELECT 1")
        except psycopg2.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return url
