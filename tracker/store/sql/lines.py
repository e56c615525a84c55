"""Rows of tasks as lines of a list, on PostgreSQL: what it writes as text stays text."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from psycopg2 import extensions  # type: ignore[import-untyped]  # ships no types

from tracker.domain.task_line import TaskLine
from tracker.store.sql.rows import task_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker.domain.task import Task
    from tracker.store.sql.prepared import Row

_DATE, _TIMESTAMPTZ = 1082, 1184
AS_TEXT: Mapping[int, Any] = {_DATE: extensions.UNICODE, _TIMESTAMPTZ: extensions.UNICODE}
"""What a cursor is told to leave as it comes, for rows of TASK_COLUMNS to become lines."""

_MILLISECONDS = len("2026-11-26 09:05:00.250+00")
_TIME = len("09:05:00.250")


def line_of(row: Row) -> TaskLine:
    """Return the line in a row of TASK_COLUMNS, read as text."""
    # fmt: off
    (
        id_, project_id, number, title, description, status, priority, labels, due_date, due_time, due_timezone,
        assignee_id, created_by, completed_at, archived_at, created_at, updated_at, version, overdue_after,
    ) = row
    return TaskLine(
        id_, project_id, number, title, description, status, priority, labels, due_date, due_time, due_timezone,
        assignee_id, created_by, completed_at and _rfc3339(completed_at), archived_at and _rfc3339(archived_at),
        _rfc3339(created_at), _rfc3339(updated_at), version, overdue_after and _rfc3339(overdue_after),
    )
    # fmt: on


def task_in(row: Row) -> Task:
    """Return the task in a row of TASK_COLUMNS, read as text."""
    values = list(row)
    values[8] = values[8] and date.fromisoformat(values[8])
    for at in (13, 14, 15, 16, 18):
        values[at] = values[at] and datetime.fromisoformat(values[at])
    return task_of(values)


def _rfc3339(written: str) -> str:
    """Return an instant as PostgreSQL writes it, in UTC and without zeros at the end, as RFC 3339 with milliseconds."""
    if len(written) == _MILLISECONDS:
        return written.replace(" ", "T").replace("+00", "Z")
    time = written[11:-3]
    return f"{written[:10]}T{(time if '.' in time else f'{time}.').ljust(_TIME, '0')}Z"
