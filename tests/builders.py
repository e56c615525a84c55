"""Things to test with: each builder gives one that is whole, and takes what the test is about by keyword."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import new_id
from tracker.domain.job import JobRun
from tracker.domain.notification import Notification, NotificationKind
from tracker.domain.outbox import Position
from tracker.domain.project import INBOX_NAME, Membership, Project, ProjectKind, ProjectRole
from tracker.domain.reminder import Reminder, ReminderKind
from tracker.domain.session import RefreshToken, Session
from tracker.domain.task import Task
from tracker.domain.user import Role, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker.domain.changes import Entity
    from tracker.store.contract import Receipt, Store

AT = datetime(2026, 11, 20, 9, 30, 0, 125_000, tzinfo=UTC)


def a_project(**members: Any) -> Project:
    return replace(Project.new("Kitchen", at=AT), **members)


def a_user(**members: Any) -> User:
    user = User.new(username="", email="", role=Role.MEMBER, password_hash="not a hash", inbox_id=new_id(), at=AT)
    names = {"username": f"user-{user.id}", "email": f"{user.id}@example.org"}
    return replace(user, **{**names, **members})


def a_membership(project: Project, user: User, **members: Any) -> Membership:
    return replace(Membership(project.id, user.id, ProjectRole.OWNER, AT), **members)


def a_session(user: User, **members: Any) -> Session:
    return replace(Session.new(user, at=AT), **members)


def a_refresh_token(session: Session, **members: Any) -> RefreshToken:
    return replace(RefreshToken.issue(session.id, at=AT)[0], **members)


def a_task(project: Project | None = None, **members: Any) -> Task:
    project_id = project.id if project else new_id()
    return replace(Task.new(project_id=project_id, by=new_id(), at=AT, title="Water the plants"), **members)


def a_reminder(task: Task, **members: Any) -> Reminder:
    return replace(Reminder(task.project_id, task.id, ReminderKind.OVERDUE, AT, AT), **members)


def a_notification(user: User, task: Task, **members: Any) -> Notification:
    kind = NotificationKind.ASSIGNED
    told = Notification(new_id(), user.id, kind, task.project_id, 1, task.id, task.title, created_at=AT)
    return replace(told, **members)


def a_position(project: Project, **members: Any) -> Position:
    return replace(Position("post", project.id).moved_to(1), **members)


def a_job_run(**members: Any) -> JobRun:
    return replace(JobRun.begun("tidy", AT, at=AT), **members)


class Person(NamedTuple):
    """A user with what every user has."""

    user: User
    inbox: Project
    session: Session
    membership: Membership


def a_person(**members: Any) -> Person:
    inbox = a_project(name=INBOX_NAME, kind=ProjectKind.INBOX)
    user = a_user(inbox_id=inbox.id, **members)
    return Person(user, inbox, a_session(user), a_membership(inbox, user))


def changes(*these: Change, required_heads: Mapping[str, int] | None = None, **members: Any) -> ChangeSet:
    named = {"operation_id": "testStore", "actor_id": "tester", "at": AT, **members}
    return ChangeSet(changes=these, required_heads=required_heads or {}, **named)


def added(store: Store, *entities: Entity) -> Receipt:
    """Commit the entities together, as new."""
    return store.commit(changes(*(Change(None, entity) for entity in entities)))


def added_tasks(store: Store, *tasks: Task) -> list[Task]:
    """Commit the tasks together, as new, and return them as they were kept."""
    created = added(store, *tasks).arrived
    return [replace(task, **vars(created[task.id])) for task in tasks]


def replaced(store: Store, before: Entity, **members: Any) -> Any:
    """Commit the entity with other members, one version on, and return it."""
    after = replace(before, version=before.version + 1, **members)
    store.commit(changes(Change(before, after)))
    return after


def removed(store: Store, *entities: Entity) -> Receipt:
    """Commit that the entities are no more."""
    return store.commit(changes(*(Change(entity, None) for entity in entities)))
