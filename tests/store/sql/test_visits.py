"""A visit: several questions on one connection, which is lost to nobody."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from tests.builders import a_person, a_task, added, added_tasks, replaced
from tests.databases import database
from tests.questions import asked_from_now_on
from tests.store.sql.test_faults import end_all_connections
from tracker.domain.identity import new_id
from tracker.domain.refusals import Unavailable
from tracker.metrics import Metrics
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.builders import Person
    from tracker.domain.task import Task


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


def test_in_a_stay_a_thread_keeps_its_connection_from_visit_to_visit(store: SqlStore) -> None:
    with taken(store) as connections:
        with store.stay():
            for _ in range(3):
                with store.visit():
                    store.has_users()
                    store.has_users()
            assert len(connections) == in_use(store) == 1
        assert in_use(store) == 0


def test_a_stay_is_of_one_thread(store: SqlStore) -> None:
    with store.stay():
        with store.visit():
            store.has_users()
        with taken(store) as connections, ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(visited, store).result(timeout=60)
        assert len(connections) == in_use(store) == 1


def test_a_visit_within_a_visit_does_not_take_what_the_stay_has_lent(store: SqlStore) -> None:
    with store.stay():
        with store.visit():
            store.has_users()
            with store.visit():
                store.has_users()
                assert in_use(store) == 2
        assert in_use(store) == 1
    assert in_use(store) == 0


def test_where_all_are_taken_a_stay_keeps_none() -> None:
    with database("sqlite") as url:
        store = SqlStore.open(url, connections=1)
        store.migrate()
        with store.stay():
            visited(store)
            assert in_use(store) == 0
        store.close()


def test_a_stay_shows_the_pool_each_connection_now_and_then(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0

    def at(time: float) -> None:
        nonlocal now
        now = time
        visited(store)

    monkeypatch.setattr("tracker.store.sql.connections.time.monotonic", lambda: now)
    with store.stay(), taken(store) as connections:
        at(1000.0)
        at(1009.0)
        at(1010.0)
        assert (len(connections), in_use(store)) == (1, 1)
        at(1010.5)
        assert (len(connections), in_use(store)) == (2, 1)
        at(1020.5)
        assert (len(connections), in_use(store)) == (2, 1)
        at(1020.6)
        assert (len(connections), in_use(store)) == (3, 1)


def test_what_was_not_used_for_long_is_not_used_again_without_the_pool(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = time.time() - 1801.0  # the pool keeps none for longer than half an hour

    def was_made_then(_connection: object, record: Any) -> None:
        record.starttime = past

    event.listen(store._database.engine, "connect", was_made_then)
    now = time.monotonic()
    with store.stay():
        visited(store)
        first = store._database.connections._here.stay.held[0].dbapi_connection
        monkeypatch.setattr("tracker.store.sql.connections.time.monotonic", lambda: now + 1801.0)
        visited(store)
        second = store._database.connections._here.stay.held[0].dbapi_connection
    assert first is not second


def test_what_is_kept_in_a_stay_is_not_counted_as_in_use() -> None:
    with database("sqlite") as url:
        metrics = Metrics("1.0")
        store = SqlStore.open(url, connections=4, watch=metrics)
        with store.stay():
            for _ in range(2):
                with store.visit():
                    store.has_users()
                    assert counted(metrics) == 1
                assert counted(metrics) == 0
        assert counted(metrics) == 0
        store.close()


def counted(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("tracker_pool_connections_in_use")


def visited(store: SqlStore) -> None:
    """Ask something, in a visit of its own."""
    with store.visit():
        store.has_users()


def test_a_task_is_read_along_with_who_asks(store: SqlStore, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    (task,) = added_tasks(store, a_task(ann.inbox))
    asked = asked_from_now_on(monkeypatch)
    with store.visit():
        assert store.standing(ann.session.id, task_id=task.id) == store.standing(ann.session.id)
        assert store.task(task.id) == task
    assert len(asked) == 2
    assert "tasks" in asked[0]


def test_what_was_read_along_is_given_out_once(store: SqlStore, ann: Person) -> None:
    (task,) = added_tasks(store, a_task(ann.inbox))
    with store.visit():
        store.standing(ann.session.id, task_id=task.id)
        later = replaced_elsewhere(store, task)
        assert [store.task(task.id), store.task(task.id)] == [task, later]


def test_after_a_commit_nothing_is_given_out_that_was_read_before(store: SqlStore, ann: Person) -> None:
    (task,) = added_tasks(store, a_task(ann.inbox))
    with store.visit():
        store.standing(ann.session.id, task_id=task.id)
        later = replaced(store, task, title="Later")
        assert store.task(task.id) == later


def test_what_was_read_along_is_of_one_task_and_one_visit(store: SqlStore, ann: Person) -> None:
    task, other = added_tasks(store, a_task(ann.inbox), a_task(ann.inbox))
    with store.visit():
        store.standing(ann.session.id, task_id=task.id)
        assert store.task(other.id) == other
    later = replaced_elsewhere(store, task)
    assert store.task(task.id) == later
    store.standing(ann.session.id, task_id=task.id)
    latest = replaced_elsewhere(store, later)
    assert store.task(task.id) == latest


def test_a_task_that_is_not_there_does_not_hide_who_asks(store: SqlStore, ann: Person) -> None:
    with store.visit():
        assert store.standing(ann.session.id, task_id=new_id()) == store.standing(ann.session.id)
        assert store.standing(new_id(), task_id=new_id()) is None
        missing = new_id()
        store.standing(ann.session.id, task_id=missing)
        assert store.task(missing) is None


def replaced_elsewhere(store: SqlStore, task: Task) -> Task:
    """Return a task as another thread has just changed it."""
    with ThreadPoolExecutor(1) as elsewhere:
        later: Task = elsewhere.submit(replaced, store, task, title=f"{task.title}, later").result(timeout=60)
    return later


@pytest.mark.postgresql
def test_what_is_cut_between_two_questions_is_not_used_again(on_postgresql: SqlStore) -> None:
    with taken(on_postgresql) as connections, on_postgresql.visit():
        on_postgresql.has_users()
        on_postgresql.give_up()
        with pytest.raises(Unavailable):
            on_postgresql.has_users()
        on_postgresql.ping()  # it is heard: the silence is over
        assert on_postgresql.has_users() is False
        assert len({id(connection) for connection in connections}) == 2
    assert in_use(on_postgresql) == 0


@pytest.mark.postgresql
def test_what_the_server_ended_between_two_questions_is_made_anew(on_postgresql: SqlStore, postgresql_url: str) -> None:
    with on_postgresql.visit():
        on_postgresql.has_users()
        end_all_connections(postgresql_url)
        assert on_postgresql.has_users() is False
    assert in_use(on_postgresql) == 0


@pytest.mark.postgresql
def test_a_stay_outlives_the_connection_that_it_keeps(on_postgresql: SqlStore, postgresql_url: str) -> None:
    with on_postgresql.stay(), taken(on_postgresql) as connections:
        visited(on_postgresql)
        end_all_connections(postgresql_url)
        visited(on_postgresql)
        visited(on_postgresql)
        assert (len(connections), in_use(on_postgresql)) == (2, 1)
    assert in_use(on_postgresql) == 0


@pytest.mark.postgresql
def test_what_only_rests_in_a_stay_is_cut_by_nobody(on_postgresql: SqlStore) -> None:
    with on_postgresql.stay(), taken(on_postgresql) as connections:
        visited(on_postgresql)
        on_postgresql.give_up()
        on_postgresql.ping()  # it is heard: the silence is over
        visited(on_postgresql)
        assert len({id(connection) for connection in connections}) == 1
    assert in_use(on_postgresql) == 0
