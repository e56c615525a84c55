"""A PostgreSQL whose processes stand still: whoever waits for it is freed, and nobody begins to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.builders import a_person, added
from tests.databases import database
from tracker.domain.refusals import Unavailable
from tracker.store.silence import Silence, Silent
from tracker.store.sql.store import SqlStore
from tracker.store.sql.waits import Attempt

PATIENCE = 60  # seconds; for what takes a moment


@pytest.fixture
def postgresql() -> Iterator[SqlStore]:
    with database("postgresql") as url:
        store = SqlStore.open(url, connections=4)
        yield store
        store.close()


def held(store: SqlStore, act: Callable[[], object], holder: ThreadPoolExecutor) -> Future[object]:
    """Return what becomes of an act that waits at the database: a lock that nobody gives back is in its way."""
    waiting = holder.submit(act)
    with store._database.engine.connect() as connection:
        while not connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        ).scalar_one():
            assert not waiting.done(), waiting.exception()
    return waiting


@pytest.mark.postgresql
@pytest.mark.parametrize("act", ["read", "write"])
def test_whoever_waits_hears_at_once_that_it_was_given_up(postgresql: SqlStore, act: str) -> None:
    acts = {"read": postgresql.has_users, "write": lambda: added(postgresql, *a_person())}
    with postgresql._database.engine.connect() as connection, ThreadPoolExecutor(1) as holder:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        waiting = held(postgresql, acts[act], holder)
        postgresql.give_up()
        assert isinstance(waiting.exception(PATIENCE), Silent)
        connection.exec_driver_sql("ROLLBACK")
    with pytest.raises(Silent):
        postgresql.has_users()  # and nobody comes after them
    postgresql.ping()
    assert not postgresql.has_users()


@pytest.mark.postgresql
def test_a_database_that_refuses_again_is_asked_again(postgresql: SqlStore) -> None:
    with database("postgresql", migrated=False) as url:
        gone = SqlStore.open(url.replace("tracker_test", "no_such"), connections=1)
        gone.give_up()
        for ask in (gone.ping, gone.has_users):
            with pytest.raises(Unavailable) as refused:
                ask()
            assert not isinstance(refused.value, Silent)
        gone.close()


@pytest.mark.postgresql
def test_a_database_that_is_not_migrated_is_not_silent(postgresql: SqlStore) -> None:
    with database("postgresql", migrated=False) as url:
        empty = SqlStore.open(url, connections=1)
        empty.give_up()
        with pytest.raises(Unavailable, match="migrations"):
            empty.ping()
        with pytest.raises(Exception, match="users"):
            empty.has_users()
        empty.close()


@pytest.mark.postgresql
def test_a_later_schema_is_good_enough(postgresql: SqlStore) -> None:
    with postgresql._database.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'of tomorrow'")
    postgresql.ping()
    postgresql.migrate()
    assert not postgresql.has_users()


def test_a_file_is_never_silent(tmp_path: object) -> None:
    with database("sqlite") as url:
        store = SqlStore.open(url)
        store.give_up()
        assert not store.has_users()
        store.close()


class Connection:
    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_a_connection_that_nobody_waits_for_any_more_is_closed_once_it_is_there() -> None:
    silence, may_connect, made = Silence(), threading.Event(), Connection()

    def connect() -> Connection:
        assert may_connect.wait(PATIENCE)
        return made

    attempt = Attempt(connect)
    silence.begin()
    with pytest.raises(Silent):
        attempt.result(silence.refuse)
    assert not made.closed.is_set()
    may_connect.set()
    assert made.closed.wait(PATIENCE)


def test_why_there_is_no_connection_is_told_to_who_waits_for_it() -> None:
    def connect() -> Connection:
        raise LookupError("nobody there")

    with pytest.raises(LookupError, match="nobody there"):
        Attempt(connect).result(Silence().refuse)


def test_whoever_is_to_find_out_is_let_through_and_ends_it_by_what_they_hear() -> None:
    silence = Silence()
    silence.begin()
    with pytest.raises(Unavailable), silence.asked():
        raise Unavailable
    with pytest.raises(Silent):
        silence.refuse()
    with silence.asked():
        silence.refuse()
    silence.refuse()
    silence.begin()
    with pytest.raises(LookupError), silence.asked():
        raise LookupError
    silence.refuse()
