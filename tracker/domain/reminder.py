"""Reminders: that a deadline is near, or has passed, was noticed. Once for each task and each instant it is due at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.domain.task import Task

LOOKED_BACK = timedelta(days=30)  # what passed before that is no news any more: nobody is told of it


class ReminderKind(StrEnum):
    """What was noticed of a deadline."""

    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Reminder:
    """A deadline that was noticed. ``due_at`` is the last instant at which the task was not overdue.

    A task whose deadline moves is noticed anew; one that is closed, archived or deleted meanwhile is not.
    """

    project_id: str
    task_id: str
    kind: ReminderKind
    due_at: datetime
    created_at: datetime
    version: int = 1

    @property
    def id(self) -> str:
        """What there is one of."""
        return f"{self.task_id}/{self.kind}/{self.due_at.timestamp():.3f}"


def reminder_of(task: Task, *, at: datetime, soon: timedelta) -> Reminder | None:
    """Return what there is to notice of a task: that it is overdue, or will be within ``soon``; None for neither."""
    due_at = task.overdue_after()
    if due_at is None or task.closed or task.archived_at or not at - LOOKED_BACK <= due_at <= at + soon:
        return None
    kind = ReminderKind.OVERDUE if due_at < at else ReminderKind.DUE_SOON
    return Reminder(task.project_id, task.id, kind, due_at, at)
