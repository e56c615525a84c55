"""The store: each read one or a few round trips, a commit as ``commit.py`` orders it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Self, cast

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.job import JobRun
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Membership
from tracker.domain.refusals import Unavailable
from tracker.domain.session import RefreshToken, Session
from tracker.domain.user import User, folded
from tracker.store.contract import OLDER, Receipt, Store
from tracker.store.mongo import kept, log, modes, people, schema, tasks, upkeep
from tracker.store.mongo.access import Access
from tracker.store.mongo.collections import In
from tracker.store.mongo.commit import Commit, rehearse
from tracker.store.mongo.connection import Connection
from tracker.store.mongo.documents import entity_of, task_of
from tracker.store.mongo.errors import refusing
from tracker.store.mongo.kept import Restoration
from tracker.store.mongo.mending import mend
from tracker.store.mongo.modes import Alone, in_transaction
from tracker.store.mongo.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterator, Mapping
    from datetime import datetime

    from tracker.domain.changes import ChangeSet, LogEntry
    from tracker.domain.notification import Notification
    from tracker.domain.outbox import Position
    from tracker.domain.project import Member, Project, ProjectRole
    from tracker.domain.query import (
        MemberQuery,
        NotificationQuery,
        Page,
        ProjectQuery,
        SettledQuery,
        Summary,
        SummaryQuery,
        TaskQuery,
        UnremindedQuery,
        UserQuery,
    )
    from tracker.domain.task import Task
    from tracker.store.contract import Claim, Claimed, Perishable, Standing
    from tracker.store.kept import Kept
    from tracker.store.mongo.modes import Mode
    from tracker.store.watch import Watch


class MongoStore(Store):
    """MongoDB: a replica set, or, where that is allowed, a standalone server."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is connected yet."""
        self._connection = connection
        self._access = Access(connection)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        connections: int = 8,
        database: str | None = None,
        allow_standalone: bool = False,
        watch: Watch | None = None,
    ) -> Self:
        """Return the store at a ``mongodb://`` or ``mongodb+srv://`` URL; ValueError for any other.

        ``connections`` is how many threads can be at the database at once: as many as serve requests. ``database`` is
        its name where the URL has none. A server without transactions is Unavailable unless ``allow_standalone``.
        """
        return cls(
            Connection(url, connections=connections, database=database, allow_standalone=allow_standalone, watch=watch)
        )

    def standing(
        self,
        session_id: str,
        *,
        task_id: str | None = None,  # noqa: ARG002 - see Reader
        asked: Hashable | None = None,
    ) -> Standing | None:
        return people.standing(self._access, session_id, heads=asked is not None)

    def memberships(self, user_id: str) -> Mapping[str, ProjectRole]:
        return people.memberships(self._access, user_id)

    def user(self, user_id: str) -> User | None:
        return people.one(self._access, User, user_id)

    def user_named(self, *, username: str | None = None, email: str | None = None) -> User | None:
        if username is not None:
            return people.one(self._access, User, folded(username), "username_folded")
        return people.one(self._access, User, folded(email or ""), "email_folded")

    def has_users(self) -> bool:
        return self._access.one(In.USERS, {}, fields=["_id"]) is not None

    def users(self, query: UserQuery) -> list[User]:
        return people.users(self._access, query)

    def session(self, session_id: str) -> Session | None:
        return people.one(self._access, Session, session_id)

    def sessions(self, user_id: str, *, at: datetime, before: str | None = None, limit: int = 50) -> list[Session]:
        return people.sessions(self._access, user_id, at, before, limit)

    def refresh_token(self, token_id: str) -> RefreshToken | None:
        return people.one(self._access, RefreshToken, token_id)

    def password_reset(self, reset_id: str) -> PasswordReset | None:
        return people.one(self._access, PasswordReset, reset_id)

    def password_reset_of(self, user_id: str) -> PasswordReset | None:
        return people.one(self._access, PasswordReset, user_id, "user_id")

    def calendar_feed(self, feed_id: str) -> CalendarFeed | None:
        return people.one(self._access, CalendarFeed, feed_id)

    def calendar_feed_of(self, user_id: str) -> CalendarFeed | None:
        return people.one(self._access, CalendarFeed, user_id, "user_id")

    def project(self, project_id: str) -> Project | None:
        return people.project(self._access, project_id)

    def projects(self, query: ProjectQuery) -> list[Project]:
        return people.projects(self._access, query)

    def project_tasks(self, project_id: str, *, limit: int, assignee_id: str | None = None) -> list[Task]:
        which = {"project_id": {"$eq": project_id}}
        if assignee_id is not None:
            which["assignee_id"] = {"$eq": assignee_id}
        return tasks.in_order(self._access, which, sort=[("_id", 1)], limit=limit)

    def membership(self, project_id: str, user_id: str) -> Membership | None:
        return people.one(self._access, Membership, f"{project_id}/{user_id}")

    def members(self, query: MemberQuery) -> list[Member]:
        return people.members(self._access, query)

    def task(self, task_id: str) -> Task | None:
        found = self._access.one(In.TASKS, {"_id": {"$eq": task_id}})
        return None if found is None else task_of(found)

    def tasks(self, query: TaskQuery) -> Page:
        return tasks.page(self._access, query)

    def summary(self, query: SummaryQuery) -> Summary:
        return tasks.summary(self._access, query)

    def log(self, project_id: str, *, after: int = 0, limit: int = 200, entity_id: str | None = None) -> list[LogEntry]:
        return log.log(self._access, project_id, after, limit, entity_id)

    def operation(self, operation_id: str) -> list[LogEntry]:
        return log.operation(self._access, operation_id)

    def claimed(self, owner: str, key: str) -> Claimed | None:
        with refusing():
            return log.claimed(self._access, owner, key, Alone(self._access).wait_for_claim)

    def notifications(self, query: NotificationQuery) -> list[Notification]:
        return upkeep.notifications(self._access, query)

    def settled(self, query: SettledQuery) -> list[Task]:
        return upkeep.settled(self._access, query)

    def unreminded(self, query: UnremindedQuery) -> list[Task]:
        return upkeep.unreminded(self._access, query)

    def behind(self, consumer: str, *, after: str | None = None, limit: int = 50) -> list[Position]:
        return upkeep.behind(self._access, consumer, after, limit)

    def position(self, consumer: str, project_id: str) -> Position:
        return upkeep.position(self._access, consumer, project_id)

    def job_run(self, job: str, window: datetime) -> JobRun | None:
        found = self._access.one(In.JOB_RUNS, {"job": {"$eq": job}, "window": {"$eq": window}})
        return None if found is None else cast("JobRun", entity_of(JobRun, found))

    def job_runs(self, job: str, *, limit: int = 10) -> list[JobRun]:
        found = self._access.find(In.JOB_RUNS, {"job": {"$eq": job}}, sort=[("window", -1)], limit=limit)
        return [entity_of(JobRun, document) for document in found]

    def purge(self, what: Perishable, *, before: datetime, limit: int) -> int:
        return upkeep.purge(self._access, what, before, limit)

    def commit(self, changes: ChangeSet, claim: Claim | None = None) -> Receipt:
        plan = Plan(changes)
        if claim is None and not plan.changes:
            return Receipt({}, {})
        commit = partial(_commit, plan, claim)
        with refusing():
            if self._connection.transactional:
                return in_transaction(self._connection, commit, changes=len(plan.changes))
            return commit(Alone(self._access))

    def rehearse(self, changes: ChangeSet) -> Receipt:
        return rehearse(Plan(changes), self._access)

    def count_kept(self) -> int:
        return kept.count(self._access)

    def everything(self) -> Generator[Kept, None, None]:
        return kept.everything(self._access)

    def restore(self, kept: Iterator[Kept]) -> None:
        with refusing():
            Restoration(self._access).run(kept)

    def ping(self) -> None:
        with self._connection.silence.asked():
            _ = self._connection.transactional
            is_enough = schema.is_enough(self._access)
        if not is_enough:
            raise Unavailable(OLDER)

    def give_up(self) -> None:
        self._connection.silence.begin()

    def migrate(self) -> None:
        transactional = self._connection.transactional
        with refusing():
            if not schema.is_enough(self._access):
                kept.take_back(self._access, patience=modes.LEASE)
                schema.bring_up(self._connection, self._access)
            if not transactional:
                mend(self._access, patience=modes.LEASE, a_change=modes.A_CHANGE)

    def close(self) -> None:
        self._connection.close()


def _commit(plan: Plan, claim: Claim | None, mode: Mode) -> Receipt:
    return Commit(plan, mode, claim).run()
