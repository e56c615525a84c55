"""Projects: how they change, who may be in them, and what goes when they go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import AT, a_membership, a_project, a_task, a_user
from tracker.domain.changes import Change
from tracker.domain.project import Member, Membership, Project, ProjectKind, ProjectRole
from tracker.domain.refusals import InboxIsPersonal, LastOwner, TooManyAssigned
from tracker.domain.sharing import MOST, deletion, removal, with_role

LATER = AT + timedelta(days=1)
OWNER, EDITOR, VIEWER = ProjectRole.OWNER, ProjectRole.EDITOR, ProjectRole.VIEWER


@pytest.fixture
def project() -> Project:
    return a_project()


@pytest.fixture
def inbox() -> Project:
    return a_project(kind=ProjectKind.INBOX)


def owner_of(project: Project) -> Membership:
    return a_membership(project, a_user(), role=OWNER)


def listed(*memberships: Membership) -> list[Member]:
    return [Member(membership, "somebody") for membership in memberships]


def test_a_project_changes_in_what_is_given_and_gets_a_version(project: Project) -> None:
    changed = project.changed(at=LATER, name="New kitchen", archive_done_after_days=30)

    assert changed == replace(project, name="New kitchen", archive_done_after_days=30, updated_at=LATER, version=2)


@pytest.mark.parametrize(
    "members", [{}, {"name": "Kitchen"}, {"archived": False}, {"archived": None}, {"archive_done_after_days": None}]
)
def test_what_a_project_is_already_changes_nothing(project: Project, members: dict[str, Any]) -> None:
    assert project.changed(at=LATER, **members) is project


def test_a_project_is_archived_since_the_first_time(project: Project) -> None:
    archived = project.changed(at=LATER, archived=True)

    assert archived.archived_at == LATER
    assert archived.changed(at=LATER + timedelta(days=1), archived=True) is archived
    assert archived.changed(at=LATER, description="Still").archived_at == LATER
    assert archived.changed(at=LATER, archived=False).archived_at is None


@pytest.mark.parametrize("members", [{"name": "Outbox"}, {"archived": True}, {"name": "Outbox", "description": "x"}])
def test_an_inbox_keeps_its_name_and_its_place(inbox: Project, members: dict[str, Any]) -> None:
    with pytest.raises(InboxIsPersonal):
        inbox.changed(at=LATER, **members)


def test_the_rest_of_an_inbox_can_be_changed(inbox: Project) -> None:
    changed = inbox.changed(at=LATER, description="All sorts", archive_done_after_days=7, name=inbox.name)

    assert (changed.description, changed.archive_done_after_days, changed.version) == ("All sorts", 7, 2)


def test_nobody_is_taken_into_an_inbox(inbox: Project, project: Project) -> None:
    assert project.admitted("bob", EDITOR, at=AT) == Membership(project.id, "bob", EDITOR, AT)
    with pytest.raises(InboxIsPersonal):
        inbox.admitted("bob", EDITOR, at=AT)


def test_a_role_is_given_and_gets_a_version(project: Project) -> None:
    ann, bob = owner_of(project), a_membership(project, a_user(), role=VIEWER)

    assert with_role(project, bob, EDITOR, listed(ann)) == replace(bob, role=EDITOR, version=2)
    assert with_role(project, bob, VIEWER, listed(ann)) is bob


@pytest.mark.parametrize("role", [EDITOR, VIEWER])
def test_the_last_owner_stays_one(project: Project, role: ProjectRole) -> None:
    ann, bob = owner_of(project), owner_of(project)

    assert with_role(project, ann, role, listed(ann, bob)).role is role
    assert with_role(project, ann, OWNER, listed(ann)) is ann
    with pytest.raises(LastOwner):
        with_role(project, ann, role, listed(ann))
    with pytest.raises(LastOwner):
        removal(project, ann, listed(ann), [], at=LATER)


def test_whoever_is_no_owner_can_leave_whoever_is_left(project: Project) -> None:
    ann, bob = owner_of(project), a_membership(project, a_user(), role=EDITOR)

    assert removal(project, bob, listed(ann), [], at=LATER) == (Change(bob, None),)


def test_what_somebody_had_to_do_is_nobodys_once_they_left(project: Project) -> None:
    ann, bob = owner_of(project), a_membership(project, a_user(), role=EDITOR)
    task = a_task(project, assignee_id=bob.user_id)

    _, unassigned = removal(project, bob, listed(ann), [task], at=LATER)

    assert unassigned == Change(task, replace(task, assignee_id=None, updated_at=LATER, version=2))


def test_whoever_has_too_much_to_do_cannot_leave(project: Project) -> None:
    ann, bob = owner_of(project), a_membership(project, a_user(), role=EDITOR)
    task = a_task(project, assignee_id=bob.user_id)

    assert len(removal(project, bob, listed(ann), [task] * MOST, at=LATER)) == 1 + MOST
    with pytest.raises(TooManyAssigned, match="500"):
        removal(project, bob, listed(ann), [task] * (MOST + 1), at=LATER)


def test_the_owner_of_an_inbox_neither_leaves_nor_changes(inbox: Project) -> None:
    ann, bob = owner_of(inbox), owner_of(inbox)

    with pytest.raises(InboxIsPersonal):
        removal(inbox, ann, listed(ann, bob), [], at=LATER)
    with pytest.raises(InboxIsPersonal):
        with_role(inbox, ann, EDITOR, listed(ann, bob))


def test_all_that_is_in_a_project_goes_with_it_one_by_one(project: Project) -> None:
    ann, task = owner_of(project), a_task(project)

    assert deletion(project, listed(ann), [task]) == (Change(project, None), Change(ann, None), Change(task, None))


@pytest.mark.parametrize(("members", "tasks", "count"), [
    (MOST, MOST, 1 + 2 * MOST),
    (1, MOST + 1, 1),
    (MOST + 1, 0, 1),
])  # fmt: skip
def test_where_there_is_too_much_of_it_a_project_goes_alone(
    project: Project, members: int, tasks: int, count: int
) -> None:
    changes = deletion(project, listed(owner_of(project)) * members, [a_task(project)] * tasks)

    assert changes[0] == Change(project, None)
    assert len(changes) == count


def test_an_inbox_is_not_deleted(inbox: Project) -> None:
    with pytest.raises(InboxIsPersonal):
        deletion(inbox, listed(owner_of(inbox)), [])
