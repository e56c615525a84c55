"""Tasks as a table for spreadsheets: RFC 4180, in which no cell is a formula."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

from tracker.domain.refusals import TooLong
from tracker.domain.task_line import is_overdue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracker.domain.task_line import TaskLine

MOST_ROWS = 10_000
MOST_MEBIBYTES = 16
_MOST_BYTES = MOST_MEBIBYTES * 1024 * 1024
# What a spreadsheet takes for a formula, in a cell that begins with it; or skips, and looks at what follows.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

COLUMNS = (
    *("id", "project_id", "number", "title", "description", "status", "priority", "labels"),
    *("due_date", "due_time", "due_timezone", "overdue", "assignee_id", "created_by"),
    *("completed_at", "archived_at", "version", "created_at", "updated_at"),
)


def spreadsheet(lines: Iterable[TaskLine], at: str) -> str:
    """Return a row for each task, as it is at an instant, under a row of names; TooLong for more than an answer."""
    sheet = StringIO()
    rows = csv.writer(sheet, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    rows.writerows(_row(line, at) for line in lines)
    made = sheet.getvalue()
    check_fits(0, len(made.encode()))
    return made


def check_fits(rows: int, size: int) -> None:
    """Raise TooLong for so many tasks, or bytes, if that is more than one answer holds."""
    if rows > MOST_ROWS or size > _MOST_BYTES:
        raise TooLong(MOST_ROWS, MOST_MEBIBYTES)


def _row(line: TaskLine, at: str) -> list[object]:
    overdue = str(is_overdue(line.status, line.overdue_after, at)).lower()
    told = {**line._asdict(), "labels": ", ".join(line.labels), "overdue": overdue}
    return [_cell(told[name]) for name in COLUMNS]


def _cell(value: object) -> object:
    """Return a value as it is written: an apostrophe tells a spreadsheet that what follows is text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
