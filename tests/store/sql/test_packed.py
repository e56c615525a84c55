"""Rows as one text on PostgreSQL: what separates its pieces may be in what people write, and nothing is mistaken."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from tests.builders import AT, a_person, a_task, added
from tracker.domain.access import Scope
from tracker.domain.query import Archived, TaskFilter, TaskQuery
from tracker.domain.task import Due, Priority, Status, Task
from tracker.domain.task_line import line_of
from tracker.store.sql.store import SqlStore

EVERYTHING = (Scope(None),)
SEPARATED = "a\x1fb\x1f\x1f"
WHOLE_SECONDS = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "members",
    [
        {"title": SEPARATED, "description": SEPARATED},
        {"labels": (SEPARATED, "b")},
        {"labels": ('"', "{}", "a,b", "\\", "NULL", " ", "\u00e4", "")},
        {"title": "{a}", "description": ""},
        {"due": Due(date(2027, 3, 1))},
        {"due": Due(date(2027, 3, 1), time(9, 5), "America/Argentina/Buenos_Aires"), "priority": Priority.URGENT},
        {"status": Status.DONE, "completed_at": WHOLE_SECONDS, "archived_at": AT, "updated_at": WHOLE_SECONDS},
    ],
)
def test_a_task_is_the_same_however_it_is_read(store: SqlStore, members: dict[str, object]) -> None:
    ann = a_person()
    added(store, *ann)
    task = added_one(store, a_task(ann.inbox, **members))
    query = TaskQuery(EVERYTHING, filter=TaskFilter(archived=Archived.INCLUDE))
    with store.visit():
        store.standing(ann.session.id, task_id=task.id)
        assert store.task(task.id) == task  # as it was read along
    assert store.task(task.id) == task
    assert store.tasks(query).items == (task,)
    (line,) = store.task_lines(query).items
    assert line._replace(labels=tuple(line.labels)) == line_of(task)


def test_of_a_task_that_there_is_not_nothing_is_read_along(store: SqlStore) -> None:
    ann = a_person()
    added(store, *ann)
    with store.visit():
        standing = store.standing(ann.session.id, task_id=ann.user.id)
        assert standing is not None
        assert standing == store.standing(ann.session.id)
        assert store.task(ann.user.id) is None


def added_one(store: SqlStore, task: Task) -> Task:
    added(store, task)
    found = store.task(task.id)
    assert found is not None
    return found
