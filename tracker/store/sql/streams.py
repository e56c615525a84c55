"""The rows of a statement, so many at a time, inside a transaction that somebody else has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.store.sql.prepared import Prepared, Row


class Stream(Protocol):
    """What yields the rows of a statement without parameters."""

    def __call__(self, statement: Prepared, at_once: int, /) -> Iterator[Row]: ...


def on_postgresql(cursor: Any, statement: Prepared, at_once: int) -> Iterator[Row]:
    """Yield rows of a cursor of the server: the driver would take them all at once."""
    cursor.execute(f"DECLARE tracker_stream NO SCROLL CURSOR FOR {statement.plain}")
    while True:
        cursor.execute(f"FETCH {at_once} FROM tracker_stream")
        rows = statement.rows(cursor)
        if not rows:
            break
        yield from rows
    cursor.execute("CLOSE tracker_stream")


def on_sqlite(cursor: Any, statement: Prepared, at_once: int) -> Iterator[Row]:
    """Yield rows as SQLite comes to them."""
    cursor.execute(statement.plain)
    while rows := cursor.fetchmany(at_once):
        yield from statement.converted(rows)
