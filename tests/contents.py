"""Everything that a database holds, whichever it is: for tests of what must not be in it, or must not have changed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from sqlalchemy import select

from tracker.store.sql.engine import open_engine
from tracker.store.sql.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Look = Callable[[], dict[str, list[str]]]


@contextmanager
def looking_into(url: str) -> Iterator[Look]:
    """Give what returns every row of every table, or every document of every collection."""
    with (_mongodb if url.startswith("mongodb") else _sql)(url) as look:
        yield look


@contextmanager
def _sql(url: str) -> Iterator[Look]:
    engine = open_engine(url, connections=1)

    def look() -> dict[str, list[str]]:
        with engine.connect() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(select(table)))) for table in metadata.sorted_tables
            }

    yield look
    engine.dispose()


@contextmanager
def _mongodb(url: str) -> Iterator[Look]:
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        yield lambda: {
            name: sorted(map(repr, database[name].find())) for name in sorted(database.list_collection_names())
        }
