"""A MongoDB to measure on: the one that TEST_MONGO_URL names, else the server that stands in for one in the tests."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from bench.data import TASKS
from bench.database import CannotMeasure
from tests import mongo_databases

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def mongodb() -> Iterator[str]:
    """Give the URL of an empty database, gone afterwards; CannotMeasure where there is no server for one."""
    if missing := mongo_databases.why_none():
        raise CannotMeasure(missing)
    try:
        with mongo_databases.a_database(mongo_databases.for_many_clients()) as url:
            yield url
    finally:
        mongo_databases.clean_up()


class OnMongoDB:
    """The database of a measurement, as rounds leave it and find it."""

    def __init__(self, url: str) -> None:
        """Take one that is filled."""
        self._url = url

    def restore(self) -> None:
        """Undo what a round wrote: each begins with the same tasks, all ``todo``, and nothing in the log."""
        with closing(MongoClient[dict[str, Any]](self._url)) as client:
            database = client.get_default_database()
            database["tasks"].delete_many({"number": {"$gt": TASKS}})
            database["tasks"].update_many({"version": {"$gt": 1}}, {"$set": {"status": "todo", "version": 1}})
            database["log_entries"].delete_many({})

    def changes(self) -> int:
        """Return how many changes are in the log."""
        with closing(MongoClient[dict[str, Any]](self._url)) as client:
            return client.get_default_database()["log_entries"].count_documents({})
