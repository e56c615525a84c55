"""Tasks as a calendar: iCalendar (RFC 5545), in which no text can be anything but text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracker.domain.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tracker.domain.task import Task

_LONGEST_LINE = 75  # octets, without what ends it
_ESCAPED = re.compile(r"([\\;,])")
_LINE_END = re.compile(r"\r\n|\r|\n")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # no text of iCalendar has these, however it is written


def calendar(tasks: Iterable[Task]) -> str:
    """Return a calendar with an event for each task; each of them has a deadline."""
    begin = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tracker//Tracker//EN", "CALSCALE:GREGORIAN")
    refreshed = ("X-WR-CALNAME:Tracker", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H")
    events = (line for task in tasks for line in _event(task))
    return "".join(_folded(line) for line in (*begin, *refreshed, *events, "END:VCALENDAR"))


def _event(task: Task) -> Iterator[str]:
    """Yield the lines of a task: a day where it is due on a day, else the minute, in UTC, which every calendar knows.

    It keeps its UID as long as it lives, and its SEQUENCE goes up with each change: a calendar that has it moves it.
    """
    yield "BEGIN:VEVENT"
    yield f"UID:{task.id}"
    yield f"DTSTAMP:{_instant(task.updated_at)}"
    yield f"CREATED:{_instant(task.created_at)}"
    yield f"LAST-MODIFIED:{_instant(task.updated_at)}"
    yield f"SEQUENCE:{task.version}"
    yield _start(task)
    yield f"SUMMARY:{_text(task.title)}"
    yield f"STATUS:{'TENTATIVE' if task.status is Status.BLOCKED else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"  # a deadline takes nobody's time
    yield "END:VEVENT"


def _start(task: Task) -> str:
    due = task.due
    assert due is not None, "only what is due is in a calendar"  # noqa: S101 - a programming error, not input
    if due.time is None:
        return f"DTSTART;VALUE=DATE:{due.date:%Y%m%d}"
    return f"DTSTART:{_instant(due.overdue_after())}"


def _instant(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    escaped = _LINE_END.sub(r"\\n", _ESCAPED.sub(r"\\\1", text))
    return _CONTROLS.sub("", escaped)


def _folded(line: str) -> str:
    """Return a line in pieces that are short enough, none of which ends within a character."""
    pieces, piece, size = [], "", 0
    for character in line:
        width = len(character.encode())
        if size + width > _LONGEST_LINE:
            pieces.append(piece)
            piece, size = "", 1  # the space that the next piece begins with
        piece, size = piece + character, size + width
    return "\r\n ".join([*pieces, piece]) + "\r\n"
