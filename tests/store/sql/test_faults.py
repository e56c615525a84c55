"""What a store on SQL says when its database is slow, full or read-only; and that it recovers by itself."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url

from tests.builders import a_person, a_task, added, replaced
from tests.databases import database
from tracker.domain.refusals import Unavailable
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.builders import Person
    from tracker.domain.project import Project


def sabotage(url: str, statement: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def end_all_connections(url: str) -> None:
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    sabotage(url, f"SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE {others}")  # noqa: S608 - constants


@pytest.fixture
def sqlite_file() -> Iterator[str]:
    with database("sqlite") as url:
        yield url.removeprefix("sqlite:///")


def fill_the_pool(store: SqlStore) -> None:
    ready = threading.Barrier(4, timeout=60)

    def hold() -> None:
        connection = store._database.engine.raw_connection()
        ready.wait()
        connection.close()

    holding = [threading.Thread(target=hold) for _ in range(4)]
    for thread in holding:
        thread.start()
    for thread in holding:
        thread.join(10)


@pytest.mark.postgresql
def test_a_read_on_a_dead_connection_is_answered_on_a_new_one(on_postgresql: SqlStore, postgresql_url: str) -> None:
    ann = a_person()
    added(on_postgresql, *ann)
    fill_the_pool(on_postgresql)
    end_all_connections(postgresql_url)
    assert on_postgresql.user(ann.user.id) == ann.user
    assert on_postgresql.standing(ann.session.id) is not None


@pytest.mark.postgresql
def test_a_commit_on_a_dead_connection_is_made_once_on_a_new_one(on_postgresql: SqlStore, postgresql_url: str) -> None:
    ann = a_person()
    added(on_postgresql, *ann)
    fill_the_pool(on_postgresql)
    end_all_connections(postgresql_url)
    added(on_postgresql, a_task(ann.inbox))
    assert [entry.head for entry in on_postgresql.log(ann.inbox.id)] == [1, 1, 2]


@pytest.mark.postgresql
def test_a_commit_that_is_sent_whole_is_not_sent_on_a_dead_connection(
    on_postgresql: SqlStore, postgresql_url: str
) -> None:
    added(on_postgresql, *a_person())  # who registers: each statement is planned from here on
    end_all_connections(postgresql_url)
    ben = a_person()
    added(on_postgresql, *ben)
    assert on_postgresql.user(ben.user.id) == ben.user


@pytest.mark.postgresql
def test_a_database_that_takes_no_writes_is_unavailable(on_postgresql: SqlStore, postgresql_url: str) -> None:
    name = make_url(postgresql_url).database
    sabotage(postgresql_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with pytest.raises(Unavailable):
        added(on_postgresql, *a_person())
    assert not on_postgresql.has_users()


@pytest.mark.postgresql
def test_a_row_that_another_holds_too_long_is_unavailable(on_postgresql: SqlStore, postgresql_url: str) -> None:
    ann = a_person()
    added(on_postgresql, *ann)
    engine = create_engine(make_url(postgresql_url).set(drivername="postgresql+psycopg2"))
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT id FROM projects FOR UPDATE")
        with pytest.raises(Unavailable):
            added(on_postgresql, a_task(ann.inbox))
    engine.dispose()
    added(on_postgresql, a_task(ann.inbox))


@pytest.mark.parametrize(
    "url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg2://u@h/d", "sqlite:///tracker.db"]
)
def test_urls_as_they_are_commonly_written_are_understood(url: str) -> None:
    engine = SqlStore.open(url)._database.engine
    assert engine.driver == ("pysqlite" if url.startswith("sqlite") else "psycopg2")


@pytest.mark.parametrize("url", ["mysql://u@h/d", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://u@h/d"])
def test_urls_of_what_cannot_be_a_store_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"database URL|in memory"):
        SqlStore.open(url)


def test_more_threads_than_connections_are_unavailable_after_a_moment(store: SqlStore, ann: Person) -> None:
    held = [store._database.engine.raw_connection() for _ in range(16)]
    with pytest.raises(Unavailable):
        store.user(ann.user.id)
    for connection in held:
        connection.close()
    assert store.user(ann.user.id) == ann.user


def test_every_connection_comes_back(store: SqlStore, ann: Person, kitchen: Project) -> None:
    for _ in range(40):
        added(store, a_task(kitchen))
        with pytest.raises(Exception, match=ann.user.id):
            replaced(store, replace(ann.user, version=9))
        store.task("no such thing")
    assert "Current Checked out connections: 0" in store._database.engine.pool.status()


def test_a_bug_is_not_dressed_up_as_a_refusal(store: SqlStore, kitchen: Project) -> None:
    broken = a_task(kitchen, status="no such status")
    with pytest.raises(Exception, match=r"ck_tasks_status|CHECK"):
        added(store, broken)
    added(store, a_task(kitchen))


def pragma(store: SqlStore, setting: str) -> object:
    """Change a setting of the only connection of a store, and return what it is."""
    connection = store._database.engine.raw_connection()
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"PRAGMA {setting}")
        found = cursor.fetchone()
    connection.close()
    return found and found[0]


@pytest.fixture
def on_sqlite(sqlite_file: str) -> Iterator[SqlStore]:
    store = SqlStore.open(f"sqlite:///{sqlite_file}", connections=1)
    yield store
    store.close()


def test_a_file_that_another_process_writes_to_is_unavailable_after_a_while(
    on_sqlite: SqlStore, sqlite_file: str
) -> None:
    ann = a_person()
    added(on_sqlite, *ann)
    pragma(on_sqlite, "busy_timeout = 50")
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            added(on_sqlite, a_task(ann.inbox))
        assert on_sqlite.user(ann.user.id) == ann.user
    added(on_sqlite, a_task(ann.inbox))


def test_a_file_that_cannot_grow_is_unavailable_until_it_can(on_sqlite: SqlStore) -> None:
    ann = a_person()
    added(on_sqlite, *ann)
    big = a_task(ann.inbox, description="x" * 500_000)
    pragma(on_sqlite, "max_page_count = 1")
    with pytest.raises(Unavailable):
        added(on_sqlite, big)
    assert on_sqlite.task(big.id) is None
    pragma(on_sqlite, "max_page_count = 100000")
    added(on_sqlite, big)
    assert on_sqlite.task(big.id) is not None


@pytest.mark.parametrize(("setting", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
def test_what_sqlite_acknowledges_is_on_disk_and_its_keys_hold(
    on_sqlite: SqlStore, setting: str, value: object
) -> None:
    assert pragma(on_sqlite, setting) == value
