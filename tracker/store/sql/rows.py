"""Entities as rows, and rows as entities."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import time
from typing import TYPE_CHECKING, Any

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.changes import LogEntry
from tracker.domain.job import JobRun
from tracker.domain.notification import Notification
from tracker.domain.outbox import Position
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Membership, Project
from tracker.domain.reminder import Reminder
from tracker.domain.session import RefreshToken, Session
from tracker.domain.task import Task, due_as_kept
from tracker.domain.task_line import TaskLine, line_of
from tracker.domain.user import User, folded
from tracker.domain.words import words_of
from tracker.store.contract import Standing
from tracker.store.records import NAMES, PRIORITIES, ROLES, STATUSES, USER_STATUSES, from_record, made
from tracker.store.sql import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy import Column, Table

    from tracker.domain.changes import Entity
    from tracker.store.sql.prepared import Row


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entity: its table, the columns that make it, how it becomes a row, and how it comes back."""

    entity: type[Any]
    table: Table
    row: Callable[[Any], dict[str, Any]]

    @property
    def name(self) -> str:
        """What the log calls it."""
        return NAMES[self.entity]

    @property
    def columns(self) -> list[Column[Any]]:
        """The columns an entity is made of, in the order of its members."""
        return [self.table.c[member.name] for member in fields(self.entity)]


def _as_it_is(entity: Entity) -> dict[str, Any]:
    return dict(vars(entity))


def _user_row(user: User) -> dict[str, Any]:
    return {**vars(user), "username_folded": folded(user.username), "email_folded": folded(user.email)}


def _task_row(task: Task) -> dict[str, Any]:
    due = task.due
    row = vars(task) | {
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
    return " ".join(("", *words))


KINDS: Mapping[type[Any], Kind] = {
    kind.entity: kind
    for kind in (
        Kind(Project, tables.projects, _as_it_is),
        Kind(User, tables.users, _user_row),
        Kind(Session, tables.sessions, _as_it_is),
        Kind(RefreshToken, tables.refresh_tokens, _as_it_is),
        Kind(PasswordReset, tables.password_resets, _as_it_is),
        Kind(CalendarFeed, tables.calendar_feeds, _as_it_is),
        Kind(Membership, tables.memberships, _as_it_is),
        Kind(Task, tables.tasks, _task_row),
        Kind(Reminder, tables.reminders, _as_it_is),
        Kind(Notification, tables.notifications, _as_it_is),
        Kind(Position, tables.positions, _as_it_is),
        Kind(JobRun, tables.job_runs, _as_it_is),
    )
}

_STANDING = len(Standing._fields)
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
            "status": STATUSES[status],
            "priority": PRIORITIES[priority],
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
    return made(kind.entity, dict(zip((column.name for column in kind.columns), row, strict=True)))


def standing_of(row: Row) -> Standing:
    """Return what is known of a session, from the row that ``reads.py`` selects."""
    user_id, session_id, role, status, *rest = row
    return Standing(user_id, session_id, ROLES[role], USER_STATUSES[status], *rest)


def standing_and_task_of(row: Row) -> tuple[Standing, Task | None]:
    """Return the same, and the task that follows it in the row, if there is one."""
    who, task = row[:_STANDING], row[_STANDING:]
    return standing_of(who), None if task[0] is None else task_of(task)


def log_entry_of(row: Row) -> LogEntry:
    """Return the entry in a row of the log."""
    project_id, head, n, operation_id, actor_id, at, entity, entity_id, *kept = row
    before, after = (record and from_record(entity, record) for record in kept)
    return LogEntry(project_id, head, n, operation_id, actor_id, at, entity, entity_id, before, after)


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind of database gives its rows: what is in one that says who asks, and in one of a page of tasks."""

    standing: Callable[[Row], Standing]
    standing_and_task: Callable[[Row], tuple[Standing, Task | None]]
    task: Callable[[Row], Task]
    line: Callable[[Row], TaskLine]


IN_COLUMNS = Form(standing_of, standing_and_task_of, task_of, lambda row: line_of(task_of(row)))
"""Each value in a column of its own."""
