"""The schema in steps: what Alembic is to SQL. Each step can be taken again, and by two at once.

One document says how many steps were taken, one who is taking them. Whoever waits for another watches that one: where
nothing changed for a while, its taker is taken for dead.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracker.domain.identity import new_id
from tracker.store.mongo.collections import INDEXES, In

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.store.mongo.access import Access
    from tracker.store.mongo.connection import Connection

_STEPS_TAKEN = {"_id": {"$eq": "steps"}}
_TAKER = {"_id": {"$eq": "taker"}}
IMPORT = "import"  # who fills this database, as long as they are not through
_LEASE = 30.0
_PAUSE = 0.05


def _first_indexes(connection: Connection) -> None:
    for where, indexes in INDEXES.items():
        connection.database[where.value].create_indexes(list(indexes))


def _calendar_feeds(connection: Connection) -> None:
    for where in (In.CALENDAR_FEEDS, In.REMINDERS):
        connection.database[where.value].create_indexes(list(INDEXES[where]))


STEPS: tuple[Callable[[Connection], None], ...] = (_first_indexes, _calendar_feeds)


def is_enough(access: Access) -> bool:
    """Whether each step was taken that this code knows (more are a later version's), and no import is half done."""
    found = access.find(In.SCHEMA, {"_id": {"$in": ["steps", IMPORT]}})
    return [one.get("count", 0) >= len(STEPS) for one in found] == [True]


def _taken(access: Access) -> int:
    found = access.one(In.SCHEMA, _STEPS_TAKEN)
    return found["count"] if found else 0


def bring_up(connection: Connection, access: Access) -> None:
    """Take the steps that were not taken yet; of many that start at once one takes them, and the others wait."""
    me = new_id()
    _wait_for_turn(access, me)
    try:
        for count in range(_taken(access), len(STEPS)):
            STEPS[count](connection)
            _tell(access, count + 1)
    finally:
        access.delete(In.SCHEMA, {**_TAKER, "who": {"$eq": me}})


def _tell(access: Access, count: int) -> None:
    if not access.update(In.SCHEMA, _STEPS_TAKEN, {"$max": {"count": count}}):
        access.inserted(In.SCHEMA, {"_id": "steps", "count": count})


def _wait_for_turn(access: Access, me: str) -> None:
    watched, since = None, time.monotonic()
    while not access.inserted(In.SCHEMA, {"_id": "taker", "who": me}):
        taker = access.one(In.SCHEMA, _TAKER)
        if taker is None or taker["who"] != watched:
            watched, since = taker and taker["who"], time.monotonic()
        elif time.monotonic() - since > _LEASE:
            access.delete(In.SCHEMA, {**_TAKER, "who": {"$eq": watched}})
        time.sleep(_PAUSE)
