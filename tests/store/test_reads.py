"""What is read is what was committed: whole, exact, and each page of it once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.builders import (
    AT,
    a_membership,
    a_person,
    a_project,
    a_refresh_token,
    a_session,
    a_task,
    added,
    removed,
    replaced,
)
from tests.listing import comparable
from tracker.domain.access import Scope
from tracker.domain.clock import rfc3339
from tracker.domain.identity import new_id
from tracker.domain.project import ProjectKind, ProjectRole
from tracker.domain.query import Archived, TaskFilter, TaskQuery
from tracker.domain.task import Due, Priority, Status, Task
from tracker.domain.task_line import line_of
from tracker.domain.user import Role, UserStatus

if TYPE_CHECKING:
    from tests.builders import Person
    from tracker.domain.project import Project
    from tracker.domain.task import Task
    from tracker.store.contract import Store

LONG_AGO = datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
FAR_OFF = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
EVERYTHING = (Scope(None),)


def everybodys(store: Store, *, limit: int) -> list[Task]:
    """Return all tasks, a page at a time."""
    page = store.tasks(TaskQuery(EVERYTHING, limit))
    found = [*page.items]
    while page.next is not None:
        assert len(page.items) == limit
        page = store.tasks(TaskQuery(EVERYTHING, limit, page.next))
        assert not {task.id for task in page.items} & {task.id for task in found}
        found += page.items
    return found


def test_an_empty_store_knows_nothing(store: Store) -> None:
    assert not store.has_users()
    assert store.tasks(TaskQuery(EVERYTHING)).items == ()
    assert store.memberships(new_id()) == {}
    assert store.log(new_id()) == []
    assert store.user_named(username="ann") is None
    for read in (store.standing, store.user, store.session, store.refresh_token, store.project, store.task):
        assert read(new_id()) is None


def test_what_cannot_be_an_id_is_not_there(store: Store) -> None:
    for read in (store.standing, store.user, store.session, store.refresh_token, store.project, store.task):
        assert read("no such thing") is None
    assert store.memberships("nobody") == {}
    assert store.log("nothing") == []


def test_everything_is_read_as_it_was_committed(store: Store) -> None:
    ann = a_person(role=Role.ADMIN, status=UserStatus.DISABLED)
    token = a_refresh_token(ann.session, used_at=AT)
    project = a_project(description="All of it", archive_done_after_days=7, archived_at=AT, kind=ProjectKind.PROJECT)
    ended = a_session(ann.user, ended_at=AT)
    added(store, *ann, token, project, ended)
    assert store.has_users()
    assert store.user(ann.user.id) == ann.user
    assert store.session(ann.session.id) == ann.session
    assert store.session(ended.id) == ended
    assert store.refresh_token(token.id) == token
    assert store.project(project.id) == replace(project, head=1)
    assert store.memberships(ann.user.id) == {ann.inbox.id: ProjectRole.OWNER}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"labels": ("garden", "two words", "{a,b}", '"quoted"', "NULL", "")},
        {"due": Due(date(2026, 12, 1))},
        {"due": Due(date(2026, 12, 1), time(17, 5), "Europe/Berlin")},
        {"due": Due(date(2026, 3, 29), time(0), None)},
        {"status": Status.DONE, "completed_at": AT, "priority": Priority.URGENT},
        {"archived_at": AT, "assignee_id": new_id(), "description": "long\nand\twide " * 500},
    ],
)
def test_a_task_is_read_as_it_was_committed(store: Store, kitchen: Project, members: dict[str, object]) -> None:
    task = a_task(kitchen, **members)
    added(store, task)
    assert store.task(task.id) == replace(task, number=1)
    later = replaced(store, replace(task, number=1), updated_at=AT + timedelta(hours=1))
    assert store.task(task.id) == later
    (line,) = store.task_lines(TaskQuery(EVERYTHING, filter=TaskFilter(archived=Archived.INCLUDE))).items
    assert comparable(line) == line_of(later)


@pytest.mark.parametrize("microseconds", [0, 1000, 20_000, 300_000, 450_000, 999_000])
def test_an_instant_is_written_to_the_millisecond_in_a_line(store: Store, kitchen: Project, microseconds: int) -> None:
    at = AT.replace(microsecond=microseconds)
    task = a_task(kitchen, status=Status.DONE, completed_at=at, archived_at=at, created_at=at, updated_at=at)
    added(store, task)
    (line,) = store.task_lines(TaskQuery(EVERYTHING, filter=TaskFilter(archived=Archived.INCLUDE))).items
    assert {line.completed_at, line.archived_at, line.created_at, line.updated_at} == {rfc3339(at)}


@pytest.mark.parametrize(
    "text",
    [
        "Zoë 😀 漢字",
        'it\'s "quoted"',
        "100 % %s %(id)s :id ?",
        "back\\slash \\n",
        "; DROP TABLE tasks --",
        "e\u0301",
        " ",
    ],
)
def test_text_is_kept_to_the_letter(store: Store, kitchen: Project, text: str) -> None:
    task = a_task(kitchen, title=text, description=text, labels=(text,))
    added(store, task)
    found = store.task(task.id)
    assert found is not None
    assert (found.title, found.description, found.labels) == (text, text, (text,))
    after = store.log(kitchen.id)[-1].after
    assert isinstance(after, Task)
    assert (after.title, after.labels) == (text, (text,))


@pytest.mark.parametrize("at", [AT, LONG_AGO, FAR_OFF, AT.replace(microsecond=999_000), AT.replace(microsecond=0)])
def test_instants_are_kept_to_the_millisecond_and_in_utc(store: Store, kitchen: Project, at: datetime) -> None:
    task = a_task(kitchen, created_at=at, updated_at=at)
    added(store, task)
    found = store.task(task.id)
    assert found is not None
    assert found.created_at == at
    assert found.created_at.utcoffset() == timedelta(0)


def test_people_are_found_by_their_names_however_those_are_written(store: Store) -> None:
    zoe = a_person(username="Zoë", email="Zoë@Example.org")
    added(store, *zoe)
    assert store.user_named(username="ZOE\u0308") == zoe.user
    assert store.user_named(email="zoe\u0308@example.ORG") == zoe.user
    assert store.user_named(username="Zoe") is None
    assert store.user_named(email="Zoë") is None


def test_a_standing_says_who_holds_a_session(store: Store, ann: Person) -> None:
    found = store.standing(ann.session.id)
    assert found is not None
    assert (found.user_id, found.session_id, found.inbox_id) == (ann.user.id, ann.session.id, ann.inbox.id)
    assert (found.role, found.status) == (Role.MEMBER, UserStatus.ACTIVE)
    assert (found.session_expires_at, found.session_ended_at) == (ann.session.expires_at, None)


def test_a_standing_says_at_once_that_a_session_is_over_and_a_user_shut_out(store: Store, ann: Person) -> None:
    replaced(store, ann.session, ended_at=AT)
    replaced(store, ann.user, status=UserStatus.DISABLED)
    found = store.standing(ann.session.id)
    assert found is not None
    assert (found.status, found.session_ended_at) == (UserStatus.DISABLED, AT)


def test_a_standing_sums_the_heads_of_the_projects_that_can_be_seen(store: Store, ann: Person) -> None:
    shared, foreign = a_project(), a_project()
    root = a_person(role=Role.ADMIN)
    added(store, shared, foreign, a_membership(shared, ann.user, role=ProjectRole.VIEWER))
    added(store, *root)
    added(store, a_task(shared))
    added(store, a_task(foreign), a_task(ann.inbox))
    seen = [store.standing(person.session.id, asked="everything") for person in (ann, root)]
    assert [standing and standing.heads for standing in seen] == [2 + 2, 2 + 2 + 2 + 1]


def test_a_standing_sums_up_nothing_where_nobody_asks_for_a_list(store: Store, ann: Person) -> None:
    for task_id in (None, new_id()):
        found = store.standing(ann.session.id, task_id=task_id)
        assert found is not None
        assert found.heads is None


def test_a_standing_of_an_admin_keeps_counting_what_was_deleted(store: Store) -> None:
    root, shed = a_person(role=Role.ADMIN), a_project()
    added(store, *root)
    seen = []
    for head in (0, 2, 4):  # there for the first time, and back twice: it goes on where its log ended
        added(store, replace(shed, head=head))
        seen.append(store.standing(root.session.id, asked="everything"))
        removed(store, replace(shed, head=head + 1))
        seen.append(store.standing(root.session.id, asked="everything"))
    in_the_shed = [1, 2, 2 + 3, 2 + 4, 2 + 4 + 5, 2 + 4 + 6]
    assert [standing and standing.heads for standing in seen] == [1 + heads for heads in in_the_shed]


def test_a_standing_counts_nothing_where_nothing_can_be_seen(store: Store, ann: Person) -> None:
    removed(store, ann.membership)
    found = store.standing(ann.session.id, asked="everything")
    assert found is not None
    assert found.heads == 0
    assert type(found.heads) is int


@pytest.mark.parametrize("limit", [1, 3, 7, 200])
def test_pages_hold_each_task_once_also_when_all_were_created_at_once(store: Store, ann: Person, limit: int) -> None:
    garden = a_project()
    moments = [AT, AT, AT, AT + timedelta(milliseconds=1), AT]
    tasks = [a_task(project, created_at=at) for project in (ann.inbox, garden) for at in moments]
    added(store, garden, *tasks)
    expected = sorted(tasks, key=lambda task: (task.created_at, task.id), reverse=True)
    assert [task.id for task in everybodys(store, limit=limit)] == [task.id for task in expected]


def test_a_page_that_is_just_full_has_no_next(store: Store, kitchen: Project) -> None:
    added(store, *(a_task(kitchen) for _ in range(3)))
    assert store.tasks(TaskQuery(EVERYTHING, 3)).next is None
    assert store.tasks(TaskQuery(EVERYTHING, 2)).next is not None


def test_what_is_added_while_pages_are_turned_moves_nothing(store: Store, kitchen: Project) -> None:
    tasks = [a_task(kitchen, created_at=AT + timedelta(seconds=n)) for n in range(6)]
    added(store, *tasks)
    first = store.tasks(TaskQuery(EVERYTHING, 3))
    added(store, a_task(kitchen, created_at=AT + timedelta(hours=1)))
    removed(store, replace(tasks[0], number=1))
    second = store.tasks(TaskQuery(EVERYTHING, 3, first.next))
    assert [task.id for task in (*first.items, *second.items)] == [task.id for task in reversed(tasks[1:])]


def test_archived_tasks_are_read_but_not_listed(store: Store, kitchen: Project) -> None:
    archived = a_task(kitchen, archived_at=AT)
    added(store, archived)
    assert store.task(archived.id) is not None
    assert store.tasks(TaskQuery(EVERYTHING)).items == ()
    assert store.tasks(TaskQuery((Scope(archived.created_by),))).items == ()


def test_no_scope_lists_nothing(store: Store, kitchen: Project) -> None:
    added(store, a_task(kitchen))
    assert store.tasks(TaskQuery(())).items == ()


def test_scopes_of_several_people_are_joined_without_repeats(store: Store, ann: Person) -> None:
    bob = a_person()
    task = a_task(ann.inbox)
    added(store, *bob, a_membership(ann.inbox, bob.user), task)
    query = TaskQuery((Scope(ann.user.id), Scope(bob.user.id), Scope(ann.user.id, involved=True)))
    assert [found.id for found in store.tasks(query).items] == [task.id]
