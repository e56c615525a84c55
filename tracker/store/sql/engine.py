"""Connections: one engine a store, every connection in driver autocommit, set up once when it is made.

Whatever a driver raises leaves through ``refused``: as Stale, Taken or Unavailable, or, being a bug, as it is.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import psycopg2  # type: ignore[import-untyped]  # ships no types
from psycopg2 import errors, extensions
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from tracker.domain.refusals import Taken, Unavailable
from tracker.store.contract import Stale
from tracker.store.records import to_json

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg2")
_UUID_OIDS = (2950, 2951)
_TIMESTAMPTZ_OID = 1184
_PRAGMAS = ("busy_timeout = 5000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
_SETTINGS = {
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "5000",
    "timezone": "UTC",
    # Every statement of a request looks few rows up by an index. With what PostgreSQL expects of a disk that turns, it
    # reads tables of some dozen rows whole instead, and hashes them: who asks took it 246 us, and takes 151.
    "random_page_cost": "1.1",
}

_UNIQUE = {
    "uq_users_email_folded": "email",
    "users.email_folded": "email",
    "uq_users_username_folded": "username",
    "users.username_folded": "username",
    "pk_memberships": "membership",
    "memberships.project_id": "membership",
}
# What a commit rests on moved between its read and its write: a row it names is gone or there already, or two crossed.
_BEATEN = (errors.UniqueViolation, errors.ForeignKeyViolation, errors.DeadlockDetected, errors.SerializationFailure)
_GONE = (psycopg2.OperationalError, psycopg2.InterfaceError, errors.ReadOnlySqlTransaction, NoConnectionFree)
_SQLITE_BEATEN = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
}
_SQLITE_GONE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
}
_PRIMARY_CODE = 0xFF


def open_engine(url: str, *, connections: int) -> Engine:
    """Return an engine for a ``sqlite:///`` or ``postgresql://`` URL; ValueError for others, and for SQLite in memory.

    ``connections`` is how many threads can be at the database at once; one more waits a second, then Unavailable.
    """
    address = make_url(url)
    if address.drivername in _POSTGRESQL:
        return _postgresql(address, connections)
    if address.drivername in {"sqlite", "sqlite+pysqlite"}:
        return _sqlite(address, connections)
    raise ValueError("The database URL must begin with sqlite:/// or postgresql://.")


def _postgresql(address: URL, connections: int) -> Engine:
    # SQLAlchemy 2.1 takes a bare postgresql:// for psycopg 3.
    engine = create_engine(
        address.set(drivername="postgresql+psycopg2"),
        **_pool(connections),
        use_native_hstore=False,
        connect_args={
            "connect_timeout": 2,
            "fallback_application_name": "tracker",  # PGAPPNAME and the URL come first
            "options": " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()),
        },
    )
    event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_postgresql(connection: Any, _record: object) -> None:
    # SQLAlchemy's dialect has psycopg2 make a UUID object of each: on a raw cursor that doubles the cost of a list.
    for oid in _UUID_OIDS:
        connection.string_types.pop(oid, None)
    extensions.register_type(_INSTANT, connection)


def _instant(text: str | None, _cursor: object) -> datetime | None:
    """Return what PostgreSQL writes as an instant, in less than half the time that psycopg2's own way takes."""
    return None if text is None else datetime.fromisoformat(text)


_INSTANT = extensions.new_type((_TIMESTAMPTZ_OID,), "INSTANT", _instant)


def _sqlite(address: URL, connections: int) -> Engine:
    if address.database in {None, "", ":memory:"}:
        raise ValueError("SQLite in memory is a database for each connection: name a file, as in sqlite:///tracker.db.")
    engine = create_engine(
        address, **_pool(connections), paramstyle="named", connect_args={"check_same_thread": False, "timeout": 5}
    )
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _pool(connections: int) -> dict[str, Any]:
    return {
        "isolation_level": "AUTOCOMMIT",
        "pool_reset_on_return": None,
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": 1,
        "pool_recycle": 1800,
        "pool_use_lifo": True,
        "json_serializer": to_json,
        "json_deserializer": orjson.loads,
    }


def refused(error: Exception) -> Exception:
    """Return what a driver's error means to whoever asked; the error itself where it can only be a bug."""
    original = error.orig if isinstance(error, DBAPIError) and isinstance(error.orig, Exception) else error
    if isinstance(original, sqlite3.Error):
        return _refused_by_sqlite(original)
    if isinstance(original, _BEATEN):
        constraint = original.diag.constraint_name
        return Taken(_UNIQUE[constraint]) if constraint in _UNIQUE else Stale(constraint or "")
    return Unavailable() if isinstance(original, _GONE) else error


def _refused_by_sqlite(error: sqlite3.Error) -> Exception:
    code = getattr(error, "sqlite_errorcode", None) or 0
    if code in _SQLITE_BEATEN:
        column = str(error).partition(": ")[2].partition(",")[0]
        return Taken(_UNIQUE[column]) if column in _UNIQUE else Stale(column)
    return Unavailable() if code & _PRIMARY_CODE in _SQLITE_GONE else error


def is_no_id(error: Exception) -> bool:
    """Whether a statement failed because what it was to look for cannot be an id: then there is no such thing."""
    return isinstance(error, errors.InvalidTextRepresentation)
