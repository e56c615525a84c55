"""Rows of tasks as lines of a list, on PostgreSQL: what it writes as text stays text."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from psycopg2 import extensions  # type: ignore[import-untyped]  # ships no types

from tracker.domain.task_line import TaskLine
from tracker.store.sql.engine import TIMESTAMPTZ_OID
from tracker.store.sql.rows import TASK_COLUMNS, task_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker.domain.task import Task
    from tracker.store.sql.prepared import Row

_DATE_OID = 1082
AS_TEXT: Mapping[int, Any] = {_DATE_OID: extensions.UNICODE, TIMESTAMPTZ_OID: extensions.UNICODE}
"""What a cursor is told to leave as it comes, for rows of TASK_COLUMNS to become lines."""

_PLACES = {column.name: place for place, column in enumerate(TASK_COLUMNS)}
_DAY = _PLACES["due_date"]
_INSTANTS = [_PLACES[name] for name in ("completed_at", "archived_at", "created_at", "updated_at", "overdue_after")]
_MILLISECONDS = len("2026-11-26 09:05:00.250+00")
_TIME = len("09:05:00.250")


def line_in(row: Row) -> TaskLine:
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
    values[_DAY] = values[_DAY] and date.fromisoformat(values[_DAY])
    for at in _INSTANTS:
        values[at] = values[at] and datetime.fromisoformat(values[at])
    return task_of(values)


def _rfc3339(written: str) -> str:
    """Return an instant as PostgreSQL writes it, in UTC and without zeros at the end, as RFC 3339 with milliseconds."""
    if len(written) == _MILLISECONDS:
        return written.replace(" ", "T").replace("+00", "Z")
    time = written[11:-3]
    return f"{written[:10]}T{(time if '.' in time else f'{time}.').ljust(_TIME, '0')}Z"
