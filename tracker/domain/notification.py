"""Notifications: what happened to a task without those it concerns having done it, and who is told so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from tracker.domain.identity import SYSTEM, new_id
from tracker.domain.reminder import Reminder
from tracker.domain.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tracker.domain.changes import LogEntry


class NotificationKind(StrEnum):
    """What somebody is told of."""

    ASSIGNED = "assigned"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    ARCHIVED = "archived"


@dataclass(frozen=True)
class Notification:
    """One thing that one user is told. ``title`` is the task's as it was then; ``head`` is where the log has it."""

    id: str
    user_id: str
    kind: NotificationKind
    project_id: str
    head: int
    task_id: str
    title: str
    created_at: datetime
    read_at: datetime | None = None
    version: int = 1

    def read(self, *, at: datetime) -> Notification:
        """Return this notification, read; one that was read before stays as it was."""
        return self if self.read_at else replace(self, read_at=at, version=self.version + 1)


class News(NamedTuple):
    """What an entry of the log says to people, before anybody has been told: of which task, and whom it concerns."""

    kind: NotificationKind
    task: Task
    entry: LogEntry
    user_ids: tuple[str, ...]

    def told_to(self, user_id: str, *, at: datetime) -> Notification:
        """Return it as the notification of one of them."""
        project_id, task = self.entry.project_id, self.task
        return Notification(new_id(), user_id, self.kind, project_id, self.entry.head, task.id, task.title, at)


def news_of(entry: LogEntry, task_now: Callable[[str], Task | None]) -> News | None:
    """Return what an entry says to people, None for most; ``task_now`` returns a task as it is by now.

    Nobody is told what they did themselves, nor of a deadline that is none any more, or is in another project by now:
    who may know of the one need not know of the other.
    """
    match entry.after:
        case Reminder() as reminder:
            return _of_reminder(entry, reminder, task_now(reminder.task_id))
        case Task() as task if task.project_id == entry.project_id:
            return _of_task(entry, entry.before if isinstance(entry.before, Task) else None, task)
        case _:
            return None


def _of_reminder(entry: LogEntry, reminder: Reminder, task: Task | None) -> News | None:
    if task is None or task.project_id != reminder.project_id or not _is_due(task, reminder.due_at):
        return None
    return News(NotificationKind(reminder.kind.value), task, entry, _concerned(task))


def _is_due(task: Task, at: datetime) -> bool:
    return not task.closed and task.archived_at is None and task.overdue_after() == at


def _of_task(entry: LogEntry, before: Task | None, task: Task) -> News | None:
    if entry.actor_id == SYSTEM and before and before.archived_at is None and task.archived_at is not None:
        return News(NotificationKind.ARCHIVED, task, entry, _concerned(task))
    new = task.assignee_id not in {None, entry.actor_id, before and before.assignee_id}
    return News(NotificationKind.ASSIGNED, task, entry, (str(task.assignee_id),)) if new else None


def _concerned(task: Task) -> tuple[str, ...]:
    """Return whoever has a task to do, and whoever created it."""
    return tuple(dict.fromkeys(filter(None, (task.assignee_id, task.created_by))))
