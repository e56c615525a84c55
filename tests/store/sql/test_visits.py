"""A visit: several questions on one connection, which is lost to nobody."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from tests.builders import a_person, a_task, added
from tests.databases import database
from tests.store.sql.test_faults import end_all_connections
from tracker.domain.refusals import Unavailable
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def taken(store: SqlStore) -> Iterator[list[object]]:
    """Give the connections that are taken from the pool meanwhile."""
    seen: list[object] = []

    def see(connection: object, *_: Any) -> None:
        seen.append(connection)

    event.listen(store._database.engine, "checkout", see)
    yield seen
    event.remove(store._database.engine, "checkout", see)


def in_use(store: SqlStore) -> int:
    return int(store._database.engine.pool.checkedout())  # type: ignore[attr-defined]  # QueuePool's


def test_who_visits_takes_one_connection_and_gives_it_back(store: SqlStore) -> None:
    ann = a_person()
    with taken(store) as connections, store.visit():
        assert not connections
        added(store, *ann)
        added(store, a_task(ann.inbox))
        assert store.user(ann.user.id) == ann.user
        assert store.session(ann.session.id) == ann.session
        assert len(connections) == in_use(store) == 1
    assert in_use(store) == 0


def test_without_a_visit_each_question_takes_its_own(store: SqlStore) -> None:
    with taken(store) as connections:
        store.has_users()
        store.has_users()
    assert len(connections) == 2


def test_a_visit_within_a_visit_is_one_of_its_own(store: SqlStore) -> None:
    with store.visit():
        store.has_users()
        with store.visit():
            store.has_users()
            assert in_use(store) == 2
        assert in_use(store) == 1
        store.has_users()
    assert in_use(store) == 0


def test_a_visit_that_fails_gives_back_what_it_took(store: SqlStore) -> None:
    def visit() -> None:
        with store.visit():
            store.has_users()
            raise LookupError

    with pytest.raises(LookupError):
        visit()
    assert in_use(store) == 0


def test_a_visit_is_of_one_thread(store: SqlStore) -> None:
    with store.visit():
        store.has_users()
        other = threading.Thread(target=store.has_users)
        other.start()
        other.join(10)
        assert in_use(store) == 1


def test_where_all_are_taken_nobody_keeps_one_for_later() -> None:
    with database("sqlite") as url:
        store = SqlStore.open(url, connections=1)
        store.migrate()
        with store.visit():
            store.has_users()
            assert in_use(store) == 0
        store.close()


@pytest.mark.postgresql
def test_what_is_cut_between_two_questions_is_not_used_again() -> None:
    with database("postgresql") as url:
        store = SqlStore.open(url, connections=4)
        store.migrate()
        with taken(store) as connections, store.visit():
            store.has_users()
            store.give_up()
            with pytest.raises(Unavailable):
                store.has_users()
            store.ping()  # it is heard: the silence is over
            assert store.has_users() is False
            assert len({id(connection) for connection in connections}) == 2
        assert in_use(store) == 0
        store.close()


@pytest.mark.postgresql
def test_what_the_server_ended_between_two_questions_is_made_anew() -> None:
    with database("postgresql") as url:
        store = SqlStore.open(url, connections=4)
        store.migrate()
        with store.visit():
            store.has_users()
            end_all_connections(url)
            assert store.has_users() is False
        assert in_use(store) == 0
        store.close()
