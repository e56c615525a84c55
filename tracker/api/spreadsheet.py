"""Tasks as a table for spreadsheets: RFC 4180, in which no cell is a formula."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

from tracker.api.representations import due_json
from tracker.domain.clock import rfc3339
from tracker.domain.refusals import TooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from tracker.domain.task import Task

MOST_ROWS = 10_000
MOST_MEBIBYTES = 16
_MOST_BYTES = MOST_MEBIBYTES * 1024 * 1024
# What a spreadsheet takes for a formula, in a cell that begins with it; or skips, and looks at what follows.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

COLUMNS: Mapping[str, Callable[[Task, datetime], object]] = {
    "id": lambda task, _: task.id,
    "project_id": lambda task, _: task.project_id,
    "number": lambda task, _: task.number,
    "title": lambda task, _: task.title,
    "description": lambda task, _: task.description,
    "status": lambda task, _: task.status.value,
    "priority": lambda task, _: task.priority.value,
    "labels": lambda task, _: ", ".join(task.labels),
    "due_date": lambda task, _: task.due and due_json(task.due)["date"],
    "due_time": lambda task, _: task.due and due_json(task.due)["time"],
    "due_timezone": lambda task, _: task.due and due_json(task.due)["timezone"],
    "overdue": lambda task, at: str(task.overdue(at)).lower(),
    "assignee_id": lambda task, _: task.assignee_id,
    "created_by": lambda task, _: task.created_by,
    "completed_at": lambda task, _: task.completed_at and rfc3339(task.completed_at),
    "archived_at": lambda task, _: task.archived_at and rfc3339(task.archived_at),
    "version": lambda task, _: task.version,
    "created_at": lambda task, _: rfc3339(task.created_at),
    "updated_at": lambda task, _: rfc3339(task.updated_at),
}


def spreadsheet(tasks: Iterable[Task], at: datetime) -> str:
    """Return a row for each task, as it is at an instant, under a row of names; TooLong for more than an answer."""
    sheet = StringIO()
    rows = csv.writer(sheet, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    rows.writerows([_cell(column(task, at)) for column in COLUMNS.values()] for task in tasks)
    made = sheet.getvalue()
    check_fits(0, len(made.encode()))
    return made


def check_fits(rows: int, size: int) -> None:
    """Raise TooLong for so many tasks, or bytes, if that is more than one answer holds."""
    if rows > MOST_ROWS or size > _MOST_BYTES:
        raise TooLong(MOST_ROWS, MOST_MEBIBYTES)


def _cell(value: object) -> object:
    """Return a value as it is written: an apostrophe tells a spreadsheet that what follows is text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
