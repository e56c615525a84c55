"""A task as a line of a list: what it says, as text wherever JSON has text.

A page has fifty, each read to be written down at once and forgotten. To make objects of days, instants and statuses
and text of those again was two fifths of a list's instructions; here a store writes down what it reads, once.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from tracker.domain.clock import rfc3339
from tracker.domain.task import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tracker.domain.query import Cursor
    from tracker.domain.task import Task

_CLOSED = frozenset(status.value for status in CLOSED)


class TaskLine(NamedTuple):
    """One task. Instants are RFC 3339 in UTC with milliseconds, so that they compare as they stand.

    ``overdue_after`` is the instant after which an open one is overdue; with ``due_date`` it is there, or is not.
    """

    id: str
    project_id: str
    number: int
    title: str
    description: str
    status: str
    priority: str
    labels: Sequence[str]
    due_date: str | None
    due_time: str | None
    due_timezone: str | None
    assignee_id: str | None
    created_by: str
    completed_at: str | None
    archived_at: str | None
    created_at: str
    updated_at: str
    version: int
    overdue_after: str | None


# By their places: to ask a named tuple for a name is a call.
_deadline: Callable[[TaskLine], tuple[str | None, str]] = itemgetter(
    *map(TaskLine._fields.index, ("overdue_after", "status"))
)


class Lines(NamedTuple):
    """A stretch of a list; ``next`` is where the following one begins, None at the end."""

    items: Sequence[TaskLine]
    next: Cursor | None


def line_of(task: Task) -> TaskLine:
    """Return a task as a line."""
    due = task.due
    return TaskLine(
        task.id,
        task.project_id,
        task.number,
        task.title,
        task.description,
        task.status.value,
        task.priority.value,
        task.labels,
        due.date.isoformat() if due else None,
        due.time.isoformat("minutes") if due and due.time else None,
        due.timezone if due else None,
        task.assignee_id,
        task.created_by,
        _written(task.completed_at),
        _written(task.archived_at),
        rfc3339(task.created_at),
        rfc3339(task.updated_at),
        task.version,
        _written(task.overdue_after()),
    )


def _written(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


def is_overdue(status: str, overdue_after: str | None, at: str) -> bool:
    """Whether a task's deadline has passed at an instant and it is still open."""
    return overdue_after is not None and at > overdue_after and status not in _CLOSED


def next_overdue(lines: Sequence[TaskLine], at: str) -> str | None:
    """Return when the first of these tasks becomes overdue by itself, from an instant on; None where none will."""
    open_until = (last for last, status in map(_deadline, lines) if last is not None and status not in _CLOSED)
    return min((last for last in open_until if last >= at), default=None)
