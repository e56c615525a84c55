"""What a change does to everything around it, wherever things are kept: to projects, numbers, the log and access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracker.domain.project import Membership, Project
from tracker.domain.reminder import Reminder
from tracker.domain.task import Task
from tracker.domain.user import User

if TYPE_CHECKING:
    from tracker.domain.changes import Change, Entity


def projects_of(change: Change) -> list[str]:
    """Return the projects that a change is in or of: none for people, two for a task that moves."""
    return list(dict.fromkeys(project_of(entity) for entity in (change.before, change.after) if has_project(entity)))


def has_project(entity: Entity | None) -> bool:
    """Whether something is in a project, or is one."""
    return isinstance(entity, (Task, Membership, Project, Reminder))


def project_of(entity: Any) -> str:
    """Return the project that something is in, or is."""
    found: str = entity.id if isinstance(entity, Project) else entity.project_id
    return found


def needs_number(change: Change) -> bool:
    """Whether the store gives a task its number."""
    return isinstance(change.after, Task) and change.after.number == 0


def moves(change: Change) -> bool:
    """Whether it takes a task from one project to another."""
    before, after = change.before, change.after
    return isinstance(before, Task) and isinstance(after, Task) and before.project_id != after.project_id


def arrives(change: Change) -> bool:
    """Whether it is new where it is from then on: created, or moved there."""
    return change.after is not None and (change.before is None or moves(change))


def told_as(entity: Entity) -> str:
    """Return the id under which the log tells of something: a reminder is part of what happened to its task."""
    return entity.task_id if isinstance(entity, Reminder) else entity.id


def whose_access(change: Change) -> str | None:
    """Return the user who sees something else from then on, or may do something else."""
    before, after = change.before, change.after
    if isinstance(change.entity, Membership):
        return change.entity.user_id
    if isinstance(before, User) and isinstance(after, User) and before.role is not after.role:
        return before.id
    return None
