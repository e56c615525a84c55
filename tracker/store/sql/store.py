"""The store: a read is one statement of ``reads.py``, a commit one transaction as ``commit.py`` orders it."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar
from uuid import UUID

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.job import JobRun
from tracker.domain.notification import Notification
from tracker.domain.outbox import Position
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Member, Membership, Project, ProjectRole
from tracker.domain.query import Page
from tracker.domain.refusals import Unavailable
from tracker.domain.reminder import LOOKED_BACK
from tracker.domain.session import RefreshToken, Session
from tracker.domain.task_line import Lines
from tracker.domain.user import User, folded
from tracker.store.contract import OLDER, Claim, Claimed, Perishable, Receipt, Standing, Store
from tracker.store.records import PROJECT_ROLES
from tracker.store.sql import counts, migrations, pages, rows
from tracker.store.sql.commit import Commit
from tracker.store.sql.database import Database
from tracker.store.sql.foresight import Foresight
from tracker.store.sql.kept import Carrying
from tracker.store.sql.packed import PACKED
from tracker.store.sql.statements import statements_for

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tracker.domain.changes import ChangeSet, LogEntry
    from tracker.domain.query import (
        MemberQuery,
        NotificationQuery,
        Place,
        ProjectQuery,
        SettledQuery,
        Summary,
        SummaryQuery,
        TaskQuery,
        UnremindedQuery,
        UserQuery,
    )
    from tracker.domain.task import Task
    from tracker.store.kept import Kept
    from tracker.store.sql.connections import Visit
    from tracker.store.sql.prepared import Row
    from tracker.store.sql.transaction import Transaction
    from tracker.store.watch import Watch

Found = TypeVar("Found")

_FIRST_ID, _LAST_ID = str(UUID(int=0)), str(UUID(int=2**128 - 1))


class _Rehearsed(Exception):
    """Everything went well, and is to be rolled back."""

    def __init__(self, receipt: Receipt) -> None:
        self.receipt = receipt


class SqlStore(Store):
    """SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Have every statement at hand; nothing is connected yet."""
        self._database = database
        self._statements = statements_for(database)
        self._form = PACKED if database.is_postgresql else rows.IN_COLUMNS
        # To SQLite there is no trip.
        self._foresight = Foresight(database, self._statements) if database.is_postgresql else None

    @cached_property
    def _carrying(self) -> Carrying:
        return Carrying(self._database)

    @classmethod
    def open(cls, url: str, *, connections: int = 8, watch: Watch | None = None) -> Self:
        """Return the store at a ``sqlite:///file`` or ``postgresql://`` URL; ValueError for any other.

        ``connections`` is how many threads can be at the database at once: as many as serve requests.
        """
        return cls(Database(url, connections=connections, watch=watch))

    def visit(self) -> AbstractContextManager[object]:
        return self._database.connections.visit()

    def stay(self) -> AbstractContextManager[object]:
        return self._database.connections.stay()

    def standing(
        self, session_id: str, *, task_id: str | None = None, asked: Hashable | None = None
    ) -> Standing | None:
        visit = self._database.connections.present_visit()
        if visit is not None and task_id is not None and asked is None:
            return self._standing_and_task(visit, session_id, task_id)
        if visit is not None and asked is not None and self._foresight is not None:
            found = self._foresight.standing(visit, session_id, asked)
        else:
            statement = self._statements.standing if asked is None else self._statements.standing_and_heads
            found = self._database.read(statement, {"id": session_id})
        return self._form.standing(found[0]) if found else None

    def memberships(self, user_id: str) -> Mapping[str, ProjectRole]:
        found = self._database.read(self._statements.memberships, {"user_id": user_id})
        return {project_id: PROJECT_ROLES[role] for project_id, role in found}

    def user(self, user_id: str) -> User | None:
        return self._one(User, user_id)

    def user_named(self, *, username: str | None = None, email: str | None = None) -> User | None:
        if username is not None:
            return self._one(User, folded(username), "username_folded")
        return self._one(User, folded(email or ""), "email_folded")

    def has_users(self) -> bool:
        return bool(self._database.read(self._statements.has_users, {})[0][0])

    def users(self, query: UserQuery) -> list[User]:
        statement = self._statements.users[query.role is not None, query.status is not None]
        values = {"after": query.after or _FIRST_ID, "limit": query.limit, "role": query.role, "status": query.status}
        return [rows.entity_of(rows.KINDS[User], row) for row in self._database.read(statement, values)]

    def session(self, session_id: str) -> Session | None:
        return self._one(Session, session_id)

    def sessions(self, user_id: str, *, at: datetime, before: str | None = None, limit: int = 50) -> list[Session]:
        values = {"user_id": user_id, "at": at, "before": before or _LAST_ID, "limit": limit}
        return [
            rows.entity_of(rows.KINDS[Session], row) for row in self._database.read(self._statements.sessions, values)
        ]

    def refresh_token(self, token_id: str) -> RefreshToken | None:
        return self._one(RefreshToken, token_id)

    def password_reset(self, reset_id: str) -> PasswordReset | None:
        return self._one(PasswordReset, reset_id)

    def password_reset_of(self, user_id: str) -> PasswordReset | None:
        return self._one(PasswordReset, user_id, "user_id")

    def calendar_feed(self, feed_id: str) -> CalendarFeed | None:
        return self._one(CalendarFeed, feed_id)

    def calendar_feed_of(self, user_id: str) -> CalendarFeed | None:
        return self._one(CalendarFeed, user_id, "user_id")

    def project(self, project_id: str) -> Project | None:
        return self._one(Project, project_id)

    def projects(self, query: ProjectQuery) -> list[Project]:
        statement = self._statements.projects.projects[query.member_id is not None, query.archived]
        values = {"member_id": query.member_id, "before": query.before or _LAST_ID, "limit": query.limit}
        return [rows.entity_of(rows.KINDS[Project], row) for row in self._database.read(statement, values)]

    def project_tasks(self, project_id: str, *, limit: int, assignee_id: str | None = None) -> list[Task]:
        values = {"project_id": project_id, "assignee_id": assignee_id, "limit": limit}
        found = self._database.read(self._statements.projects.tasks[assignee_id is not None], values)
        return [rows.task_of(row) for row in found]

    def membership(self, project_id: str, user_id: str) -> Membership | None:
        found = self._database.read(
            self._statements.projects.membership, {"project_id": project_id, "user_id": user_id}
        )
        made: Membership | None = rows.entity_of(rows.KINDS[Membership], found[0]) if found else None
        return made

    def members(self, query: MemberQuery) -> list[Member]:
        first = query.after or _FIRST_ID
        values = {"project_id": query.project_id, "role": query.role, "after": first, "limit": query.limit}
        found = self._database.read(self._statements.projects.members[query.role is not None], values)
        return [Member(rows.entity_of(rows.KINDS[Membership], row[:-1]), row[-1]) for row in found]

    def task(self, task_id: str) -> Task | None:
        visit = self._database.connections.present_visit()
        if visit is not None and visit.foreseen is not None and visit.foreseen[0] == task_id:
            (_, task), visit.foreseen = visit.foreseen, None
            return task
        found = self._database.read(self._statements.task, {"id": task_id})
        return rows.task_of(found[0]) if found else None

    def tasks(self, query: TaskQuery) -> Page:
        found = self._page(query)
        items = tuple(map(self._form.task, found[: query.limit]))
        return Page(items, query.order.place_of(items[-1]) if len(found) > query.limit else None)

    def task_lines(self, query: TaskQuery) -> Lines:
        found = self._page(query)
        lines = tuple(map(self._form.line, found[: query.limit]))
        return Lines(lines, query.order.place_of_line(lines[-1]) if len(found) > query.limit else None)

    def summary(self, query: SummaryQuery) -> Summary:
        found = self._database.read(self._statements.summary(counts.Shape.of(query)), counts.values_of(query))
        return counts.summary_of(found[0])

    def log(self, project_id: str, *, after: int = 0, limit: int = 200, entity_id: str | None = None) -> list[LogEntry]:
        values = {"project_id": project_id, "after": after, "limit": limit, "entity_id": entity_id}
        found = self._database.read(self._statements.log[entity_id is not None], values)
        return [rows.log_entry_of(row) for row in found]

    def operation(self, operation_id: str) -> list[LogEntry]:
        found = self._database.read(self._statements.operation, {"operation_id": operation_id})
        return [rows.log_entry_of(row) for row in found]

    def claimed(self, owner: str, key: str) -> Claimed | None:
        found = self._database.read(self._statements.claimed, {"owner": owner, "key": key})
        return Claimed(*found[0]) if found else None

    def notifications(self, query: NotificationQuery) -> list[Notification]:
        statement = self._statements.upkeep.notifications[query.every_project, query.unread, bool(query.ids)]
        bounds = {"before": query.before or _LAST_ID, "up_to": query.up_to or _LAST_ID, "limit": query.limit}
        found = self._database.read(statement, {"user_id": query.user_id, "ids": list(query.ids), **bounds})
        return [rows.entity_of(rows.KINDS[Notification], row) for row in found]

    def settled(self, query: SettledQuery) -> list[Task]:
        values = {"at": query.at, "default_days": query.default_days, "limit": query.limit, **_after(query.after)}
        return [rows.task_of(row) for row in self._database.read(self._statements.upkeep.settled, values)]

    def unreminded(self, query: UnremindedQuery) -> list[Task]:
        near = {"since": query.at - LOOKED_BACK, "until": query.at + query.soon}
        values = {"at": query.at, "limit": query.limit, **near, **_after(query.after)}
        return [rows.task_of(row) for row in self._database.read(self._statements.upkeep.unreminded, values)]

    def behind(self, consumer: str, *, after: str | None = None, limit: int = 50) -> list[Position]:
        values = {"consumer": consumer, "after": after or _FIRST_ID, "limit": limit}
        return [Position(consumer, *row) for row in self._database.read(self._statements.upkeep.behind, values)]

    def position(self, consumer: str, project_id: str) -> Position:
        found = self._database.read(self._statements.upkeep.position, {"consumer": consumer, "project_id": project_id})
        return Position(consumer, project_id, *(found[0] if found else ()))

    def job_run(self, job: str, window: datetime) -> JobRun | None:
        found = self._database.read(self._statements.upkeep.job_run, {"job": job, "window": window})
        made: JobRun | None = rows.entity_of(rows.KINDS[JobRun], found[0]) if found else None
        return made

    def job_runs(self, job: str, *, limit: int = 10) -> list[JobRun]:
        found = self._database.read(self._statements.upkeep.job_runs, {"job": job, "limit": limit})
        return [rows.entity_of(rows.KINDS[JobRun], row) for row in found]

    def purge(self, what: Perishable, *, before: datetime, limit: int) -> int:
        values = {"before": before, "limit": limit}
        return len(
            self._database.write(lambda transaction: transaction.ask_all(self._statements.upkeep.purge[what], values))
        )

    def commit(self, changes: ChangeSet, claim: Claim | None = None) -> Receipt:
        if claim is None and all(change.idle for change in changes.changes):
            return Receipt({}, {})
        return self._database.write(partial(self._commit, changes, claim))

    def rehearse(self, changes: ChangeSet) -> Receipt:
        try:
            self._database.write(partial(self._rehearse, changes))
        except _Rehearsed as done:
            return done.receipt

    def count_kept(self) -> int:
        return self._carrying.count()

    def everything(self) -> Generator[Kept, None, None]:
        return self._carrying.everything()

    def restore(self, kept: Iterator[Kept]) -> None:
        self._carrying.restore(kept)

    def ping(self) -> None:
        if migrations.are_missing(self._database):
            raise Unavailable(OLDER)

    def give_up(self) -> None:
        self._database.give_up()

    def migrate(self) -> None:
        if migrations.are_missing(self._database):
            migrations.run(self._database.engine)

    def close(self) -> None:
        self._database.close()

    def _standing_and_task(self, visit: Visit, session_id: str, task_id: str) -> Standing | None:
        found = self._database.read(self._statements.standing_and_task, {"id": session_id, "task_id": task_id})
        if not found:
            return None
        standing, task = self._form.standing_and_task(found[0])
        visit.foreseen = task_id, task
        return standing

    def _one(self, entity: type[Found], value: str, column: str = "id") -> Found | None:
        found = self._database.read(self._statements.by[entity, column], {"value": value})
        if not found:
            return None
        made: Found = rows.entity_of(rows.KINDS[entity], found[0])
        return made

    def _page(self, query: TaskQuery) -> Sequence[Row]:
        """Return the rows of a page, and one more where others follow."""
        shape = pages.Shape.of(query)
        values = pages.values_of(query, shape, postgresql=self._database.is_postgresql)
        visit = self._database.connections.present_visit()
        if visit is not None and self._foresight is not None and visit.asking is not None:
            asking, visit.asking = visit.asking, None
            return self._foresight.page(asking, shape, values)
        return self._database.read(self._statements.page(shape), values)

    def _commit(self, changes: ChangeSet, claim: Claim | None, transaction: Transaction) -> Receipt:
        writes = self._statements.writes
        single = writes.single.commit(changes, transaction) if writes.single and claim is None else None
        return single or Commit(changes, transaction, writes, claim=claim).run()

    def _rehearse(self, changes: ChangeSet, transaction: Transaction) -> NoReturn:
        receipt = Commit(changes, transaction, self._statements.writes).run()
        transaction.settle()
        raise _Rehearsed(receipt)


def _after(place: Place | None) -> dict[str, str]:
    project_id, task_id = place or (_FIRST_ID, _FIRST_ID)
    return {"after_project_id": project_id, "after_id": task_id}
