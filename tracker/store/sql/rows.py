"""Entities as rows, rows as entities, and both as the records of the change log."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import orjson

from tracker.domain.changes import LogEntry
from tracker.domain.job import JobRun, JobState
from tracker.domain.notification import Notification, NotificationKind
from tracker.domain.outbox import Position
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Membership, Project, ProjectKind, ProjectRole
from tracker.domain.reminder import Reminder, ReminderKind
from tracker.domain.session import RefreshToken, Session
from tracker.domain.task import Due, Priority, Status, Task, due_as_kept
from tracker.domain.user import Role, User, UserStatus, folded
from tracker.domain.words import words_of
from tracker.store.contract import Standing
from tracker.store.sql import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from enum import StrEnum

    from sqlalchemy import Column, Table

    from tracker.domain.changes import Entity, Logged
    from tracker.store.sql.prepared import Row


def _by_value(members: type[StrEnum]) -> dict[str, Any]:
    return {member.value: member for member in members}


_ROLES, _USER_STATUSES = _by_value(Role), _by_value(UserStatus)
_STATUSES, _PRIORITIES = _by_value(Status), _by_value(Priority)
PROJECT_ROLES: Mapping[str, ProjectRole] = _by_value(ProjectRole)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entity: its table, the columns that make it, how it becomes a row, and how it comes back."""

    name: str
    entity: type[Any]
    table: Table
    row: Callable[[Any], dict[str, Any]]
    enums: Mapping[str, Mapping[str, Any]]

    @property
    def columns(self) -> list[Column[Any]]:
        """The columns an entity is made of, in the order of its members."""
        return [self.table.c[member.name] for member in fields(self.entity)]

    def made(self, members: Mapping[str, Any]) -> Any:
        """Return the entity with these members, its enums still text."""
        enums = {name: values[members[name]] for name, values in self.enums.items()}
        return self.entity(**{**members, **enums})


def _as_it_is(entity: Entity) -> dict[str, Any]:
    return dict(vars(entity))


def _user_row(user: User) -> dict[str, Any]:
    return {**vars(user), "username_folded": folded(user.username), "email_folded": folded(user.email)}


def _task_row(task: Task) -> dict[str, Any]:
    due = task.due
    row = {
        **vars(task),
        "labels": list(task.labels),
        "due_date": due and due.date,
        "due_time": due and due.time and due.time.isoformat("minutes"),
        "due_timezone": due and due.timezone,
        "overdue_after": task.overdue_after(),
        "priority_rank": task.priority.rank,
        "words": as_words(words_of(f"{task.title} {task.description}")),
    }
    del row["due"]
    return row


def as_words(words: Iterable[str]) -> str:
    """Return words as they are kept: a tsvector reads them so, and elsewhere each can be found after its space."""
    return "".join(f" {word}" for word in words)


# In the order in which they can be created: each refers only to those before it.
KINDS: Mapping[type[Any], Kind] = {
    Project: Kind("project", Project, tables.projects, _as_it_is, {"kind": _by_value(ProjectKind)}),
    User: Kind("user", User, tables.users, _user_row, {"role": _ROLES, "status": _USER_STATUSES}),
    Session: Kind("session", Session, tables.sessions, _as_it_is, {}),
    RefreshToken: Kind("refresh_token", RefreshToken, tables.refresh_tokens, _as_it_is, {}),
    PasswordReset: Kind("password_reset", PasswordReset, tables.password_resets, _as_it_is, {}),
    Membership: Kind("membership", Membership, tables.memberships, _as_it_is, {"role": PROJECT_ROLES}),
    Task: Kind("task", Task, tables.tasks, _task_row, {"status": _STATUSES, "priority": _PRIORITIES}),
    Reminder: Kind("reminder", Reminder, tables.reminders, _as_it_is, {"kind": _by_value(ReminderKind)}),
    Notification: Kind(
        "notification", Notification, tables.notifications, _as_it_is, {"kind": _by_value(NotificationKind)}
    ),
    Position: Kind("position", Position, tables.positions, _as_it_is, {}),
    JobRun: Kind("job_run", JobRun, tables.job_runs, _as_it_is, {"state": _by_value(JobState)}),
}
LOGGED: Mapping[str, Kind] = {KINDS[entity].name: KINDS[entity] for entity in (Project, Membership, Task, Reminder)}

TASK_COLUMNS: list[Column[Any]] = [c for c in tables.tasks.c if c.name not in {"priority_rank", "words"}]


def task_of(row: Row) -> Task:
    """Return the task in a row of TASK_COLUMNS."""
    (id_, project_id, number, title, description, status, priority, labels, due_date, due_time, due_timezone) = row[:11]
    (assignee_id, created_by, completed_at, archived_at, created_at, updated_at, version, overdue_after) = row[11:]
    task = object.__new__(Task)
    # A frozen dataclass sets each member through object.__setattr__: a page is built in a third of the time so.
    object.__setattr__(
        task,
        "__dict__",
        {
            "id": id_,
            "project_id": project_id,
            "number": number,
            "title": title,
            "description": description,
            "status": _STATUSES[status],
            "priority": _PRIORITIES[priority],
            "labels": tuple(labels),
            "due": due_date
            and due_as_kept(due_date, due_time and time.fromisoformat(due_time), due_timezone, overdue_after),
            "assignee_id": assignee_id,
            "created_by": created_by,
            "completed_at": completed_at,
            "archived_at": archived_at,
            "created_at": created_at,
            "updated_at": updated_at,
            "version": version,
        },
    )
    return task


def entity_of(kind: Kind, row: Row) -> Any:
    """Return the entity in a row of the kind's columns; tasks have ``task_of``."""
    return kind.made(dict(zip((column.name for column in kind.columns), row, strict=True)))


def standing_of(row: Row) -> Standing:
    """Return what is known of a session, from the row that ``reads.py`` selects."""
    user_id, session_id, role, status, inbox_id, access_version, heads, expires_at, ended_at = row
    return Standing(
        user_id, session_id, _ROLES[role], _USER_STATUSES[status], inbox_id, access_version, heads, expires_at, ended_at
    )


def log_entry_of(row: Row) -> LogEntry:
    """Return the entry in a row of the log."""
    project_id, head, n, operation_id, actor_id, at, entity, entity_id, *records = row
    before, after = (record and from_record(entity, record) for record in records)
    return LogEntry(project_id, head, n, operation_id, actor_id, at, entity, entity_id, before, after)


def to_json(value: object) -> str:
    """Return the JSON of what is kept as JSON: labels, and entities as records of the log."""
    return orjson.dumps(value, default=_text, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _text(value: object) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("minutes")
        case _:
            raise TypeError(type(value).__name__)


def to_record(entity: Entity) -> dict[str, Any]:
    """Return every member of an entity as JSON has it: instants in RFC 3339 with milliseconds, ``due`` as an object."""
    record: dict[str, Any] = orjson.loads(to_json(entity))
    return record


def from_record(name: str, record: Mapping[str, Any]) -> Logged:
    """Return the project, membership, task or reminder that a record of the log holds."""
    members = {member: _instant(value) if member.endswith("_at") else value for member, value in record.items()}
    if name == "task":
        members |= {"labels": tuple(record["labels"]), "due": record["due"] and _due(record["due"])}
    made: Logged = LOGGED[name].made(members)
    return made


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _due(record: Mapping[str, str | None]) -> Due:
    at = record["time"]
    return Due(date.fromisoformat(str(record["date"])), time.fromisoformat(at) if at else None, record["timezone"])
