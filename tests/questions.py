"""What a database is asked, whichever it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pymongo.collection import Collection

from tracker.store.sql.database import Database

if TYPE_CHECKING:
    import pytest


def asked_from_now_on(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Return a list that grows by one with each question that any store asks: the tables or collections it is about."""
    asked: list[set[str]] = []
    read = Database.read

    def ask_sql(self: Database, statement: Any, values: Any, **how: Any) -> Any:
        asked.append(set(re.findall(r"(?:FROM|JOIN) (\w+)", statement.plain)))
        return read(self, statement, values, **how)

    monkeypatch.setattr(Database, "read", ask_sql)
    for name in ("find", "aggregate"):  # whatever else reads from a collection is made of these
        monkeypatch.setattr(Collection, name, _asking(getattr(Collection, name), asked))
    return asked


def _asking(read: Any, asked: list[set[str]]) -> Any:
    def ask_mongodb(self: Collection[Any], *given: Any, **named: Any) -> Any:
        stages = [stage for stage in given[0] if "$lookup" in stage] if given and isinstance(given[0], list) else []
        asked.append({self.name, *(stage["$lookup"]["from"] for stage in stages)})
        return read(self, *given, **named)

    return ask_mongodb
