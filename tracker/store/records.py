"""Entities by their kinds, and as the records of the change log: what every store has in common."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import orjson

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.clock import rfc3339
from tracker.domain.job import JobRun, JobState
from tracker.domain.notification import Notification, NotificationKind
from tracker.domain.outbox import Position
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Membership, Project, ProjectKind, ProjectRole
from tracker.domain.reminder import Reminder, ReminderKind
from tracker.domain.session import RefreshToken, Session
from tracker.domain.task import Due, Priority, Status, Task
from tracker.domain.user import Role, User, UserStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

    from tracker.domain.changes import Entity, Logged


def _by_value(members: type[StrEnum]) -> dict[str, Any]:
    return {member.value: member for member in members}


ROLES: Mapping[str, Role] = _by_value(Role)
USER_STATUSES: Mapping[str, UserStatus] = _by_value(UserStatus)
STATUSES: Mapping[str, Status] = _by_value(Status)
PRIORITIES: Mapping[str, Priority] = _by_value(Priority)
PROJECT_ROLES: Mapping[str, ProjectRole] = _by_value(ProjectRole)

# In the order in which they can be created: each refers only to those before it.
NAMES: Mapping[type[Any], str] = {
    Project: "project",
    User: "user",
    Session: "session",
    RefreshToken: "refresh_token",
    PasswordReset: "password_reset",
    CalendarFeed: "calendar_feed",
    Membership: "membership",
    Task: "task",
    Reminder: "reminder",
    Notification: "notification",
    Position: "position",
    JobRun: "job_run",
}
LOGGED: Mapping[str, type[Logged]] = {NAMES[entity]: entity for entity in (Project, Membership, Task, Reminder)}
_ENUMS: Mapping[type[Any], Mapping[str, Mapping[str, Any]]] = {
    Project: {"kind": _by_value(ProjectKind)},
    User: {"role": ROLES, "status": USER_STATUSES},
    Membership: {"role": PROJECT_ROLES},
    Task: {"status": STATUSES, "priority": PRIORITIES},
    Reminder: {"kind": _by_value(ReminderKind)},
    Notification: {"kind": _by_value(NotificationKind)},
    JobRun: {"state": _by_value(JobState)},
}


def made(entity: type[Any], members: Mapping[str, Any]) -> Any:
    """Return the entity with these members, its enums still text."""
    enums = {name: values[members[name]] for name, values in _ENUMS.get(entity, {}).items()}
    return entity(**{**members, **enums})


def to_json(value: object) -> str:
    """Return the JSON of what is kept as JSON: labels, and entities as records of the log."""
    return orjson.dumps(value, default=_text, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _text(value: object) -> str:
    match value:
        case datetime():
            return rfc3339(value)
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
    logged: Logged = made(LOGGED[name], members)
    return logged


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _due(record: Mapping[str, str | None]) -> Due:
    at = record["time"]
    return Due(date.fromisoformat(str(record["date"])), time.fromisoformat(at) if at else None, record["timezone"])
