"""Values that stand in a statement as they are, because nothing in them could end a literal.

psycopg2 makes an object of each value, prepares it for its connection and asks it for its bytes, whatever it is: of a
task that is created that took a fifth of all instructions. What is written here has letters, digits and a few marks in
it, none of which means anything between quotes; all else is left to psycopg2.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from tracker.domain.clock import iso_day, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_is_plain = re.compile(r"[0-9A-Za-z_.:+ -]*", re.ASCII).fullmatch


def literals(values: Iterable[object]) -> tuple[list[str], list[object]]:
    """Return each value as PostgreSQL reads it, ``%s`` where it has to be quoted by who knows all that may be in it.

    Those that have to be are returned besides, in order.
    """
    written, others = [], []
    for value in values:
        if value is None:  # a third of what a task is made of
            written.append("NULL")
            continue
        if isinstance(value, str):
            text = f"'{value}'" if _is_plain(value) else None
        else:
            write = _WRITTEN.get(type(value))
            text = None if write is None else write(value)
        if text is None:
            others.append(value)
            text = "%s"
        written.append(text)
    return written, others


_WRITTEN: Mapping[type, Callable[..., str]] = {
    int: str,
    datetime: lambda at: f"'{at.isoformat() if at.microsecond % 1000 else rfc3339(at)}'",
    date: lambda day: f"'{iso_day(day)}'",
}
