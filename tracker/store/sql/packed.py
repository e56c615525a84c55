"""Rows on PostgreSQL as one text each, cut into pieces here.

psycopg2 makes an object of each column of each statement, and asks for each value what it is: a row of twenty columns
costs twice what it costs to read one text and to split it. PostgreSQL writes the text of each value either way. Only
what is free text, and could have what separates the others in it, stays a column, or comes last.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from psycopg2 import extensions  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import Text, func, literal_column

from tracker.domain.task_line import TaskLine
from tracker.store.sql.rows import TASK_COLUMNS, Form, standing_of, task_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement

    from tracker.domain.task import Task
    from tracker.store.contract import Standing
    from tracker.store.sql.prepared import Row

SEPARATOR = "\x1f"
_separator: ColumnElement[str] = literal_column("E'\\x1f'")
_APART = ("title", "description")
_LAST = "labels"
_PACKED = [*(c.name for c in TASK_COLUMNS if c.name not in {*_APART, _LAST}), _LAST]
_CUTS = len(_PACKED) - 1
_made = tuple.__new__  # a named tuple's own is a function in Python
_whole = lru_cache(4096)(int)  # most are small: to read one takes twice as long as to find it
_STANDINGS = 1024  # those who read ask again and again while nothing changes
_LABELS = 1024  # sets of labels that are remembered: the same ones come again and again
_MILLISECONDS = len("2026-11-26 09:05:00.250+00")
_SECONDS = len("2026-11-26 09:05:00+00")
_TIME = len("09:05:00.250")


def packed(columns: Iterable[ColumnElement[Any]]) -> ColumnElement[str]:
    """Return columns as one text; NULL is nothing in it."""
    parts = [part for column in columns for part in (_separator, column)]
    return func.concat(*parts[1:], type_=Text)


def packed_task(columns: Any) -> list[ColumnElement[Any]]:
    """Return what to select of a table of tasks for ``task_in`` and ``line_in``.

    The instant of the last change is left out where it is that of the first: to write down an instant takes PostgreSQL
    longer than anything else that is in a task, and most were never changed.
    """
    named = {name: columns[name] for name in _PACKED}
    named["updated_at"] = func.nullif(columns["updated_at"], columns["created_at"])
    return [packed(named.values()), *(columns[name] for name in _APART)]


def standing_in(row: Row) -> Standing:
    """Return what is known of a session, from its packed columns."""
    return _standing_in(row[0])


@lru_cache(_STANDINGS)
def _standing_in(written: str) -> Standing:
    # fmt: off
    (
        user_id, session_id, role, status, inbox_id, access_version, heads, expires_at, ended_at,
    ) = written.split(SEPARATOR)
    # fmt: on
    counts = int(access_version), int(heads) if heads else None
    ends = datetime.fromisoformat(expires_at), _instant(ended_at)
    return standing_of((user_id, session_id, role, status, inbox_id, *counts, *ends))


def standing_and_task_in(row: Row) -> tuple[Standing, Task | None]:
    """Return the same, and the task that follows it in the row, if there is one."""
    who, *task = row
    return standing_in((who,)), None if task[1] is None else task_in(task)


def task_in(row: Row) -> Task:
    """Return the task in a row of ``packed_task``."""
    # fmt: off
    (
        id_, project_id, number, status, priority, due_date, due_time, due_timezone, assignee_id, created_by,
        completed_at, archived_at, created_at, updated_at, version, overdue_after, labels,
    ) = row[0].split(SEPARATOR, _CUTS)
    created = datetime.fromisoformat(created_at)
    return task_of((
        id_, project_id, _whole(number), row[1], row[2], status, priority, _labels(labels),
        date.fromisoformat(due_date) if due_date else None, due_time or None, due_timezone or None,
        assignee_id or None, created_by, _instant(completed_at), _instant(archived_at),
        created, datetime.fromisoformat(updated_at) if updated_at else created, _whole(version),
        _instant(overdue_after),
    ))
    # fmt: on


def line_in(row: Row) -> TaskLine:
    """Return the line in a row of ``packed_task``: what PostgreSQL writes as text stays text."""
    pack, title, description = row
    # fmt: off
    (
        id_, project_id, number, status, priority, due_date, due_time, due_timezone, assignee_id, created_by,
        completed_at, archived_at, created_at, updated_at, version, overdue_after, labels,
    ) = pack.split(SEPARATOR, _CUTS)
    created = _rfc3339(created_at)
    return _made(TaskLine, (
        id_, project_id, _whole(number), title, description, status, priority, _labels(labels), due_date or None,
        due_time or None, due_timezone or None, assignee_id or None, created_by,
        _rfc3339(completed_at) if completed_at else None, _rfc3339(archived_at) if archived_at else None,
        created, _rfc3339(updated_at) if updated_at else created, _whole(version),
        _rfc3339(overdue_after) if overdue_after else None,
    ))
    # fmt: on


def _instant(written: str) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


def _rfc3339(written: str) -> str:
    """Return an instant as PostgreSQL writes it, in UTC and without zeros at the end, as RFC 3339 with milliseconds."""
    if len(written) == _MILLISECONDS:
        return written[:23].replace(" ", "T") + "Z"
    if len(written) == _SECONDS:
        return written[:19].replace(" ", "T") + ".000Z"
    time = written[11:-3]
    return f"{written[:10]}T{time.ljust(_TIME, '0')}Z"


@lru_cache(_LABELS)
def _labels(written: str) -> Sequence[str]:
    """Return an array of text as PostgreSQL writes it."""
    return tuple(extensions.UNICODEARRAY(written, None))


PACKED = Form(standing_in, standing_and_task_in, task_in, line_in)
