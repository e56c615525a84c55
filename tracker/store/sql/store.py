"""The store: a read is one statement of ``reads.py``, a commit one transaction as ``commit.py`` orders it."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tracker.domain.project import Project, ProjectRole
from tracker.domain.query import Cursor, Page
from tracker.domain.refusals import Unavailable
from tracker.domain.session import RefreshToken, Session
from tracker.domain.user import User, folded
from tracker.store.contract import Receipt, Standing, Store
from tracker.store.sql import migrations, reads, rows
from tracker.store.sql.commit import Commit
from tracker.store.sql.database import Database
from tracker.store.sql.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker.domain.changes import ChangeSet, LogEntry
    from tracker.domain.query import TaskQuery
    from tracker.domain.task import Task
    from tracker.store.sql.prepared import Prepared
    from tracker.store.sql.transaction import Transaction

Found = TypeVar("Found")


class SqlStore(Store):
    """SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Compile every statement; nothing is connected yet."""
        prepare = database.prepare
        self._database = database
        self._writes = Writes.of(database)
        self._standing = prepare(reads.STANDING)
        self._memberships = prepare(reads.MEMBERSHIPS)
        self._has_users = prepare(reads.HAS_USERS)
        self._task = prepare(reads.TASK)
        self._log = prepare(reads.LOG)
        self._by: dict[tuple[type[Any], str], Prepared] = {
            (entity, column): prepare(reads.one(rows.KINDS[entity], column))
            for entity in (User, Session, RefreshToken, Project)
            for column in (("id", "username_folded", "email_folded") if entity is User else ("id",))
        }
        self._page = lru_cache(maxsize=256)(self._prepared_page)

    @classmethod
    def open(cls, url: str, *, connections: int = 8) -> Self:
        """Return the store at a ``sqlite:///file`` or ``postgresql://`` URL; ValueError for any other.

        ``connections`` is how many threads can be at the database at once: as many as serve requests.
        """
        return cls(Database(url, connections=connections))

    def standing(self, session_id: str) -> Standing | None:
        found = self._database.read(self._standing, {"id": session_id})
        return rows.standing_of(found[0]) if found else None

    def memberships(self, user_id: str) -> Mapping[str, ProjectRole]:
        found = self._database.read(self._memberships, {"user_id": user_id})
        return {project_id: rows.PROJECT_ROLES[role] for project_id, role in found}

    def user(self, user_id: str) -> User | None:
        return self._one(User, user_id)

    def user_named(self, *, username: str | None = None, email: str | None = None) -> User | None:
        if username is not None:
            return self._one(User, folded(username), "username_folded")
        return self._one(User, folded(email or ""), "email_folded")

    def has_users(self) -> bool:
        return bool(self._database.read(self._has_users, {})[0][0])

    def session(self, session_id: str) -> Session | None:
        return self._one(Session, session_id)

    def refresh_token(self, token_id: str) -> RefreshToken | None:
        return self._one(RefreshToken, token_id)

    def project(self, project_id: str) -> Project | None:
        return self._one(Project, project_id)

    def task(self, task_id: str) -> Task | None:
        found = self._database.read(self._task, {"id": task_id})
        return rows.task_of(found[0]) if found else None

    def tasks(self, query: TaskQuery) -> Page:
        found = self._database.read(self._page(reads.Shape.of(query)), reads.values_of(query))
        items = tuple(map(rows.task_of, found[: query.limit]))
        if len(found) <= query.limit:
            return Page(items, None)
        return Page(items, Cursor(items[-1].created_at, items[-1].id))

    def log(self, project_id: str, *, after: int = 0, limit: int = 200) -> list[LogEntry]:
        found = self._database.read(self._log, {"project_id": project_id, "after": after, "limit": limit})
        return [rows.log_entry_of(row) for row in found]

    def commit(self, changes: ChangeSet) -> Receipt:
        if all(change.idle for change in changes.changes):
            return Receipt({}, {})
        return self._database.write(partial(self._commit, changes))

    def ping(self) -> None:
        if migrations.present(self._database) != migrations.newest():
            raise Unavailable("The database is not at the schema of this version; run the migrations.")

    def migrate(self) -> None:
        if migrations.present(self._database) != migrations.newest():
            migrations.run(self._database.engine)

    def close(self) -> None:
        self._database.close()

    def _one(self, entity: type[Found], value: str, column: str = "id") -> Found | None:
        found = self._database.read(self._by[entity, column], {"value": value})
        if not found:
            return None
        made: Found = rows.entity_of(rows.KINDS[entity], found[0])
        return made

    def _commit(self, changes: ChangeSet, transaction: Transaction) -> Receipt:
        return Commit(changes, transaction, self._writes).run()

    def _prepared_page(self, shape: reads.Shape) -> Prepared:
        return self._database.prepare(reads.page(shape, by_project=self._database.is_postgresql))
