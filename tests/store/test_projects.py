"""Projects, their members and all that is in them, as every store finds, keeps and deletes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest
from psycopg2.errors import DeadlockDetected  # type: ignore[import-untyped]  # likewise

from tests.builders import (
    AT,
    Person,
    a_membership,
    a_person,
    a_project,
    a_task,
    added,
    added_tasks,
    changes,
    removed,
    replaced,
)
from tests.racing import PATIENCE, outcomes_at_once
from tracker.domain.changes import Change
from tracker.domain.identity import new_id
from tracker.domain.project import Member, Project, ProjectRole
from tracker.domain.query import Archived, MemberQuery, ProjectQuery
from tracker.domain.user import Role
from tracker.store.contract import Stale

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.domain.project import Membership
    from tracker.domain.task import Task
    from tracker.store.contract import Store

ROUNDS = 12


@pytest.fixture
def bob(store: Store) -> Person:
    bob = a_person()
    added(store, *bob)
    return bob


@pytest.fixture
def garden(store: Store, ann: Person, bob: Person) -> Project:
    """A project of Ann's in which Bob has something to do."""
    garden = a_project()
    added(store, garden, a_membership(garden, ann.user), a_membership(garden, bob.user, role=ProjectRole.EDITOR))
    return replace(garden, head=1)


def standing(store: Store, person: Person) -> tuple[int, int]:
    found = store.standing(person.session.id, asked="everything")
    assert found is not None
    assert found.heads is not None
    return found.access_version, found.heads


def test_projects_are_listed_the_newest_first_with_their_heads(store: Store, garden: Project) -> None:
    added_tasks(store, a_task(garden))
    later = a_project()
    added(store, later)

    newest, before, *_inboxes = store.projects(ProjectQuery())

    assert (newest, before) == (replace(later, head=1), replace(garden, head=2, last_number=1))


def test_a_members_projects_are_those_they_belong_to_in_whatever_role(
    store: Store, ann: Person, bob: Person, garden: Project
) -> None:
    added(store, a_project())

    assert [project.id for project in store.projects(ProjectQuery(bob.user.id))] == [garden.id, bob.inbox.id]
    assert [project.id for project in store.projects(ProjectQuery(ann.user.id))] == [garden.id, ann.inbox.id]
    assert store.projects(ProjectQuery(new_id())) == []


@pytest.mark.parametrize("everybodys", [False, True])
def test_archived_projects_are_listed_as_asked(store: Store, ann: Person, *, everybodys: bool) -> None:
    archived = a_project(archived_at=AT)
    added(store, archived, a_membership(archived, ann.user))
    query = ProjectQuery(None if everybodys else ann.user.id)

    found = {kind: [p.id for p in store.projects(replace(query, archived=kind))] for kind in Archived}

    assert found == {
        Archived.EXCLUDE: [ann.inbox.id],
        Archived.ONLY: [archived.id],
        Archived.INCLUDE: [archived.id, ann.inbox.id],
    }


@pytest.mark.parametrize("limit", [1, 2, 6, 7])
def test_pages_of_projects_hold_each_once(store: Store, ann: Person, limit: int) -> None:
    made = [a_project() for _ in range(5)]
    for project in made:
        added(store, project, a_membership(project, ann.user))
    found: list[Project] = []
    query = ProjectQuery(ann.user.id, limit=limit)
    while page := store.projects(replace(query, before=found[-1].id if found else None)):
        assert len(page) <= limit
        found += page
    assert [p.id for p in found] == [p.id for p in (*reversed(made), ann.inbox)]


def test_a_membership_is_found_by_project_and_user(store: Store, ann: Person, bob: Person, garden: Project) -> None:
    assert store.membership(garden.id, bob.user.id) == a_membership(garden, bob.user, role=ProjectRole.EDITOR)
    assert store.membership(ann.inbox.id, bob.user.id) is None
    assert store.membership("nothing", "nobody") is None


def test_members_are_listed_with_their_names_by_user_id(
    store: Store, ann: Person, bob: Person, garden: Project
) -> None:
    first, second = store.members(MemberQuery(garden.id))

    assert first == Member(a_membership(garden, ann.user), ann.user.username)
    assert second == Member(a_membership(garden, bob.user, role=ProjectRole.EDITOR), bob.user.username)
    assert store.members(MemberQuery(garden.id, limit=1)) == [first]
    assert store.members(MemberQuery(garden.id, after=ann.user.id)) == [second]
    assert store.members(MemberQuery("nothing")) == []


@pytest.mark.parametrize("role", ProjectRole)
def test_members_are_found_by_their_role(store: Store, garden: Project, role: ProjectRole) -> None:
    expected = [member for member in store.members(MemberQuery(garden.id)) if member.membership.role is role]

    assert store.members(MemberQuery(garden.id, role)) == expected


def test_the_tasks_of_a_project_are_all_of_them_by_id(store: Store, bob: Person, garden: Project) -> None:
    tasks = added_tasks(
        store,
        a_task(garden, archived_at=AT),
        a_task(garden, assignee_id=bob.user.id),
        a_task(garden),
        a_task(garden, assignee_id=bob.user.id, archived_at=AT),
    )
    added(store, a_task(bob.inbox, assignee_id=bob.user.id))

    assert store.project_tasks(garden.id, limit=10) == tasks
    assert store.project_tasks(garden.id, limit=3) == tasks[:3]
    assert store.project_tasks(garden.id, limit=10, assignee_id=bob.user.id) == [tasks[1], tasks[3]]
    assert store.project_tasks("nothing", limit=10) == []


def emptied(store: Store, project: Project) -> list[Change]:
    """Return what deletes a project with all that is in it, one by one."""
    members = [Change(member.membership, None) for member in store.members(MemberQuery(project.id))]
    tasks = [Change(task, None) for task in store.project_tasks(project.id, limit=1000)]
    return [Change(project, None), *members, *tasks]


def test_a_project_is_deleted_together_with_all_that_is_in_it(store: Store, garden: Project) -> None:
    added_tasks(store, a_task(garden), a_task(garden))
    kept = replace(garden, head=2, last_number=2)

    store.commit(changes(*emptied(store, kept)))

    assert store.project(garden.id) is None
    assert store.members(MemberQuery(garden.id)) == []
    assert store.project_tasks(garden.id, limit=10) == []
    gone = store.log(garden.id, after=2)
    assert [entry.entity for entry in gone] == ["project", "membership", "membership", "task", "task"]
    assert {entry.after for entry in gone} == {None}


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_deleted_project_raises_the_access_version_of_all_who_saw_it_however_it_is_deleted(
    store: Store, ann: Person, bob: Person, garden: Project, *, one_by_one: bool
) -> None:
    admin, eve = a_person(role=Role.ADMIN), a_person()
    added(store, *admin)
    added(store, *eve)
    added(store, a_membership(garden, admin.user))
    kept = replace(garden, head=2)
    before = [standing(store, person) for person in (ann, bob, admin, eve)]

    store.commit(changes(*(emptied(store, kept) if one_by_one else [Change(kept, None)])))

    after = [standing(store, person) for person in (ann, bob, admin, eve)]
    rose = [now[0] > then[0] for then, now in zip(before, after, strict=True)]
    by = [now[1] - then[1] for then, now in zip(before, after, strict=True)]
    assert rose == [True, True, True, False]
    assert by == [-2, -2, 1, 0]  # the sum of the heads fell for all but who sees everything


@pytest.mark.parametrize("slipped_in", ["task", "member"])
def test_a_project_is_not_deleted_with_what_was_added_unseen(store: Store, garden: Project, slipped_in: str) -> None:
    eve = a_person()
    added(store, *eve)
    added(store, a_task(garden) if slipped_in == "task" else a_membership(garden, eve.user))

    with pytest.raises(Stale):
        removed(store, garden)
    assert store.project(garden.id) is not None


def rename_a_task(store: Store, place: Place) -> None:
    task = place.task
    for _ in range(ROUNDS):
        task = replaced(store, task, title="Meanwhile")


def change_a_role(store: Store, place: Place) -> None:
    membership = place.bobs
    for _ in range(ROUNDS):
        membership = replaced(store, membership, role=ProjectRole.VIEWER)


@pytest.mark.parametrize("work", [rename_a_task, change_a_role])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_deleting_projects_does_not_deadlock_with_whoever_works_in_them(
    store: Store, ann: Person, bob: Person, work: Callable[[Store, Place], None], *, one_by_one: bool
) -> None:
    """All of them are Ann's and Bob's, so that each deletion wants the same users as the others."""
    for _ in range(ROUNDS):
        places = [a_place(store, ann, bob) for _ in range(3)]
        deleting = [partial(delete_at_last, store, place.id, one_by_one=one_by_one) for place in places]
        acts = [*deleting, *(partial(work, store, place) for place in places)]

        beaten = [outcome for outcome in outcomes_at_once(len(acts), lambda n: acts[n]()) if outcome is not None]  # noqa: B023

        assert not [outcome for outcome in beaten if isinstance(outcome.__cause__, DeadlockDetected)]
        assert [store.project(place.id) for place in places] == [None] * 3


def delete_at_last(store: Store, project_id: str, *, one_by_one: bool) -> None:
    """Delete a project as it then is, until it is gone; a deadlock is an end too."""
    while (project := store.project(project_id)) is not None:
        try:
            store.commit(changes(*(emptied(store, project) if one_by_one else [Change(project, None)])))
        except Stale as beaten:
            if isinstance(beaten.__cause__, DeadlockDetected):
                raise


class Place(NamedTuple):
    """A project to work in."""

    id: str
    task: Task
    bobs: Membership


def a_place(store: Store, ann: Person, bob: Person) -> Place:
    project = a_project()
    bobs = a_membership(project, bob.user, role=ProjectRole.EDITOR)
    added(store, project, a_membership(project, ann.user), bobs)
    (task, *_others) = added_tasks(store, *(a_task(project) for _ in range(3)))
    return Place(project.id, task, bobs)


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.parametrize("held", ["tasks", "memberships", "users"])
def test_a_deletion_waits_for_whoever_works_in_a_project_before_it_takes_the_head(
    url: str, store: Store, garden: Project, held: str
) -> None:
    """They take their rows first and the head last: who took the head first and waited for a row would deadlock."""
    added_tasks(store, a_task(garden))
    kept = replace(garden, head=2, last_number=1)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor, ThreadPoolExecutor(1) as threads:
        cursor.execute(f"SELECT 1 FROM {held} FOR UPDATE")  # noqa: S608 - constants
        deleted = threads.submit(removed, store, kept)
        while not somebody_waits(cursor):
            assert not deleted.done()
        cursor.execute("SELECT head FROM projects FOR UPDATE NOWAIT")
        connection.rollback()
        deleted.result(PATIENCE)
    assert store.project(garden.id) is None


def somebody_waits(cursor: Any) -> bool:
    here = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    cursor.execute(f"SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN ({here})")  # noqa: S608 - constants
    return bool(cursor.fetchall())
