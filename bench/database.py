"""A PostgreSQL to measure on: one of our own, from Debian's programs, or one that is given."""

from __future__ import annotations

import shutil
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg2  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import make_url

from tests.postgresql_server import NotInstalled, own_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator


_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has memory as a folder
_ROOM = 4 * 2**30
_CONNECTIONS = 200  # of all sides together; PostgreSQL's own bound is 100


class CannotMeasure(Exception):
    """Something that a run needs is not there, or an answer was not what it should be."""


@contextmanager
def database(server: str | None, *, in_memory: bool = False) -> Iterator[str]:
    """Give the URL of an empty database on a server: the one at this URL, or one that is started and stopped here.

    The files of that one are ``in_memory`` where there is room: to wait for a disk that others use too costs each side
    the same, and another time each round.
    """
    if server is None:
        place = _MEMORY if in_memory and _has_room(_MEMORY) else None
        with _own_server(place) as url, _own_database(url) as database_url:
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


def server_in_words(url: str) -> str:
    """Return the server's version, without what the distribution says of its package, and where its files are.

    Whoever has no right to know that is not told, and says only the first.
    """
    version = str(run(url, "SHOW server_version")[0][0]).partition(" ")[0]
    told = run(url, "SELECT setting FROM pg_settings WHERE name = 'data_directory'")
    place = " in memory" if told and Path(told[0][0]).is_relative_to(_MEMORY) else " on a disk"
    return f"{version} (its files{place})" if told else version


def _has_room(place: Path) -> bool:
    return place.is_dir() and shutil.disk_usage(place).free >= _ROOM


@contextmanager
def _own_database(server: str) -> Iterator[str]:
    name = f"tracker_bench_{uuid4().hex[:8]}"
    run(server, f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        run(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _own_server(place: Path | None) -> Iterator[str]:
    try:
        with own_postgresql(place=place) as server:
            run(server.url, f"ALTER SYSTEM SET max_connections = {_CONNECTIONS}")
            server.shut_down()
            server.start_again()
            yield server.url
    except NotInstalled as problem:
        raise CannotMeasure(f"{problem}, or give BENCH_DATABASE_URL") from None
