"""Every statement that the store runs, compiled once a process for each kind of database: it takes some 50 ms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Project
from tracker.domain.session import RefreshToken, Session
from tracker.domain.user import User
from tracker.store.sql import counts, pages, reads, rows
from tracker.store.sql.project_reads import ProjectReads
from tracker.store.sql.upkeep_reads import UpkeepReads
from tracker.store.sql.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracker.store.sql.database import Database
    from tracker.store.sql.prepared import Prepared

_FOUND_BY: Mapping[type[Any], tuple[str, ...]] = {
    User: ("id", "username_folded", "email_folded"),
    Session: ("id",),
    RefreshToken: ("id",),
    PasswordReset: ("id", "user_id"),
    CalendarFeed: ("id", "user_id"),
    Project: ("id",),
}
_SHAPES = 256  # of lists and of summaries: more than are asked for in practice
_EITHER = (False, True)


@dataclass(frozen=True, slots=True)
class Statements:
    """All of them; those that have several forms by what makes the difference."""

    writes: Writes
    projects: ProjectReads
    upkeep: UpkeepReads
    standing: Prepared
    standing_and_heads: Prepared
    standing_and_task: Prepared
    memberships: Prepared
    has_users: Prepared
    task: Prepared
    operation: Prepared
    claimed: Prepared
    sessions: Prepared
    log: Mapping[bool, Prepared]
    """By whether it is of one entity."""
    by: Mapping[tuple[type[Any], str], Prepared]
    """By the kind of entity and the column it is found by."""
    users: Mapping[tuple[bool, bool], Prepared]
    """By whether they are of one role, and of one status."""
    page: Callable[[pages.Shape], Prepared]
    standing_and_page: Callable[[pages.Shape], Prepared]
    """Of shapes that are planned once, and on PostgreSQL alone."""
    summary: Callable[[counts.Shape], Prepared]

    @classmethod
    def of(cls, database: Database) -> Statements:
        """Compile them; lists and summaries when they are asked for first."""
        prepare, postgresql = database.prepare, database.is_postgresql

        def page(shape: pages.Shape) -> Prepared:
            return prepare(pages.page(shape, postgresql=postgresql), planned_once=shape.is_plain)

        def standing_and_page(shape: pages.Shape) -> Prepared:
            return prepare(pages.standing_and_page(shape))

        def summary(shape: counts.Shape) -> Prepared:
            return prepare(counts.summary(shape, postgresql=postgresql))

        return cls(
            writes=Writes.of(database),
            projects=ProjectReads.of(database),
            upkeep=UpkeepReads.of(database),
            standing=prepare(reads.standing(postgresql=postgresql)),
            standing_and_heads=prepare(reads.standing(heads=True, postgresql=postgresql)),
            standing_and_task=prepare(reads.standing_and_task(postgresql=postgresql)),
            memberships=prepare(reads.MEMBERSHIPS),
            has_users=prepare(reads.HAS_USERS),
            task=prepare(reads.TASK),
            operation=prepare(reads.OPERATION),
            claimed=prepare(reads.CLAIMED),
            sessions=prepare(reads.SESSIONS),
            log={False: prepare(reads.LOG), True: prepare(reads.LOG_OF_ENTITY)},
            by={
                (entity, column): prepare(reads.one(rows.KINDS[entity], column))
                for entity, columns in _FOUND_BY.items()
                for column in columns
            },
            users={
                (role, status): prepare(reads.users_of(role=role, status=status))
                for role, status in product(_EITHER, _EITHER)
            },
            page=lru_cache(_SHAPES)(page),
            standing_and_page=lru_cache(_SHAPES)(standing_and_page),
            summary=lru_cache(_SHAPES)(summary),
        )


_compiled: dict[str, Statements] = {}


def statements_for(database: Database) -> Statements:
    """Return the statements in the words of a database."""
    name = database.engine.dialect.name
    if name not in _compiled:
        _compiled[name] = Statements.of(database)
    return _compiled[name]
