"""The only JSON that leaves, and the way JSON that enters becomes what the domain calls it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, TypedDict, cast

from tracker.domain.clock import iso_day, rfc3339, to_milliseconds
from tracker.domain.project import Membership, Project
from tracker.domain.query import Archived, TaskFilter
from tracker.domain.reminder import Reminder
from tracker.domain.task import TRANSITIONS, Due, Priority, Status, Task, TaskMembers
from tracker.domain.task_line import is_overdue
from tracker.domain.words import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracker.api.reply import Body
    from tracker.domain.calendar_feed import CalendarFeed
    from tracker.domain.changes import LogEntry, Logged
    from tracker.domain.notification import Notification
    from tracker.domain.project import Member, ProjectRole
    from tracker.domain.query import Summary
    from tracker.domain.session import Session
    from tracker.domain.task_line import TaskLine
    from tracker.domain.user import User

# Looked up by what they are of: to ask an enum's member for its value is a call of a function.
_STATUSES = {status: (status.value, [s.value for s in allowed]) for status, allowed in TRANSITIONS.items()}
_ALLOWED = dict(_STATUSES.values())
_PRIORITIES = {priority: priority.value for priority in Priority}
_STATUS_NAMED = {status.value: status for status in Status}
_PRIORITY_NAMED = {priority.value: priority for priority in Priority}


def due_json(due: Due) -> Body:
    """Return a deadline as the spec's Due, all members present."""
    at = due.time.isoformat(timespec="minutes") if due.time else None
    return {"date": iso_day(due.date), "time": at, "timezone": due.timezone}


def task_json(task: Task, at: datetime) -> Body:
    """Return a task as the spec's Task, as it is at an instant."""
    status, allowed_statuses = _STATUSES[task.status]
    created_at, due = rfc3339(task.created_at), task.due
    return {
        "id": task.id,
        "project_id": task.project_id,
        "number": task.number,
        "title": task.title,
        "description": task.description,
        "status": status,
        "allowed_statuses": allowed_statuses,
        "priority": _PRIORITIES[task.priority],
        "labels": task.labels,
        "due": due and due_json(due),
        "overdue": task.overdue(at),
        "assignee_id": task.assignee_id,
        "created_by": task.created_by,
        "completed_at": rfc3339(task.completed_at) if task.completed_at else None,
        "archived_at": rfc3339(task.archived_at) if task.archived_at else None,
        "version": task.version,
        "created_at": created_at,
        "updated_at": created_at if task.updated_at == task.created_at else rfc3339(task.updated_at),
    }


def task_line_json(line: TaskLine, at: str) -> Body:
    """Return a line as the spec's Task, as it is at an instant, which is RFC 3339 as in the line."""
    # fmt: off
    (
        id_, project_id, number, title, description, status, priority, labels, due_date, due_time, due_timezone,
        assignee_id, created_by, completed_at, archived_at, created_at, updated_at, version, overdue_after,
    ) = line
    # fmt: on
    return {
        "id": id_,
        "project_id": project_id,
        "number": number,
        "title": title,
        "description": description,
        "status": status,
        "allowed_statuses": _ALLOWED[status],
        "priority": priority,
        "labels": labels,
        "due": due_date and {"date": due_date, "time": due_time, "timezone": due_timezone},
        "overdue": is_overdue(status, overdue_after, at),
        "assignee_id": assignee_id,
        "created_by": created_by,
        "completed_at": completed_at,
        "archived_at": archived_at,
        "version": version,
        "created_at": created_at,
        "updated_at": updated_at,
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
        "created_at": rfc3339(user.created_at),
        "updated_at": rfc3339(user.updated_at),
    }


def session_json(session: Session, current_id: str) -> Body:
    """Return a session as the spec's Session; ``current_id`` is the one of whoever asks."""
    return {
        "id": session.id,
        "created_at": rfc3339(session.created_at),
        "expires_at": rfc3339(session.expires_at),
        "current": session.id == current_id,
    }


def calendar_feed_json(feed: CalendarFeed) -> Body:
    """Return a calendar feed as the spec's CalendarFeed: never its address, which nobody knows any more."""
    return {"created_at": rfc3339(feed.created_at)}


def calendar_address_json(feed: CalendarFeed, token: str) -> Body:
    """Return a new calendar feed as the spec's CalendarAddress: with its address, this once."""
    return {**calendar_feed_json(feed), "path": f"/calendar/{token}.ics"}


def due_of(member: dict[str, Any] | None) -> Due | None:
    """Return the spec's Due, or null, as the domain's."""
    if member is None:
        return None
    at = member.get("time")
    return Due(date.fromisoformat(member["date"]), time.fromisoformat(at) if at else None, member.get("timezone"))


_IN_DOMAIN_TYPES: dict[str, Callable[[Any], Any]] = {
    "status": _STATUS_NAMED.__getitem__,
    "priority": _PRIORITY_NAMED.__getitem__,
    "labels": tuple,
    "due": due_of,
}


def task_members(body: Body) -> TaskMembers:
    """Return what a body sets of a task, in the domain's types; only the members it has."""
    members = {
        name: _IN_DOMAIN_TYPES[name](value) if name in _IN_DOMAIN_TYPES else value for name, value in body.items()
    }
    return cast("TaskMembers", members)


class Filters(TypedDict):
    """What listTasks can be asked for, as it comes."""

    project_id: str | None
    status: tuple[str, ...]
    priority: tuple[str, ...]
    label: tuple[str, ...]
    assignee_id: str | None
    due_before: str | None
    due_after: str | None
    overdue: bool | None
    created_after: str | None
    updated_after: str | None
    archived: str
    q: str | None


def instant_of(text: str) -> datetime:
    """Return the spec's Instant, to the millisecond."""
    return to_milliseconds(datetime.fromisoformat(text).astimezone(UTC))


_IN_FILTERS: dict[str, Callable[[Any], Any]] = {
    "status": lambda names: tuple(map(Status, names)),
    "priority": lambda names: tuple(map(Priority, names)),
    "label": tuple,
    "due_before": instant_of,
    "due_after": instant_of,
    "created_after": instant_of,
    "updated_after": instant_of,
    "archived": Archived,
    "q": words_of,
}


def task_filter(asked: Mapping[str, Any], at: datetime) -> TaskFilter:
    """Return which tasks are asked for, in those of the words of listTasks that are given; ``at`` is now."""
    members = {name: _IN_FILTERS[name](value) if name in _IN_FILTERS else value for name, value in asked.items()}
    if "q" in members:
        members["words"] = members.pop("q")
    return TaskFilter(at=at, **members)


def summary_json(summary: Summary, timezone: str) -> Body:
    """Return counts as the spec's Summary."""
    return {
        "timezone": timezone,
        "by_status": {status.value: count for status, count in summary.by_status.items()},
        "overdue": summary.overdue,
        "due_today": summary.due_today,
        "due_this_week": summary.due_this_week,
    }


def change_json(entry: LogEntry, at: datetime) -> Body:
    """Return one change of a project's log; a side that is in another project is not told there."""
    before, after = (_recorded(thing, entry.project_id, at) for thing in (entry.before, entry.after))
    return {
        "project_id": entry.project_id,
        "head": entry.head,
        "n": entry.n,
        "operation_id": entry.operation_id,
        "actor_id": entry.actor_id,
        "at": rfc3339(entry.at),
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "before": before,
        "after": after,
    }


def _recorded(thing: Logged | None, project_id: str, at: datetime) -> Body | None:
    if thing is None or thing.project_id != project_id:
        return None
    match thing:
        case Task():
            return task_json(thing, at)
        case Project():
            return recorded_project_json(thing)
        case Membership():
            return membership_json(thing)
        case Reminder():
            return reminder_json(thing)


def project_json(project: Project, role: ProjectRole | None) -> Body:
    """Return a project as the spec's Project, to somebody who has a role in it, or none."""
    return {**recorded_project_json(project), "your_role": role and role.value}


def member_json(member: Member) -> Body:
    """Return a membership as the spec's Member."""
    membership = member.membership
    return {
        "user_id": membership.user_id,
        "username": member.username,
        "role": membership.role.value,
        "version": membership.version,
        "created_at": rfc3339(membership.created_at),
    }


def recorded_project_json(project: Project) -> Body:
    """Return a project as it was at some time."""
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "kind": project.kind.value,
        "archive_done_after_days": project.archive_done_after_days,
        "archived_at": rfc3339(project.archived_at) if project.archived_at else None,
        "version": project.version,
        "created_at": rfc3339(project.created_at),
        "updated_at": rfc3339(project.updated_at),
    }


def membership_json(membership: Membership) -> Body:
    """Return who is what in a project, by their ids."""
    return {
        "project_id": membership.project_id,
        "user_id": membership.user_id,
        "role": membership.role.value,
        "version": membership.version,
        "created_at": rfc3339(membership.created_at),
    }


def reminder_json(reminder: Reminder) -> Body:
    """Return that a deadline was noticed."""
    return {
        "project_id": reminder.project_id,
        "task_id": reminder.task_id,
        "kind": reminder.kind.value,
        "due_at": rfc3339(reminder.due_at),
        "created_at": rfc3339(reminder.created_at),
    }


def notification_json(notification: Notification) -> Body:
    """Return a notification as the spec's Notification."""
    return {
        "id": notification.id,
        "kind": notification.kind.value,
        "project_id": notification.project_id,
        "head": notification.head,
        "task_id": notification.task_id,
        "title": notification.title,
        "read_at": rfc3339(notification.read_at) if notification.read_at else None,
        "version": notification.version,
        "created_at": rfc3339(notification.created_at),
    }
