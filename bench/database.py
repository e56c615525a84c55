"""A PostgreSQL to measure on: one of our own, from Debian's programs, or one that is given."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg2  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import make_url

from tests.postgresql_server import NotInstalled, postgresql_server

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    try:
        with postgresql_server() as url:
            yield url
    except NotInstalled as problem:
        raise CannotMeasure(f"{problem}, or give BENCH_DATABASE_URL") from None
