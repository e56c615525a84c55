"""The only JSON that leaves, and the way JSON that enters becomes what the domain calls it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, cast

from tracker.domain.task import TRANSITIONS, Due, Priority, Status, TaskMembers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.api.reply import Body
    from tracker.domain.task import Task
    from tracker.domain.user import User

_ALLOWED = {status: [str(s) for s in allowed] for status, allowed in TRANSITIONS.items()}


def instant_json(at: datetime) -> str:
    """Return an instant as RFC 3339 in UTC, with milliseconds."""
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def due_json(due: Due) -> Body:
    """Return a deadline as the spec's Due, all members present."""
    at = due.time.isoformat(timespec="minutes") if due.time else None
    return {"date": due.date.isoformat(), "time": at, "timezone": due.timezone}


def task_json(task: Task) -> Body:
    """Return a task as the spec's Task."""
    created_at = instant_json(task.created_at)
    return {
        "id": task.id,
        "project_id": task.project_id,
        "number": task.number,
        "title": task.title,
        "description": task.description,
        "status": task.status.value,
        "allowed_statuses": _ALLOWED[task.status],
        "priority": task.priority.value,
        "labels": task.labels,
        "due": due_json(task.due) if task.due else None,
        "assignee_id": task.assignee_id,
        "created_by": task.created_by,
        "completed_at": instant_json(task.completed_at) if task.completed_at else None,
        "archived_at": instant_json(task.archived_at) if task.archived_at else None,
        "version": task.version,
        "created_at": created_at,
        "updated_at": created_at if task.updated_at == task.created_at else instant_json(task.updated_at),
    }


def user_json(user: User) -> Body:
    """Return a user as the spec's User: never the password's hash."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "role": user.role.value,
        "status": user.status.value,
        "version": user.version,
        "created_at": instant_json(user.created_at),
        "updated_at": instant_json(user.updated_at),
    }


def due_of(member: dict[str, Any] | None) -> Due | None:
    """Return the spec's Due, or null, as the domain's."""
    if member is None:
        return None
    at = member.get("time")
    return Due(date.fromisoformat(member["date"]), time.fromisoformat(at) if at else None, member.get("timezone"))


_IN_DOMAIN_TYPES: dict[str, Callable[[Any], Any]] = {
    "status": Status,
    "priority": Priority,
    "labels": tuple,
    "due": due_of,
}


def task_members(body: Body) -> TaskMembers:
    """Return what a body sets of a task, in the domain's types; only the members it has."""
    members = {
        name: _IN_DOMAIN_TYPES[name](value) if name in _IN_DOMAIN_TYPES else value for name, value in body.items()
    }
    members.pop("project_id", None)
    return cast("TaskMembers", members)
